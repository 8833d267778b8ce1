//! Effects against a loop and a machine that only listen.

use std::sync::Mutex;
use std::thread;

use commands::{Outcome, Verb, carry_out};
use tokio::sync::mpsc;

use super::*;
use crate::reporting::control::ThisMachine;

/// A machine that only notes what it was told.
#[derive(Debug, Default)]
struct Noted(Mutex<Vec<&'static str>>);

impl MachineControl for Noted {
    fn reboot(&self) -> Result<(), Failure> {
        self.0.lock().unwrap().push("reboot");
        Ok(())
    }

    fn wipe(&self) -> Result<(), Failure> {
        self.0.lock().unwrap().push("wipe");
        Err(Failure::Storage)
    }
}

struct Bench {
    tools: Tools,
    inputs: mpsc::Receiver<Input>,
    statements: mpsc::Receiver<Statement>,
    noted: Arc<Noted>,
    folder: tempfile::TempDir,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let (desk, inputs) = Desk::open();
    let noted = Arc::new(Noted::default());
    let (to_report, statements) = mpsc::channel(1);
    let toolbox = Toolbox {
        desk,
        dir: Arc::new(StateDir::open(folder.path()).unwrap()),
        control: Arc::<Noted>::clone(&noted) as Arc<dyn MachineControl>,
        device: DeviceName {
            tenant: "hoshino-shi".parse().unwrap(),
            device: "c-03".parse().unwrap(),
        },
        statements: to_report,
    };
    Bench {
        tools: toolbox.tools(None),
        inputs,
        statements,
        noted,
        folder,
    }
}

fn host(name: &str) -> Verb {
    Verb::RestartDriver {
        host: name.parse().unwrap(),
    }
}

#[test]
fn a_driver_is_restarted_by_the_loop_and_its_answer_is_the_outcome() {
    let mut bench = bench();
    let loop_thread = thread::spawn(move || {
        for answer in [Ok(()), Err(Failure::Busy)] {
            let Some(Input::RestartHost { host, done }) = bench.inputs.blocking_recv() else {
                panic!("another input");
            };
            assert_eq!(host, "cards");
            done.send(answer).unwrap();
        }
    });
    let outcome = |tools: &mut Tools| carry_out(tools, &host("cards"));
    assert_eq!(outcome(&mut bench.tools), Outcome::Done);
    assert_eq!(outcome(&mut bench.tools), Outcome::Failed(Failure::Busy));
    loop_thread.join().unwrap();
}

#[test]
fn a_lock_is_on_the_disk_before_the_loop_is_told() {
    let mut bench = bench();
    let dir = Arc::clone(&bench.tools.toolbox.dir);
    let loop_thread = thread::spawn(move || {
        for wanted in [true, false] {
            let Some(Input::Lock { locked, done }) = bench.inputs.blocking_recv() else {
                panic!("another input");
            };
            assert_eq!((locked, stored::read_lock(&dir).unwrap()), (wanted, wanted));
            done.send(Ok(())).unwrap();
        }
    });
    for verb in [Verb::LockKiosk, Verb::UnlockKiosk] {
        assert_eq!(carry_out(&mut bench.tools, &verb), Outcome::Done);
    }
    loop_thread.join().unwrap();
}

#[test]
fn what_cannot_be_taken_back_reaches_the_machine_only_through_its_control() {
    let mut bench = bench();
    let outcomes = [Verb::Reboot, Verb::Wipe].map(|verb| carry_out(&mut bench.tools, &verb));
    assert_eq!(outcomes, [Outcome::Done, Outcome::Failed(Failure::Storage)]);
    assert_eq!(*bench.noted.0.lock().unwrap(), ["reboot", "wipe"]);
}

#[test]
fn a_calibration_is_forgotten_by_the_loop_and_its_answer_is_the_outcome() {
    let mut bench = bench();
    let loop_thread = thread::spawn(move || {
        let Some(Input::Recalibrate { device, done }) = bench.inputs.blocking_recv() else {
            panic!("another input");
        };
        assert_eq!(device, "ticketPrinter:1");
        done.send(Err(Failure::Unsupported)).unwrap();
    });
    let device = "ticketPrinter:1".parse().unwrap();
    assert_eq!(
        carry_out(&mut bench.tools, &Verb::Recalibrate { device }),
        Outcome::Failed(Failure::Unsupported)
    );
    loop_thread.join().unwrap();
}

#[test]
fn a_new_key_is_on_the_disk_and_stated_before_the_order_is_done_and_one_waits_at_a_time() {
    let mut bench = bench();
    let next = bench.folder.path().join("telemetry-key-next.pk8");
    let waits = next.clone();
    let reports = thread::spawn(move || {
        for kept in [false, true] {
            let statement = bench.statements.blocking_recv().unwrap();
            assert!(matches!(statement.message, Message::Key(_)) && waits.exists());
            statement.kept.send(kept).unwrap();
        }
    });
    let mut rotate = || carry_out(&mut bench.tools, &Verb::RotateKeys);
    assert_eq!(rotate(), Outcome::Failed(Failure::Storage));
    assert!(!next.exists(), "a key that was not stated is kept");
    assert_eq!(rotate(), Outcome::Done);
    assert_eq!(rotate(), Outcome::Failed(Failure::Busy));
    reports.join().unwrap();
}

#[test]
fn a_wipe_leaves_the_journal_of_commands_and_nothing_else() {
    let bench = bench();
    let (state, key) = (
        bench.folder.path(),
        bench.folder.path().join("broker-key.pem"),
    );
    for folder in ["telemetry", "audit", "commands", "logs"] {
        std::fs::create_dir_all(state.join(folder)).unwrap();
        std::fs::write(state.join(folder).join("file"), "kept").unwrap();
    }
    for file in [
        "telemetry-key.pk8",
        "telemetry-key-next.pk8",
        "telemetry-key-agreed.pk8",
        "agent-key.pk8",
        "broker-key.pem",
        "pairings.json",
        "calibrations.json",
    ] {
        std::fs::write(state.join(file), "secret").unwrap();
    }
    let machine = ThisMachine {
        state_dir: state.to_owned(),
        keys: vec![key],
    };
    machine.wipe().unwrap();
    let left = std::fs::read_dir(state).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["commands", "lock"]);
    machine.wipe().unwrap();
}
