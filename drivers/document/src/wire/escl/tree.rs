//! A small tree of elements, enough for documents of a few hundred of them.
//!
//! Invariant: size, depth and number of elements are bounded; a document type declaration, and with it
//! every entity of one's own making, is refused.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::DOCUMENT;
use crate::wire::{WireError, malformed};

const DEPTH: usize = 32;
const ELEMENTS: usize = 8192;
const TEXT: usize = 1024;

/// An element.
#[derive(Debug, Default, Clone)]
pub(super) struct Element {
    /// Its name without prefix.
    pub(super) name: String,
    /// The attribute `name`, by which a setting profile is referred to.
    pub(super) label: Option<String>,
    /// The attribute `ref`, by which it refers to one.
    pub(super) reference: Option<String>,
    /// The text directly inside.
    pub(super) text: String,
    /// The elements directly inside.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first element of this name directly inside.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements of this name, however deep inside.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> Vec<&'a Self> {
        let mut found = Vec::new();
        let mut left: Vec<&Self> = self.children.iter().rev().collect();
        while let Some(element) = left.pop() {
            if element.name == name {
                found.push(element);
            }
            left.extend(element.children.iter().rev());
        }
        found
    }

    /// The text of the first element of this name directly inside.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    /// The number in the first element of this name directly inside.
    pub(super) fn number_of(&self, name: &str) -> Option<u32> {
        self.text_of(name).and_then(|text| text.parse().ok())
    }
}

/// Reads a document and gives its root, which must have this name.
pub(super) fn parse(bytes: &[u8], root: &'static str) -> Result<Element, WireError> {
    if bytes.len() > DOCUMENT {
        return Err(WireError::Beyond {
            what: "XML",
            limit: DOCUMENT,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|_encoding| malformed("XML"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    let mut open: Vec<Element> = vec![Element::default()];
    let mut count = 0_usize;
    loop {
        match reader.read_event().map_err(|_syntax| malformed("XML"))? {
            Event::Start(start) => {
                count += 1;
                if open.len() >= DEPTH || count > ELEMENTS {
                    return Err(WireError::Beyond {
                        what: "elements",
                        limit: ELEMENTS,
                    });
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                count += 1;
                if count > ELEMENTS {
                    return Err(WireError::Beyond {
                        what: "elements",
                        limit: ELEMENTS,
                    });
                }
                let element = element(&start)?;
                open.last_mut()
                    .ok_or(malformed("XML"))?
                    .children
                    .push(element);
            }
            Event::End(_) => {
                let done = open.pop().ok_or(malformed("XML"))?;
                open.last_mut().ok_or(malformed("XML"))?.children.push(done);
            }
            Event::Text(text) => {
                let into = &mut open.last_mut().ok_or(malformed("XML"))?.text;
                let text: &str = &text;
                if into.len() + text.len() <= TEXT {
                    into.push_str(text);
                }
            }
            Event::DocType(_) => return Err(malformed("XML with a document type")),
            // No value of eSCL needs an entity; `&amp;` in a model's name is left out.
            Event::GeneralRef(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(top), true) => top
            .children
            .into_iter()
            .find(|element| element.name == root)
            .ok_or_else(|| malformed(root)),
        _ => Err(malformed("XML without its end")),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, WireError> {
    let mut element = Element {
        name: start.local_name().as_ref().to_owned(),
        ..Element::default()
    };
    for attribute in start.attributes().take(16) {
        let attribute = attribute.map_err(|_syntax| malformed("attribute"))?;
        match attribute.key.local_name().as_ref() {
            "name" => element.label = Some(attribute.value.into_owned()),
            "ref" => element.reference = Some(attribute.value.into_owned()),
            _ => {}
        }
    }
    Ok(element)
}
