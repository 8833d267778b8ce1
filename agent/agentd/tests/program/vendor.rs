//! A vendor's driver host from its signing to its devices: the real program, the Python template, and the
//! commands of `docs/vendor-drivers.md` as they stand there.

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;
use tungstenite::WebSocket;

use crate::running::{Agent, PATIENCE, SILENT_ARGS, SILENT_HOST, config};

const PAGE: &str = include_str!("../../../../docs/vendor-drivers.md");
const TEMPLATE: &str =
    include_str!("../../../../drivers/driver-template/python/driver_template.py");
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
        let vendor = format!(
            "[[grant]]\norigin = \"unix:{user}\"\noperations = [\"codeScanner.see\"]\n\
             [[driver_publisher]]\nname = \"example\"\npublic_key = \"{key}\"\n\
             [[vendor_driver]]\nname = \"driver-template\"\nprogram = \"{}\"\n\
             args = [\"{folder}/driver_template.py\"]\nfiles = [\"{folder}/driver_template.py\"]\n\
             manifest = \"{folder}/manifest.json\"\nsignature = \"{folder}/manifest.sig\"\n\
             publisher = \"example\"\n\
             [vendor_driver.settings]\naddress = \"{scanner}\"\nname = \"front\"\n",
            self.python.display(),
        );
        config(self.folder.path(), SILENT_HOST, &SILENT_ARGS) + &vendor
    }

    /// Changes one byte, and nothing of what the script does: it is in a comment of its first line.
    fn change_one_byte(&self) {
        let mut bytes = std::fs::read(self.path("driver_template.py")).unwrap();
        bytes[3] ^= 1;
        std::fs::write(self.path("driver_template.py"), bytes).unwrap();
    }
}

/// The agent with the driver installed, and the connections that its driver makes to a scanner.
fn start(installed: &Installed) -> (Agent, Receiver<TcpStream>) {
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
    let agent = Agent::start(installed.folder.path(), &installed.config(&address));
    (agent, scanner)
}

fn devices(agent: &Agent) -> String {
    let answer = agent.call("GET /v1/devices", "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

/// Waits until the one device can be used, or cannot.
fn until_usable(agent: &Agent, events: &mut WebSocket<UnixStream>, wanted: bool) {
    let mut now = devices(agent);
    while (now.contains(DEVICE) && now.contains("\"usable\":true")) != wanted {
        now = events.read().unwrap().to_text().unwrap().to_owned();
        if !now.contains("\"devices\"") {
            now = devices(agent);
        }
    }
}

/// The process of the driver.
fn host(agent: &Agent) -> u32 {
    let command = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    let mut children = agent.children().into_iter();
    let found = children.find(|pid| command(pid).contains("driver_template.py"));
    found.unwrap()
}

fn is_below(path: &str, folder: &Path) -> bool {
    Path::new(path).starts_with(folder)
}

#[test]
fn a_vendors_host_starts_as_signed_and_never_again_once_a_byte_differs() {
    let installed = Installed::new();
    let (agent, scanner) = start(&installed);
    // That it connects shows that it was verified, started, welcomed and told its settings.
    let _scanner = scanner.recv_timeout(PATIENCE).unwrap();
    let mut events = agent.events();
    until_usable(&agent, &mut events, true);

    // Both the interpreter and the script that run are the private copies.
    let pid = host(&agent);
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
    until_usable(&agent, &mut events, true);
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let line = agent.logged(&["not allowed", "HST-NOT-ALLOWED", "differs"]);
    assert!(line.contains("driver_template.py"), "{line}");
    until_usable(&agent, &mut events, false);

    // And it comes back with the next restart after the publisher has signed what is there.
    installed.sign();
    let _scanner = scanner.recv_timeout(PATIENCE).unwrap();
    until_usable(&agent, &mut events, true);
}

#[test]
fn a_host_that_somebody_else_signed_never_starts() {
    let installed = Installed::new();
    let listed = std::fs::read(installed.path("publisher.pub")).unwrap();
    installed.run(commands("### A key"));
    installed.sign();
    std::fs::write(installed.path("publisher.pub"), listed).unwrap();
    let (agent, scanner) = start(&installed);
    // Twice: the first start, and the restart after it.
    for _start in 0..2 {
        let line = agent.logged(&["not allowed", "HST-NOT-ALLOWED"]);
        assert!(line.contains("not signed by example"), "{line}");
    }
    assert!(
        !devices(&agent).contains(DEVICE),
        "not even as one that was there"
    );
    assert!(scanner.try_recv().is_err());
}
