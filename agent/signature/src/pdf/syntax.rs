//! The objects of a PDF as they are written (ISO 32000-1 §7.2, §7.3), within a budget.
//!
//! Our own and not lopdf's, because that one reads every object of a file at once: 300 KB of
//! compressed arrays became 17 GB of memory. Here only what is asked for is read, and all that is
//! read is paid from one budget.

use lopdf::{Dictionary, Object, StringFormat};

/// How deep values may lie in each other.
const DEEPEST: usize = 48;

/// The position in bytes that are being read, and what may still be read.
pub(super) struct Scanner<'a, 'b> {
    bytes: &'a [u8],
    at: usize,
    /// How many more values may be made.
    budget: &'b mut usize,
}

impl<'a, 'b> Scanner<'a, 'b> {
    /// Begins at a place.
    pub(super) fn new(bytes: &'a [u8], at: usize, budget: &'b mut usize) -> Self {
        Self { bytes, at, budget }
    }

    /// Where it is.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while self
                    .peek()
                    .is_some_and(|byte| byte != b'\n' && byte != b'\r')
                {
                    self.at += 1;
                }
            } else if is_white(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// Takes a word that must come next.
    pub(super) fn word(&mut self, word: &str) -> Option<()> {
        self.skip();
        self.rest().strip_prefix(word.as_bytes())?;
        self.at += word.len();
        Some(())
    }

    /// Takes a whole number of no sign.
    pub(super) fn number<T: TryFrom<u64>>(&mut self) -> Option<T> {
        self.skip();
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() || digits.len() > 18 {
            return None;
        }
        let number = digits
            .iter()
            .fold(0_u64, |all, digit| all * 10 + u64::from(digit - b'0'));
        T::try_from(number).ok()
    }

    /// Takes the line break behind the word `stream`.
    pub(super) fn line_break(&mut self) {
        if self.peek() == Some(b'\r') {
            self.at += 1;
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
    }

    /// Takes bytes while they are of a kind.
    fn run(&mut self, kind: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|byte| !kind(*byte));
        let taken = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// Takes one value; nothing where it is none, lies too deep, or the budget is spent.
    pub(super) fn value(&mut self) -> Option<Object> {
        self.nested(0)
    }

    /// Takes a dictionary.
    pub(super) fn dictionary(&mut self) -> Option<Dictionary> {
        match self.value() {
            Some(Object::Dictionary(dictionary)) => Some(dictionary),
            _ => None,
        }
    }

    fn nested(&mut self, depth: usize) -> Option<Object> {
        *self.budget = self.budget.checked_sub(1)?;
        self.skip();
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            b'/' => self.name().map(Object::Name),
            b'(' => self.literal(),
            b'<' if self.rest().starts_with(b"<<") => self.entries(depth),
            b'<' => self.hexadecimal(),
            b'[' => self.array(depth),
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.numeric(),
            _ => match self.run(|byte| byte.is_ascii_alphabetic()) {
                b"true" => Some(Object::Boolean(true)),
                b"false" => Some(Object::Boolean(false)),
                b"null" => Some(Object::Null),
                _ => None,
            },
        }
    }

    fn entries(&mut self, depth: usize) -> Option<Object> {
        self.at += 2;
        let mut dictionary = Dictionary::new();
        loop {
            self.skip();
            if self.rest().starts_with(b">>") {
                self.at += 2;
                return Some(Object::Dictionary(dictionary));
            }
            let key = self.name()?;
            let value = self.nested(depth + 1)?;
            // A key that stands there twice means different things to different readers.
            if dictionary.has(&key) {
                return None;
            }
            dictionary.set(key, value);
        }
    }

    fn array(&mut self, depth: usize) -> Option<Object> {
        self.at += 1;
        let mut values = Vec::new();
        loop {
            self.skip();
            if self.peek()? == b']' {
                self.at += 1;
                return Some(Object::Array(values));
            }
            values.push(self.nested(depth + 1)?);
        }
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        if self.peek()? != b'/' {
            return None;
        }
        self.at += 1;
        let raw = self.run(|byte| !is_white(byte) && !is_delimiter(byte));
        let mut name = Vec::with_capacity(raw.len());
        let mut bytes = raw.iter();
        while let Some(byte) = bytes.next() {
            if *byte == b'#' {
                let high = digit(*bytes.next()?)?;
                let low = digit(*bytes.next()?)?;
                name.push(high << 4 | low);
            } else {
                name.push(*byte);
            }
        }
        Some(name)
    }

    /// A number, or the first number of a reference.
    fn numeric(&mut self) -> Option<Object> {
        let start = self.at;
        let text = self.run(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.'));
        if text.iter().all(u8::is_ascii_digit) {
            let behind = self.at;
            self.at = start;
            if let Some(reference) = self.reference() {
                return Some(reference);
            }
            self.at = behind;
        }
        let text = std::str::from_utf8(text).ok()?;
        if let Ok(number) = text.parse::<i64>() {
            return Some(Object::Integer(number));
        }
        let number = text.parse::<f32>().ok()?;
        number.is_finite().then_some(Object::Real(number))
    }

    fn reference(&mut self) -> Option<Object> {
        let number = self.number()?;
        self.skip();
        let generation = self.number()?;
        self.skip();
        if self.peek()? != b'R' {
            return None;
        }
        self.at += 1;
        let ends = self
            .peek()
            .is_none_or(|byte| is_white(byte) || is_delimiter(byte));
        ends.then_some(Object::Reference((number, generation)))
    }

    fn literal(&mut self) -> Option<Object> {
        self.at += 1;
        let mut text = Vec::new();
        let mut open = 1_usize;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' => open -= 1,
                b'\\' => {
                    self.escaped(&mut text)?;
                    continue;
                }
                _ => {}
            }
            if open == 0 {
                return Some(Object::String(text, StringFormat::Literal));
            }
            text.push(byte);
        }
    }

    /// What stands behind a backslash (§7.3.4.2).
    fn escaped(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'\n' => {}
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.at += 1;
                }
            }
            b'0'..=b'7' => {
                let mut code = u16::from(byte - b'0');
                for _ in 0..2 {
                    let Some(next @ b'0'..=b'7') = self.peek() else {
                        break;
                    };
                    code = code * 8 + u16::from(next - b'0');
                    self.at += 1;
                }
                text.push(u8::try_from(code & 0xFF).unwrap_or(0));
            }
            other => text.push(other),
        }
        Some(())
    }

    fn hexadecimal(&mut self) -> Option<Object> {
        self.at += 1;
        let mut digits = Vec::new();
        loop {
            let byte = self.peek()?;
            self.at += 1;
            if byte == b'>' {
                break;
            }
            if !is_white(byte) {
                digits.push(digit(byte)?);
            }
        }
        let text = digits
            .chunks(2)
            .map(|pair| pair.first().unwrap_or(&0) << 4 | pair.get(1).unwrap_or(&0))
            .collect();
        Some(Object::String(text, StringFormat::Hexadecimal))
    }
}

fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use lopdf::{Object, StringFormat};
    use proptest::prelude::*;

    use super::Scanner;

    fn value(text: &[u8]) -> Option<Object> {
        Scanner::new(text, 0, &mut 1_000).value()
    }

    #[test]
    fn values_are_read_as_the_standard_writes_them() {
        let text = |bytes: &[u8]| Some(Object::String(bytes.to_vec(), StringFormat::Literal));
        assert_eq!(value(b" % remark\r 12 "), Some(Object::Integer(12)));
        assert_eq!(value(b"-.5"), Some(Object::Real(-0.5)));
        assert_eq!(value(b"12 0 R"), Some(Object::Reference((12, 0))));
        assert_eq!(value(b"/A#20B/"), Some(Object::Name(b"A B".to_vec())));
        assert_eq!(value(b"(a(b)\\)\\101\\\n)"), text(b"a(b))A"));
        let hex = Object::String(vec![0x90, 0x1F, 0xA0], StringFormat::Hexadecimal);
        assert_eq!(value(b"<901F A>"), Some(hex));
        let array = value(b"[1 0 R 2 0 true null<<>>()]").unwrap();
        assert_eq!(array.as_array().unwrap().len(), 7);
    }

    #[test]
    fn what_is_no_value_is_none() {
        for text in [
            &b""[..],
            b"(",
            b"<",
            b"<9",
            b"<<",
            b"<</A",
            b"<</A 1",
            b"<</A 1/A 2>>",
            b"[1",
            b"/A#4",
            b"1.2.3",
            b"none",
            b")",
            b"<xy>",
        ] {
            assert_eq!(value(text), None, "{text:?}");
        }
        assert_eq!(value(&b"[".repeat(100_000)), None);
        assert_eq!(value(format!("[{}]", "0 ".repeat(2_000)).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(value(&text));
        }
    }
}
