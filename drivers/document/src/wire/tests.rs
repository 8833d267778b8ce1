//! Codecs: what independent programs sent, every truncation of it, and rubbish.

use proptest::prelude::*;

use super::escl::{AdfState, JobState, ScannerState, parse_capabilities, parse_status};
use super::http::{Chunks, Head, Length, Method, Url, job_path, request};
use super::sane::option::{Constraint, Descriptor, Kind, Unit, Value};
use super::sane::records::Records;
use super::sane::reply::{self, Frame};
use super::sane::request::Request;
use super::sane::words::Reader;
use super::sane::{Status, VERSION};
use super::*;

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/vectors/", $name)).as_slice()
    };
}

/// Every part of `whole` from its beginning says that it is incomplete, and more than all is refused.
fn cut<T: std::fmt::Debug>(whole: &[u8], decode: impl Fn(&[u8]) -> Result<T, WireError>) -> T {
    for length in 0..whole.len() {
        let error = decode(&whole[..length]).unwrap_err();
        assert_eq!(error, WireError::Incomplete, "{length} of {}", whole.len());
    }
    let longer = [whole, &[0]].concat();
    assert!(matches!(decode(&longer), Err(WireError::Malformed { .. })));
    decode(whole).unwrap()
}

#[test]
fn what_saned_answered_is_understood_whole_and_only_whole() {
    let init = cut(vector!("saned-init.bin"), reply::init);
    assert_eq!(
        (init.status, init.version >> 16),
        (Status::Good, VERSION >> 16 | 1)
    );
    let (status, devices) = cut(vector!("saned-devices.bin"), reply::devices);
    assert_eq!(status, Status::Good);
    assert_eq!((devices[0].name.as_str(), devices.len()), ("test:0", 2));
    let opened = cut(vector!("saned-open.bin"), reply::opened);
    assert_eq!(
        (opened.status, opened.wants_password),
        (Status::Good, false)
    );
    let (_, parameters) = cut(vector!("saned-parameters.bin"), reply::parameters);
    let parameters = parameters.unwrap();
    assert_eq!((parameters.frame, parameters.depth), (Frame::Gray, 8));
    assert_eq!((parameters.width, parameters.lines), (157, Some(196)));
    let started = cut(vector!("saned-start.bin"), reply::started);
    assert!(started.port > 0 && !started.big_endian);
    let controlled = cut(vector!("saned-control.bin"), reply::controlled);
    assert_eq!(controlled.value.text().as_deref(), Some("Gray"));
}

#[test]
fn the_options_of_saned_are_understood() {
    let options = cut(vector!("saned-options.bin"), reply::options);
    let named =
        |name: &str| -> &Descriptor { options.iter().find(|option| option.name == name).unwrap() };
    let mode = named("mode");
    assert_eq!(mode.kind, Kind::Text);
    assert_eq!(
        mode.constraint,
        Constraint::Texts(vec!["Gray".into(), "Color".into()])
    );
    assert_eq!(named("depth").constraint, Constraint::Words(vec![1, 8, 16]));
    let resolution = named("resolution");
    assert_eq!((resolution.kind, resolution.unit), (Kind::Fixed, Unit::Dpi));
    let range = Constraint::Range {
        min: 1 << 16,
        max: 1200 << 16,
        step: 1 << 16,
    };
    assert_eq!(resolution.constraint, range);
    assert!(resolution.settable() && !named("three-pass").settable());
}

#[test]
fn a_count_beyond_reason_is_refused_before_anything_is_allocated() {
    let huge = 0x7FFF_FFFF_u32.to_be_bytes();
    for (decoded, what) in [
        (reply::options(&huge).map(|_| ()), "options"),
        (
            reply::devices(&[[0; 4], huge].concat()).map(|_| ()),
            "scanners",
        ),
    ] {
        assert!(matches!(decoded, Err(WireError::Beyond { what: it, .. }) if it == what));
    }
    assert!(matches!(
        Reader::new(&huge).string(),
        Err(WireError::Beyond { .. })
    ));
    let value = [3_u32.to_be_bytes(), huge].concat();
    assert!(matches!(
        Value::decode(&mut Reader::new(&value)),
        Err(WireError::Beyond { .. })
    ));
}

#[test]
fn a_line_that_is_shorter_than_its_elements_is_refused() {
    // Status, colours, last, 5 bytes a line, 2 elements, 1 line, depth 8.
    let words = [0_u32, 1, 1, 5, 2, 1, 8].map(u32::to_be_bytes).concat();
    assert_eq!(
        reply::parameters(&words).unwrap_err(),
        malformed("length of a line")
    );
    let words = [0_u32, 1, 1, 6, 2, 1, 9].map(u32::to_be_bytes).concat();
    assert_eq!(reply::parameters(&words).unwrap_err(), malformed("depth"));
}

#[test]
fn requests_are_as_the_standard_has_them() {
    let check = |request: Request<'_>, expected: &str| {
        assert_eq!(hex::encode(request.encode()), expected, "{request:?}");
    };
    check(
        Request::Init { user: "me" },
        "0000000001000003000000036d6500",
    );
    check(
        Request::Open { device: "test:0" },
        "0000000200000007746573743a3000",
    );
    check(Request::Start { handle: 5 }, "0000000700000005");
    let value = Value::Fixed(vec![75 << 16]);
    let set = Request::Set {
        handle: 0,
        option: 6,
        value: &value,
    };
    check(
        set,
        "00000005000000000000000600000001000000020000000400000001004b0000",
    );
}

#[test]
fn records_are_taken_apart_wherever_they_are_cut() {
    let stream = [
        &[0, 0, 0, 3][..],
        b"abc",
        &[0, 0, 0, 2],
        b"de",
        &[0xFF; 4],
        &[7],
        &[0; 4],
    ]
    .concat();
    for at in 0..=stream.len() {
        let (mut records, mut data) = (Records::default(), Vec::new());
        for part in [&stream[..at], &stream[at..]] {
            records
                .feed(part, |bytes| {
                    data.extend_from_slice(bytes);
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(
            (data.as_slice(), records.ended()),
            (&b"abcde"[..], Some(Status::NoDocs))
        );
    }
}

#[test]
fn heads_are_read_strictly() {
    let good = b"HTTP/1.1 201 Created\r\nLocation: /eSCL/ScanJobs/1\r\nRetry-After: 3\r\n\
        CONTENT-TYPE: Image/JPEG; x=y\r\ncontent-length: 7\r\n\r\nabc";
    let (head, used) = Head::parse(good).unwrap();
    assert_eq!(
        (head.status, head.length, used),
        (201, Length::Exactly(7), good.len() - 3)
    );
    assert_eq!(head.content_type.as_deref(), Some("image/jpeg"));
    assert_eq!(
        (head.location.as_deref(), head.retry_after),
        (Some("/eSCL/ScanJobs/1"), Some(3))
    );
    for length in 0..used {
        assert_eq!(
            Head::parse(&good[..length]).unwrap_err(),
            WireError::Incomplete
        );
    }
    for bad in [
        "HTTP/2 200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nContent-Length: +1",
        "HTTP/1.1 200 OK\r\nContent-Length: ",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip",
        "HTTP/1.1 200 OK\r\nA : b",
        "HTTP/1.1 200 OK\r\n folded",
        "HTTP/1.1 200 OK\r\nA: b\nC: d",
    ] {
        let bytes = format!("{bad}\r\n\r\n");
        assert!(
            matches!(
                Head::parse(bytes.as_bytes()),
                Err(WireError::Malformed { .. })
            ),
            "{bad}"
        );
    }
    let endless = vec![b'a'; http::HEAD + 1];
    assert!(matches!(
        Head::parse(&endless),
        Err(WireError::Beyond { .. })
    ));
}

#[test]
fn chunks_are_taken_apart_wherever_they_are_cut() {
    // The example of RFC 9112 has the same form; the extension and the trailer are allowed.
    let stream = b"4;x=y\r\nabcd\r\n02\r\nef\r\n0\r\nTrailer: 1\r\n\r\n";
    for at in 0..=stream.len() {
        let (mut chunks, mut data) = (Chunks::default(), Vec::new());
        for part in [&stream[..at], &stream[at..]] {
            let take = |bytes: &[u8]| {
                data.extend_from_slice(bytes);
                Ok(())
            };
            chunks.feed(part, take).unwrap();
        }
        assert!(chunks.ended() && data == b"abcdef", "{at}");
    }
    for bad in [
        &b"x\r\n"[..],
        b"\r\n",
        b"-1\r\n",
        b"1\r\nab\r\n",
        b"ffffffffffffffff\r\n",
        b"0\r\n\r\n0",
    ] {
        assert!(Chunks::default().feed(bad, |_| Ok(())).is_err(), "{bad:?}");
    }
}

#[test]
fn addresses_and_places_of_jobs_are_read_and_nothing_else() {
    let url = Url::parse("http://localhost:60000/eSCL/").unwrap();
    assert_eq!(
        (url.host.as_str(), url.port, url.path.as_str()),
        ("localhost", 60_000, "/eSCL")
    );
    assert_eq!(
        Url::parse("http://[::1]/eSCL").unwrap().authority(),
        "[::1]:80"
    );
    for bad in [
        "https://a/",
        "http://",
        "http://a b/",
        "http://a:99999/",
        "http://u@a/",
        "http://a/\r\n",
    ] {
        assert!(Url::parse(bad).is_err(), "{bad}");
    }
    for (location, path) in [
        ("http://192.0.2.9:8080/eSCL/ScanJobs/7", "/eSCL/ScanJobs/7"),
        ("/eSCL/ScanJobs/7/", "/eSCL/ScanJobs/7"),
    ] {
        assert_eq!(job_path(location).unwrap(), path);
    }
    for bad in [
        "",
        "ScanJobs/7",
        "http://a",
        "//evil/x",
        "/a b",
        "/a\r\nHost: x",
    ] {
        assert!(job_path(bad).is_err(), "{bad}");
    }
    let bytes = request(Method::Delete, &url, "/eSCL/ScanJobs/7", "");
    assert!(bytes.starts_with(b"DELETE /eSCL/ScanJobs/7 HTTP/1.1\r\nHost: localhost:60000\r\n"));
}

#[test]
fn what_devices_sent_over_escl_is_understood() {
    let brother = parse_capabilities(vector!("brother-mfc-l8690cdw.xml")).unwrap();
    assert_eq!(
        (brother.version.as_str(), brother.model.as_str()),
        ("2.62", "Brother MFC-L8690CDW series")
    );
    let glass = brother.platen.unwrap();
    assert_eq!((glass.width, glass.height), ((16, 2550), (16, 3507)));
    assert_eq!(glass.resolutions, [100, 200, 300, 600]);
    assert_eq!(glass.formats, ["application/pdf", "image/jpeg"]);
    assert_eq!(brother.adf_duplex.unwrap().height.1, 4200);
    let status = br#"<?xml version="1.0"?><scan:ScannerStatus xmlns:scan="a" xmlns:pwg="b">
        <pwg:State>Processing</pwg:State><scan:AdfState>ScannerAdfJam</scan:AdfState>
        <scan:Jobs><scan:JobInfo><pwg:JobUri>/eSCL/ScanJobs/7</pwg:JobUri>
        <pwg:JobState>Aborted</pwg:JobState></scan:JobInfo></scan:Jobs></scan:ScannerStatus>"#;
    let status = parse_status(status).unwrap();
    assert_eq!(
        (status.state, status.adf),
        (ScannerState::Processing, Some(AdfState::Jam))
    );
    assert_eq!(
        status.jobs,
        [("/eSCL/ScanJobs/7".to_owned(), JobState::Aborted)]
    );
}

#[test]
fn xml_that_is_no_answer_of_a_scanner_is_refused() {
    let deep = "<a>".repeat(10_000);
    let many = format!("<ScannerStatus>{}</ScannerStatus>", "<a/>".repeat(10_000));
    for bad in [
        "",
        "<a/>",
        "<ScannerStatus>",
        "<ScannerStatus></b>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><ScannerStatus/>",
        &deep,
        &many,
    ] {
        let start: String = bad.chars().take(60).collect();
        assert!(parse_status(bad.as_bytes()).is_err(), "{start}");
    }
    let whole = vector!("hp-officejet-pro-9120e.xml");
    for length in (0..whole.len() - 30).step_by(7) {
        assert!(parse_capabilities(&whole[..length]).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(reply::options(&bytes));
        drop(reply::devices(&bytes));
        drop(reply::controlled(&bytes));
        reply::parameters(&bytes).map(drop).unwrap_or_default();
        drop(reply::started(&bytes));
        drop(Head::parse(&bytes));
        Chunks::default().feed(&bytes, |_| Ok(())).unwrap_or_default();
        Records::default().feed(&bytes, |_| Ok(())).unwrap_or_default();
        drop(parse_capabilities(&bytes));
        drop(crate::image::coded::decode_jpeg(&[b"\xFF\xD8\xFF", bytes.as_slice(), b"\xFF\xD9"].concat()));
        drop(crate::image::coded::decode_png(&[b"\x89PNG\r\n\x1a\n", bytes.as_slice()].concat()));
    }

    #[test]
    fn a_value_goes_there_and_back(words in proptest::collection::vec(any::<i32>(), 1..9)) {
        for value in [Value::Int(words.clone()), Value::Fixed(words.clone())] {
            let set = Request::Set { handle: 1, option: 2, value: &value }.encode();
            let decoded = Value::decode(&mut Reader::new(&set[16..])).unwrap();
            prop_assert_eq!(decoded, value);
        }
    }

    #[test]
    fn a_damaged_list_of_options_never_panics(place in 0..8000_usize, byte in any::<u8>()) {
        let mut options = vector!("saned-options.bin").to_vec();
        if let Some(here) = options.get_mut(place) {
            *here = byte;
        }
        drop(reply::options(&options));
    }

    #[test]
    fn a_damaged_jpeg_never_panics(place in 0..9000_usize, byte in any::<u8>()) {
        let mut jpeg = vector!("page-gray.jpg").to_vec();
        if let Some(here) = jpeg.get_mut(place) {
            *here = byte;
        }
        drop(crate::image::coded::decode_jpeg(&jpeg));
    }
}
