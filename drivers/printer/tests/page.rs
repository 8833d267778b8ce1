//! The page printer against servers that others wrote: CUPS, and the model printer of the CUPS project.
//!
//! Debian packages: `cups-daemon`, `cups-client`, `cups-core-drivers`, `cups-ipp-utils`, `avahi-daemon`, `dbus-daemon`.
//! Everything lies in a temporary folder and listens on a port of its own; the model printer announces
//! itself by DNS-SD and refuses to run without, so it gets a message bus and a responder of its own, which
//! know the loopback interface only.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot be set up fails"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, FaultCode, Patience, Stop, SystemClock};
use printer::page::{
    IppPrinter, JobState, PageError, PageOptions, PagePrinter, PageProgress, PageSettings,
    PagesPrinted,
};

/// A program that ends with the test.
struct Program(Child);

impl Program {
    /// Starts a program and waits until it says that it is ready.
    fn start(command: &mut Command, ready: &str) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let error = writer.try_clone().unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(error)
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        // The command holds the other ends; without them the pipe ends with the program.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let program = Self(child);
        let mut says = BufReader::new(reader);
        let mut said = String::new();
        while !said.contains(ready) {
            let count = says.read_line(&mut said).unwrap();
            assert!(count > 0, "{command:?} ended: {said}");
        }
        // It stops where nobody reads what it says.
        drop(std::thread::spawn(move || {
            std::io::copy(&mut says, &mut std::io::sink())
        }));
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A page with nothing on it.
const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
    trailer<</Root 1 0 R>>\n%%EOF\n";

fn print(address: SocketAddr, path: &str) -> (Result<PagesPrinted, PageError>, Vec<PageProgress>) {
    print_within(60, address, path)
}

fn print_within(
    seconds: u64,
    address: SocketAddr,
    path: &str,
) -> (Result<PagesPrinted, PageError>, Vec<PageProgress>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let deadline = Deadline::at(clock.now().plus(Duration::from_secs(seconds)));
    let patience = Patience::new(clock, deadline);
    let settings = PageSettings {
        address,
        path: path.to_owned(),
        user: "counter-1".to_owned(),
    };
    let mut seen = Vec::new();
    let mut printer = IppPrinter::new(settings);
    let options = PageOptions::default();
    let printed = printer.print(
        PDF,
        &options,
        &mut |progress| seen.push(progress),
        &patience,
    );
    (printed, seen)
}

fn cups(folder: &Path, address: SocketAddr) -> Program {
    // Its filters run as another user.
    let opened = Command::new("chmod")
        .arg("755")
        .arg(folder)
        .status()
        .unwrap();
    assert!(opened.success());
    for part in ["root", "spool", "tmp", "state", "cache"] {
        fs::create_dir(folder.join(part)).unwrap();
    }
    let at = folder.display();
    fs::write(
        folder.join("cupsd.conf"),
        format!(
            "Listen {address}\nBrowsing No\nWebInterface No\nDefaultAuthType None\nLogLevel info\n\
             <Location />\nOrder allow,deny\nAllow from 127.0.0.1\n</Location>\n\
             <Location /admin>\nOrder allow,deny\nAllow from 127.0.0.1\n</Location>\n\
             <Policy default>\n<Limit All>\nOrder deny,allow\n</Limit>\n</Policy>\n"
        ),
    )
    .unwrap();
    fs::write(
        folder.join("cups-files.conf"),
        format!(
            "ServerRoot {at}/root\nRequestRoot {at}/spool\nTempDir {at}/tmp\nStateDir {at}/state\n\
             CacheDir {at}/cache\nErrorLog stderr\nAccessLog {at}/access\nPageLog {at}/pages\n\
             ServerBin /usr/lib/cups\nDataDir /usr/share/cups\nFileDevice Yes\nPrintcap\n"
        ),
    )
    .unwrap();
    let mut command = Command::new("/usr/sbin/cupsd");
    command.arg("-f").arg("-c").arg(folder.join("cupsd.conf"));
    command.arg("-s").arg(folder.join("cups-files.conf"));
    Program::start(&mut command, "Resuming new connection processing")
}

fn administer(program: &str, address: SocketAddr, words: &[&str]) {
    let mut command = Command::new(program);
    command
        .arg("-h")
        .arg(address.to_string())
        .args(words)
        .stderr(Stdio::null());
    assert!(command.status().unwrap().success(), "{command:?}");
}

#[test]
fn cups_prints_exactly_the_document_and_tells_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let _server = cups(folder.path(), address);
    // What a printer on port 9100 would get.
    let printer = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = format!("socket://{}", printer.local_addr().unwrap());
    let paper = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        printer.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
        bytes
    });
    administer(
        "/usr/sbin/lpadmin",
        address,
        &["-p", "forms", "-E", "-v", &device, "-m", "raw"],
    );

    let (printed, seen) = print(address, "/printers/forms");
    assert!(printed.unwrap().job > 0);
    assert_eq!(seen.last().unwrap().state, JobState::Completed);
    assert_eq!(paper.join().unwrap(), PDF);

    administer("/usr/sbin/cupsdisable", address, &["forms"]);
    let error = print(address, "/printers/forms").0.unwrap_err();
    assert_eq!(error.fault(), FaultCode::PrinterOffline, "{error:?}");

    let error = print(address, "/printers/no-such").0.unwrap_err();
    assert!(
        matches!(error, PageError::Refused { status: 0x0406, .. }),
        "{error:?}"
    );
    assert_eq!(error.fault(), FaultCode::PrinterRejected);
}

#[test]
fn a_model_printer_prints_and_a_job_that_takes_too_long_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let bus = format!("unix:path={}/bus", at.display());
    let allow = "<allow user=\"*\"/><allow own=\"*\"/><allow send_destination=\"*\" eavesdrop=\"true\"/>\
                 <allow receive_sender=\"*\" eavesdrop=\"true\"/>";
    fs::write(
        at.join("bus.conf"),
        format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\
             <busconfig><type>system</type><listen>{bus}</listen>\
             <policy context=\"default\">{allow}</policy></busconfig>"
        ),
    )
    .unwrap();
    fs::write(
        at.join("avahi.conf"),
        "[server]\nallow-interfaces=lo\nuse-ipv6=no\n",
    )
    .unwrap();
    let mut command = Command::new("dbus-daemon");
    command.arg("--nofork").arg("--print-address=1");
    command.arg(format!("--config-file={}", at.join("bus.conf").display()));
    let _bus = Program::start(&mut command, "unix:");
    let mut command = Command::new("/usr/sbin/avahi-daemon");
    command.args(["--no-drop-root", "--no-chroot", "--no-rlimits", "-f"]);
    command
        .arg(at.join("avahi.conf"))
        .env("DBUS_SYSTEM_BUS_ADDRESS", &bus);
    let _responder = Program::start(&mut command, "Server startup complete");

    let address = free_address();
    let slow = at.join("slow");
    // What the model printer runs for a job.
    let script = format!(
        "#!/bin/sh\nif [ -e {0} ]; then exec sleep 8; fi\ncp \"$1\" {1}/paper.pdf\n",
        slow.display(),
        at.display()
    );
    let job = at.join("job.sh");
    fs::write(&job, script).unwrap();
    let made = Command::new("chmod").arg("700").arg(&job).status().unwrap();
    assert!(made.success());
    let mut command = Command::new("/usr/sbin/ippeveprinter");
    command.args([
        "-v",
        "-n",
        "localhost",
        "-f",
        "application/pdf",
        "-s",
        "60",
        "-p",
    ]);
    command
        .arg(address.port().to_string())
        .arg("-d")
        .arg(at)
        .arg("-c")
        .arg(&job)
        .arg("Forms");
    command.env("DBUS_SYSTEM_BUS_ADDRESS", &bus);
    let _printer = Program::start(&mut command, "printer-uuid");

    let (printed, seen) = print(address, "/ipp/print");
    assert!(printed.unwrap().job > 0);
    assert_eq!(seen.last().unwrap().state, JobState::Completed);
    assert_eq!(fs::read(at.join("paper.pdf")).unwrap(), PDF);

    fs::write(&slow, b"").unwrap();
    let (printed, seen) = print_within(2, address, "/ipp/print");
    let error = printed.unwrap_err();
    assert!(
        matches!(error, PageError::Stopped(Stop::Deadline)),
        "{error:?}"
    );
    assert_eq!(seen.last().unwrap().state, JobState::Processing);
}
