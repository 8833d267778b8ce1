//! What comes is what the scanner saw, and what `scanimage` sees.

use document::{ColourMode, Format, Progress, ScanRequest, Source};

use crate::server::Saned;
use crate::{feeder, open, patience, request, scan};

/// Width, height, largest sample and samples of a PNM file.
fn pnm(file: &[u8]) -> (u32, u32, u32, Vec<u8>) {
    let mut fields = Vec::new();
    let mut at = 2;
    let bits = file.starts_with(b"P4");
    while fields.len() < if bits { 2 } else { 3 } {
        while file[at].is_ascii_whitespace() {
            at += 1;
        }
        if file[at] == b'#' {
            at += file[at..].iter().position(|byte| *byte == b'\n').unwrap();
            continue;
        }
        let end = at + file[at..].iter().position(u8::is_ascii_whitespace).unwrap();
        fields.push(
            std::str::from_utf8(&file[at..end])
                .unwrap()
                .parse()
                .unwrap(),
        );
        at = end;
    }
    let largest = fields.get(2).copied().unwrap_or(1);
    (fields[0], fields[1], largest, file[at + 1..].to_vec())
}

/// Width, height and samples of a PNG file, one byte a sample.
fn png(file: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    samples.truncate(info.buffer_size());
    (info.width, info.height, samples)
}

const PATTERN: (&str, &str) = ("test-picture", "Color pattern");

fn scanned(saned: &Saned, request: &ScanRequest, options: &[(&str, &str)]) -> (u32, u32, Vec<u8>) {
    let scanned = scan(saned, request, options).unwrap();
    assert_eq!(scanned.files.len(), 1);
    let (width, height, samples) = png(scanned.files[0].expose());
    assert_eq!(
        (scanned.pages[0].width, scanned.pages[0].height),
        (width, height)
    );
    (width, height, samples)
}

#[test]
fn gray_and_colours_are_byte_for_byte_what_scanimage_sees() {
    let saned = Saned::start();
    for (colour, mode) in [(ColourMode::Gray, "Gray"), (ColourMode::Colour, "Color")] {
        for resolution in ["50", "97", "300"] {
            let ours = scanned(
                &saned,
                &request(colour, resolution.parse().unwrap()),
                &[PATTERN],
            );
            let (width, height, largest, theirs) = pnm(&saned.scanimage(&[
                "--mode",
                mode,
                "--resolution",
                resolution,
                "--test-picture",
                "Color pattern",
            ]));
            assert_eq!(largest, 255);
            assert!(ours == (width, height, theirs), "{mode} at {resolution}");
        }
    }
}

#[test]
fn of_16_bits_the_upper_eight_are_kept() {
    let saned = Saned::start();
    for (colour, mode) in [(ColourMode::Gray, "Gray"), (ColourMode::Colour, "Color")] {
        let ours = scanned(&saned, &request(colour, 50), &[PATTERN, ("depth", "16")]);
        let (width, height, largest, theirs) = pnm(&saned.scanimage(&[
            "--mode",
            mode,
            "--resolution",
            "50",
            "--depth",
            "16",
            "--test-picture",
            "Color pattern",
        ]));
        assert_eq!(largest, 65_535);
        let upper = theirs.iter().step_by(2).copied().collect();
        assert!(ours == (width, height, upper), "{mode}");
    }
}

#[test]
fn one_bit_is_black_or_white_as_scanimage_sees_it() {
    let saned = Saned::start();
    let (width, height, ours) = scanned(
        &saned,
        &request(ColourMode::Gray, 50),
        &[PATTERN, ("depth", "1")],
    );
    let (their_width, their_height, _, theirs) = pnm(&saned.scanimage(&[
        "--mode",
        "Gray",
        "--resolution",
        "50",
        "--depth",
        "1",
        "--test-picture",
        "Color pattern",
    ]));
    assert_eq!((width, height), (their_width, their_height));
    let stride = (width as usize).div_ceil(8);
    for (y, line) in ours.chunks_exact(width as usize).enumerate() {
        for (x, sample) in line.iter().enumerate() {
            // In PBM a set bit is black.
            let black = theirs[y * stride + x / 8] & (0x80 >> (x % 8)) != 0;
            assert_eq!(*sample, if black { 0 } else { 255 }, "{x}, {y}");
        }
    }
    assert!(ours.contains(&0) && ours.contains(&255));
}

#[test]
fn one_bit_for_each_colour_is_none_or_all_of_it() {
    let saned = Saned::start();
    let (width, height, ours) = scanned(
        &saned,
        &request(ColourMode::Colour, 50),
        &[PATTERN, ("depth", "1")],
    );
    assert_eq!(ours.len(), width as usize * height as usize * 3);
    assert!(ours.iter().all(|sample| matches!(sample, 0 | 255)));
    // The pattern has pure red, green and blue.
    for colour in [[255, 0, 0], [0, 255, 0], [0, 0, 255]] {
        assert!(ours.chunks_exact(3).any(|element| element == colour));
    }
}

#[test]
fn three_passes_in_any_order_make_the_same_picture_as_one() {
    let saned = Saned::start();
    let request = request(ColourMode::Colour, 50);
    let once = scanned(&saned, &request, &[PATTERN]);
    for order in ["RGB", "GBR", "BGR"] {
        let options = [PATTERN, ("three-pass", "yes"), ("three-pass-order", order)];
        assert!(scanned(&saned, &request, &options) == once, "{order}");
    }
}

#[test]
fn a_hand_scanner_that_does_not_know_its_height_is_read_to_its_end() {
    let saned = Saned::start();
    let request = request(ColourMode::Gray, 50);
    let options = [PATTERN, ("hand-scanner", "yes")];
    let (width, height, samples) = scanned(&saned, &request, &options);
    // Such a scanner has a fixed width of 11 centimetres.
    assert_eq!(width, 216);
    assert!(height > 100, "{height}");
    assert_eq!(samples.len(), width as usize * height as usize);
}

#[test]
fn what_a_line_has_beyond_its_width_is_left_out() {
    let saned = Saned::start();
    let request = request(ColourMode::Gray, 50);
    let options = [PATTERN, ("ppl-loss", "13"), ("fuzzy-parameters", "yes")];
    let (width, _, ours) = scanned(&saned, &request, &options);
    let (their_width, _, _, theirs) = pnm(&saned.scanimage(&[
        "--mode",
        "Gray",
        "--test-picture",
        "Color pattern",
        "--resolution",
        "50",
        "--ppl-loss",
        "13",
    ]));
    assert_eq!(width, their_width);
    // `scanimage` writes whole lines, whatever it says in the header.
    let lines = theirs.chunks_exact(width as usize + 13);
    let theirs: Vec<u8> = lines
        .flat_map(|line| line[..width as usize].to_vec())
        .collect();
    assert!(ours == theirs);
}

#[test]
fn the_feeder_is_read_until_it_is_empty_or_enough() {
    let saned = Saned::start();
    let mut scanner = open(&saned, &[PATTERN]);
    let mut seen: Vec<Progress> = Vec::new();
    let all = scanner
        .scan(
            &feeder(50),
            &mut |progress| seen.push(progress),
            &patience(),
        )
        .unwrap();
    assert_eq!(all.pages.len(), 10);
    assert_eq!(all.files.len(), 10);
    let ends: Vec<u32> = seen
        .iter()
        .filter(|progress| progress.per_mille == Some(1000))
        .map(|progress| progress.page)
        .collect();
    assert_eq!(ends, (1..=10).collect::<Vec<_>>());
    let enough = ScanRequest {
        max_pages: 3,
        ..feeder(50)
    };
    let three = scanner.scan(&enough, &mut |_| {}, &patience()).unwrap();
    assert_eq!(three.pages.len(), 3);
}

#[test]
fn blank_pages_are_left_out_but_for_one_where_all_are_blank() {
    let saned = Saned::start();
    let request = ScanRequest {
        drop_blank: true,
        format: Format::PdfA,
        ..feeder(100)
    };
    let white = scan(&saned, &request, &[("test-picture", "Solid white")]).unwrap();
    let kept: Vec<bool> = white.pages.iter().map(|page| page.kept).collect();
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 1);
    assert!(kept[0] && white.pages.iter().all(|page| page.blank));
    let black = scan(&saned, &request, &[("test-picture", "Grid")]).unwrap();
    assert!(black.pages.iter().all(|page| page.kept && !page.blank));
}

#[test]
fn the_scanner_says_what_it_offers() {
    let saned = Saned::start();
    let scanner = open(&saned, &[]);
    let capabilities = scanner.capabilities();
    let sources: Vec<Source> = capabilities.sources.iter().map(|one| one.source).collect();
    assert_eq!(sources, [Source::Flatbed, Source::Feeder]);
    let glass = capabilities.of(Source::Flatbed).unwrap();
    assert!(glass.resolutions.offers(1) && glass.resolutions.offers(1200));
    assert!(!glass.resolutions.offers(1201));
    assert_eq!(glass.largest.unwrap().width, 2000);
    let listed = document::list_sane(
        &saned.address(),
        std::time::Duration::from_secs(30),
        &patience(),
    );
    let names: Vec<String> = listed.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["test:0"]);
}
