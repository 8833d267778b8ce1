//! Signatures that come from outside to be verified, and documents into which they are put.

use signature::container::{Evidence, verify};
use signature::pdf::{Enclosure, Placement, enclose};
use signature::{inkml, iso};

/// What agents write, by hand.
const INKML: &[u8] = include_bytes!("../../../../agent/signature/tests/data/signature.inkml");

/// The public key of RFC 8032, 7.1, test 1, with which no input was sealed.
const NOBODYS_KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// Ink as InkML.
///
/// Promise: what is read can be written, and is the same ink then; as ISO/IEC 19794-7 it has as many points.
pub fn inkml(input: &[u8]) {
    let Ok(ink) = inkml::read(input) else { return };
    let written = inkml::write(&ink);
    assert!(inkml::read(&written).as_ref() == Ok(&ink), "other ink");
    if let Ok(record) = iso::write(&ink) {
        let read = iso::read(&record).expect("our own record");
        assert_eq!(read.points.len(), ink.samples().len(), "other points");
    }
}

/// Ink as a record of ISO/IEC 19794-7.
///
/// Promise: no more values than there were bytes, and each point has one for each channel.
pub fn ink_record(input: &[u8]) {
    let Ok(record) = iso::read(input) else { return };
    let channels = record.channels.len();
    assert!(
        record.points.iter().all(|point| point.len() == channels),
        "points of another shape"
    );
    assert!(record.points.len() <= input.len(), "points out of nothing");
}

/// A sealed container.
///
/// Promise: nothing is genuine that the key did not seal, and what is wrong has a name.
pub fn container(input: &[u8]) {
    let evidence = Evidence {
        public_key: &NOBODYS_KEY,
        inkml: Some(INKML),
        files: &[("document", b"document")],
    };
    match verify(input, &evidence) {
        Ok(_forged) => unreachable!("nobody can have sealed it"),
        Err(rejected) => {
            assert!(!rejected.defects.is_empty(), "rejected for nothing");
            for defect in rejected.defects {
                assert!(!defect.to_string().is_empty(), "a defect without words");
            }
        }
    }
}

/// A document of an application, into which a signature is put.
///
/// Promise: every byte of the original stays where it is.
pub fn signed_document(input: &[u8]) {
    let placement = Placement {
        page: 1,
        left: 20.0,
        top: 20.0,
        width: 40.0,
        height: 20.0,
    };
    let enclosure = Enclosure {
        inkml: INKML,
        container: b"container",
    };
    if let Ok(enclosed) = enclose(input, &placement, &enclosure) {
        assert!(enclosed.starts_with(input), "the original was changed");
        assert!(enclosed.len() > input.len(), "nothing was added");
    }
}
