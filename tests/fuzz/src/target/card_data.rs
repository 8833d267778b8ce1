//! What a card holds, and the keys that vouch for it.

use idcards::TrustAnchors;
use idcards::personal::examine;
use idcards::tlv::{ber, simple};

/// A card's file.
///
/// Promise: bytes are objects or an error; objects lie inside the input, one behind the other.
pub fn tlv(input: &[u8]) {
    if let Ok((object, behind)) = ber::split(input) {
        let total = ber::total_length(input);
        assert_eq!(
            total,
            Ok(input.len() - behind.len()),
            "two answers about one length"
        );
        assert!(input.ends_with(behind), "what stands behind is not the end");
        assert!(
            object.value.len() + behind.len() < input.len(),
            "an object without header"
        );
    }
    if let Ok(objects) = ber::all(input) {
        let held: usize = objects.iter().map(|object| object.value.len() + 2).sum();
        assert!(held <= input.len(), "objects hold more than was there");
    }
    if let Ok((object, behind)) = simple::split(input) {
        assert!(
            object.value.len() + behind.len() < input.len(),
            "an object without header"
        );
    }
}

/// A name or an address.
///
/// Promise: notices point at characters of the text, in order, and at none twice for the same reason.
pub fn card_text(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let length = text.chars().count();
    let mut last = None;
    for notice in examine(text) {
        let position = usize::try_from(notice.position).unwrap_or(usize::MAX);
        assert!(position < length, "a notice behind the end");
        let place = Some((position, notice.kind as u8));
        assert!(
            place.map(|(at, _)| at) >= last.map(|(at, _)| at),
            "notices out of order"
        );
        assert_ne!(place, last, "one notice twice");
        last = place;
    }
}

/// A key file.
///
/// Promise: a text is a set of keys or an error, and no key of it takes the name of one that ships.
pub fn trust_file(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(anchors) = TrustAnchors::load(text) {
        assert!(
            anchors
                .iter()
                .all(|anchor| !anchor.name().starts_with("jlis-")),
            "a stolen name"
        );
    }
}
