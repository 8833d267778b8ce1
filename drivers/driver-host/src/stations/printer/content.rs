//! What stands on a ticket, in the driver's words: one element for one element, so that a place that the
//! driver finds fault with is the place in what was handed in.

use host_protocol::{Align, TicketElement};
use printer::quirks::Profile;
use printer::ticket::{self, Code, Element, Level, Size, Text};
use zeroize::Zeroizing;

use super::picture::{self, PictureError};

/// One element of a task.
pub(super) enum Given<'a> {
    /// As it stands in the task.
    Element(&'a TicketElement),
    /// A picture's file, which came apart from it.
    Picture(Zeroizing<Vec<u8>>),
}

/// The element for a printer of this profile.
///
/// # Errors
/// Where a picture cannot be used.
pub(super) fn element(given: Given<'_>, profile: &Profile) -> Result<Element, PictureError> {
    let element = match given {
        Given::Picture(file) => return picture::dots(&file, profile.dots).map(Element::Picture),
        Given::Element(element) => element,
    };
    Ok(match element {
        TicketElement::Text {
            text,
            size,
            bold,
            align,
        } => Element::Text(Text {
            content: text.expose().to_owned(),
            size: nearest(*size),
            bold: *bold,
            align: match align {
                Align::Left => ticket::Align::Left,
                Align::Centre => ticket::Align::Centre,
                Align::Right => ticket::Align::Right,
            },
        }),
        TicketElement::Number { text } => Element::Number(text.expose().to_owned()),
        TicketElement::Rule {} => Element::Rule,
        TicketElement::Space { height } => {
            // What is longer than the type can say is longer than a ticket may be.
            Element::Space(u16::try_from(*height).unwrap_or(u16::MAX))
        }
        TicketElement::Qr { text, module } => Element::Code(Code {
            data: text.expose().as_bytes().to_vec(),
            level: Level::M,
            module: Some(module_dots(*module, profile.dpi)),
        }),
        // Its file came apart from it; without one there is nothing to print.
        TicketElement::Picture { .. } => return Err(PictureError::NotPng),
    })
}

/// The driver's size that is nearest to a height in tenths of a millimetre.
fn nearest(tenths: u32) -> Size {
    // A point is 1/72 of an inch of 254 tenths of a millimetre.
    let distance =
        |size: &Size| (u32::from(size.points()) * 254).abs_diff(tenths.saturating_mul(72));
    let sizes = [Size::Small, Size::Normal, Size::Large, Size::Huge];
    sizes
        .into_iter()
        .min_by_key(distance)
        .unwrap_or(Size::Normal)
}

/// A module's width in dots, rounded, and at least one.
fn module_dots(tenths: u32, dpi: u16) -> u8 {
    let dots = tenths.saturating_mul(u32::from(dpi)).saturating_add(127) / 254;
    u8::try_from(dots).unwrap_or(u8::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use host_protocol::{Attachment, SecretText};
    use printer::quirks::profile;

    use super::*;

    fn drawn(element: &TicketElement) -> Element {
        let profile = profile("tm-t88vii").unwrap();
        super::element(Given::Element(element), profile).unwrap()
    }

    fn secret(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }

    #[test]
    fn each_element_becomes_one_of_the_driver() {
        let text = TicketElement::Text {
            text: secret("山田"),
            size: 70,
            bold: true,
            align: Align::Centre,
        };
        let wanted = Text {
            content: "山田".to_owned(),
            size: Size::Large,
            bold: true,
            align: ticket::Align::Centre,
        };
        assert!(drawn(&text) == Element::Text(wanted));
        let number = TicketElement::Number {
            text: secret("A-014"),
        };
        assert!(drawn(&number) == Element::Number("A-014".to_owned()));
        assert!(drawn(&TicketElement::Rule {}) == Element::Rule);
        assert!(drawn(&TicketElement::Space { height: 50 }) == Element::Space(50));
        let far = TicketElement::Space { height: 70_000 };
        assert!(drawn(&far) == Element::Space(u16::MAX));
        let qr = TicketElement::Qr {
            text: secret("ABC"),
            module: 5,
        };
        let code = Code {
            data: b"ABC".to_vec(),
            level: Level::M,
            // Half a millimetre at 180 dots an inch is 3.5 dots.
            module: Some(4),
        };
        assert!(drawn(&qr) == Element::Code(code));
    }

    #[test]
    fn a_height_becomes_the_nearest_size() {
        let table = [
            (20, Size::Small),
            (39, Size::Small),
            (45, Size::Normal),
            (50, Size::Normal),
            (70, Size::Large),
            (113, Size::Huge),
            (400, Size::Huge),
            (u32::MAX, Size::Huge),
        ];
        for (tenths, size) in table {
            assert_eq!(nearest(tenths), size, "{tenths}");
        }
    }

    #[test]
    fn a_module_is_never_without_a_dot_and_never_too_large_for_its_type() {
        assert_eq!(module_dots(0, 180), 1);
        assert_eq!(module_dots(10, 203), 8);
        assert_eq!(module_dots(u32::MAX, 203), u8::MAX);
    }

    #[test]
    fn a_picture_without_its_file_is_refused() {
        let picture = Attachment {
            attachment: 1,
            media_type: "image/png".to_owned(),
            length: 0,
        };
        let element = TicketElement::Picture { picture };
        let profile = profile("generic-80").unwrap();
        assert!(super::element(Given::Element(&element), profile).is_err());
    }
}
