//! Documents with a pen signature in them, judged by poppler and libxml2.
//!
//! What is made here is also left in the target folder (`CARGO_TARGET_TMPDIR/signature`), where
//! `tests/verify_pdf.py` and `tests/verify_container.py` find it: they accept each file in `valid` and
//! refuse each one in `invalid`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lopdf::{Document, Object};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use signature::container::{
    Device, Document as Shown, InkPart, Outcome, Picture, Statement, Times, seal, sha256,
};
use signature::pdf::{Enclosure, PdfError, Placement, Signing, enclose, enclose_and_sign};
use signature::{Identity, Ink, inkml, picture};

const INKML: &[u8] = include_bytes!("data/signature.inkml");
const CHROMIUM: &[u8] = include_bytes!("data/chromium.pdf");
const PLACE: Placement = Placement {
    page: 1,
    left: 300.0,
    top: 60.0,
    width: 180.0,
    height: 60.0,
};

fn ink() -> Ink {
    inkml::read(INKML).unwrap()
}

fn identity(kind: &str) -> Identity {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let key = fs::read(data.join(format!("{kind}.pk8"))).unwrap();
    let chain = fs::read(data.join(format!("{kind}-chain.pem"))).unwrap();
    Identity::new(&key, &chain, &SystemRandom::new()).unwrap()
}

/// A container for a document.
fn container(source: &[u8], detached: bool) -> Vec<u8> {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let ink = ink();
    let part = if detached {
        InkPart::detached(INKML)
    } else {
        InkPart::inside(INKML)
    };
    let statement = Statement {
        documents: vec![Shown {
            title: "住民票の写し等交付請求書".to_owned(),
            source_sha256: sha256(source),
            pictures: vec![Picture {
                picture_sha256: sha256(b"pixels"),
                uploaded_sha256: sha256(b"picture"),
                shown_ms: 12_345,
            }],
        }],
        device: Device::of(ink.digitizer(), ink.captured_by()),
        agent: "agent-17".to_owned(),
        staff: "s-0042".to_owned(),
        counter: "3".to_owned(),
        visit: "v-0007".to_owned(),
        origin: "https://counter.example.jp".to_owned(),
        purpose: "交付請求".to_owned(),
        times: Times {
            monotonic_start_us: 5_000_000,
            monotonic_end_us: 25_000_000,
            start_unix_ms: 1_795_240_800_123,
            end_unix_ms: 1_795_240_820_123,
        },
        attempts: 2,
        outcome: Outcome::Signed(part),
    };
    seal(&statement, &key).unwrap()
}

fn signed(original: &[u8], placement: &Placement, kind: &str) -> Result<Vec<u8>, PdfError> {
    let container = container(original, false);
    let enclosure = Enclosure {
        inkml: INKML,
        container: &container,
    };
    let signing = Signing {
        identity: &identity(kind),
        random: &SystemRandom::new(),
        unix_s: 1_795_240_830,
        name: "見本市",
    };
    let result = enclose_and_sign(original, placement, &enclosure, &signing)?;
    assert!(result.starts_with(original));
    Ok(result)
}

fn unsigned(original: &[u8]) -> Result<Vec<u8>, PdfError> {
    let container = container(original, true);
    let enclosure = Enclosure {
        inkml: INKML,
        container: &container,
    };
    enclose(original, &PLACE, &enclosure)
}

/// A document of one page with a line of text, with a table or a stream of cross references.
fn document(page: &str, stream: bool) -> Vec<u8> {
    document_of(page, "", stream)
}

fn document_of(page: &str, catalog: &str, stream: bool) -> Vec<u8> {
    let text = "BT /F1 18 Tf 60 760 Td (Application form) Tj ET\n";
    let objects = [
        format!("<</Type/Catalog/Pages 2 0 R{catalog}>>"),
        "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595.28 841.89]>>".to_owned(),
        format!("<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>{page}>>"),
        format!("<</Length {}>>\nstream\n{text}endstream", text.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let version = if stream { "1.7" } else { "1.4" };
    let mut out = format!("%PDF-{version}\n%\u{e9}\u{e8}\n").into_bytes();
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let start = out.len();
    let ids = "/ID[<00112233445566778899AABBCCDDEEFF><00112233445566778899AABBCCDDEEFF>]";
    if stream {
        let mut data = vec![0, 0, 0, 0xFF];
        for place in places.iter().chain([&start]) {
            data.push(1);
            data.extend(u16::try_from(*place).unwrap().to_be_bytes());
            data.push(0);
        }
        let head = format!(
            "6 0 obj\n<</Type/XRef/Size 7/W[1 2 1]/Root 1 0 R{ids}/Length {}>>\nstream\n",
            data.len()
        );
        out.extend(head.bytes());
        out.extend(data);
        out.extend(b"\nendstream\nendobj\n");
    } else {
        let mut table = String::from("xref\n0 6\n0000000000 65535 f \n");
        for place in &places {
            writeln!(table, "{place:010} 00000 n ").unwrap();
        }
        write!(table, "trailer\n<</Size 6/Root 1 0 R{ids}>>\n").unwrap();
        out.extend(table.bytes());
    }
    out.extend(format!("startxref\n{start}\n%%EOF").bytes());
    out
}

fn keep(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("signature");
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn run(program: &str, arguments: &[&str], path: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .arg(path)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text + &String::from_utf8_lossy(&output.stderr)
}

/// A document that another program wrote: pyHanko signed or certified it, or qpdf rearranged it.
fn foreign(name: &str) -> Vec<u8> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read(data.join(name)).unwrap()
}

/// What poppler says of the signatures of a document.
fn pdfsig(name: &str, bytes: &[u8]) -> String {
    run("pdfsig", &["-nocert"], &keep(name, bytes))
}

#[test]
fn xmllint_finds_the_ink_within_the_schema() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inkml-subset.rng");
    let check = |name: &str, bytes: &[u8]| {
        let arguments = ["--noout", "--nonet", "--relaxng", schema];
        run("xmllint", &arguments, &keep(name, bytes))
    };
    let good = check("good.inkml", &inkml::write(&ink()));
    assert!(good.trim_end().ends_with("validates"), "{good}");
    let text = std::str::from_utf8(INKML).unwrap();
    for (from, to) in [("penUp", "penAway"), (" T 0", " X 0"), ("\"ms\"", "\"s\"")] {
        let bad = check("bad.inkml", text.replacen(from, to, 1).as_bytes());
        assert!(bad.contains("fails to validate"), "{to}: {bad}");
    }
}

#[test]
fn the_ink_that_is_kept_is_written_as_it_was() {
    assert!(inkml::write(&ink()).as_slice() == INKML);
}

#[test]
fn poppler_accepts_every_kind_of_document() {
    let documents = [
        ("plain", document("", false), "p256"),
        ("plain-rsa", document("", false), "rsa"),
        ("stream", document("", true), "p256"),
        ("chromium", CHROMIUM.to_vec(), "p256"),
        ("object-streams", foreign("object-streams.pdf"), "p256"),
        ("linearized", foreign("linearized.pdf"), "rsa"),
        ("turned-90", document("/Rotate 90", false), "p256"),
        ("turned-180", document("/Rotate 180", true), "p256"),
        ("turned-270", document("/Rotate -90", false), "p256"),
    ];
    for (name, original, kind) in documents {
        let result = signed(&original, &PLACE, kind).unwrap();
        keep(&format!("{name}-original.pdf"), &original);
        let said = pdfsig(&format!("valid/{name}.pdf"), &result);
        for expected in [
            "Signature #1",
            "Signature is Valid.",
            "Total document signed",
            "ETSI.CAdES.detached",
            "SHA-256",
        ] {
            assert!(said.contains(expected), "{name}: {expected}: {said}");
        }
        assert!(!said.contains("Syntax"), "{name}: {said}");
    }
}

#[test]
fn poppler_notices_a_changed_byte() {
    let good = signed(&document("", false), &PLACE, "p256").unwrap();
    let parts = ["Application form", "12000 9675", "/Rect"];
    for (number, part) in parts.into_iter().enumerate() {
        let at = good
            .windows(part.len())
            .position(|bytes| bytes == part.as_bytes());
        let mut bad = good.clone();
        bad[at.unwrap() + part.len() - 1] ^= 1;
        let said = pdfsig(&format!("invalid/changed-{number}.pdf"), &bad);
        assert!(!said.contains("Signature is Valid."), "{part}: {said}");
    }
}

#[test]
fn a_second_signature_leaves_the_first_valid() {
    let lower = Placement {
        top: 300.0,
        ..PLACE
    };
    for (name, original) in [
        ("twice", document("", false)),
        ("twice-stream", document("", true)),
        ("twice-annots", document("/Annots 6 0 R", false)),
    ] {
        let once = signed(&original, &PLACE, "p256").unwrap();
        let twice = signed(&once, &lower, "rsa").unwrap();
        let said = pdfsig(&format!("valid/{name}.pdf"), &twice);
        assert_eq!(said.matches("Signature is Valid.").count(), 2, "{said}");
        assert_eq!(said.matches("Total document signed").count(), 1, "{said}");
        assert!(matches!(unsigned(&twice), Err(PdfError::Signed)));
    }
}

#[test]
fn a_signature_of_another_program_stays_valid() {
    let result = signed(&foreign("signed.pdf"), &PLACE, "p256").unwrap();
    let said = pdfsig("valid/foreign-signed.pdf", &result);
    assert_eq!(said.matches("Signature is Valid.").count(), 2, "{said}");
    for name in ["certified.pdf", "certified-closed.pdf"] {
        let certified = signed(&foreign(name), &PLACE, "p256");
        assert!(matches!(certified, Err(PdfError::Certified)));
    }
}

#[test]
fn files_come_out_as_they_went_in() {
    let original = document("", true);
    for (name, result) in [
        ("files-signed", signed(&original, &PLACE, "p256").unwrap()),
        ("files-unsigned", unsigned(&original).unwrap()),
    ] {
        let path = keep(&format!("{name}.pdf"), &result);
        let listed = run("pdfdetach", &["-list"], &path);
        assert!(listed.contains("2 embedded files"), "{listed}");
        assert!(listed.contains("PenSignature1-ink.inkml"), "{listed}");
        let to = path.with_extension("inkml");
        let arguments = ["-save", "2", "-o", to.to_str().unwrap()];
        run("pdfdetach", &arguments, &path);
        assert!(fs::read(&to).unwrap() == INKML);
    }
    let said = pdfsig("unsigned.pdf", &unsigned(&original).unwrap());
    assert!(said.contains("does not contain any signatures"), "{said}");
}

#[test]
fn attachments_that_were_there_stay() {
    let first = unsigned(&document("", false)).unwrap();
    let second = signed(&first, &PLACE, "p256").unwrap();
    let listed = run("pdfdetach", &["-list"], &keep("both.pdf", &second));
    assert!(listed.contains("4 embedded files"), "{listed}");
}

#[test]
fn the_ink_is_where_it_was_put() {
    // Dark pixels are counted within the place and, the line of text left out, outside it.
    for (name, page) in [
        ("seen-0", ""),
        ("seen-90", "/Rotate 90"),
        ("seen-180", "/Rotate 180"),
        ("seen-270", "/Rotate 270"),
        ("seen-cropped", "/CropBox[20 30 590 800]"),
    ] {
        let empty = document(page, false);
        let result = signed(&empty, &PLACE, "p256").unwrap();
        let shades = |name: String, bytes: &[u8]| {
            let path = keep(&name, bytes);
            let target = path.with_extension("");
            let output = Command::new("pdftoppm")
                .args(["-r", "72", "-gray", "-singlefile", "-cropbox"])
                .args([&path, &target])
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            gray(&fs::read(target.with_extension("pgm")).unwrap())
        };
        let (width, before) = shades(format!("{name}-empty.pdf"), &empty);
        let (_, after) = shades(format!("{name}.pdf"), &result);
        let changed: Vec<(usize, usize)> = (0..after.len())
            .filter(|place| before[*place].abs_diff(after[*place]) > 32)
            .map(|place| (place % width, place / width))
            .collect();
        assert!(changed.len() > 100, "{name}: {}", changed.len());
        let within = |(x, y): &(usize, usize)| (300..=480).contains(x) && (60..=120).contains(y);
        assert!(changed.iter().all(within), "{name}");
    }
}

/// Width and pixels of a binary PGM.
fn gray(bytes: &[u8]) -> (usize, Vec<u8>) {
    let mut parts = bytes.splitn(4, |byte| byte.is_ascii_whitespace());
    assert_eq!(parts.next(), Some(&b"P5"[..]));
    let width = std::str::from_utf8(parts.next().unwrap()).unwrap();
    let height = std::str::from_utf8(parts.next().unwrap()).unwrap();
    let (width, height): (usize, usize) = (width.parse().unwrap(), height.parse().unwrap());
    let pixels = &bytes[bytes.len() - width * height..];
    (width, pixels.to_vec())
}

#[test]
fn documents_that_cannot_be_appended_to_are_refused_with_the_reason() {
    let good = document("", false);
    let text = String::from_utf8_lossy(&good).into_owned();
    let changed = |from: &str, to: &str| unsigned(text.replacen(from, to, 1).as_bytes());
    assert!(matches!(unsigned(b"no document"), Err(PdfError::NotPdf)));
    assert!(matches!(unsigned(b"%PDF-1.4\n"), Err(PdfError::Damaged(_))));
    assert!(matches!(
        changed("startxref\n", "startxref\n9"),
        Err(PdfError::Damaged(_))
    ));
    assert!(matches!(
        changed(
            "/Root 1 0 R",
            "/Encrypt<</Filter/Standard/V 2/R 3/O()/U()/P 0>>/Root 1 0 R"
        ),
        Err(PdfError::Encrypted)
    ));
    assert!(matches!(
        unsigned(&foreign("encrypted.pdf")),
        Err(PdfError::Encrypted)
    ));
    let beside = Placement {
        left: 500.0,
        ..PLACE
    };
    assert!(matches!(
        signed(&good, &beside, "p256"),
        Err(PdfError::Outside)
    ));
    let other = Placement { page: 2, ..PLACE };
    assert!(matches!(
        signed(&good, &other, "p256"),
        Err(PdfError::NoPage(2))
    ));
    let closed = "/Perms<</DocMDP<</Reference[<</TransformParams<</P 1>>>>]>>>>";
    assert!(matches!(
        signed(&document_of("", closed, false), &PLACE, "p256"),
        Err(PdfError::Certified)
    ));
    for broken in ["/MediaBox[0 0 0 0]", "/Rotate 45"] {
        let result = signed(&document(broken, false), &PLACE, "p256");
        assert!(matches!(result, Err(PdfError::Damaged(_))), "{broken}");
    }
}

/// What a PDF library made of a few hundred kilobytes of such arrays was 17 GB of memory.
#[test]
fn what_nobody_asked_for_is_not_read() {
    let array = format!("[{}]", "0 ".repeat(3_000_000));
    let unreachable = document_of("", &format!("/Unused {array}"), false);
    assert!(matches!(unsigned(&unreachable), Err(PdfError::Damaged(_))));
    let mut apart = document("", false);
    let at = apart.windows(4).rposition(|part| part == b"xref").unwrap();
    let place = apart[..at]
        .windows(5)
        .rposition(|part| part == b"xref\n")
        .unwrap();
    // In front of the table, which the last line still has to find.
    let object = format!("9 0 obj\n{array}\nendobj\n");
    apart.splice(place..place, object.bytes());
    let old = format!("startxref\n{place}\n");
    let new = format!("startxref\n{}\n", place + object.len());
    let tail = apart.len() - old.len() - 5;
    apart.splice(tail.., format!("{new}%%EOF").bytes());
    assert!(unsigned(&apart).is_ok());
}

#[test]
fn a_document_that_is_cut_or_changed_anywhere_never_panics() {
    let enclosure = Enclosure {
        inkml: INKML,
        container: b"a container",
    };
    let unsigned = |bytes: &[u8]| enclose(bytes, &PLACE, &enclosure);
    let good = signed(&document("", true), &PLACE, "p256").unwrap();
    let end = good.len();
    for length in (0..2_000).step_by(7).chain(end - 700..end - 1) {
        drop(unsigned(&good[..length]));
    }
    for name in ["object-streams.pdf", "linearized.pdf"] {
        let packed = foreign(name);
        for place in 0..packed.len() {
            let mut bytes = packed.clone();
            bytes[place] ^= 1;
            drop(unsigned(&bytes));
        }
    }
    let small = document("/Annots[]", false);
    for place in 0..small.len() {
        for to in [b'/', b'(', b'9', 0] {
            let mut bytes = small.clone();
            bytes[place] = to;
            drop(unsigned(&bytes));
        }
    }
}

#[test]
fn nothing_in_a_document_calls_it_what_it_is_not() {
    let result = signed(&document("", false), &PLACE, "p256").unwrap();
    let utf16: Vec<u8> = "電子署名"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    for forbidden in ["電子署名".as_bytes(), &utf16] {
        assert!(
            !result
                .windows(forbidden.len())
                .any(|part| part == forbidden)
        );
    }
    let parsed = Document::load_mem(&result).unwrap();
    let widget = parsed.objects.values().find_map(|object| {
        let field = object.as_dict().ok()?;
        let kind = field.get(b"FT").and_then(Object::as_name).ok()?;
        (kind == b"Sig").then_some(field)
    });
    assert!(widget.unwrap().has(b"AP"));
}

#[test]
fn what_others_verify_is_left_for_them() {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let source = document("", false);
    keep("form.pdf", &source);
    keep("device.pub", key.public_key().as_ref());
    keep("ink.inkml", INKML);
    let good = container(&source, false);
    keep("valid/inside.cbor", &good);
    keep("valid/detached.cbor", &container(&source, true));
    let at = good.windows(6).position(|bytes| bytes == b"s-0042");
    let mut bad = good;
    bad[at.unwrap() + 5] = b'3';
    keep("invalid/tampered.cbor", &bad);
    keep("ink.png", &picture::png(&ink(), 480, 160).unwrap());
    keep(
        "ink.svg",
        picture::svg(&ink(), 480, 160).unwrap().as_bytes(),
    );
}
