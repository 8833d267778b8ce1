//! The files, read by other programs than ours: `pdfimages` and `pdfinfo` of poppler.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    reason = "helpers of an integration test fail by panicking"
)]

use std::path::Path;
use std::process::Command;

use document::Format;
use document::image::coded::decode_jpeg;
use document::image::{Kind, Picture};
use document::output::{Content, Document};
use zeroize::Zeroizing;

const JPEG: &[u8] = include_bytes!("vectors/page-colour.jpg");
/// 2026-11-21T06:00:00Z.
const WHEN: u64 = 1_795_240_800_000;

/// A picture whose every sample differs from its neighbours.
fn picture(width: u32, height: u32, kind: Kind) -> Picture {
    let count = width * height * u32::try_from(kind.channels()).unwrap();
    let samples = (0..count)
        .map(|place| {
            let level = u8::try_from((place.wrapping_mul(2_654_435_761) >> 13) & 0xFF).unwrap();
            match kind {
                Kind::Bilevel if level < 100 => 0,
                Kind::Bilevel => 255,
                Kind::Gray | Kind::Colour => level,
            }
        })
        .collect();
    Picture::new(width, height, kind, Zeroizing::new(samples)).unwrap()
}

fn pages() -> [Picture; 4] {
    [
        picture(37, 50, Kind::Bilevel),
        picture(60, 41, Kind::Gray),
        picture(33, 29, Kind::Colour),
        decode_jpeg(JPEG).unwrap(),
    ]
}

fn files(format: Format) -> Vec<Vec<u8>> {
    let [bilevel, gray, colour, jpeg] = pages();
    let mut document = Document::new(format, 1 << 20, WHEN).unwrap();
    for picture in [&bilevel, &gray, &colour] {
        document.add(Content::Picture(picture), 100).unwrap();
    }
    document.add(Content::Jpeg(JPEG, &jpeg), 100).unwrap();
    let files = document.finish().unwrap();
    files.iter().map(|file| file.expose().to_vec()).collect()
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("poppler is installed (Debian: poppler-utils)");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn poppler_finds_every_picture_sample_for_sample_and_the_jpeg_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let file = files(Format::PdfA).remove(0);
    std::fs::write(folder.path().join("pages.pdf"), &file).unwrap();
    let info = run("pdfinfo", &["-isodates", "pages.pdf"], folder.path());
    for line in [
        "Pages:           4",
        "Encrypted:       no",
        "PDF version:     1.7",
    ] {
        assert!(info.contains(line), "{info}");
    }
    run("pdfimages", &["-all", "pages.pdf", "page"], folder.path());
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(read("page-003.jpg") == JPEG);
    for (number, picture) in pages().iter().take(3).enumerate() {
        let mut decoder =
            png::Decoder::new(std::io::Cursor::new(read(&format!("page-{number:03}.png"))));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        samples.truncate(info.buffer_size());
        assert_eq!(
            (info.width, info.height),
            (picture.width(), picture.height())
        );
        assert!(samples == picture.samples(), "page {number}");
    }
}

/// What ISO 19005-2 asks of such a file and a program can look for without a PDF library.
#[test]
fn the_pdf_has_what_pdf_a_asks_and_nothing_that_it_forbids() {
    let file = files(Format::PdfA).remove(0);
    // One character for each byte, so that places in the text are places in the file.
    let ascii = |byte: u8| {
        if byte.is_ascii() {
            char::from(byte)
        } else {
            '?'
        }
    };
    let text: String = file.iter().copied().map(ascii).collect();
    assert!(text.starts_with("%PDF-1.7\n%"));
    assert!(file[10..14].iter().all(|byte| *byte > 127));
    assert!(text.ends_with("%%EOF\n"));
    for wanted in [
        "/GTS_PDFA1",
        "/DestOutputProfile 4 0 R",
        "/Metadata 3 0 R",
        "/ID[<",
        "<pdfaid:part>2</pdfaid:part>",
        "<pdfaid:conformance>B</pdfaid:conformance>",
        "<xmp:CreateDate>2026-11-21T06:00:00Z</xmp:CreateDate>",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
    for forbidden in [
        "/Encrypt",
        "LZWDecode",
        "/Interpolate",
        "/Info ",
        "/AA",
        "/JavaScript",
    ] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
    // Every entry of the table is twenty bytes long and points at its object.
    let table = text.rfind("\nxref\n").unwrap() + 1;
    let start: usize = text[text.rfind("startxref\n").unwrap() + 10..]
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(start, table);
    let entries = &text[table + 5..text.rfind("trailer").unwrap()];
    let (head, entries) = entries.split_once('\n').unwrap();
    let count: usize = head.strip_prefix("0 ").unwrap().parse().unwrap();
    assert_eq!(entries.len(), count * 20);
    for number in 1..count {
        let place: usize = entries[number * 20..number * 20 + 10].parse().unwrap();
        assert!(text[place..].starts_with(&format!("{number} 0 obj\n")));
    }
}

#[test]
fn the_same_pages_make_the_same_file() {
    for format in [Format::PdfA, Format::Tiff, Format::Png] {
        assert!(files(format) == files(format), "{format:?}");
    }
}

#[test]
fn no_file_exceeds_its_limit() {
    let page = decode_jpeg(JPEG).unwrap();
    for format in [Format::PdfA, Format::Tiff, Format::Png] {
        let outcome = Document::new(format, 4000, WHEN).and_then(|mut document| {
            document.add(Content::Picture(&page), 100)?;
            document.add(Content::Picture(&page), 100)?;
            document.finish()
        });
        let fault = outcome.unwrap_err().fault();
        assert_eq!(fault, device_api::FaultCode::DocumentTooLarge, "{format:?}");
    }
}

#[test]
fn tiff_and_png_are_kept_for_other_readers() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let tiff = files(Format::Tiff);
    assert_eq!(tiff.len(), 1);
    assert_eq!(files(Format::Png).len(), 4);
    std::fs::write(folder.join("pages.tiff"), &tiff[0]).unwrap();
    std::fs::write(folder.join("pages.pdf"), &files(Format::PdfA)[0]).unwrap();
    let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(&tiff[0])).unwrap();
    for (number, picture) in pages().iter().enumerate() {
        if number > 0 {
            decoder.next_image().unwrap();
        }
        let tiff::decoder::DecodingResult::U8(samples) = decoder.read_image().unwrap() else {
            panic!("eight bits a sample");
        };
        assert!(samples == picture.samples(), "page {number}");
    }
    assert!(!decoder.more_images());
}
