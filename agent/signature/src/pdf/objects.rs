//! The objects of the update: annotation or signature field, drawing, attached files.

use lopdf::{Dictionary, Object, ObjectId, Stream, dictionary, text_string};

use super::appearance::Drawn;
use super::increment::{Increment, integer};
use super::original::Original;
use super::{Enclosure, PdfError};

/// Annotation flags (ISO 32000-1 §12.5.3): printed, and locked in its place.
const PRINT_AND_LOCKED: i64 = 4 | 128;

/// The same for an annotation that is no form field, which cannot be changed either.
const READ_ONLY: i64 = 64;

/// There are signatures, and only updates may follow (§12.7.2).
const SIG_FLAGS: i64 = 3;

/// The signature dictionary, with places to be filled in.
pub(super) struct Seal(pub(super) Vec<u8>);

/// A file that is attached: its name in the list of the catalog, and where it is described.
type Attached = (String, ObjectId);

/// Makes the update.
pub(super) fn update<'a>(
    original: &'a Original<'a>,
    drawn: &Drawn,
    enclosure: &Enclosure<'_>,
    seal: Option<Seal>,
) -> Result<Increment<'a>, PdfError> {
    let mut update = Increment::new(original)?;
    let name = free_name(original);
    let files = attach(&mut update, &name, enclosure);
    let form = form(&mut update, drawn, &files);
    let (page_id, page) = original.page(drawn.page)?;
    let mut annotation = dictionary! {
        "Type" => name_of("Annot"),
        "Rect" => numbers(&drawn.rectangle),
        "P" => Object::Reference(page_id),
        "AP" => dictionary! { "N" => Object::Reference(form) },
        "AF" => references(&files),
    };
    let (catalog_id, catalog) = original.catalog()?;
    let mut catalog = Changed::new(catalog.clone());
    match seal {
        Some(Seal(bytes)) => {
            let signature = update.add_raw(bytes);
            annotation.set("Subtype", name_of("Widget"));
            annotation.set("FT", name_of("Sig"));
            annotation.set("T", text_string(&name));
            annotation.set("F", Object::Integer(PRINT_AND_LOCKED));
            annotation.set("V", Object::Reference(signature));
            let field = update.add(annotation);
            list_annotation(&mut update, original, (page_id, page), field);
            list_field(&mut update, original, &mut catalog, field);
        }
        None => {
            annotation.set("Subtype", name_of("Stamp"));
            annotation.set("NM", text_string(&name));
            annotation.set("F", Object::Integer(PRINT_AND_LOCKED | READ_ONLY));
            let stamp = update.add(annotation);
            list_annotation(&mut update, original, (page_id, page), stamp);
        }
    }
    if original.signatures() == 0 {
        list_files(&mut update, original, &mut catalog, &files);
    }
    if let Some(catalog) = catalog.take() {
        update.put(catalog_id, catalog);
    }
    Ok(update)
}

/// A dictionary that is written again only if something in it changed.
struct Changed {
    value: Dictionary,
    changed: bool,
}

impl Changed {
    fn new(value: Dictionary) -> Self {
        let changed = false;
        Self { value, changed }
    }

    fn set(&mut self, key: &str, value: Object) {
        self.value.set(key, value);
        self.changed = true;
    }

    fn take(self) -> Option<Dictionary> {
        self.changed.then_some(self.value)
    }
}

/// A name that no field has.
fn free_name(original: &Original<'_>) -> String {
    let taken = original.field_names();
    (1_u32..)
        .map(|number| format!("PenSignature{number}"))
        .find(|name| !taken.contains(name.as_bytes()))
        .unwrap_or_default()
}

fn attach(update: &mut Increment<'_>, name: &str, enclosure: &Enclosure<'_>) -> Vec<Attached> {
    let files = [
        ("container", "cbor", "application/cose", enclosure.container),
        ("ink", "inkml", crate::inkml::MEDIA_TYPE, enclosure.inkml),
    ];
    // In the order of their names, as the list of the catalog wants them.
    files
        .into_iter()
        .map(|(what, extension, media_type, bytes)| {
            let file_name = format!("{name}-{what}.{extension}");
            let stream = Stream::new(
                dictionary! {
                    "Type" => name_of("EmbeddedFile"),
                    "Subtype" => name_of(media_type),
                    "Params" => dictionary! { "Size" => integer(bytes.len()) },
                },
                bytes.to_vec(),
            );
            let stream = update.add(stream);
            let description = dictionary! {
                "Type" => name_of("Filespec"),
                "F" => text_string(&file_name),
                "UF" => text_string(&file_name),
                "EF" => dictionary! {
                    "F" => Object::Reference(stream),
                    "UF" => Object::Reference(stream),
                },
                "AFRelationship" => name_of("Data"),
            };
            let description = update.add(description);
            (file_name, description)
        })
        .collect()
}

fn form(update: &mut Increment<'_>, drawn: &Drawn, files: &[Attached]) -> ObjectId {
    let matrix = drawn.matrix.map(Object::Integer).to_vec();
    let dictionary = dictionary! {
        "Type" => name_of("XObject"),
        "Subtype" => name_of("Form"),
        "BBox" => numbers(&[0.0, 0.0, drawn.size.0, drawn.size.1]),
        "Matrix" => matrix,
        "Resources" => Dictionary::new(),
        "AF" => references(files),
    };
    update.add(Stream::new(dictionary, drawn.content.clone()))
}

/// Adds an annotation to a page; where the list is an object of its own, the page stays as it is.
fn list_annotation(
    update: &mut Increment<'_>,
    original: &Original<'_>,
    page: (ObjectId, &Dictionary),
    annotation: ObjectId,
) {
    let (page_id, page) = page;
    let (list_id, mut list) = original.array(page, b"Annots").unwrap_or_default();
    list.push(Object::Reference(annotation));
    match list_id {
        Some(id) => update.put(id, list),
        None => {
            let mut page = page.clone();
            page.set("Annots", list);
            update.put(page_id, page);
        }
    }
}

/// Adds a field to the form, touching as little as can be.
fn list_field(
    update: &mut Increment<'_>,
    original: &Original<'_>,
    catalog: &mut Changed,
    field: ObjectId,
) {
    let (form_id, form) = original
        .dictionary(&catalog.value, b"AcroForm")
        .unwrap_or_default();
    let mut form = Changed::new(form);
    let (list_id, mut list) = original.array(&form.value, b"Fields").unwrap_or_default();
    list.push(Object::Reference(field));
    match list_id {
        Some(id) => update.put(id, list),
        None => form.set("Fields", Object::Array(list)),
    }
    let flags = form.value.get(b"SigFlags").and_then(Object::as_i64);
    let flags = flags.unwrap_or(0);
    if flags & SIG_FLAGS != SIG_FLAGS {
        form.set("SigFlags", Object::Integer(flags | SIG_FLAGS));
    }
    let Some(form) = form.take() else { return };
    match form_id {
        Some(id) => update.put(id, form),
        None => catalog.set("AcroForm", Object::Dictionary(form)),
    }
}

/// Names the files where viewers look for attachments (§7.11.4); a list that is split over several
/// nodes is left alone, since the annotation leads to the files too.
fn list_files(
    update: &mut Increment<'_>,
    original: &Original<'_>,
    catalog: &mut Changed,
    files: &[Attached],
) {
    let (names_id, names) = original
        .dictionary(&catalog.value, b"Names")
        .unwrap_or_default();
    let (tree_id, mut tree) = original
        .dictionary(&names, b"EmbeddedFiles")
        .unwrap_or_default();
    if tree.has(b"Kids") {
        return;
    }
    let (list_id, list) = original.array(&tree, b"Names").unwrap_or_default();
    // Names that are objects of their own are permitted and are not read.
    if list.iter().step_by(2).any(|name| name.as_str().is_err()) {
        return;
    }
    let list = Object::Array(merged(&list, files));
    if let Some(id) = list_id {
        update.put(id, list);
        return;
    }
    tree.set("Names", list);
    if let Some(id) = tree_id {
        update.put(id, tree);
        return;
    }
    let mut names = names;
    names.set("EmbeddedFiles", tree);
    match names_id {
        Some(id) => update.put(id, names),
        None => catalog.set("Names", Object::Dictionary(names)),
    }
}

/// Pairs of name and file in the order of the names.
fn merged(list: &[Object], files: &[Attached]) -> Vec<Object> {
    let mut pairs: Vec<(Vec<u8>, [Object; 2])> = list
        .chunks_exact(2)
        .filter_map(|pair| {
            let [key, value] = pair else { return None };
            let bytes = key.as_str().ok()?.to_vec();
            Some((bytes, [key.clone(), value.clone()]))
        })
        .collect();
    for (name, id) in files {
        let pair = [text_string(name), Object::Reference(*id)];
        pairs.push((name.as_bytes().to_vec(), pair));
    }
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs.into_iter().flat_map(|(_, pair)| pair).collect()
}

fn references(files: &[Attached]) -> Vec<Object> {
    files.iter().map(|(_, id)| Object::Reference(*id)).collect()
}

fn name_of(name: &str) -> Object {
    Object::Name(name.as_bytes().to_vec())
}

/// Coordinates with a hundredth of a point, which is finer than any printer.
fn numbers(values: &[f64]) -> Object {
    let real = |value: &f64| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a page's coordinates are within a million points"
        )]
        Object::Real(((value * 100.0).round() / 100.0) as f32)
    };
    Object::Array(values.iter().map(real).collect())
}
