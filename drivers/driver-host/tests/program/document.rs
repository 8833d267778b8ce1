//! The binary with document scanners: the real `saned` with its backend `test`, and one that speaks eSCL.
//!
//! `saned` is started as inetd does it, one process for each connection with the socket as its standard
//! input, so that the system chooses the port.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Cursor, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use host_protocol::settings::{DocumentScanner, DocumentScanners, ReachedBy, SaneScanner};
use host_protocol::{
    AgentMessage, Colour, DeviceDescription, DeviceState, DocumentFormat, HostFault, HostMessage,
    Item, Outcome, Product, ScanOrder, ScannedDocument, Source, Step, Task,
};
use tempfile::TempDir;

use crate::host::Host;

#[test]
fn a_page_of_the_glass_becomes_a_gray_png() {
    let saned = Saned::start();
    let mut scanners = Scanners::with(&[("desk", saned.scanner(&[]))]);
    let seen = scanners.device("documentScanner:desk");
    assert_eq!(seen.state, DeviceState::Ready);
    assert_eq!(seen.capabilities.sources, [Source::Flatbed, Source::Feeder]);
    assert!(seen.capabilities.resolutions.contains(&300));
    let ended = scanners.scan("documentScanner:desk", &order(), 30_000);
    let (document, bytes) = ended.document();
    assert_eq!(
        ended.steps,
        [Step::WaitingForPaper, Step::Scanning, Step::Processing]
    );
    assert_eq!(ended.pages, [1]);
    assert_eq!(document.file.media_type, "image/png");
    let mut png = png::Decoder::new(Cursor::new(&bytes)).read_info().unwrap();
    assert_eq!(png.info().color_type, png::ColorType::Grayscale);
    let [page] = document.pages.as_slice() else {
        panic!("{:?}", document.pages)
    };
    assert_eq!(
        (page.width, page.height),
        (png.info().width, png.info().height)
    );
    let mut rows = 0;
    while png.next_row().unwrap().is_some() {
        rows += 1;
    }
    assert_eq!(rows, page.height);
}

#[test]
fn ten_pages_of_the_feeder_become_one_pdf() {
    let saned = Saned::start();
    let mut scanners = Scanners::with(&[("desk", saned.scanner(&[]))]);
    scanners.device("documentScanner:desk");
    let order = ScanOrder {
        source: Source::Feeder,
        format: DocumentFormat::PdfA,
        max_pages: 50,
        ..order()
    };
    let ended = scanners.scan("documentScanner:desk", &order, 60_000);
    let (document, bytes) = ended.document();
    assert_eq!(ended.pages, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!((document.pages.len(), document.blank_dropped), (10, 0));
    assert_eq!(document.file.media_type, "application/pdf");
    assert!(bytes.starts_with(b"%PDF-"));
    // And the next job finds the scanner free.
    scanners
        .scan("documentScanner:desk", &self::order(), 30_000)
        .document();
}

#[test]
fn a_jam_is_told_as_one_and_leaves_no_document() {
    let saned = Saned::start();
    let jam = saned.scanner(&[("read-return-value", "SANE_STATUS_JAMMED")]);
    let mut scanners = Scanners::with(&[("jams", jam), ("desk", saned.scanner(&[]))]);
    scanners.device("documentScanner:jams");
    let ended = scanners.scan("documentScanner:jams", &order(), 30_000);
    assert_eq!(ended.fault().code, "DOC-JAM");
    assert!(ended.parts.is_empty(), "a part of half a document was sent");
    scanners.device("documentScanner:desk");
    scanners
        .scan("documentScanner:desk", &order(), 30_000)
        .document();
}

#[test]
fn a_cancelled_scan_and_one_beyond_its_deadline_end_at_once() {
    let saned = Saned::start();
    let slow = [("read-delay", "yes"), ("read-delay-duration", "200000")];
    let mut scanners = Scanners::with(&[("slow", saned.scanner(&slow))]);
    scanners.device("documentScanner:slow");
    // The whole page would take a minute.
    let fine = ScanOrder {
        resolution: 600,
        colour: Colour::Colour,
        ..order()
    };
    let ended = scanners.scan("documentScanner:slow", &fine, 1500);
    assert_eq!(ended.fault().code, "JOB-DEADLINE");
    let id = scanners.start("documentScanner:slow", &fine, 60_000);
    scanners.host.hear_of(|message| {
        matches!(
            message,
            HostMessage::Progress {
                step: Step::Scanning,
                ..
            }
        )
    });
    scanners.host.say(&AgentMessage::Cancel { id });
    assert_eq!(scanners.end_of(id).fault().code, "JOB-CANCELLED");
}

#[test]
fn a_scanner_whose_server_is_away_is_not_shown_and_a_job_says_that_it_is_gone() {
    let saned = Saned::start();
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    let away = ReachedBy::Sane(SaneScanner {
        address,
        device: "test:0".to_owned(),
        options: BTreeMap::new(),
    });
    let mut scanners = Scanners::with(&[("away", away), ("desk", saned.scanner(&[]))]);
    scanners.device("documentScanner:desk");
    assert!(
        !scanners
            .devices
            .iter()
            .any(|seen| seen.id == "documentScanner:away")
    );
    let ended = scanners.scan("documentScanner:away", &order(), 10_000);
    assert_eq!(ended.fault().code, "DEV-GONE");
}

#[test]
fn what_a_network_scanner_says_of_itself_is_shown_until_it_is_away() {
    let scanner = JammedEscl::start();
    let mut scanners = Scanners::with(&[("net", ReachedBy::Escl(scanner.url()))]);
    let seen = loop {
        let seen = scanners.device("documentScanner:net");
        if seen.state == DeviceState::NotReady {
            break seen;
        }
        scanners.hear();
    };
    assert_eq!(seen.fault.as_deref(), Some("DOC-JAM"));
    assert_eq!(
        seen.capabilities.sources,
        [Source::Flatbed, Source::Feeder, Source::FeederDuplex]
    );
    assert!(seen.make.model.contains("OfficeJet"), "{:?}", seen.make);
    drop(scanner);
    let offered = ScanOrder {
        resolution: 300,
        ..order()
    };
    let ended = scanners.scan("documentScanner:net", &offered, 10_000);
    assert_eq!(ended.fault().code, "DEV-GONE");
    while !scanners.devices.is_empty() {
        scanners.hear();
    }
}

/// A gray page of 80 by 100 millimetres as PNG.
const fn order() -> ScanOrder {
    ScanOrder {
        source: Source::Flatbed,
        resolution: 100,
        colour: Colour::Grey,
        area: [800, 1000],
        max_pages: 1,
        straighten: false,
        drop_blank: false,
        format: DocumentFormat::Png,
    }
}

/// What was heard of a job.
struct Ended {
    steps: Vec<Step>,
    pages: Vec<u32>,
    parts: Vec<u8>,
    outcome: Outcome,
}

impl Ended {
    /// The document, whose length and hash are what the product says.
    fn document(&self) -> (&ScannedDocument, &[u8]) {
        let Outcome::Done { product } = &self.outcome else {
            panic!("{:?}", self.outcome)
        };
        let Product::Document { document } = &**product else {
            panic!("{product:?}")
        };
        assert_eq!(document.file.length, self.parts.len() as u64);
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.parts);
        let digits: Vec<String> = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(document.sha256, digits.concat());
        (document, &self.parts)
    }

    fn fault(&self) -> &HostFault {
        let Outcome::Failed { fault } = &self.outcome else {
            panic!("{:?}", self.outcome)
        };
        fault
    }
}

/// A driver host of document scanners, and what it told of them last.
struct Scanners {
    host: Host,
    devices: Vec<DeviceDescription>,
}

impl Scanners {
    fn with(scanners: &[(&str, ReachedBy)]) -> Self {
        let one = |(name, reached_by): &(&str, ReachedBy)| DocumentScanner {
            name: (*name).to_owned(),
            reached_by: reached_by.clone(),
        };
        let settings = DocumentScanners {
            scanners: scanners.iter().map(one).collect(),
        };
        let settings = serde_json::to_value(settings).unwrap();
        Self {
            host: Host::of("document-scanner", settings),
            devices: Vec::new(),
        }
    }

    /// The device, as soon as it is there.
    fn device(&mut self, id: &str) -> DeviceDescription {
        loop {
            if let Some(seen) = self.devices.iter().find(|seen| seen.id == id) {
                return seen.clone();
            }
            self.hear();
        }
    }

    fn scan(&mut self, device: &str, order: &ScanOrder, deadline_ms: u64) -> Ended {
        let id = self.start(device, order, deadline_ms);
        self.end_of(id)
    }

    fn start(&mut self, device: &str, order: &ScanOrder, deadline_ms: u64) -> u64 {
        let order = order.clone();
        let task = Task::ScanDocument { order };
        self.host.begin(device, task, deadline_ms)
    }

    fn end_of(&mut self, job: u64) -> Ended {
        let (mut steps, mut pages, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            match self.hear() {
                HostMessage::Progress { step, .. } => steps.push(step),
                HostMessage::Item {
                    item: Item::Page { pages: count },
                    ..
                } => pages.push(count),
                HostMessage::Part { data, .. } => parts.extend_from_slice(data.expose()),
                HostMessage::Finished { id, outcome } if id == job => {
                    return Ended {
                        steps,
                        pages,
                        parts,
                        outcome,
                    };
                }
                HostMessage::Hello { .. }
                | HostMessage::Devices { .. }
                | HostMessage::Accepted { .. }
                | HostMessage::Ask { .. }
                | HostMessage::Item { .. }
                | HostMessage::Finished { .. }
                | HostMessage::Pong { .. } => {}
            }
        }
    }

    fn hear(&mut self) -> HostMessage {
        let message = self.host.hear();
        if let HostMessage::Devices { devices, .. } = &message {
            self.devices.clone_from(devices);
        }
        message
    }
}

/// An eSCL scanner in whose feeder paper is stuck; it offers what a real one offers.
struct JammedEscl {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl JammedEscl {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            loop {
                let (stream, _) = listener.accept().unwrap();
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // Whoever asked may be gone already.
                drop(answer(stream));
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }

    fn url(&self) -> String {
        format!("http://{}/eSCL", self.address)
    }
}

impl Drop for JammedEscl {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        drop(self.thread.take().unwrap().join());
    }
}

fn answer(stream: TcpStream) -> std::io::Result<()> {
    const CAPABILITIES: &str =
        include_str!("../../../document/tests/vectors/hp-officejet-pro-9120e.xml");
    const STATUS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scan:ScannerStatus xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03"
    xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm">
<pwg:Version>2.6</pwg:Version><pwg:State>Stopped</pwg:State><scan:AdfState>ScannerAdfJam</scan:AdfState>
</scan:ScannerStatus>"#;
    let mut asked = BufReader::new(stream);
    let mut first = String::new();
    asked.read_line(&mut first)?;
    let mut line = String::new();
    while asked.read_line(&mut line)? > 2 {
        line.clear();
    }
    let body = if first.contains("ScannerCapabilities") {
        CAPABILITIES
    } else {
        STATUS
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    asked.into_inner().write_all((head + body).as_bytes())
}

/// Debian and Fedora have it there; it is on no ordinary user's path.
const SANED: &str = "/usr/sbin/saned";

/// A server with the backend `test` only.
struct Saned {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Child>>>,
    _folder: TempDir,
}

impl Saned {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("dll.conf", "test\n"),
            ("saned.conf", "127.0.0.1\n"),
            ("test.conf", "number_of_devices 1\n"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, path) = (Arc::clone(&stop), folder.path().to_owned());
        let thread = thread::spawn(move || serve(&listener, &stopped, &path));
        Self {
            address,
            stop,
            thread: Some(thread),
            _folder: folder,
        }
    }

    fn scanner(&self, options: &[(&str, &str)]) -> ReachedBy {
        let options = options.iter();
        ReachedBy::Sane(SaneScanner {
            address: self.address.to_string(),
            device: "test:0".to_owned(),
            options: options
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        })
    }
}

impl Drop for Saned {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        for mut child in self.thread.take().unwrap().join().unwrap() {
            // Most have ended with their connection.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn serve(listener: &TcpListener, stop: &AtomicBool, folder: &Path) -> Vec<Child> {
    let mut children = Vec::new();
    loop {
        let (stream, _) = listener.accept().unwrap();
        if stop.load(Ordering::SeqCst) {
            return children;
        }
        let (input, output) = (stream.try_clone().unwrap(), stream);
        let child = Command::new(SANED)
            .env("SANE_CONFIG_DIR", folder)
            .stdin(Stdio::from(OwnedFd::from(input)))
            .stdout(Stdio::from(OwnedFd::from(output)))
            .stderr(Stdio::null())
            .spawn()
            .expect("saned is installed (Debian: sane-utils)");
        children.push(child);
    }
}
