//! A document as a sequence of what must come next; white space between elements is skipped.

use std::collections::BTreeMap;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use zeroize::Zeroizing;

use super::reader::InkmlError;

/// The attributes of one element; all of them are expected, none is left over.
pub(super) struct Attributes {
    element: &'static str,
    values: BTreeMap<String, String>,
}

impl Attributes {
    fn read(
        start: &BytesStart<'_>,
        element: &'static str,
        names: &[&str],
    ) -> Result<Self, InkmlError> {
        let wrong = |attribute: &str| InkmlError::Attribute {
            element,
            attribute: attribute.to_owned(),
        };
        let mut values = BTreeMap::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_unreadable| wrong("?"))?;
            let name = attribute.key.as_ref();
            if !names.contains(&name) {
                return Err(wrong("?"));
            }
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|_entity| wrong(name))?;
            values.insert(name.to_owned(), value.into_owned());
        }
        Ok(Self { element, values })
    }

    /// The value of an attribute.
    pub(super) fn text(&self, name: &str) -> Result<&str, InkmlError> {
        self.values
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| self.wrong(name))
    }

    /// The value, if the attribute is there.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value as a whole number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, InkmlError> {
        whole(self.text(name)?).ok_or_else(|| self.wrong(name))
    }

    /// The value as thousandths.
    pub(super) fn thousandths(&self, name: &str) -> Result<u32, InkmlError> {
        let value = fraction(self.text(name)?, 3).ok_or_else(|| self.wrong(name))?;
        u32::try_from(value).map_err(|_large| self.wrong(name))
    }

    /// Insists on a value.
    pub(super) fn must(&self, name: &str, value: &str) -> Result<(), InkmlError> {
        if self.text(name)? == value {
            Ok(())
        } else {
            Err(self.wrong(name))
        }
    }

    /// The complaint about an attribute.
    pub(super) fn wrong(&self, name: &str) -> InkmlError {
        InkmlError::Attribute {
            element: self.element,
            attribute: name.to_owned(),
        }
    }
}

/// A whole number without plus sign, leading zeros or minus zero: one way to write each.
pub(super) fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading = digits.starts_with('0') && (digits.len() > 1 || text.len() > 1);
    if !plain || leading {
        return None;
    }
    text.parse().ok()
}

/// A fraction with at most `places` digits after the point, times 10^`places`.
pub(super) fn fraction(text: &str, places: usize) -> Option<u64> {
    let (front, back) = text.split_once('.').unwrap_or((text, ""));
    let digits = back.bytes().all(|byte| byte.is_ascii_digit());
    let pointless = text.ends_with('.') || back.ends_with('0');
    if back.len() > places || !digits || pointless {
        return None;
    }
    let scale = 10_u64.checked_pow(u32::try_from(places).ok()?)?;
    let after = if back.is_empty() {
        0
    } else {
        format!("{back:0<places$}").parse::<u64>().ok()?
    };
    whole::<u64>(front)?.checked_mul(scale)?.checked_add(after)
}

/// The events of a document, one ahead.
pub(super) struct Input<'a> {
    reader: Reader<&'a [u8]>,
    ahead: Option<Event<'a>>,
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever a new version of quick-xml may find, it is not what was expected"
)]
impl<'a> Input<'a> {
    /// Begins a document.
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        Self {
            reader,
            ahead: None,
        }
    }

    /// Takes the declaration that a document opens with.
    pub(super) fn declaration(&mut self) -> Result<(), InkmlError> {
        match self.next()? {
            Event::Decl(declaration)
                if declaration.trim_end() == "xml version=\"1.0\" encoding=\"UTF-8\"" =>
            {
                Ok(())
            }
            _ => Err(self.expected("declaration of XML 1.0 in UTF-8")),
        }
    }

    /// Takes the start of an element with no other attributes than these.
    pub(super) fn open(
        &mut self,
        name: &'static str,
        attributes: &[&str],
    ) -> Result<Attributes, InkmlError> {
        match self.next()? {
            Event::Start(start) if start.name().as_ref() == name => {
                Attributes::read(&start, name, attributes)
            }
            _ => Err(self.expected(name)),
        }
    }

    /// Whether this element comes next.
    pub(super) fn is_next(&mut self, name: &str) -> Result<bool, InkmlError> {
        let event = self.next()?;
        let is = matches!(&event, Event::Start(start) if start.name().as_ref() == name);
        self.ahead = Some(event);
        Ok(is)
    }

    /// Takes the end of an element.
    pub(super) fn close(&mut self, name: &'static str) -> Result<(), InkmlError> {
        match self.next()? {
            Event::End(end) if end.name().as_ref() == name => Ok(()),
            _ => Err(self.expected(name)),
        }
    }

    /// Takes an element without content.
    pub(super) fn empty(
        &mut self,
        name: &'static str,
        attributes: &[&str],
    ) -> Result<Attributes, InkmlError> {
        let attributes = self.open(name, attributes)?;
        self.close(name)?;
        Ok(attributes)
    }

    /// Takes the text of the element that is open, and its end.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Zeroizing<String>, InkmlError> {
        let mut text = Zeroizing::new(String::new());
        loop {
            match self.raw()? {
                Event::Text(part) => text.push_str(&part.xml10_content()),
                // Only the five predefined entities and characters by number: nothing that expands.
                Event::GeneralRef(reference) => {
                    let character = reference
                        .resolve_char_ref()
                        .map_err(|_number| self.expected("character"))?;
                    match character {
                        Some(character) => text.push(character),
                        None => text.push_str(
                            quick_xml::escape::resolve_predefined_entity(&reference)
                                .ok_or_else(|| self.expected("predefined entity"))?,
                        ),
                    }
                }
                Event::End(end) if end.name().as_ref() == name => return Ok(text),
                _ => return Err(self.expected("text")),
            }
        }
    }

    /// Takes the end of the document.
    pub(super) fn end(&mut self) -> Result<(), InkmlError> {
        match self.next()? {
            Event::Eof => Ok(()),
            _ => Err(self.expected("end of the document")),
        }
    }

    fn next(&mut self) -> Result<Event<'a>, InkmlError> {
        if let Some(event) = self.ahead.take() {
            return Ok(event);
        }
        loop {
            match self.raw()? {
                Event::Text(text) if text.trim().is_empty() => {}
                event => return Ok(event),
            }
        }
    }

    fn raw(&mut self) -> Result<Event<'a>, InkmlError> {
        self.reader
            .read_event()
            .map_err(|_malformed| InkmlError::Malformed(self.reader.buffer_position()))
    }

    fn expected(&self, expected: &'static str) -> InkmlError {
        InkmlError::Expected {
            expected,
            at: self.reader.buffer_position(),
        }
    }
}
