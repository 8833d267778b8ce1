//! The document as it came: asked only for what an update needs.

use std::collections::BTreeSet;

use lopdf::xref::XrefType;
use lopdf::{Dictionary, Document, Object, ObjectId};

use super::{LONGEST_PDF, PdfError, structure};

/// How far up a page inherits.
const HIGHEST: usize = 64;

/// How many form fields are looked at.
const MOST_FIELDS: usize = 20_000;

/// The highest object number that readers accept (ISO 32000-1, annex C).
const LAST_OBJECT: u32 = 8_388_607;

/// A document to which something can be appended.
pub(super) struct Original<'a> {
    pub(super) bytes: &'a [u8],
    document: Document,
}

/// What of a page is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    pub(super) left: f64,
    pub(super) bottom: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    /// By how many degrees the page is turned clockwise when it is shown: 0, 90, 180 or 270.
    pub(super) turned: i64,
}

impl<'a> Original<'a> {
    /// Reads the structure.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, PdfError> {
        if bytes.len() > LONGEST_PDF {
            return Err(PdfError::TooLong(bytes.len()));
        }
        // Offsets count from the first byte, so nothing may stand before the header.
        if !bytes.starts_with(b"%PDF-") {
            return Err(PdfError::NotPdf);
        }
        let document = structure::read(bytes)?;
        let original = Self { bytes, document };
        original.catalog()?;
        Ok(original)
    }

    /// The number of the catalog and the catalog.
    pub(super) fn catalog(&self) -> Result<(ObjectId, &Dictionary), PdfError> {
        let damaged = PdfError::Damaged("the catalog");
        let Some(Object::Reference(id)) = self.document.trailer.get(b"Root").ok() else {
            return Err(damaged);
        };
        match self.document.get_dictionary(*id) {
            Ok(catalog) => Ok((*id, catalog)),
            Err(_absent) => Err(damaged),
        }
    }

    /// The number of a page and the page, counted from 1.
    pub(super) fn page(&self, number: u32) -> Result<(ObjectId, &Dictionary), PdfError> {
        let missing = || PdfError::NoPage(number);
        let index = number.checked_sub(1).ok_or_else(missing)?;
        let index = usize::try_from(index).map_err(|_large| missing())?;
        let id = self.document.page_iter().nth(index).ok_or_else(missing)?;
        let page = self
            .document
            .get_dictionary(id)
            .map_err(|_absent| PdfError::Damaged("the page"))?;
        Ok((id, page))
    }

    /// What is seen of a page (ISO 32000-1 §7.7.3.3).
    pub(super) fn view(&self, number: u32) -> Result<View, PdfError> {
        let (id, _) = self.page(number)?;
        let media = self.inherited(id, b"MediaBox");
        let media = media
            .and_then(|value| self.rectangle(value))
            .ok_or(PdfError::Damaged("the page's size"))?;
        let crop = self.inherited(id, b"CropBox");
        let crop = crop
            .and_then(|value| self.rectangle(value))
            .unwrap_or(media);
        let turned = match self.inherited(id, b"Rotate") {
            Some(Object::Integer(degrees)) if degrees % 90 == 0 => degrees.rem_euclid(360),
            None | Some(Object::Null) => 0,
            Some(_) => return Err(PdfError::Damaged("the page's rotation")),
        };
        let view = View {
            left: crop[0].max(media[0]),
            bottom: crop[1].max(media[1]),
            right: crop[2].min(media[2]),
            top: crop[3].min(media[3]),
            turned,
        };
        if view.left < view.right && view.bottom < view.top {
            Ok(view)
        } else {
            Err(PdfError::Damaged("the page's size"))
        }
    }

    /// What a reference leads to, or the value itself.
    pub(super) fn resolve<'b>(&'b self, value: &'b Object) -> Option<&'b Object> {
        self.document
            .dereference(value)
            .ok()
            .map(|(_, object)| object)
    }

    /// The dictionary that an entry holds or leads to, and its number if it is an object of its own.
    pub(super) fn dictionary(
        &self,
        parent: &Dictionary,
        key: &[u8],
    ) -> Option<(Option<ObjectId>, Dictionary)> {
        let (id, value) = self.entry(parent, key)?;
        Some((id, value.as_dict().ok()?.clone()))
    }

    /// The array that an entry holds or leads to, and its number if it is an object of its own.
    pub(super) fn array(
        &self,
        parent: &Dictionary,
        key: &[u8],
    ) -> Option<(Option<ObjectId>, Vec<Object>)> {
        let (id, value) = self.entry(parent, key)?;
        Some((id, value.as_array().ok()?.clone()))
    }

    fn entry<'b>(
        &'b self,
        parent: &'b Dictionary,
        key: &[u8],
    ) -> Option<(Option<ObjectId>, &'b Object)> {
        self.document.dereference(parent.get(key).ok()?).ok()
    }

    /// The names of the form's outermost fields.
    pub(super) fn field_names(&self) -> BTreeSet<Vec<u8>> {
        let fields = self.fields();
        fields
            .iter()
            .filter_map(|field| Some(self.resolve(field.get(b"T").ok()?)?.as_str().ok()?.to_vec()))
            .collect()
    }

    /// How many signatures the document carries.
    pub(super) fn signatures(&self) -> usize {
        // The kind of a field may be inherited; only a signature has a byte range.
        let is = |field: &&Dictionary| {
            let value = field.get(b"V").ok().and_then(|value| self.resolve(value));
            value.is_some_and(|value| value.as_dict().is_ok_and(|value| value.has(b"ByteRange")))
        };
        self.fields().into_iter().filter(is).count()
    }

    /// Whether a signature certifies the document (ISO 32000-1 §12.8.4).
    pub(super) fn is_certified(&self) -> bool {
        let certified = || {
            let (_, catalog) = self.catalog().ok()?;
            let (_, permissions) = self.dictionary(catalog, b"Perms")?;
            Some(permissions.has(b"DocMDP"))
        };
        certified() == Some(true)
    }

    /// Every field of the form, each once.
    fn fields(&self) -> Vec<&Dictionary> {
        let mut found = Vec::new();
        let Some(form) = self.catalog().ok().and_then(|(_, catalog)| {
            let (_, form) = self.entry(catalog, b"AcroForm")?;
            form.as_dict().ok()
        }) else {
            return found;
        };
        let mut seen = BTreeSet::new();
        let mut open = self.children(form, b"Fields");
        while let Some(next) = open.pop() {
            let (id, value) = match self.document.dereference(next) {
                Ok(found) => found,
                Err(_absent) => continue,
            };
            let fresh = id.is_none_or(|id| seen.insert(id));
            let Ok(field) = value.as_dict() else { continue };
            if !fresh || found.len() >= MOST_FIELDS {
                continue;
            }
            found.push(field);
            open.extend(self.children(field, b"Kids"));
        }
        found
    }

    fn children<'b>(&'b self, parent: &'b Dictionary, key: &[u8]) -> Vec<&'b Object> {
        self.entry(parent, key)
            .and_then(|(_, list)| list.as_array().ok())
            .map(|list| list.iter().take(MOST_FIELDS).collect())
            .unwrap_or_default()
    }

    /// An attribute of a page, or of what it hangs from.
    fn inherited(&self, page: ObjectId, key: &[u8]) -> Option<&Object> {
        let mut node = self.document.get_dictionary(page).ok()?;
        for _ in 0..HIGHEST {
            if let Ok(value) = node.get(key) {
                return self.resolve(value);
            }
            let parent = node.get(b"Parent").ok()?;
            node = self.resolve(parent)?.as_dict().ok()?;
        }
        None
    }

    fn rectangle(&self, value: &Object) -> Option<[f64; 4]> {
        let mut corners = [0.0; 4];
        let values = value.as_array().ok()?;
        if values.len() != corners.len() {
            return None;
        }
        for (corner, value) in corners.iter_mut().zip(values) {
            let number = f64::from(self.resolve(value)?.as_float().ok()?);
            if !(-1e6..=1e6).contains(&number) {
                return None;
            }
            *corner = number;
        }
        let [a, b, c, d] = corners;
        Some([a.min(c), b.min(d), a.max(c), b.max(d)])
    }

    /// Where the newest cross-reference section begins.
    pub(super) fn xref_start(&self) -> usize {
        self.document.xref_start
    }

    /// Whether the newest section is a stream; an update has to be of the same kind.
    pub(super) fn has_xref_stream(&self) -> bool {
        matches!(
            self.document.reference_table.cross_reference_type,
            XrefType::CrossReferenceStream
        )
    }

    /// An entry of the trailer.
    pub(super) fn trailer(&self, key: &[u8]) -> Option<&Object> {
        self.document.trailer.get(key).ok()
    }

    /// The first object number that is free; `room` of them are.
    pub(super) fn free_number(&self, room: u32) -> Result<u32, PdfError> {
        let table = &self.document.reference_table;
        let stated = table.size.saturating_sub(1);
        let last = self.document.max_id.max(stated);
        match last.checked_add(room) {
            Some(end) if end <= LAST_OBJECT => Ok(last + 1),
            _ => Err(PdfError::TooManyObjects),
        }
    }
}
