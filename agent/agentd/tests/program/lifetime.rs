//! The program by itself: how it starts and ends, what it leaves, and what strangers at its doors get.

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::running::{self, AGENTD, PATIENCE, SILENT_ARGS, SILENT_HOST};

/// A run, and the folder that ends with it.
struct Agent {
    run: running::Agent,
    folder: TempDir,
}

fn config(folder: &Path, host: &str) -> String {
    running::config(folder, host, &SILENT_ARGS)
        + "[[grant]]\norigin = \"https://a.test\"\noperations = [\"cardReader.see\"]\n"
}

impl Agent {
    fn start(host: &str) -> Self {
        Self::start_with(|folder| config(folder, host))
    }

    fn start_with(config: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            run: running::Agent::start(folder.path(), &config(folder.path())),
            folder,
        }
    }

    fn state(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("state").join(name)
    }

    fn address(&self) -> String {
        let ports = std::fs::read(self.state("ports.json")).unwrap();
        let ports: serde_json::Value = serde_json::from_slice(&ports).unwrap();
        ports["api"].as_str().unwrap().to_owned()
    }

    /// Sends bytes on a connection of their own, says that nothing more comes where `ends`, and reads what comes until
    /// the agent closes it.
    fn exchange(&self, bytes: &[u8], ends: bool) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The agent may close before it has read everything.
        let _sent = stream.write_all(bytes);
        if ends {
            let _half_closed = stream.shutdown(std::net::Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _read = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn hello(&self) -> String {
        let request = format!(
            "GET /v1/hello HTTP/1.1\r\nHost: {}\r\nOrigin: https://a.test\r\nConnection: close\r\n\r\n",
            self.address()
        );
        self.exchange(request.as_bytes(), false)
    }
}

#[test]
fn the_agent_says_when_it_is_ready_and_ends_in_order() {
    let agent = Agent::start(SILENT_HOST);
    assert!(agent.hello().contains("madoguchi-agent"));
    let (port_file, socket) = (
        agent.state("ports.json"),
        agent.folder.path().join("agent.sock"),
    );
    assert!(port_file.exists() && socket.exists());
    let ended = agent.run.stop();
    assert!(ended.status.success(), "{}", ended.log);
    assert!(ended.took < Duration::from_secs(2), "{:?}", ended.took);
    assert!(!port_file.exists() && !socket.exists());
}

#[test]
fn no_driver_host_outlives_the_agent() {
    let agent = Agent::start(SILENT_HOST);
    let children = agent.run.children();
    assert_eq!(children.len(), 1);
    let took = agent.run.stop().took;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(
        children
            .iter()
            .all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    );
}

/// Over hundreds of scans a host kept now more, now less of the room that pages had been in.
#[test]
fn a_host_gives_large_memory_back_when_it_is_freed() {
    let folder = tempfile::tempdir().unwrap();
    let tells = ["-c", "echo \"told: $GLIBC_TUNABLES\" >&2; exec cat"];
    let config = running::config(folder.path(), "/bin/sh", &tells);
    let agent = running::Agent::start(folder.path(), &config);
    agent.logged(&["told: glibc.malloc.mmap_threshold=131072"]);
    agent.stop();
}

#[test]
fn a_host_that_floods_nonsense_leaves_the_agent_answering() {
    let agent = Agent::start("/usr/bin/yes");
    for _round in 0..20 {
        assert!(agent.hello().contains("madoguchi-agent"));
    }
    let ended = agent.run.stop();
    assert!(
        ended.status.success() && ended.took < Duration::from_secs(2),
        "{:?}",
        ended.took
    );
}

#[test]
fn a_host_that_cannot_be_started_leaves_the_agent_answering() {
    let agent = Agent::start("/nonexistent/driver-host");
    assert!(agent.hello().contains("madoguchi-agent"));
    assert!(agent.run.stop().status.success());
}

#[test]
fn garbage_in_the_place_of_http_ends_its_own_connection() {
    let agent = Agent::start(SILENT_HOST);
    let address = agent.address();
    let mut garbage: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0; 4096],
        vec![0xFF; 100_000],
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        format!(
            "GET /v1/hello HTTP/1.1\r\nHost: {address}\r\n{}\r\n",
            "X: y\r\n".repeat(2000)
        )
        .into_bytes(),
        format!("POST /v1/jobs HTTP/1.1\r\nHost: {address}\r\nContent-Length: -1\r\n\r\n")
            .into_bytes(),
        format!(
            "POST /v1/jobs HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
        )
        .into_bytes(),
    ];
    // A fixed linear congruence (Knuth's constants): the same bytes in every run.
    let mut state = 1_u64;
    for length in 0..64 {
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        garbage.push((0..length * 7).map(|_n| next()).collect());
    }
    for bytes in garbage {
        let answer = agent.exchange(&bytes, true);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    assert!(agent.hello().contains("madoguchi-agent"));
    assert!(agent.run.stop().status.success());
}

#[test]
fn a_native_client_needs_no_token_and_a_browser_none_of_it() {
    let agent = Agent::start(SILENT_HOST);
    let ask = |headers: &str| {
        let mut stream = agent.run.connect();
        let request = format!("GET /v1/devices HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    // Known, but this user has no grant: refused or shown nothing, never asked for a token.
    assert!(!ask("Host: localhost\r\n").contains("DOR-TOKEN"));
    assert!(ask("Host: evil.test\r\n").contains("DOR-HOST"));
    assert!(ask("Host: localhost\r\nOrigin: https://a.test\r\n").contains("DOR-ORIGIN"));
    assert!(ask("Host: localhost\r\nSec-Fetch-Mode: cors\r\n").contains("DOR-CONTEXT"));
    agent.run.stop();
}

#[test]
fn a_native_user_that_is_not_named_is_closed_unheard() {
    let own = rustix::process::geteuid().as_raw();
    let agent = Agent::start_with(|folder| {
        let named = format!("allowed_uids = [{own}]");
        let other = format!("allowed_uids = [{}]", own + 1);
        config(folder, SILENT_HOST).replace(&named, &other)
    });
    let path = agent.folder.path().join("agent.sock");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o660);
    let mut stream = agent.run.connect();
    // The agent may close before it is spoken to.
    let _sent = stream.write_all(b"GET /v1/hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    assert!(answer.is_empty());
    let log = agent.run.stop().log;
    assert!(log.contains("not allowed was refused"), "{log}");
}

#[test]
fn a_second_agent_on_the_same_state_is_refused() {
    let agent = Agent::start(SILENT_HOST);
    let second = Command::new(AGENTD)
        .arg("--config")
        .arg(agent.folder.path().join("agent.toml"))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another agent uses"));
    assert!(agent.hello().contains("madoguchi-agent"));
    agent.run.stop();
}

/// A misspelt profile was called good, and the printer was missing without a word once the agent ran.
#[test]
fn a_device_that_its_host_cannot_use_as_configured_is_found_before_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let host = folder.path().join("host");
    let script = "#!/bin/sh\n[ \"$4\" = --check-settings ] && grep -q '\"profile\":\"known\"' && exit 0\n\
                  echo 'ticket printer front: no such profile' >&2; exit 5\n";
    std::fs::write(&host, script).unwrap();
    std::fs::set_permissions(&host, Permissions::from_mode(0o755)).unwrap();
    let file = folder.path().join("agent.toml");
    let said = |profile: &str, verb: &str| {
        let printer = format!(
            "[[ticket_printer]]\nname = \"front\"\nprofile = \"{profile}\"\nconnection = {{ tcp = \"127.0.0.1:9\" }}\n"
        );
        let text = running::config(folder.path(), host.to_str().unwrap(), &[]) + &printer;
        std::fs::write(&file, text).unwrap();
        let output = Command::new(AGENTD)
            .args([verb, "--config"])
            .arg(&file)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    assert_eq!(said("known", "check-config").0, Some(0));
    let (code, text) = said("misspelt", "check-config");
    assert_eq!(code, Some(2));
    assert_eq!(text, "agentd: ticket printer front: no such profile\n");
    let (code, text) = said("misspelt", "doctor");
    assert_eq!(code, Some(3));
    assert!(
        text.contains("ticket printer front: no such profile"),
        "{text}"
    );
    assert!(!said("known", "doctor").1.contains("no such profile"));
}

#[test]
fn the_command_line_answers_with_its_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.toml");
    let bad = folder.path().join("bad.toml");
    std::fs::write(&good, config(folder.path(), SILENT_HOST)).unwrap();
    std::fs::write(&bad, "listen = \"0.0.0.0:21710\"\n").unwrap();
    let run = |args: &[&str]| Command::new(AGENTD).args(args).output().unwrap();
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
    assert_eq!(
        run(&["check-config", "--config", good]).status.code(),
        Some(0)
    );
    assert_eq!(
        run(&["--check-config", "--config", good]).status.code(),
        Some(0)
    );
    assert_eq!(
        run(&["check-config", "--config", bad]).status.code(),
        Some(2)
    );
    assert_eq!(run(&["doctor", "--config", good]).status.code(), Some(3));
    assert_eq!(
        run(&["browser-policy", "--origin", "https://a.test/"])
            .status
            .code(),
        Some(2)
    );
    for document in ["openapi", "asyncapi"] {
        let printed = run(&[document]);
        assert!(printed.status.success());
        let document: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
        assert!(document["info"]["title"].is_string());
    }
    let openapi: serde_json::Value = serde_json::from_slice(&run(&["openapi"]).stdout).unwrap();
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3.1"));
}
