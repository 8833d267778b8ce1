//! Files that people write or hand over: forms of other programs, templates, recordings of devices.

use std::collections::BTreeMap;
use std::io::BufReader;

use handover::Template;
use keystroke::Form;
use link::recording;
use zeroize::Zeroizing;

/// A recording of what passed on a link.
///
/// Promise: what is read can be written, and is the same recording then.
pub fn recording(input: &[u8]) {
    let Ok(entries) = recording::read(BufReader::new(input)) else {
        return;
    };
    let mut written = Vec::new();
    recording::write(&entries, &mut written).expect("there is memory");
    let again = recording::read(BufReader::new(written.as_slice()));
    assert!(
        again.is_ok_and(|again| again == entries),
        "it changed by being written"
    );
}

/// The template of a handover file.
///
/// Promise: one that is taken has a name that may stand in a log.
pub fn template(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    match Template::parse(text) {
        Ok(template) => {
            assert!(!template.name().is_empty(), "no name");
            let _fields = template.fields().count();
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error without words"),
    }
}

/// The form of another program.
///
/// Promise: one that is taken can be filled in by whoever has all values that it names.
pub fn form(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let form = match Form::parse(text) {
        Ok(form) => form,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "an error without words");
            return;
        }
    };
    let values: BTreeMap<String, Zeroizing<String>> = form
        .fields()
        .map(|field| (field.to_owned(), Zeroizing::new("1".to_owned())))
        .collect();
    assert!(form.plan(&values).is_ok(), "all its values are there");
}
