//! Mosquitto on this machine, without TLS and without a disk.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use harness::{Patience, Process};
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/mosquitto";

/// A running broker.
#[derive(Debug)]
pub(super) struct PlainBroker {
    // Before the folder, in which it works.
    process: Process,
    port: u16,
    folder: TempDir,
}

impl PlainBroker {
    /// Starts it, and returns when it listens.
    pub(super) fn start() -> anyhow::Result<Self> {
        ensure!(
            Path::new(PROGRAM).exists(),
            "{PROGRAM} is missing; apt-get install --no-install-recommends mosquitto"
        );
        let folder = tempfile::tempdir()?;
        // Somebody could take it before the broker does; then it does not come up, and says so.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        // The sizes are those of the configuration that ships.
        let settings = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 10000\n\
             max_inflight_messages 50\nset_tcp_nodelay true\nlog_dest stderr\nlog_type error\n\
             log_type warning\nuser root\n"
        );
        let file = folder.path().join("mosquitto.conf");
        fs::write(&file, settings)?;
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(&file);
        let process = Process::start("mosquitto", &mut command, &folder.path().join("log"))?;
        let mut broker = Self {
            process,
            port,
            folder,
        };
        broker.await_listening()?;
        Ok(broker)
    }

    /// Its port on loopback.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    fn await_listening(&mut self) -> anyhow::Result<()> {
        for _ in 0..100 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            rest(&mut self.process, Duration::from_millis(50))?;
        }
        let log = fs::read_to_string(self.folder.path().join("log"))?;
        Err(anyhow::anyhow!("it said: {log}")).context("the broker did not come up")
    }
}

/// Lets time pass while a process runs, which must not end.
pub(super) fn rest(process: &mut Process, span: Duration) -> anyhow::Result<()> {
    let ended = process.wait(Patience::of(span));
    ensure!(
        ended.is_err(),
        "a process has ended; it said:\n{}",
        process.output()?
    );
    Ok(())
}
