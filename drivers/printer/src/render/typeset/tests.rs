//! Tickets as dots.

use super::*;
use crate::ticket::Size;

fn setter() -> Typesetter {
    let fonts = Fonts::load(&crate::platform::fonts(), &crate::platform::bold_fonts()).unwrap();
    Typesetter::new(fonts, 576, 203)
}

fn set(elements: Vec<Element>) -> Result<Raster, ContentError> {
    setter().typeset(&Ticket { elements }, None)
}

fn black(raster: &Raster) -> u32 {
    raster.bytes().iter().map(|byte| byte.count_ones()).sum()
}

#[test]
fn a_whole_ticket_has_the_width_of_the_paper() {
    let raster = set(vec![
        Element::Text(Text {
            size: Size::Large,
            bold: true,
            align: Align::Centre,
            ..Text::plain("市民課")
        }),
        Element::Number("A-014".into()),
        Element::Rule,
        Element::Text(Text::plain("𠮷野 葛\u{E0100}城 様")),
        Element::Code(Code {
            data: b"https://example.jp/t/1".to_vec(),
            level: Level::M,
            module: None,
        }),
        Element::Space(30),
    ])
    .unwrap();
    assert_eq!(raster.width(), 576);
    assert!(raster.rows() > 300 && black(&raster) > 10_000);
    assert!(!crate::wire::encode::holds_command(raster.bytes()));
}

#[test]
fn a_character_that_no_font_has_is_named_by_place_only() {
    let elements = vec![Element::Rule, Element::Text(Text::plain("山\u{1F600}田"))];
    assert_eq!(
        set(elements),
        Err(ContentError::Character {
            element: 1,
            place: 1
        })
    );
    let shown = set(vec![Element::Number("\u{1F600}".into())])
        .unwrap_err()
        .to_string();
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn a_reissue_is_marked_above_everything() {
    let ticket = Ticket {
        elements: vec![Element::Rule],
    };
    let plain = setter().typeset(&ticket, None).unwrap();
    let marked = setter().typeset(&ticket, Some(1)).unwrap();
    assert!(marked.rows() > plain.rows() + 40);
    assert!(black(&marked) > black(&plain) + 5_000);
}

#[test]
fn what_does_not_fit_is_refused() {
    let code = |bytes: usize, module| {
        Element::Code(Code {
            data: vec![b'a'; bytes],
            level: Level::H,
            module,
        })
    };
    assert_eq!(
        set(vec![code(3000, None)]),
        Err(ContentError::CodeTooLong { element: 0 })
    );
    assert_eq!(
        set(vec![code(200, Some(20))]),
        Err(ContentError::TooWide { element: 0 })
    );
    assert_eq!(
        set(vec![Element::Space(u16::MAX)]),
        Err(ContentError::TooLong)
    );
    assert_eq!(
        set(vec![Element::Mark("再".repeat(40))]),
        Err(ContentError::TooWide { element: 0 })
    );
    let picture = |width, bytes: usize| {
        Element::Picture(Picture {
            width,
            rows: vec![0xFF; bytes],
        })
    };
    assert_eq!(
        set(vec![picture(16, 3)]),
        Err(ContentError::Picture { element: 0 })
    );
    assert_eq!(
        set(vec![picture(0, 3)]),
        Err(ContentError::Picture { element: 0 })
    );
    assert_eq!(
        set(vec![picture(577, 73)]),
        Err(ContentError::TooWide { element: 0 })
    );
    let long = Element::Text(Text::plain("あ".repeat(10_000)));
    assert_eq!(set(vec![long]), Err(ContentError::TooLong));
    assert_eq!(set(vec![]), Err(ContentError::Empty));
}

#[test]
fn bold_is_thicker_also_where_the_bold_font_lacks_the_character() {
    let text = |bold| {
        Element::Text(Text {
            bold,
            ..Text::plain("𠮷")
        })
    };
    assert!(black(&set(vec![text(true)]).unwrap()) > black(&set(vec![text(false)]).unwrap()));
}

#[test]
fn the_preview_is_the_picture_dot_for_dot() {
    let raster = set(vec![Element::Number("B-9".into())]).unwrap();
    let file = super::super::preview(&raster).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut dots).unwrap();
    let inverted: Vec<u8> = dots.iter().map(|byte| !byte).collect();
    assert_eq!(inverted, raster.bytes());
}
