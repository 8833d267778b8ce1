//! Reading the fields of section 1.5 from a packet's body.

use super::Malformed;

/// What is left of a body.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    /// Section 1.5.2: the most significant byte first.
    pub(super) fn number(&mut self) -> Result<u16, Malformed> {
        let (bytes, rest) = self.0.split_first_chunk::<2>().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(u16::from_be_bytes(*bytes))
    }

    /// A packet identifier, which is never zero [MQTT-2.3.1-1].
    pub(super) fn id(&mut self) -> Result<u16, Malformed> {
        match self.number()? {
            0 => Err(Malformed::Identifier),
            id => Ok(id),
        }
    }

    /// Bytes with their length before them.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::from(self.number()?);
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Section 1.5.3: UTF-8 without U+0000 [MQTT-1.5.3-1, -2].
    pub(super) fn text(&mut self) -> Result<String, Malformed> {
        let text = std::str::from_utf8(self.bytes()?)
            .ok()
            .ok_or(Malformed::Text)?;
        if text.contains('\0') {
            return Err(Malformed::Text);
        }
        Ok(text.to_owned())
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
