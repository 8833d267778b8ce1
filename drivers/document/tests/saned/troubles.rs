//! What goes wrong is told as what it is, and leaves the scanner free.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use device_api::{Clock, FaultCode, SystemClock};
use document::{ColourMode, Connection, DocumentSettings, PageSize, ScanRequest, Source};

use crate::server::Saned;
use crate::{feeder, open, patience, patience_of, request, scan};

#[test]
fn each_error_of_reading_has_its_fault() {
    let saned = Saned::start();
    for (status, fault) in [
        ("SANE_STATUS_JAMMED", FaultCode::DocumentJam),
        ("SANE_STATUS_NO_DOCS", FaultCode::DocumentNoPaper),
        ("SANE_STATUS_COVER_OPEN", FaultCode::DocumentCoverOpen),
        ("SANE_STATUS_IO_ERROR", FaultCode::DeviceFailed),
        ("SANE_STATUS_NO_MEM", FaultCode::DeviceFailed),
        ("SANE_STATUS_ACCESS_DENIED", FaultCode::DeviceDenied),
        ("SANE_STATUS_DEVICE_BUSY", FaultCode::DeviceBusy),
        ("SANE_STATUS_UNSUPPORTED", FaultCode::DocumentSettings),
        ("SANE_STATUS_CANCELLED", FaultCode::JobCancelled),
        ("SANE_STATUS_INVAL", FaultCode::DeviceFailed),
        // An end before the first line is no page.
        ("SANE_STATUS_EOF", FaultCode::DocumentGarbled),
    ] {
        let options = [("read-return-value", status)];
        let error = scan(&saned, &request(ColourMode::Gray, 50), &options).unwrap_err();
        assert_eq!(error.fault(), fault, "{status}: {error}");
        let text = error.to_string();
        assert!(
            !text.ends_with('.') && text.starts_with(char::is_lowercase),
            "{text}"
        );
    }
    // The scanner is free: the same server scans.
    scan(&saned, &request(ColourMode::Gray, 50), &[]).unwrap();
}

#[test]
fn what_is_not_offered_is_refused_and_named() {
    let saned = Saned::start();
    let good = request(ColourMode::Gray, 50);
    let duplex = ScanRequest {
        source: Source::FeederDuplex,
        ..good.clone()
    };
    let fine = ScanRequest {
        resolution: 2400,
        ..good.clone()
    };
    let wide = ScanRequest {
        page: PageSize::A3,
        ..good.clone()
    };
    for (request, what) in [
        (duplex, "source"),
        (fine, "resolution"),
        (wide, "page size"),
    ] {
        let error = scan(&saned, &request, &[]).unwrap_err();
        assert_eq!(error.fault(), FaultCode::DocumentSettings);
        assert!(error.to_string().ends_with(what), "{error}");
    }
    let error = scan(&saned, &good, &[("no-such-option", "1")]).unwrap_err();
    assert_eq!(error.fault(), FaultCode::DocumentSettings);
}

#[test]
fn a_scan_is_ended_from_another_thread_in_the_middle_of_a_page() {
    let saned = Saned::start();
    let slow = [("read-delay", "yes"), ("read-delay-duration", "200000")];
    let mut scanner = open(&saned, &slow);
    let patience = patience();
    let (begun, first) = mpsc::channel();
    let switch = patience.clone();
    let stopper = thread::spawn(move || {
        first.recv().unwrap();
        switch.stop();
    });
    let mut told = false;
    let clock = SystemClock::new();
    let error = scanner
        .scan(
            &request(ColourMode::Colour, 600),
            &mut |progress| {
                if progress.per_mille.is_some() && !told {
                    told = true;
                    begun.send(()).unwrap();
                }
            },
            &patience,
        )
        .unwrap_err();
    stopper.join().unwrap();
    assert_eq!(error.fault(), FaultCode::JobCancelled, "{error}");
    // The whole page would take a minute.
    assert!(clock.now().since_origin() < Duration::from_secs(20));
    // And it can be used again at once.
    let mut scanner = open(&saned, &[]);
    assert!(scanner.status(&crate::patience()).unwrap().ready);
    scanner
        .scan(
            &request(ColourMode::Gray, 50),
            &mut |_| {},
            &crate::patience(),
        )
        .unwrap();
}

#[test]
fn a_deadline_ends_a_scan_that_takes_too_long() {
    let saned = Saned::start();
    let slow = [("read-delay", "yes"), ("read-delay-duration", "200000")];
    let error = open(&saned, &slow)
        .scan(
            &request(ColourMode::Colour, 600),
            &mut |_| {},
            &patience_of(Duration::from_millis(1500)),
        )
        .unwrap_err();
    assert_eq!(error.fault(), FaultCode::JobDeadline, "{error}");
}

#[test]
fn a_document_beyond_its_limit_is_refused() {
    let saned = Saned::start();
    let small = ScanRequest {
        max_bytes: 2000,
        ..feeder(50)
    };
    let options = [("test-picture", "Color pattern")];
    let error = scan(&saned, &small, &options).unwrap_err();
    assert_eq!(error.fault(), FaultCode::DocumentTooLarge, "{error}");
}

#[test]
fn a_scanner_that_is_not_there_is_gone_whether_it_or_its_server_is_missing() {
    let saned = Saned::start();
    let mut settings = DocumentSettings::new(Connection::Sane {
        address: saned.address(),
        device: "test:7".to_owned(),
    });
    let error = document::open(&settings, &patience()).unwrap_err();
    assert_eq!(error.fault(), FaultCode::DeviceGone, "{error}");
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    settings.connection = Connection::Sane {
        address,
        device: "test:0".to_owned(),
    };
    let error = document::open(&settings, &patience()).unwrap_err();
    assert_eq!(error.fault(), FaultCode::DeviceGone, "{error}");
}
