//! What document scanners and their servers send.

use document::image::Picture;
use document::image::coded::{Coding, decode_jpeg, decode_png};
use document::image::raw::{RawFrame, assemble};
use document::wire::WireError;
use document::wire::escl::{parse_capabilities, parse_status};
use document::wire::http::{Chunks, Head, Length, Url, job_path};
use document::wire::sane::records::Records;
use document::wire::sane::reply;

/// The length of the answer that says how a picture looks: seven words.
const PARAMETERS: usize = 28;

/// An answer of `saned`, read as each of those that there are.
///
/// Promise: an answer is whole, is cut off, or is none; what is whole is none any more with a byte more or
/// less; nothing in it is longer than it.
pub fn saned_reply(input: &[u8]) {
    if let Ok((_, devices)) = reply::devices(input) {
        assert!(devices.len() * 16 <= input.len(), "more than was there");
    }
    if let Ok(options) = reply::options(input) {
        assert!(options.len() * 16 <= input.len(), "more than was there");
    }
    if let Ok(controlled) = reply::controlled(input) {
        let size = usize::try_from(controlled.value.size()).unwrap_or(usize::MAX);
        assert!(size <= input.len(), "a value that was not there");
        let (_number, _text) = (controlled.value.in_65536ths(), controlled.value.text());
    }
    if let Ok(started) = reply::started(input) {
        let begun = started.status == document::wire::sane::Status::Good && !started.wants_password;
        assert!(!begun || started.port != 0, "a picture from nowhere");
    }
    is_whole(input, reply::init);
    is_whole(input, reply::devices);
    is_whole(input, reply::opened);
    is_whole(input, reply::options);
    is_whole(input, reply::controlled);
    is_whole(input, reply::parameters);
    is_whole(input, reply::started);
    is_whole(input, reply::dummy);
}

/// A picture of `saned`: the answer that says how it looks, then the data connection.
///
/// Promise: however the bytes are cut, the same picture comes of them; it holds as many samples as it says, and
/// no more than eight for each bit that came.
pub fn saned_picture(input: &[u8]) {
    let Some((look, data)) = input.split_at_checked(PARAMETERS) else {
        return;
    };
    let Ok((_, Some(parameters))) = reply::parameters(look) else {
        return;
    };
    let receive = |size: usize| {
        let mut frame = RawFrame::new(parameters, true).ok()?;
        let mut records = Records::default();
        for piece in data.chunks(size) {
            records.feed(piece, |bytes| frame.push(bytes)).ok()?;
        }
        assert!(
            frame.per_mille().is_none_or(|part| part <= 1000),
            "more than all"
        );
        Some((frame, records.ended()))
    };
    let at_once = receive(usize::MAX);
    let in_pieces = receive(3);
    assert_eq!(at_once.is_some(), in_pieces.is_some(), "two answers");
    let (Some((frame, ended)), Some((other, other_ended))) = (at_once, in_pieces) else {
        return;
    };
    assert_eq!(ended, other_ended, "two ends of the same bytes");
    assert_eq!(frame.bytes(), other.bytes(), "two frames of the same bytes");
    assert!(frame.bytes().len() <= data.len(), "more than was sent");
    if let Ok(picture) = assemble(&[frame]) {
        holds_what_it_says(&picture);
        assert!(picture.samples().len() <= data.len() * 8, "made up");
    }
}

/// A whole answer of an eSCL device, and a text that could be one's body or address.
///
/// Promise: a head is no longer than what came; chunks hold no more than came, however they are cut; a job's
/// place and a scanner's address bring nothing into a request line that does not belong there.
pub fn escl_answer(input: &[u8]) {
    read_body(input);
    if let Ok(text) = str::from_utf8(input) {
        fits_a_request(job_path(text));
        if let Ok(url) = Url::parse(text) {
            fits_a_request(Ok(format!("/{}", url.authority())));
            assert!(url.path.is_empty() || url.path.starts_with('/'), "no path");
        }
    }
    let Ok((head, length)) = Head::parse(input) else {
        return;
    };
    assert!((100..600).contains(&head.status), "no status");
    if let Some(place) = &head.location {
        fits_a_request(job_path(place));
    }
    let body = input.get(length..).expect("a head beyond the end");
    match head.length {
        Length::Chunked => {
            let whole = unchunk(body, usize::MAX);
            assert_eq!(whole, unchunk(body, 1), "two bodies of the same bytes");
            if let Ok(whole) = whole {
                assert!(whole.len() <= body.len(), "chunks hold more than came");
                read_body(&whole);
            }
        }
        Length::Exactly(_) | Length::UntilEnd => read_body(body),
    }
}

/// A page as an eSCL device sends it, JPEG or PNG.
///
/// Promise: a picture holds as many samples as it says.
pub fn scanned_picture(input: &[u8]) {
    let decoded = match Coding::of(input) {
        Some(Coding::Jpeg) => decode_jpeg(input),
        Some(Coding::Png) => decode_png(input),
        None => return,
    };
    if let Ok(picture) = decoded {
        holds_what_it_says(&picture);
    }
}

fn is_whole<T>(input: &[u8], read: impl Fn(&[u8]) -> Result<T, WireError>) {
    if read(input).is_err() {
        return;
    }
    let longer = [input, &[0]].concat();
    assert!(read(&longer).is_err(), "an answer with something behind it");
    let shorter = input.split_last().map_or(input, |(_, shorter)| shorter);
    assert!(
        input.is_empty() || matches!(read(shorter), Err(WireError::Incomplete)),
        "an answer that was cut off"
    );
}

fn read_body(body: &[u8]) {
    if let Ok(caps) = parse_capabilities(body) {
        let sources = [&caps.platen, &caps.adf, &caps.adf_duplex];
        for source in sources.into_iter().flatten() {
            let _offered = source.offers(300);
            assert!(source.modes.len() <= body.len(), "more than was there");
        }
    }
    let _status = parse_status(body);
}

fn unchunk(body: &[u8], size: usize) -> Result<Vec<u8>, WireError> {
    let (mut chunks, mut data) = (Chunks::default(), Vec::new());
    for piece in body.chunks(size) {
        chunks.feed(piece, |bytes| {
            data.extend_from_slice(bytes);
            Ok(())
        })?;
    }
    Ok(data)
}

fn fits_a_request(path: Result<String, WireError>) {
    let Ok(path) = path else {
        return;
    };
    assert!(
        path.starts_with('/') && !path.starts_with("//"),
        "another machine"
    );
    assert!(
        path.bytes().all(|byte| byte.is_ascii_graphic()),
        "more than a path"
    );
}

fn holds_what_it_says(picture: &Picture) {
    let side = |length: u32| usize::try_from(length).unwrap_or(usize::MAX);
    let said = side(picture.width()) * side(picture.height()) * picture.kind().channels();
    assert_eq!(picture.samples().len(), said, "another number of samples");
}
