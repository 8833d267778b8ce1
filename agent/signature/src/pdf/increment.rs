//! The update behind the original: objects, a cross-reference section of the same kind, a trailer.

use std::collections::BTreeMap;

use lopdf::{Dictionary, Object, ObjectId, Stream, StringFormat, Writer};

use super::PdfError;
use super::original::Original;
use crate::container::sha256;

/// How many objects an update may add.
const ROOM: u32 = 32;

/// What an object of the update is.
enum Body {
    Object(Object),
    /// Bytes as they are to stand there, because places in them are filled in later.
    Raw(Vec<u8>),
}

/// An update that is being made.
pub(super) struct Increment<'a> {
    original: &'a Original<'a>,
    objects: BTreeMap<ObjectId, Body>,
    next: u32,
}

/// A finished document.
pub(super) struct Finished {
    pub(super) bytes: Vec<u8>,
    /// Where the raw object's bytes begin.
    pub(super) raw_at: Option<usize>,
}

impl<'a> Increment<'a> {
    /// Begins an update.
    pub(super) fn new(original: &'a Original<'a>) -> Result<Self, PdfError> {
        Ok(Self {
            original,
            objects: BTreeMap::new(),
            next: original.free_number(ROOM)?,
        })
    }

    /// A number for an object that is put later.
    pub(super) fn reserve(&mut self) -> ObjectId {
        let id = (self.next, 0);
        self.next += 1;
        id
    }

    /// Adds an object.
    pub(super) fn add(&mut self, object: impl Into<Object>) -> ObjectId {
        let id = self.reserve();
        self.put(id, object);
        id
    }

    /// Puts an object in the place of that number.
    pub(super) fn put(&mut self, id: ObjectId, object: impl Into<Object>) {
        self.objects.insert(id, Body::Object(object.into()));
    }

    /// Adds an object as bytes.
    pub(super) fn add_raw(&mut self, bytes: Vec<u8>) -> ObjectId {
        let id = self.reserve();
        self.objects.insert(id, Body::Raw(bytes));
        id
    }

    /// Writes the original and the update behind it.
    pub(super) fn finish(mut self) -> Result<Finished, PdfError> {
        let mut bytes = self.original.bytes.to_vec();
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        let mut places = BTreeMap::new();
        let mut raw_at = None;
        for (id, body) in &self.objects {
            places.insert(*id, bytes.len());
            bytes.extend(format!("{} {} obj\n", id.0, id.1).bytes());
            match body {
                Body::Object(object) => write(&mut bytes, object)?,
                Body::Raw(raw) => {
                    raw_at = Some(bytes.len());
                    bytes.extend_from_slice(raw);
                }
            }
            bytes.extend_from_slice(b"\nendobj\n");
        }
        let start = bytes.len();
        if self.original.has_xref_stream() {
            let id = self.reserve();
            places.insert(id, start);
            self.stream(&mut bytes, id, &places)?;
        } else {
            self.table(&mut bytes, &places)?;
        }
        bytes.extend(format!("startxref\n{start}\n%%EOF\n").bytes());
        Ok(Finished { bytes, raw_at })
    }

    /// A table (ISO 32000-1 §7.5.4); entries are 20 bytes long.
    fn table(&self, out: &mut Vec<u8>, places: &BTreeMap<ObjectId, usize>) -> Result<(), PdfError> {
        out.extend_from_slice(b"xref\n");
        for run in runs(places) {
            let first = run.first().map_or(0, |((number, _), _)| *number);
            out.extend(format!("{first} {}\n", run.len()).bytes());
            for ((_, generation), place) in run {
                out.extend(format!("{place:010} {generation:05} n \n").bytes());
            }
        }
        out.extend_from_slice(b"trailer\n");
        write(out, &Object::Dictionary(self.trailer()))?;
        out.push(b'\n');
        Ok(())
    }

    /// A stream (§7.5.8): a byte for the kind, four for the place, two for the generation.
    fn stream(
        &self,
        out: &mut Vec<u8>,
        id: ObjectId,
        places: &BTreeMap<ObjectId, usize>,
    ) -> Result<(), PdfError> {
        let mut index = Vec::new();
        let mut data = Vec::new();
        for run in runs(places) {
            let first = run.first().map_or(0, |((number, _), _)| *number);
            index.push(Object::Integer(i64::from(first)));
            index.push(integer(run.len()));
            for ((_, generation), place) in run {
                let place = u32::try_from(*place).map_err(|_far| PdfError::TooManyObjects)?;
                data.push(1);
                data.extend_from_slice(&place.to_be_bytes());
                data.extend_from_slice(&generation.to_be_bytes());
            }
        }
        let mut dictionary = self.trailer();
        dictionary.set("Type", Object::Name(b"XRef".to_vec()));
        dictionary.set("Index", Object::Array(index));
        dictionary.set("W", vec![1.into(), 4.into(), 2.into()]);
        out.extend(format!("{} {} obj\n", id.0, id.1).bytes());
        write(out, &Object::Stream(Stream::new(dictionary, data)))?;
        out.extend_from_slice(b"\nendobj\n");
        Ok(())
    }

    fn trailer(&self) -> Dictionary {
        let mut trailer = Dictionary::new();
        trailer.set("Size", Object::Integer(i64::from(self.next)));
        trailer.set("Prev", integer(self.original.xref_start()));
        for key in ["Root", "Info"] {
            if let Some(value) = self.original.trailer(key.as_bytes()) {
                trailer.set(key, value.clone());
            }
        }
        let id = self.original.trailer(b"ID");
        let first = id
            .and_then(|id| self.original.resolve(id)?.as_array().ok()?.first())
            .and_then(|first| self.original.resolve(first)?.as_str().ok());
        if let Some(first) = first {
            // The second part changes with every update (§14.4).
            let mut second = sha256(self.original.bytes).to_vec();
            second.truncate(16);
            let text = |bytes| Object::String(bytes, StringFormat::Hexadecimal);
            trailer.set("ID", vec![text(first.to_vec()), text(second)]);
        }
        trailer
    }
}

/// Entries whose numbers follow one another.
fn runs(places: &BTreeMap<ObjectId, usize>) -> Vec<Vec<(&ObjectId, &usize)>> {
    let all: Vec<(&ObjectId, &usize)> = places.iter().collect();
    all.chunk_by(|(a, _), (b, _)| a.0.checked_add(1) == Some(b.0))
        .map(<[_]>::to_vec)
        .collect()
}

/// A count as a number of the format.
pub(super) fn integer(count: usize) -> Object {
    Object::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn write(out: &mut Vec<u8>, object: &Object) -> Result<(), PdfError> {
    Writer::write_object(out, object).map_err(|_never| PdfError::Damaged("an object"))
}
