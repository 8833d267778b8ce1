//! From the last line of a file to its pages, form and lists: only what an update needs is read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use flate2::read::ZlibDecoder;
use lopdf::xref::{Xref, XrefEntry, XrefType};
use lopdf::{Dictionary, Document, Object, ObjectId};

use super::PdfError;
use super::syntax::Scanner;

/// How many values are read of one document: some ten thousand pages.
const MOST_VALUES: usize = 2_000_000;

/// How much may be decompressed of one document, in bytes.
const MOST_INFLATED: u64 = 32 << 20;

/// How many entries the cross-reference sections may have together.
const MOST_ENTRIES: usize = 1_000_000;

/// How many cross-reference sections there may be.
const MOST_SECTIONS: usize = 1_024;

/// The keys that are followed; under the last two the lists themselves are read, not what they name.
const FOLLOWED: [&[u8]; 18] = [
    b"Root",
    b"Pages",
    b"Kids",
    b"Parent",
    b"MediaBox",
    b"CropBox",
    b"Rotate",
    b"AcroForm",
    b"Fields",
    b"FT",
    b"T",
    b"V",
    b"Perms",
    b"EmbeddedFiles",
    b"SigFlags",
    b"ID",
    b"Annots",
    b"Names",
];

const NOT_INTO: [&[u8]; 2] = [b"Annots", b"Names"];

/// Reads the parts of a document that an update needs.
pub(super) fn read(bytes: &[u8]) -> Result<Document, PdfError> {
    let mut reader = Reader {
        bytes,
        values: MOST_VALUES,
        inflated: MOST_INFLATED,
        entries: BTreeMap::new(),
        containers: BTreeMap::new(),
    };
    let start = start(bytes).ok_or(PdfError::Damaged("the end of the file"))?;
    let (trailer, kind) = reader
        .sections(start)
        .ok_or(PdfError::Damaged("the cross-reference table"))?;
    // Checked before anything is read that may be encrypted.
    if trailer.has(b"Encrypt") {
        return Err(PdfError::Encrypted);
    }
    let objects = reader.walk(&trailer).ok_or(PdfError::Damaged(
        "an object, or more objects than are read",
    ))?;
    let mut document = Document::new();
    let size = trailer.get(b"Size").and_then(Object::as_i64).unwrap_or(0);
    let size = u32::try_from(size).map_err(|_size| PdfError::Damaged("the trailer"))?;
    document.reference_table = Xref::new(size, kind);
    document.max_id = reader.entries.keys().next_back().copied().unwrap_or(0);
    document.objects = objects;
    document.trailer = trailer;
    document.xref_start = start;
    Ok(document)
}

/// The number behind the last `startxref`.
fn start(bytes: &[u8]) -> Option<usize> {
    let tail_at = bytes.len().saturating_sub(2_048);
    let tail = bytes.get(tail_at..)?;
    let word = b"startxref";
    let at = tail.windows(word.len()).rposition(|part| part == word)?;
    Scanner::new(tail, at + word.len(), &mut 1).number()
}

struct Reader<'a> {
    bytes: &'a [u8],
    values: usize,
    inflated: u64,
    entries: BTreeMap<u32, XrefEntry>,
    containers: BTreeMap<u32, Container>,
}

/// An object stream, decompressed, with number and place of each object.
struct Container {
    data: Vec<u8>,
    index: Vec<(u32, usize)>,
}

impl Reader<'_> {
    /// Reads all cross-reference sections, the newest first; its trailer counts.
    fn sections(&mut self, start: usize) -> Option<(Dictionary, XrefType)> {
        let mut newest: Option<(Dictionary, XrefType)> = None;
        let mut seen = BTreeSet::new();
        let mut next = Some(start);
        while let Some(at) = next {
            if !seen.insert(at) || seen.len() > MOST_SECTIONS {
                return None;
            }
            let is_table = self.bytes.get(at..)?.starts_with(b"xref");
            let (trailer, kind) = if is_table {
                let trailer = self.table(at)?;
                // A hybrid file (§7.5.8.4) hides the rest of its objects in a stream.
                if let Some(at) = place(&trailer, b"XRefStm")? {
                    self.stream_section(at)?;
                }
                (trailer, XrefType::CrossReferenceTable)
            } else {
                let trailer = self.stream_section(at)?;
                (trailer, XrefType::CrossReferenceStream)
            };
            next = place(&trailer, b"Prev")?;
            if newest.is_none() {
                newest = Some((trailer, kind));
            }
        }
        newest
    }

    fn enter(&mut self, number: u32, entry: XrefEntry) -> Option<()> {
        self.entries.entry(number).or_insert(entry);
        (self.entries.len() <= MOST_ENTRIES).then_some(())
    }

    fn table(&mut self, at: usize) -> Option<Dictionary> {
        let bytes = self.bytes;
        let mut at = at + "xref".len();
        loop {
            let mut scanner = Scanner::new(bytes, at, &mut self.values);
            if scanner.word("trailer").is_some() {
                return scanner.dictionary();
            }
            let first: u32 = scanner.number()?;
            let count: u32 = scanner.number()?;
            at = scanner.at();
            for number in first..first.checked_add(count)? {
                let mut scanner = Scanner::new(bytes, at, &mut self.values);
                let offset: u32 = scanner.number()?;
                let generation: u16 = scanner.number()?;
                let used = scanner.word("n").is_some();
                if !used {
                    scanner.word("f")?;
                }
                at = scanner.at();
                let entry = if used {
                    XrefEntry::Normal { offset, generation }
                } else {
                    XrefEntry::Free
                };
                self.enter(number, entry)?;
            }
        }
    }

    fn stream_section(&mut self, at: usize) -> Option<Dictionary> {
        let (dictionary, data) = self.stream(at, None)?;
        if !dictionary.has_type(b"XRef") {
            return None;
        }
        let widths = numbers(&dictionary, b"W")?;
        let [kind, second, third] = <[usize; 3]>::try_from(widths).ok()?;
        if second == 0 || kind > 8 || second > 8 || third > 8 {
            return None;
        }
        let size = usize::try_from(dictionary.get(b"Size").ok()?.as_i64().ok()?).ok()?;
        let index = if dictionary.has(b"Index") {
            numbers(&dictionary, b"Index")?
        } else {
            vec![0, size]
        };
        let mut rows = data.chunks_exact(kind + second + third);
        for pair in index.chunks_exact(2) {
            let [first, count] = pair else { return None };
            for number in *first..first.checked_add(*count)? {
                let row = rows.next()?;
                let (a, row) = row.split_at_checked(kind)?;
                let (b, c) = row.split_at_checked(second)?;
                let kind = if a.is_empty() { 1 } else { big_endian(a) };
                let entry = match kind {
                    0 => XrefEntry::Free,
                    1 => XrefEntry::Normal {
                        offset: u32::try_from(big_endian(b)).ok()?,
                        generation: u16::try_from(big_endian(c)).ok()?,
                    },
                    2 => XrefEntry::Compressed {
                        container: u32::try_from(big_endian(b)).ok()?,
                        index: u16::try_from(big_endian(c)).ok()?,
                    },
                    _ => continue,
                };
                self.enter(u32::try_from(number).ok()?, entry)?;
            }
        }
        Some(dictionary)
    }

    /// Reads a stream at a place: its dictionary and its data, decompressed.
    fn stream(&mut self, at: usize, number: Option<u32>) -> Option<(Dictionary, Vec<u8>)> {
        let bytes = self.bytes;
        let mut scanner = Scanner::new(bytes, at, &mut self.values);
        let stated: u32 = scanner.number()?;
        let _generation: u16 = scanner.number()?;
        scanner.word("obj")?;
        let dictionary = scanner.dictionary()?;
        scanner.word("stream")?;
        scanner.line_break();
        let from = scanner.at();
        if number.is_some_and(|number| number != stated) {
            return None;
        }
        let length = dictionary.get(b"Length").ok()?;
        let length = if let Object::Reference(id) = length {
            self.plain(*id)?.as_i64().ok()?
        } else {
            length.as_i64().ok()?
        };
        let end = from.checked_add(usize::try_from(length).ok()?)?;
        let data = self.decoded(&dictionary, bytes.get(from..end)?)?;
        Some((dictionary, data))
    }

    /// Undoes the filters that these streams have in practice: none, or Flate with a predictor.
    fn decoded(&mut self, dictionary: &Dictionary, raw: &[u8]) -> Option<Vec<u8>> {
        // One filter may stand in a list; two are not undone.
        let only = |value: &Object| {
            let Object::Array(list) = value else {
                return Some(value.clone());
            };
            if list.len() > 1 {
                return Some(Object::Boolean(false));
            }
            list.first().cloned()
        };
        match dictionary.get(b"Filter").ok().and_then(only) {
            None | Some(Object::Null) => {
                // Streams may overlap, so copies are paid for as well.
                self.inflated = self.inflated.checked_sub(u64::try_from(raw.len()).ok()?)?;
                return Some(raw.to_vec());
            }
            Some(Object::Name(name)) if name == b"FlateDecode" => {}
            Some(_) => return None,
        }
        let mut data = Vec::new();
        let mut limited = ZlibDecoder::new(raw).take(self.inflated);
        limited.read_to_end(&mut data).ok()?;
        self.inflated = limited.limit();
        if self.inflated == 0 {
            return None;
        }
        let parameters = dictionary.get(b"DecodeParms").ok().and_then(only);
        let Some(Object::Dictionary(parameters)) = parameters else {
            return Some(data);
        };
        let number = |key: &[u8]| parameters.get(key).and_then(Object::as_i64).ok();
        match number(b"Predictor").unwrap_or(1) {
            1 => Some(data),
            10..=15 => {
                let columns = usize::try_from(number(b"Columns").unwrap_or(1)).ok()?;
                unpredicted(&data, columns)
            }
            _ => None,
        }
    }

    /// Reads an object that is not in an object stream.
    fn plain(&mut self, id: ObjectId) -> Option<Object> {
        let XrefEntry::Normal { offset, generation } = *self.entries.get(&id.0)? else {
            return None;
        };
        let at = usize::try_from(offset).ok()?;
        let mut scanner = Scanner::new(self.bytes, at, &mut self.values);
        let found: (u32, u16) = (scanner.number()?, scanner.number()?);
        scanner.word("obj")?;
        (found == id && generation == id.1)
            .then(|| scanner.value())
            .flatten()
    }

    /// Reads an object; what the file does not have is null (§7.3.10).
    fn object(&mut self, id: ObjectId) -> Option<Object> {
        match self.entries.get(&id.0) {
            None | Some(XrefEntry::Free | XrefEntry::UnusableFree) => Some(Object::Null),
            Some(XrefEntry::Normal { generation, .. }) if *generation != id.1 => Some(Object::Null),
            Some(XrefEntry::Normal { .. }) => self.plain(id),
            Some(XrefEntry::Compressed { container, index }) => {
                let (container, index) = (*container, usize::from(*index));
                self.open(container)?;
                let container = self.containers.get(&container)?;
                let (number, at) = *container.index.get(index)?;
                let mut scanner = Scanner::new(&container.data, at, &mut self.values);
                (number == id.0).then(|| scanner.value()).flatten()
            }
        }
    }

    /// Decompresses an object stream once (§7.5.7).
    fn open(&mut self, number: u32) -> Option<()> {
        if self.containers.contains_key(&number) {
            return Some(());
        }
        let XrefEntry::Normal { offset, .. } = *self.entries.get(&number)? else {
            return None;
        };
        let (dictionary, data) = self.stream(usize::try_from(offset).ok()?, Some(number))?;
        let count = u16::try_from(dictionary.get(b"N").ok()?.as_i64().ok()?).ok()?;
        let first = usize::try_from(dictionary.get(b"First").ok()?.as_i64().ok()?).ok()?;
        let mut index = Vec::new();
        let mut scanner = Scanner::new(&data, 0, &mut self.values);
        for _ in 0..count {
            let number = scanner.number()?;
            let offset: usize = scanner.number()?;
            index.push((number, first.checked_add(offset)?));
        }
        self.containers.insert(number, Container { data, index });
        Some(())
    }

    /// Reads what can be reached under the keys that are followed.
    fn walk(&mut self, trailer: &Dictionary) -> Option<BTreeMap<ObjectId, Object>> {
        let mut objects = BTreeMap::new();
        let mut open = Vec::new();
        for key in [&b"Root"[..], b"ID"] {
            if let Ok(value) = trailer.get(key) {
                references(value, true, &mut open);
            }
        }
        while let Some((id, into)) = open.pop() {
            if objects.contains_key(&id) {
                continue;
            }
            let object = self.object(id)?;
            references(&object, into, &mut open);
            objects.insert(id, object);
        }
        Some(objects)
    }
}

/// References to follow in a value; `into` says whether members of a list are meant.
fn references(value: &Object, into: bool, found: &mut Vec<(ObjectId, bool)>) {
    if let Object::Reference(id) = value {
        found.push((*id, into));
    } else if let Object::Array(values) = value {
        for value in values {
            if into || !matches!(value, Object::Reference(_)) {
                references(value, into, found);
            }
        }
    } else if let Object::Dictionary(dictionary) = value {
        let certified = dictionary.has(b"DocMDP");
        for (key, value) in dictionary.iter() {
            if FOLLOWED.contains(&key.as_slice()) && !certified {
                references(value, !NOT_INTO.contains(&key.as_slice()), found);
            }
        }
    }
}

/// An offset in a trailer; the outer nothing is a value that is none.
#[expect(clippy::option_option, reason = "absent and wrong are different")]
fn place(trailer: &Dictionary, key: &[u8]) -> Option<Option<usize>> {
    match trailer.get(key) {
        Err(_absent) => Some(None),
        Ok(value) => Some(Some(usize::try_from(value.as_i64().ok()?).ok()?)),
    }
}

fn numbers(dictionary: &Dictionary, key: &[u8]) -> Option<Vec<usize>> {
    let list = dictionary.get(key).ok()?.as_array().ok()?;
    list.iter()
        .map(|value| usize::try_from(value.as_i64().ok()?).ok())
        .collect()
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// Undoes PNG's predictors on rows of single bytes (§7.4.4.4; PNG, clause 9).
fn unpredicted(data: &[u8], columns: usize) -> Option<Vec<u8>> {
    if columns == 0 {
        return None;
    }
    let mut out = Vec::with_capacity(data.len());
    let mut above = vec![0_u8; columns.min(data.len())];
    for row in data.chunks_exact(columns.checked_add(1)?) {
        let (filter, row) = row.split_first()?;
        let (mut left, mut corner) = (0_u8, 0_u8);
        for (byte, up) in row.iter().zip(&mut above) {
            let predicted = match filter {
                0 => 0,
                1 => left,
                2 => *up,
                3 => left.midpoint(*up),
                4 => paeth(left, *up, corner),
                _ => return None,
            };
            corner = *up;
            left = byte.wrapping_add(predicted);
            *up = left;
            out.push(left);
        }
    }
    Some(out)
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let estimate = a + b - c;
    let (pa, pb, pc) = (
        (estimate - a).abs(),
        (estimate - b).abs(),
        (estimate - c).abs(),
    );
    if pa <= pb && pa <= pc {
        left
    } else if pb <= pc {
        up
    } else {
        corner
    }
}
