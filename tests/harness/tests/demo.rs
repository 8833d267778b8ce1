//! The demo as a person uses it: beside a card service that runs already, ended by Ctrl-C.
//!
//! A private service plays the machine's own: in its mount namespace it is the one at the usual path, and the
//! demo starts in that same namespace.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::Context as _;
use harness::{Patience, PrivatePcscd, ProcessFigures, binary, process_tree, process_tree_with};
use rustix::process::{Pid, Signal, kill_process_group};

/// Starting makes keys where there are none yet; ending takes less than a second.
const START_OR_END: Duration = Duration::from_secs(60);

/// Undoes what hides the machine's drivers from the private service, then becomes the demo.
const SCRIPT: &str = "umount /usr/lib/pcsc/drivers && exec \"$1\" --json";

/// The demo in a process group of its own, as a shell starts it.
struct Demo {
    child: Child,
    group: Pid,
    lines: Receiver<String>,
}

impl Demo {
    /// Starts it in the namespace of process `machine`, and waits until it is ready.
    fn start(machine: u32, temporary: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("nsenter");
        command.args(["--target", &machine.to_string(), "--mount"]);
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command
            .args(["sh", "-ec", SCRIPT, "sh"])
            .arg(binary("madoguchi-counter")?);
        command.env("TMPDIR", temporary).process_group(0);
        // An open input, so that only the signal can end it.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the demo")?;
        let output = child.stdout.take().context("no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = String::new();
            if output.read_line(&mut line).is_ok() && sender.send(line).is_ok() {
                let _rest = output.read_to_end(&mut Vec::new());
            }
        });
        let group = Pid::from_child(&child);
        let demo = Self {
            child,
            group,
            lines,
        };
        let ready = demo.lines.recv_timeout(START_OR_END)?;
        anyhow::ensure!(ready.contains("counterPage"), "not ready: {ready}");
        Ok(demo)
    }

    /// Its processes, once every part has one: the agent is ready before its driver hosts run.
    fn processes(&self) -> anyhow::Result<Vec<ProcessFigures>> {
        let parts = ["agentd", "driver-host", "counter-sim", "pcscd"];
        process_tree_with(&parts, self.child.id(), &Patience::of(START_OR_END))
    }

    /// Presses Ctrl-C: the terminal signals the whole group. Returns whether the demo ended well.
    fn interrupt(mut self) -> anyhow::Result<bool> {
        kill_process_group(self.group, Signal::INT)?;
        // The sender goes with the end of the demo's output.
        let ended = self.lines.recv_timeout(START_OR_END);
        let gone = Err(std::sync::mpsc::RecvTimeoutError::Disconnected);
        anyhow::ensure!(ended == gone, "still there: {ended:?}");
        Ok(self.child.wait()?.success())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Where the test fails before Ctrl-C; otherwise there is nobody left to signal.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _killed = kill_process_group(self.group, Signal::KILL);
            let _reaped = self.child.wait();
        }
    }
}

#[test]
fn ctrl_c_leaves_nothing_behind_and_a_card_service_that_ran_already_never_notices()
-> anyhow::Result<()> {
    let machine = PrivatePcscd::start(1)?;
    let id = machine.id().context("no service")?;
    let client = UnixStream::connect(machine.socket())?;
    let inode = std::fs::metadata(machine.socket())?.ino();
    let temporary = tempfile::tempdir()?;

    let demo = Demo::start(id, temporary.path())?;
    let processes = demo.processes()?;
    assert!(demo.interrupt()?, "the demo failed to end in order");
    let left: Vec<_> = processes.iter().filter(|one| one.still_runs()).collect();
    assert!(left.is_empty(), "{left:?}");
    let files: Vec<_> = std::fs::read_dir(temporary.path())?.collect();
    assert!(files.is_empty(), "{files:?}");

    assert!(process_tree(id)?.iter().any(|one| one.name == "pcscd"));
    assert_eq!(std::fs::metadata(machine.socket())?.ino(), inode);
    client.set_nonblocking(true)?;
    let nothing = (&client).read(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(std::io::ErrorKind::WouldBlock));
    UnixStream::connect(machine.socket())?;
    Ok(())
}
