//! Where a printer is, and what is told of its failures.

use device_api::Stop;
use printer::page::JobState;
use printer::page::http::HttpError;

use super::*;

fn read(uri: &str) -> Option<(String, String)> {
    let settings = Settings {
        name: "forms".to_owned(),
        uri: uri.to_owned(),
    };
    let settings = driver_settings(&settings).ok()?;
    Some((settings.address.to_string(), settings.path))
}

#[test]
fn an_address_names_a_machine_and_a_printer() {
    let table = [
        (
            "ipp://127.0.0.1:6310/printers/forms",
            "127.0.0.1:6310",
            "/printers/forms",
        ),
        (
            "ipp://192.168.10.9/ipp/print",
            "192.168.10.9:631",
            "/ipp/print",
        ),
        ("ipp://localhost/printers/a", "127.0.0.1:631", "/printers/a"),
        ("ipp://[::1]/ipp/print", "[::1]:631", "/ipp/print"),
        ("ipp://[::1]:8631/ipp/print", "[::1]:8631", "/ipp/print"),
        ("ipp://10.0.0.1", "10.0.0.1:631", "/"),
    ];
    for (uri, address, path) in table {
        assert_eq!(
            read(uri),
            Some((address.to_owned(), path.to_owned())),
            "{uri}"
        );
    }
    for uri in [
        "",
        "http://127.0.0.1/",
        "ipps://127.0.0.1/ipp/print",
        "ipp://printer.example/ipp/print",
        "ipp://127.0.0.1:99999/a",
        "ipp://::1/a",
        "ipp://127.0.0.1/a b",
        "ipp://127.0.0.1/a\r\nHost: b",
        "ipp:///a",
    ] {
        assert_eq!(read(uri), None, "{uri}");
    }
}

#[test]
fn every_failure_has_its_fault_and_names_what_is_at_fault() {
    let unreachable = |source| PageError::Unreachable {
        attempted: "print",
        source,
    };
    let refused = PageError::Refused {
        attempted: "print",
        status: 0x0400,
    };
    let blocked = PageError::Blocked {
        fault: FaultCode::PrinterPaperOut,
        reasons: Vec::new(),
    };
    let refusal = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let table = [
        (PageError::NotPdf, "PRN-CONTENT", Some("document")),
        (PageError::NoPdf, "PRN-REJECTED", None),
        (refused, "PRN-REJECTED", None),
        (
            PageError::Ended {
                state: JobState::Aborted,
            },
            "PRN-REJECTED",
            None,
        ),
        (blocked, "PRN-PAPER-OUT", None),
        (
            unreachable(HttpError::Connection("connect", refusal)),
            "PRN-OFFLINE",
            None,
        ),
        (
            unreachable(HttpError::Garbled),
            FaultCode::DeviceFailed.as_str(),
            None,
        ),
        (
            PageError::Stopped(Stop::Cancelled),
            FaultCode::JobCancelled.as_str(),
            None,
        ),
        (
            PageError::Stopped(Stop::Deadline),
            FaultCode::JobDeadline.as_str(),
            None,
        ),
        (PageError::Unsure { job: Some(7) }, "PRN-UNKNOWN", None),
    ];
    for (error, code, about) in table {
        let told = told(&error);
        assert_eq!(
            (told.code.as_str(), told.about.as_deref()),
            (code, about),
            "{error:?}"
        );
    }
}
