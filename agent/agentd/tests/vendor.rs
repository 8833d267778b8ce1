//! A vendor's driver host from its signing to its devices: the real program, the Python template, and the
//! commands of `docs/vendor-drivers.md` as they stand there.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

const AGENTD: &str = env!("CARGO_BIN_EXE_agentd");
const PAGE: &str = include_str!("../../../docs/vendor-drivers.md");
const TEMPLATE: &str = include_str!("../../../drivers/driver-template/python/driver_template.py");
/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const DEVICE: &str = "driver-template:front";

/// The shell commands that stand on the page below a heading.
fn commands(heading: &str) -> &'static str {
    let (_before, section) = PAGE.split_once(heading).unwrap();
    let (_before, block) = section.split_once("```sh\n").unwrap();
    block.split("```").next().unwrap()
}

/// A folder with the installed driver, its manifest and signature.
struct Installed {
    folder: TempDir,
    python: PathBuf,
}

impl Installed {
    fn new() -> Self {
        let asked = Command::new("python3")
            .args([
                "-c",
                "import os, sys; print(os.path.realpath(sys.executable))",
            ])
            .output()
            .unwrap();
        let python = String::from_utf8(asked.stdout).unwrap().trim().into();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("driver_template.py"), TEMPLATE).unwrap();
        let installed = Self { folder, python };
        installed.run(commands("### A key"));
        installed.sign();
        installed
    }

    /// Makes and signs the manifest of what is there now.
    fn sign(&self) {
        let script = commands("### Manifest and signature");
        let named = script.replace("/usr/bin/python3.11", self.python.to_str().unwrap());
        let name = self.python.file_name().unwrap().to_str().unwrap();
        self.run(&named.replace("entry python3.11", &format!("entry {name}")));
    }

    fn run(&self, script: &str) {
        let mut shell = Command::new("/bin/sh");
        let status = shell
            .args(["-euc", script])
            .current_dir(self.folder.path())
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "{script}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, scanner: &str) -> String {
        let key = std::fs::read_to_string(self.path("publisher.pub")).unwrap();
        let folder = self.folder.path().display();
        let user = rustix::process::geteuid().as_raw();
        format!(
            "listen = \"127.0.0.1:0\"\npin_listen = \"127.0.0.1:0\"\nstate_dir = \"{folder}/state\"\n\
             [unix_socket]\npath = \"{folder}/agent.sock\"\nallowed_uids = [{user}]\n\
             [driver_host]\nprogram = \"/bin/sh\"\nargs = [\"-c\", \"exec cat\"]\n\
             [[grant]]\norigin = \"unix:{user}\"\noperations = [\"codeScanner.see\"]\n\
             [[driver_publisher]]\nname = \"example\"\npublic_key = \"{key}\"\n\
             [[vendor_driver]]\nname = \"driver-template\"\nprogram = \"{}\"\n\
             args = [\"{folder}/driver_template.py\"]\nfiles = [\"{folder}/driver_template.py\"]\n\
             manifest = \"{folder}/manifest.json\"\nsignature = \"{folder}/manifest.sig\"\n\
             publisher = \"example\"\n\
             [vendor_driver.settings]\naddress = \"{scanner}\"\nname = \"front\"\n",
            self.python.display(),
        )
    }

    /// Changes one byte, and nothing of what the script does: it is in a comment of its first line.
    fn change_one_byte(&self) {
        let mut bytes = std::fs::read(self.path("driver_template.py")).unwrap();
        bytes[3] ^= 1;
        std::fs::write(self.path("driver_template.py"), bytes).unwrap();
    }
}

struct Agent<'a> {
    process: Child,
    installed: &'a Installed,
    log: Receiver<String>,
    scanner: Receiver<TcpStream>,
}

impl<'a> Agent<'a> {
    fn start(installed: &'a Installed) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (found, scanner) = channel();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if found.send(stream).is_err() {
                    return;
                }
            }
        });
        std::fs::write(installed.path("agent.toml"), installed.config(&address)).unwrap();
        let notices = installed.path("notify");
        let ready = UnixDatagram::bind(&notices).unwrap();
        ready.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut process = Command::new(AGENTD)
            .arg("--config")
            .arg(installed.path("agent.toml"))
            .env("NOTIFY_SOCKET", &notices)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (line, log) = channel();
        std::thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .all(|text| line.send(text).is_ok())
        });
        let mut notice = [0; 16];
        let length = ready.recv(&mut notice).unwrap();
        assert_eq!(&notice[..length], b"READY=1");
        Self {
            process,
            installed,
            log,
            scanner,
        }
    }

    /// The first line of the log that says all of this.
    fn logged(&self, words: &[&str]) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.installed.path("agent.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn devices(&self) -> String {
        let mut stream = self.connect();
        let request = "GET /v1/devices HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    fn events(&self) -> WebSocket<UnixStream> {
        let opened = tungstenite::client("ws://localhost/v1/events", self.connect());
        let (mut socket, _response) = opened.unwrap();
        let hello = "{\"type\":\"hello\",\"token\":\"\"}";
        socket.send(Message::text(hello)).unwrap();
        let welcome = socket.read().unwrap();
        assert!(welcome.to_text().unwrap().contains("welcome"), "{welcome}");
        socket
    }

    /// Waits until the one device can be used, or cannot.
    fn until_usable(&self, events: &mut WebSocket<UnixStream>, wanted: bool) {
        let mut now = self.devices();
        while (now.contains(DEVICE) && now.contains("\"usable\":true")) != wanted {
            now = events.read().unwrap().to_text().unwrap().to_owned();
            if !now.contains("\"devices\"") {
                now = self.devices();
            }
        }
    }

    fn host(&self) -> i32 {
        let pid = self.process.id();
        let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let command = |pid: &&str| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        let mut children = list.split_whitespace();
        let found = children.find(|pid| command(pid).contains("driver_template.py"));
        found.unwrap().parse().unwrap()
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success() || std::thread::panicking());
    }
}

fn is_below(path: &str, folder: &Path) -> bool {
    Path::new(path).starts_with(folder)
}

#[test]
fn a_vendors_host_starts_as_signed_and_never_again_once_a_byte_differs() {
    let installed = Installed::new();
    let agent = Agent::start(&installed);
    // That it connects shows that it was verified, started, welcomed and told its settings.
    let _scanner = agent.scanner.recv_timeout(PATIENCE).unwrap();
    let mut events = agent.events();
    agent.until_usable(&mut events, true);

    // Both the interpreter and the script that run are the private copies.
    let pid = agent.host();
    let copies = installed
        .path("state/vendor/driver-template")
        .canonicalize()
        .unwrap();
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    assert!(is_below(program.to_str().unwrap(), &copies));
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(is_below(
        command.split('\0').nth(1).unwrap(),
        &installed.path("state/vendor")
    ));
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(environment.is_empty());

    installed.change_one_byte();
    agent.until_usable(&mut events, true);
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let line = agent.logged(&["not allowed", "HST-NOT-ALLOWED", "differs"]);
    assert!(line.contains("driver_template.py"), "{line}");
    agent.until_usable(&mut events, false);

    // And it comes back with the next restart after the publisher has signed what is there.
    installed.sign();
    let _scanner = agent.scanner.recv_timeout(PATIENCE).unwrap();
    agent.until_usable(&mut events, true);
}

#[test]
fn a_host_that_somebody_else_signed_never_starts() {
    let installed = Installed::new();
    let listed = std::fs::read(installed.path("publisher.pub")).unwrap();
    installed.run(commands("### A key"));
    installed.sign();
    std::fs::write(installed.path("publisher.pub"), listed).unwrap();
    let agent = Agent::start(&installed);
    // Twice: the first start, and the restart after it.
    for _start in 0..2 {
        let line = agent.logged(&["not allowed", "HST-NOT-ALLOWED"]);
        assert!(line.contains("not signed by example"), "{line}");
    }
    assert!(
        !agent.devices().contains(DEVICE),
        "not even as one that was there"
    );
    assert!(agent.scanner.try_recv().is_err());
}
