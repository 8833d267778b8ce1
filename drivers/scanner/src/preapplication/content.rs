//! What stands inside a pre-application: the procedure, and the fields of its form.
//!
//! ```text
//! content   = length 1 | procedure | field ...
//! field     = length 1 | name | length 2 | value
//! ```
//!
//! Texts are UTF-8; fields stand in ascending order of their names' bytes, each name once; so one
//! application has one encoding.

use std::fmt;

use zeroize::Zeroizing;

/// What a citizen applies for.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Application {
    /// The procedure, as web form and counter application name it.
    pub procedure: String,
    /// What was filled in.
    pub fields: Vec<Field>,
}

/// One field of a form.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What the citizen filled in.
    pub value: Zeroizing<String>,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Application({} fields)", self.fields.len())
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?}, {} bytes)", self.name, self.value.len())
    }
}

/// The application that `content` holds; `None` where it is not in this form.
#[must_use]
pub fn read(content: &[u8]) -> Option<Application> {
    let mut rest = content;
    let procedure = text(&mut rest, 1)?.to_owned();
    let mut fields: Vec<Field> = Vec::new();
    while !rest.is_empty() {
        let name = text(&mut rest, 1)?;
        if fields.last().is_some_and(|last| last.name.as_str() >= name) {
            return None;
        }
        fields.push(Field {
            name: name.to_owned(),
            value: Zeroizing::new(text(&mut rest, 2)?.to_owned()),
        });
    }
    Some(Application { procedure, fields })
}

/// The content for an application, whose fields may stand in any order; `None` where a text is too long or
/// a name occurs twice.
#[must_use]
pub fn write(application: &Application) -> Option<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::new());
    let mut put = |text: &str, width: usize| {
        let length = u16::try_from(text.len()).ok()?.to_be_bytes();
        let (unused, length) = length.split_at(2 - width);
        if unused.iter().any(|byte| *byte != 0) {
            return None;
        }
        content.extend_from_slice(length);
        content.extend_from_slice(text.as_bytes());
        Some(())
    };
    put(&application.procedure, 1)?;
    let mut fields: Vec<&Field> = application.fields.iter().collect();
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    for (index, field) in fields.iter().enumerate() {
        if fields
            .get(index + 1)
            .is_some_and(|next| next.name == field.name)
        {
            return None;
        }
        put(&field.name, 1)?;
        put(&field.value, 2)?;
    }
    Some(content)
}

fn text<'a>(rest: &mut &'a [u8], width: usize) -> Option<&'a str> {
    let (length, after) = rest.split_at_checked(width)?;
    let length = length
        .iter()
        .fold(0usize, |length, byte| length * 256 + usize::from(*byte));
    let (text, after) = after.split_at_checked(length)?;
    *rest = after;
    str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(name: &str, value: &str) -> Field {
        Field {
            name: name.to_owned(),
            value: Zeroizing::new(value.to_owned()),
        }
    }

    #[test]
    fn one_application_has_one_encoding() {
        let written = write(&Application {
            procedure: "p".to_owned(),
            fields: vec![field("b", "2"), field("a", "1")],
        });
        assert_eq!(
            written.unwrap().to_vec(),
            b"\x01p\x01a\x00\x011\x01b\x00\x012"
        );
        for other in [
            &b"\x01p\x01b\x00\x00\x01a\x00\x00"[..],
            b"\x01p\x01a\x00\x00\x01a\x00\x00",
            b"",
            b"\x01\xFF",
        ] {
            assert_eq!(read(other), None);
        }
        for fields in [
            vec![field("a", "1"), field("a", "2")],
            vec![field(&"x".repeat(256), "")],
            vec![field("a", &"x".repeat(65_536))],
        ] {
            assert!(
                write(&Application {
                    procedure: String::new(),
                    fields
                })
                .is_none()
            );
        }
    }

    proptest! {
        #[test]
        fn there_and_back(procedure in "\\PC{0,20}", names in proptest::collection::btree_set("\\PC{0,20}", 0..6), value in "\\PC{0,400}") {
            let fields = names.iter().map(|name| field(name, &value)).collect();
            let application = Application { procedure, fields };
            let written = write(&application).unwrap();
            prop_assert_eq!(read(&written), Some(application));
            for length in 0..written.len() {
                assert_ne!(read(&written[..length]), read(&written));
            }
        }
    }
}
