//! Starts a whole counter and keeps it until it is told to end.
//!
//! With `--json` it prints one line with the addresses when everything is ready, and ends when its
//! standard input closes; without, it prints the addresses for a person.
//! Either way SIGINT and SIGTERM end it, and it leaves nothing behind.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program prints"
)]

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use harness::{Counter, Options, Signals, binary};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde_json::json;

const USAGE: &str = "madoguchi-counter [--json]\n";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = match arguments.as_slice() {
        [] => false,
        [flag] if flag == "--json" => true,
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(json: bool) -> anyhow::Result<()> {
    // Before anything starts, so that an early Ctrl-C ends this in order too.
    let signals = Signals::watch()?;
    let options = Options {
        usual_ports: !json,
        log: "info".to_owned(),
        devices: true,
        overseen: true,
        ..Options::default()
    };
    let counter = Counter::start(&options)?;
    let api = counter.agent.addresses().api;
    let pin = counter.agent.addresses().pin;
    if json {
        let line = json!({
            "agent": format!("http://{api}"),
            "pinPage": format!("http://{pin}/"),
            "counterPage": format!("{}/", counter.origin()),
            "bench": counter.bench(),
            "control": counter.control_address(),
            "stateDir": counter.agent.state_dir(),
            "devices": counter.simulated_devices(),
        });
        println!("{line}");
    } else {
        println!("counter page (clerk)    {}/", counter.origin());
        println!("PIN page (citizen)      http://{pin}/");
        println!("bench (devices, faults) {}", counter.bench());
        println!("agent                   http://{api}");
        println!("logs and audit log      {}", counter.folder().display());
        if let Some(oversight) = &counter.oversight {
            let (monitor, file) = (binary("monitor")?, oversight.config_file());
            let monitor = format!("{} --config {}", monitor.display(), file.display());
            println!("what the monitor knows  {monitor} show");
            println!("as it comes             {monitor} follow");
        }
        println!("Ctrl-C ends everything.");
    }
    wait_for_end(&signals, json)?;
    counter.stop()
}

/// Waits for a signal or, where `stdin` counts, for its end.
fn wait_for_end(signals: &Signals, stdin: bool) -> anyhow::Result<()> {
    let input = std::io::stdin();
    loop {
        let mut fds = vec![PollFd::new(signals, PollFlags::IN)];
        if stdin {
            fds.push(PollFd::new(&input, PollFlags::IN));
        }
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno).context("cannot wait"),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready.first() == Some(&true) {
            return Ok(());
        }
        // What is written here means nothing; only the end counts.
        if ready.get(1) == Some(&true) && input.lock().read(&mut [0; 256])? == 0 {
            return Ok(());
        }
    }
}
