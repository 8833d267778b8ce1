//! IPP messages (RFC 8010): what we ask and what a server answers.
//!
//! Only what printing a document needs. Collections are read as the flat list of their parts.
//! Invariant: any bytes decode to a message or an error, with no more memory than a few times their length.

use thiserror::Error;

/// A request or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The operation of a request, or the status of an answer.
    pub code: u16,
    /// Ties an answer to its request.
    pub request: i32,
    /// In the order in which they stand.
    pub groups: Vec<Group>,
}

/// Attributes of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Whose.
    pub tag: u8,
    /// In the order in which they stand.
    pub attributes: Vec<Attribute>,
}

/// A name with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// One or more.
    pub values: Vec<Value>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An integer or an enum.
    Number(i32),
    /// A boolean.
    Boolean(bool),
    /// A text of the kind that the tag says.
    Text(u8, String),
    /// Another value, as it stands.
    Other(u8, Vec<u8>),
}

/// Whose attributes a group holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// The operation's.
    Operation,
    /// The job's.
    Job,
    /// The printer's.
    Printer,
}

impl Tag {
    const fn byte(self) -> u8 {
        match self {
            Self::Operation => 0x01,
            Self::Job => 0x02,
            Self::Printer => 0x04,
        }
    }
}

/// What we ask for (RFC 8011, 5.4.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A job and its document in one.
    PrintJob,
    /// A job without document.
    CreateJob,
    /// A document of a job.
    SendDocument,
    /// The end of a job.
    CancelJob,
    /// How a job is.
    GetJobAttributes,
    /// How the printer is.
    GetPrinterAttributes,
}

impl Operation {
    /// Its number.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::PrintJob => 0x0002,
            Self::CreateJob => 0x0005,
            Self::SendDocument => 0x0006,
            Self::CancelJob => 0x0008,
            Self::GetJobAttributes => 0x0009,
            Self::GetPrinterAttributes => 0x000B,
        }
    }
}

/// Bytes that are no IPP message.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("no IPP message, at byte {at}")]
pub struct NoMessage {
    /// Where.
    pub at: usize,
}

const END: u8 = 0x03;
const INTEGER: u8 = 0x21;
const BOOLEAN: u8 = 0x22;
const ENUM: u8 = 0x23;
const NAME: u8 = 0x42;
const KEYWORD: u8 = 0x44;
const URI: u8 = 0x45;
const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;
const MIME: u8 = 0x49;

impl Attribute {
    fn text(tag: u8, name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            values: vec![Value::Text(tag, value.to_owned())],
        }
    }

    /// A URI.
    #[must_use]
    pub fn uri(name: &str, value: &str) -> Self {
        Self::text(URI, name, value)
    }

    /// A name.
    #[must_use]
    pub fn name(name: &str, value: &str) -> Self {
        Self::text(NAME, name, value)
    }

    /// A media type.
    #[must_use]
    pub fn mime(name: &str, value: &str) -> Self {
        Self::text(MIME, name, value)
    }

    /// Keywords.
    #[must_use]
    pub fn keywords(name: &str, values: &[&str]) -> Self {
        let values = values
            .iter()
            .map(|value| Value::Text(KEYWORD, (*value).to_owned()));
        Self {
            name: name.to_owned(),
            values: values.collect(),
        }
    }

    /// An integer.
    #[must_use]
    pub fn integer(name: &str, value: i32) -> Self {
        Self {
            name: name.to_owned(),
            values: vec![Value::Number(value)],
        }
    }

    /// A boolean.
    #[must_use]
    pub fn boolean(name: &str, value: bool) -> Self {
        Self {
            name: name.to_owned(),
            values: vec![Value::Boolean(value)],
        }
    }
}

impl Message {
    /// A request with the two attributes that stand first in every one (RFC 8011, 4.1.4).
    #[must_use]
    pub fn request(operation: Operation, request: i32) -> Self {
        let mut message = Self {
            code: operation.code(),
            request,
            groups: Vec::new(),
        };
        message.add(
            Tag::Operation,
            Attribute::text(CHARSET, "attributes-charset", "utf-8"),
        );
        let language = Attribute::text(LANGUAGE, "attributes-natural-language", "ja");
        message.add(Tag::Operation, language);
        message
    }

    /// Adds an attribute to a group, which is begun where it is the first.
    pub fn add(&mut self, group: Tag, attribute: Attribute) {
        self.insert(group, usize::MAX, attribute);
    }

    /// Puts an attribute at a place of its group, or at the end where the group is shorter.
    pub fn insert(&mut self, group: Tag, at: usize, attribute: Attribute) {
        let tag = group.byte();
        match self.groups.iter_mut().find(|group| group.tag == tag) {
            Some(group) => group
                .attributes
                .insert(at.min(group.attributes.len()), attribute),
            None => self.groups.push(Group {
                tag,
                attributes: vec![attribute],
            }),
        }
    }

    /// The values of an attribute; none where it is not there.
    #[must_use]
    pub fn values(&self, group: Tag, name: &str) -> Vec<Value> {
        let groups = self.groups.iter().filter(|found| found.tag == group.byte());
        let found = groups
            .flat_map(|group| &group.attributes)
            .find(|found| found.name == name);
        found
            .map(|attribute| attribute.values.clone())
            .unwrap_or_default()
    }

    /// The first number of an attribute.
    #[must_use]
    pub fn integer(&self, group: Tag, name: &str) -> Option<i32> {
        self.values(group, name)
            .into_iter()
            .find_map(|value| match value {
                Value::Number(number) => Some(number),
                Value::Boolean(_) | Value::Text(..) | Value::Other(..) => None,
            })
    }

    /// The texts of an attribute.
    #[must_use]
    pub fn texts(&self, group: Tag, name: &str) -> Vec<String> {
        let texts = self
            .values(group, name)
            .into_iter()
            .filter_map(|value| match value {
                Value::Text(_, text) => Some(text),
                Value::Number(_) | Value::Boolean(_) | Value::Other(..) => None,
            });
        texts.collect()
    }

    /// The message as IPP 1.1 bytes, which every version of a server takes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![1, 1];
        bytes.extend_from_slice(&self.code.to_be_bytes());
        bytes.extend_from_slice(&self.request.to_be_bytes());
        for group in &self.groups {
            bytes.push(group.tag);
            for attribute in &group.attributes {
                for (number, value) in attribute.values.iter().enumerate() {
                    let name = if number == 0 {
                        attribute.name.as_str()
                    } else {
                        ""
                    };
                    encode_value(&mut bytes, name, value);
                }
            }
        }
        bytes.push(END);
        bytes
    }

    /// A message from bytes; what follows its end is the document and is left alone.
    ///
    /// # Errors
    /// Where the bytes are no message.
    pub fn decode(bytes: &[u8]) -> Result<Self, NoMessage> {
        let mut reader = Reader { bytes, at: 0 };
        let [1 | 2, _] = *reader.array::<2>()? else {
            return Err(NoMessage { at: 0 });
        };
        let code = u16::from_be_bytes(*reader.array()?);
        let request = i32::from_be_bytes(*reader.array()?);
        let mut message = Self {
            code,
            request,
            groups: Vec::new(),
        };
        loop {
            let at = reader.at;
            let [tag] = *reader.array::<1>()?;
            match (tag, message.groups.last_mut()) {
                (END, _) => return Ok(message),
                (0x00..=0x0F, _) => message.groups.push(Group {
                    tag,
                    attributes: Vec::new(),
                }),
                (_, Some(group)) => reader.value(tag, group)?,
                (_, None) => return Err(NoMessage { at }),
            }
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], NoMessage> {
        let at = self.at;
        let rest = self.bytes.get(at..).unwrap_or_default();
        let found = rest.first_chunk::<N>().ok_or(NoMessage { at })?;
        self.at += N;
        Ok(found)
    }

    fn counted(&mut self) -> Result<&'a [u8], NoMessage> {
        let length = usize::from(u16::from_be_bytes(*self.array()?));
        let at = self.at;
        let found = self.bytes.get(at..at + length).ok_or(NoMessage { at })?;
        self.at += length;
        Ok(found)
    }

    fn value(&mut self, tag: u8, group: &mut Group) -> Result<(), NoMessage> {
        let at = self.at;
        let name = std::str::from_utf8(self.counted()?)
            .ok()
            .ok_or(NoMessage { at })?;
        let raw = self.counted()?;
        let value = match (tag, raw) {
            (INTEGER | ENUM, raw) => {
                let number: [u8; 4] = raw.try_into().ok().ok_or(NoMessage { at })?;
                Value::Number(i32::from_be_bytes(number))
            }
            (BOOLEAN, [flag]) => Value::Boolean(*flag != 0),
            (BOOLEAN, _) => return Err(NoMessage { at }),
            (0x40..=0x5F, raw) => Value::Text(tag, String::from_utf8_lossy(raw).into_owned()),
            (_, raw) => Value::Other(tag, raw.to_vec()),
        };
        match group.attributes.last_mut() {
            Some(attribute) if name.is_empty() => attribute.values.push(value),
            Some(_) | None => group.attributes.push(Attribute {
                name: name.to_owned(),
                values: vec![value],
            }),
        }
        Ok(())
    }
}

fn encode_value(bytes: &mut Vec<u8>, name: &str, value: &Value) {
    let (tag, raw) = match value {
        Value::Number(number) => (INTEGER, number.to_be_bytes().to_vec()),
        Value::Boolean(flag) => (BOOLEAN, vec![u8::from(*flag)]),
        Value::Text(tag, text) => (*tag, text.as_bytes().to_vec()),
        Value::Other(tag, raw) => (*tag, raw.clone()),
    };
    bytes.push(tag);
    for part in [name.as_bytes(), &raw] {
        // No name or value of ours comes near this length.
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part.get(..usize::from(length)).unwrap_or(part));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The request of RFC 8010, appendix A.1 ("Print-Job Request"), up to the document.
    const PRINT_JOB: &[u8] = b"\x01\x01\x00\x02\x00\x00\x00\x01\x01\
        \x47\x00\x12attributes-charset\x00\x05utf-8\
        \x48\x00\x1battributes-natural-language\x00\x05en-us\
        \x45\x00\x0bprinter-uri\x00\x2cipp://printer.example.com/ipp/print/pinetree\
        \x42\x00\x08job-name\x00\x06foobar\
        \x22\x00\x16ipp-attribute-fidelity\x00\x01\x01\
        \x02\x21\x00\x06copies\x00\x04\x00\x00\x00\x14\
        \x44\x00\x05sides\x00\x13two-sided-long-edge\x03%!PDF";

    #[test]
    fn the_published_request_is_read_and_written_back() {
        let message = Message::decode(PRINT_JOB).unwrap();
        assert_eq!((message.code, message.request), (0x0002, 1));
        assert_eq!(message.integer(Tag::Job, "copies"), Some(20));
        assert_eq!(message.texts(Tag::Job, "sides"), ["two-sided-long-edge"]);
        assert_eq!(
            message.values(Tag::Operation, "ipp-attribute-fidelity"),
            [Value::Boolean(true)]
        );
        assert_eq!(message.encode(), PRINT_JOB[..PRINT_JOB.len() - 5]);
    }

    #[test]
    fn several_values_of_one_name_stay_together() {
        let mut message = Message::request(Operation::GetPrinterAttributes, 7);
        message.add(
            Tag::Operation,
            Attribute::keywords("requested-attributes", &["a", "b"]),
        );
        message.insert(Tag::Operation, 2, Attribute::integer("job-id", 5));
        let again = Message::decode(&message.encode()).unwrap();
        assert_eq!(again, message);
        assert_eq!(
            again.texts(Tag::Operation, "requested-attributes"),
            ["a", "b"]
        );
        assert_eq!(again.groups[0].attributes[2].name, "job-id");
    }

    #[test]
    fn every_truncation_is_an_error() {
        let whole = &PRINT_JOB[..PRINT_JOB.len() - 5];
        for cut in 0..whole.len() {
            assert!(Message::decode(&whole[..cut]).is_err(), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(Message::decode(&bytes));
            let with_head = [&[1, 1, 0, 0, 0, 0, 0, 1, 1][..], &bytes].concat();
            drop(Message::decode(&with_head));
        }
    }
}
