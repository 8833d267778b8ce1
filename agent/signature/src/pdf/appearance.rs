//! The ink as a form XObject, and where it stands on the page.

use std::fmt::Write as _;

use super::original::{Original, View};
use super::{PdfError, Placement};
use crate::ink::Ink;
use crate::picture::{pieces, strokes};

/// A point in millimetres.
const POINT_MM: f64 = 25.4 / 72.0;

/// Ink that is ready to be put on a page.
pub(super) struct Drawn {
    pub(super) page: u32,
    /// The rectangle in the page's own coordinates: left, bottom, right, top.
    pub(super) rectangle: [f64; 4],
    /// The size of the form, upright as it is read.
    pub(super) size: (f64, f64),
    /// Turns the form the way the page is turned back when it is shown.
    pub(super) matrix: [i64; 6],
    /// The content stream.
    pub(super) content: Vec<u8>,
}

/// Draws ink for a place on a page.
pub(super) fn draw(
    original: &Original<'_>,
    placement: &Placement,
    ink: &Ink,
) -> Result<Drawn, PdfError> {
    let view = original.view(placement.page)?;
    let rectangle = rectangle(&view, placement).ok_or(PdfError::Outside)?;
    let size = (placement.width, placement.height);
    let matrix = match view.turned {
        90 => [0, 1, -1, 0, 0, 0],
        180 => [-1, 0, 0, -1, 0, 0],
        270 => [0, -1, 1, 0, 0, 0],
        _ => [1, 0, 0, 1, 0, 0],
    };
    Ok(Drawn {
        page: placement.page,
        rectangle,
        size,
        matrix,
        content: content(ink, size),
    })
}

/// The place in the page's own coordinates, whose y points upwards.
fn rectangle(view: &View, placement: &Placement) -> Option<[f64; 4]> {
    let across = view.right - view.left;
    let along = view.top - view.bottom;
    let (wide, high) = match view.turned {
        90 | 270 => (along, across),
        _ => (across, along),
    };
    let (left, top) = (placement.left, placement.top);
    let (right, bottom) = (left + placement.width, top + placement.height);
    let inside = left >= 0.0 && top >= 0.0 && right <= wide && bottom <= high;
    // At least a point each way; a comparison with what is no number is false.
    if !inside || placement.width < 1.0 || placement.height < 1.0 {
        return None;
    }
    let corner = |x: f64, y: f64| match view.turned {
        90 => (view.left + y, view.bottom + x),
        180 => (view.right - x, view.bottom + y),
        270 => (view.right - y, view.top - x),
        _ => (view.left + x, view.top - y),
    };
    let (a, b) = corner(left, top);
    let (c, d) = corner(right, bottom);
    let all = [a.min(c), b.min(d), a.max(c), b.max(d)];
    all.iter().all(|value| value.is_finite()).then_some(all)
}

fn content(ink: &Ink, size: (f64, f64)) -> Vec<u8> {
    // Round ends and joins, black.
    let mut out = String::from("q 1 J 1 j 0 G\n");
    for stroke in strokes(ink, size, Some(POINT_MM)) {
        for (width, piece) in pieces(&stroke) {
            let _written = write!(out, "{width:.3} w");
            for (number, dot) in piece.iter().enumerate() {
                let verb = if number == 0 { 'm' } else { 'l' };
                let _written = write!(out, " {:.2} {:.2} {verb}", dot.x, size.1 - dot.y);
            }
            if let [dot] = piece {
                let _written = write!(out, " {:.2} {:.2} l", dot.x, size.1 - dot.y);
            }
            out.push_str(" S\n");
        }
    }
    out.push_str("Q\n");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::Placement;
    use super::super::original::View;
    use super::rectangle;

    #[test]
    fn a_place_is_found_on_pages_that_are_turned() {
        let place = Placement {
            page: 1,
            left: 10.0,
            top: 20.0,
            width: 50.0,
            height: 30.0,
        };
        let found = |turned| {
            let view = View {
                left: 100.0,
                bottom: 200.0,
                right: 300.0,
                top: 500.0,
                turned,
            };
            rectangle(&view, &place).unwrap()
        };
        assert_eq!(found(0), [110.0, 450.0, 160.0, 480.0]);
        assert_eq!(found(90), [120.0, 210.0, 150.0, 260.0]);
        assert_eq!(found(180), [240.0, 220.0, 290.0, 250.0]);
        assert_eq!(found(270), [250.0, 440.0, 280.0, 490.0]);
    }

    #[test]
    fn a_place_beside_the_page_is_none() {
        let view = View {
            left: 0.0,
            bottom: 0.0,
            right: 100.0,
            top: 200.0,
            turned: 90,
        };
        let place = |left, top, width, height| {
            let placement = Placement {
                page: 1,
                left,
                top,
                width,
                height,
            };
            rectangle(&view, &placement)
        };
        assert!(place(0.0, 0.0, 200.0, 100.0).is_some());
        for (left, top, width, height) in [
            (0.0, 0.0, 100.0, 200.0),
            (-1.0, 0.0, 10.0, 10.0),
            (195.0, 0.0, 10.0, 10.0),
            (0.0, 0.0, 0.0, 10.0),
            (f64::NAN, 0.0, 10.0, 10.0),
            (0.0, 0.0, f64::INFINITY, 10.0),
        ] {
            assert_eq!(place(left, top, width, height), None);
        }
    }
}
