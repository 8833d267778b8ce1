//! PNGs that are shown, PNGs that are not, and drawing at the edges.

use proptest::prelude::*;

use super::*;

fn png_of(kind: png::ColorType, width: u32, height: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(kind);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn a_picture_comes_back_from_its_png_and_keeps_its_hash() {
    let mut picture = Picture::plain(7, 5, WHITE).unwrap();
    picture.blend((3, 2), [10, 20, 30], 255);
    let png = picture.to_png().unwrap();
    assert_eq!(Picture::from_png(&png).unwrap(), picture);
    assert_eq!(sha256(&picture.clone().to_png().unwrap()), sha256(&png));
}

#[test]
fn a_hash_is_that_of_the_standard() {
    // FIPS 180-4, example "abc".
    let start = [0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA];
    assert_eq!(sha256(b"abc")[..8], start);
}

#[test]
fn what_is_transparent_becomes_white() {
    let rgba = png_of(png::ColorType::Rgba, 2, 1, &[0, 0, 0, 0, 0, 0, 0, 255]);
    let picture = Picture::from_png(&rgba).unwrap();
    assert_eq!(picture.rgb(), [255, 255, 255, 0, 0, 0]);
    let grey = png_of(png::ColorType::GrayscaleAlpha, 2, 1, &[0, 128, 64, 255]);
    assert_eq!(
        Picture::from_png(&grey).unwrap().rgb(),
        [127, 127, 127, 64, 64, 64]
    );
}

#[test]
fn an_animated_png_and_one_of_huge_size_are_refused() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0]).unwrap();
    writer.write_image_data(&[1]).unwrap();
    writer.finish().unwrap();
    assert!(matches!(
        Picture::from_png(&bytes),
        Err(PictureError::Animated)
    ));

    // A header that promises 100000 x 1 pixels; its checksum is of these bytes.
    let mut encoder = Vec::new();
    let header = png::Encoder::new(&mut encoder, 100_000, 1).write_header();
    drop(header);
    assert!(Picture::from_png(&encoder).is_err());
    assert!(matches!(
        Picture::plain(8000, 8000, WHITE),
        Err(PictureError::Size { .. })
    ));
    assert!(matches!(
        Picture::plain(0, 8, WHITE),
        Err(PictureError::Size { .. })
    ));
}

#[test]
fn every_truncation_of_a_png_is_refused() {
    let png = Picture::plain(20, 20, [1, 2, 3]).unwrap().to_png().unwrap();
    // The pixels are whole before the last chunk, IEND of twelve bytes.
    for length in 0..png.len() - 16 {
        assert!(Picture::from_png(&png[..length]).is_err(), "{length}");
    }
}

#[test]
fn drawing_beyond_the_edge_does_nothing() {
    let mut picture = Picture::plain(4, 4, WHITE).unwrap();
    let beyond = Area {
        x: 2,
        y: 3,
        width: 100,
        height: 100,
    };
    picture.fill(beyond, BLACK);
    picture.fill(Area { x: 9, ..beyond }, BLACK);
    picture.blend((4, 0), BLACK, 255);
    let black = picture
        .rgb()
        .chunks(3)
        .filter(|pixel| pixel == &BLACK)
        .count();
    assert_eq!(black, 2);
    picture.frame(
        Area {
            width: 1,
            height: 1,
            ..Area::default()
        },
        5,
        BLACK,
    );
    assert_eq!(picture.pixel(0, 0), Some(BLACK));
}

#[test]
fn what_is_pasted_beyond_the_edge_is_cut() {
    let mut picture = Picture::plain(4, 3, WHITE).unwrap();
    let dark = Picture::plain(3, 5, BLACK).unwrap();
    let place = |x, y, width, height| Area {
        x,
        y,
        width,
        height,
    };
    picture.paste(&dark, 4, place(2, 1, 9, 9));
    let is_dark = |picture: &Picture| {
        let rows = picture.rgb().chunks(3);
        rows.map(|pixel| u8::from(pixel == BLACK))
            .collect::<Vec<_>>()
    };
    assert_eq!(is_dark(&picture), [0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]);
    picture.paste(&dark, 9, place(0, 0, 4, 3));
    picture.paste(&dark, 0, place(7, 0, 4, 3));
    assert_eq!(is_dark(&picture).iter().sum::<u8>(), 2);
}

#[test]
fn a_narrower_picture_is_the_mean_of_what_it_stands_for() {
    let picture = Picture::from_rgb(4, 2, [[0, 0, 0], [255, 255, 255]].concat().repeat(4)).unwrap();
    let narrow = picture.narrowed(2).unwrap();
    assert_eq!((narrow.width(), narrow.height()), (2, 1));
    assert_eq!(narrow.rgb(), [127; 6]);
    assert_eq!(picture.narrowed(100).unwrap(), picture);
}

proptest! {
    #[test]
    fn no_png_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..90, value: u8) {
        drop(Picture::from_png(&bytes));
        let mut png = Picture::plain(9, 9, [9, 8, 7]).unwrap().to_png().unwrap();
        let at = at % png.len();
        png[at] = value;
        drop(Picture::from_png(&png));
    }
}
