//! The driver against a server that answers as it is told, with what real devices sent.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of an integration test fail by panicking"
)]

mod server;

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, FaultCode, Patience, SystemClock};
use document::{
    ColourMode, Connection, DocumentScanner, DocumentSettings, FeederStatus, Format, PageSize,
    ScanRequest, Source,
};

use server::{Answer, Server};

const BROTHER: &str = include_str!("../vectors/brother-mfc-l8690cdw.xml");
const HP: &str = include_str!("../vectors/hp-officejet-pro-9120e.xml");
const GRAY: &[u8] = include_bytes!("../vectors/page-gray.jpg");
const COLOUR: &[u8] = include_bytes!("../vectors/page-colour.jpg");

fn patience() -> Patience {
    let clock = SystemClock::new();
    let deadline = Deadline::at(clock.now().plus(Duration::from_secs(20)));
    Patience::new(Arc::new(clock), deadline)
}

fn open(server: &Server) -> Box<dyn DocumentScanner> {
    let mut settings = DocumentSettings::new(Connection::Escl { url: server.url() });
    settings.silence = Duration::from_secs(3);
    document::open(&settings, &patience()).unwrap()
}

fn request(source: Source) -> ScanRequest {
    ScanRequest {
        source,
        resolution: 100,
        page: PageSize {
            width: 736,
            height: 1049,
        },
        ..ScanRequest::a4()
    }
}

fn status(adf: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><scan:ScannerStatus \
         xmlns:scan=\"http://schemas.hp.com/imaging/escl/2011/05/03\" \
         xmlns:pwg=\"http://www.pwg.org/schemas/2010/12/sm\">\
         <pwg:State>Idle</pwg:State><scan:AdfState>{adf}</scan:AdfState></scan:ScannerStatus>"
    )
}

/// The same, with the state of the server's only job.
fn status_of_job(adf: &str, state: &str) -> String {
    let job = format!(
        "<scan:Jobs><scan:JobInfo><pwg:JobUri>/eSCL/ScanJobs/7</pwg:JobUri>\
         <pwg:JobState>{state}</pwg:JobState></scan:JobInfo></scan:Jobs></scan:ScannerStatus>"
    );
    status(adf).replace("</scan:ScannerStatus>", &job)
}

#[test]
fn a_page_from_the_glass_keeps_the_jpeg_byte_for_byte() {
    let server = Server::start(
        BROTHER,
        &status("ScannerAdfEmpty"),
        vec![Answer::Page(COLOUR)],
    );
    let mut seen = Vec::new();
    let scanned = open(&server)
        .scan(
            &request(Source::Flatbed),
            &mut |progress| seen.push(progress),
            &patience(),
        )
        .unwrap();
    assert_eq!(scanned.media_type, "application/pdf");
    assert_eq!(scanned.pages[0].straightened, 0);
    let file = scanned.files[0].expose();
    assert!(file.windows(COLOUR.len()).any(|window| window == COLOUR));
    assert_eq!(
        (scanned.pages[0].width, scanned.pages[0].height),
        (290, 413)
    );
    assert_eq!(scanned.pages[0].straightened, 0);
    let log = server.log();
    // One document of the glass, then the job is ended, at our own server whatever it calls itself.
    let asked: Vec<&str> = log.iter().map(|one| one.lines().next().unwrap()).collect();
    assert_eq!(
        asked[1..],
        [
            "POST /eSCL/ScanJobs HTTP/1.1",
            "GET /eSCL/ScanJobs/7/NextDocument HTTP/1.1",
            "DELETE /eSCL/ScanJobs/7 HTTP/1.1",
        ]
    );
    assert!(log[1].contains("<pwg:InputSource>Platen</pwg:InputSource>"));
    assert!(log[1].contains("<pwg:Version>2.62</pwg:Version>"));
    assert!(log[1].contains("<pwg:Width>869</pwg:Width>"), "{}", log[1]);
    assert_eq!(seen.last().unwrap().per_mille, Some(1000));
}

#[test]
fn the_feeder_is_read_until_404_and_waited_for_while_503() {
    let pages = vec![
        Answer::Page(GRAY),
        Answer::NotYet,
        Answer::Chunked(GRAY),
        Answer::Page(COLOUR),
    ];
    let server = Server::start(BROTHER, &status("ScannerAdfEmpty"), pages);
    let wanted = ScanRequest {
        colour: ColourMode::Bilevel,
        format: Format::Tiff,
        ..request(Source::FeederDuplex)
    };
    let scanned = open(&server)
        .scan(&wanted, &mut |_| {}, &patience())
        .unwrap();
    assert_eq!(scanned.pages.len(), 3);
    assert_eq!(&scanned.files[0].expose()[..4], b"II*\0");
    let log = server.log();
    assert!(log[1].contains("<scan:Duplex>true</scan:Duplex>"));
    assert!(log[1].contains("<scan:ColorMode>Grayscale8</scan:ColorMode>"));
    // The job came to its end by itself.
    assert!(!log.iter().any(|one| one.starts_with("DELETE")));
}

#[test]
fn what_the_feeder_says_at_the_end_decides() {
    for (pages, adf, fault) in [
        (0, "ScannerAdfEmpty", FaultCode::DocumentNoPaper),
        (0, "ScannerAdfJam", FaultCode::DocumentJam),
        (2, "ScannerAdfJam", FaultCode::DocumentJam),
        (1, "ScannerAdfMultipickDetected", FaultCode::DocumentJam),
        (1, "ScannerAdfHatchOpen", FaultCode::DocumentCoverOpen),
        (1, "ScannerAdfInputTrayFailed", FaultCode::DeviceFailed),
    ] {
        let answers = (0..pages).map(|_| Answer::Page(GRAY)).collect();
        let server = Server::start(BROTHER, &status(adf), answers);
        let outcome = open(&server).scan(&request(Source::Feeder), &mut |_| {}, &patience());
        assert_eq!(outcome.unwrap_err().fault(), fault, "{pages} {adf}");
    }
}

/// A clerk ends the job at the panel while the last sheets are under way, and the feeder is empty then: the
/// pages that had come were told as the whole document.
#[test]
fn a_job_that_ended_at_the_scanner_is_no_complete_document() {
    let page = || Answer::Page(GRAY);
    for (state, adf, fault) in [
        ("Canceled", "ScannerAdfEmpty", FaultCode::JobCancelled),
        ("Canceled", "ScannerAdfLoaded", FaultCode::JobCancelled),
        ("Aborted", "ScannerAdfEmpty", FaultCode::DeviceFailed),
        ("Aborted", "ScannerAdfLoaded", FaultCode::DeviceFailed),
        ("Aborted", "ScannerAdfJam", FaultCode::DocumentJam),
    ] {
        for end in [Vec::new(), vec![Answer::Conflict]] {
            let answers = [page(), page()].into_iter().chain(end).collect();
            let server = Server::start(BROTHER, &status_of_job(adf, state), answers);
            let outcome = open(&server).scan(&request(Source::Feeder), &mut |_| {}, &patience());
            assert_eq!(outcome.unwrap_err().fault(), fault, "{state} {adf}");
        }
    }
    let server = Server::start(
        BROTHER,
        &status_of_job("ScannerAdfEmpty", "Completed"),
        vec![page(), page()],
    );
    let outcome = open(&server).scan(&request(Source::Feeder), &mut |_| {}, &patience());
    assert_eq!(outcome.unwrap().pages.len(), 2);
}

/// The last sheet is drawn in, its page cannot be given, and the feeder is empty all the same.
#[test]
fn a_failure_after_pages_is_no_end_of_them() {
    let answers = vec![Answer::Page(GRAY), Answer::Fails];
    let server = Server::start(BROTHER, &status("ScannerAdfEmpty"), answers);
    let outcome = open(&server).scan(&request(Source::Feeder), &mut |_| {}, &patience());
    assert_eq!(outcome.unwrap_err().fault(), FaultCode::DeviceFailed);
}

/// Seen at AirSane, whose feeder gave ten pages and then 409: they were thrown away as "no paper".
#[test]
fn a_conflict_after_pages_is_their_end_where_the_feeder_is_empty() {
    for (adf, pages) in [("ScannerAdfEmpty", Some(2)), ("ScannerAdfLoaded", None)] {
        let answers = vec![Answer::Page(GRAY), Answer::Page(GRAY), Answer::Conflict];
        let server = Server::start(BROTHER, &status(adf), answers);
        let outcome = open(&server).scan(&request(Source::Feeder), &mut |_| {}, &patience());
        assert_eq!(
            outcome.ok().map(|scanned| scanned.pages.len()),
            pages,
            "{adf}"
        );
    }
}

#[test]
fn a_refusal_of_the_job_is_explained_by_the_status() {
    for (code, adf, fault) in [
        (409, "ScannerAdfLoaded", FaultCode::DocumentSettings),
        (409, "ScannerAdfEmpty", FaultCode::DocumentNoPaper),
        (403, "ScannerAdfLoaded", FaultCode::DeviceDenied),
        (500, "ScannerAdfLoaded", FaultCode::DeviceFailed),
        (500, "ScannerAdfHatchOpen", FaultCode::DocumentCoverOpen),
        (503, "ScannerAdfLoaded", FaultCode::DeviceBusy),
    ] {
        let server = Server::refusing(BROTHER, &status(adf), code);
        let outcome = open(&server).scan(&request(Source::Feeder), &mut |_| {}, &patience());
        assert_eq!(outcome.unwrap_err().fault(), fault, "{code} {adf}");
    }
}

#[test]
fn damaged_pages_are_no_pages() {
    let cut = &GRAY[..GRAY.len() / 2];
    for page in [cut, b"%PDF-1.4 what was not asked for", b"\xFF\xD8\xFF\xD9"] {
        let server = Server::start(
            BROTHER,
            &status("ScannerAdfLoaded"),
            vec![Answer::Page(page)],
        );
        let outcome = open(&server).scan(&request(Source::Flatbed), &mut |_| {}, &patience());
        assert_eq!(outcome.unwrap_err().fault(), FaultCode::DocumentGarbled);
        assert!(server.log().last().unwrap().starts_with("DELETE"));
    }
    let server = Server::start(
        BROTHER,
        &status("ScannerAdfLoaded"),
        vec![Answer::CutOff(GRAY)],
    );
    let outcome = open(&server).scan(&request(Source::Flatbed), &mut |_| {}, &patience());
    assert_eq!(outcome.unwrap_err().fault(), FaultCode::DeviceGone);
}

#[test]
fn a_scan_is_ended_from_another_thread_while_the_scanner_is_silent() {
    let server = Server::start(BROTHER, &status("ScannerAdfLoaded"), vec![Answer::Silence]);
    let mut scanner = open(&server);
    let patience = patience();
    let switch = patience.clone();
    let stop = server.when_silent(move || switch.stop());
    let error = scanner
        .scan(&request(Source::Flatbed), &mut |_| {}, &patience)
        .unwrap_err();
    stop.join().unwrap();
    assert_eq!(error.fault(), FaultCode::JobCancelled, "{error}");
    // The job is ended all the same.
    assert!(server.log().last().unwrap().starts_with("DELETE"));
}

#[test]
fn a_scanner_that_stays_silent_is_hung() {
    let server = Server::start(BROTHER, &status("ScannerAdfLoaded"), vec![Answer::Silence]);
    let outcome = open(&server).scan(&request(Source::Flatbed), &mut |_| {}, &patience());
    assert_eq!(outcome.unwrap_err().fault(), FaultCode::DeviceHung);
}

#[test]
fn recorded_capabilities_say_what_is_offered() {
    let server = Server::start(HP, &status("ScannerAdfJam"), Vec::new());
    let mut scanner = open(&server);
    let capabilities = scanner.capabilities();
    assert_eq!(capabilities.model, "HP OfficeJet Pro 9120e Series");
    // Its feeder has no profile of its own; that of the glass holds.
    let feeder = capabilities.of(Source::FeederDuplex).unwrap();
    assert!(feeder.resolutions.offers(300) && !feeder.resolutions.offers(600));
    assert_eq!(feeder.colours.len(), 3);
    assert_eq!(feeder.largest.unwrap().width, 2159);
    let status = scanner.status(&patience()).unwrap();
    assert_eq!(status.feeder, Some(FeederStatus::Jammed));
    let fine = ScanRequest {
        resolution: 600,
        ..ScanRequest::a4()
    };
    let error = scanner.scan(&fine, &mut |_| {}, &patience()).unwrap_err();
    assert_eq!(error.fault(), FaultCode::DocumentSettings);
    // Nothing was asked of the scanner for that.
    assert!(!server.log().iter().any(|one| one.starts_with("POST")));
}
