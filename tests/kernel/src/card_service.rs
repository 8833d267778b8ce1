//! The real PC/SC service inside the machine, and our watcher that looks at it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use device_api::{Clock, Deadline, Patience};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use smartcard::{
    Activity, Board, Reader, ReaderCondition, Refresher, Service, ServiceDoor, Sighting,
    Surroundings, watch,
};

use crate::machine::Machine;

/// The watcher, as a host has it: one, which outlives every service.
static WATCHER: Mutex<Option<(Arc<Board>, Refresher)>> = Mutex::new(None);

/// Longer than the service takes for anything, and its end until the watcher has seen it.
const STUCK: Duration = Duration::from_secs(90);
const SEEN: Duration = Duration::from_secs(5);
/// Longer than the kernel needs to end a process that was killed.
const LET_GO: Duration = Duration::from_secs(30);

/// The service and the watcher. The service ends with it.
#[derive(Debug)]
pub struct CardService {
    process: Mutex<Child>,
    board: Arc<Board>,
    refresher: Refresher,
    clock: Arc<dyn Clock>,
}

impl CardService {
    /// Starts both, and waits until the service answers.
    ///
    /// # Errors
    /// Where one of them does not start.
    pub fn start(machine: &Machine) -> Result<Self> {
        let (board, refresher) = watcher()?;
        let service = Self {
            process: Mutex::new(spawned()?),
            board,
            refresher,
            clock: Arc::clone(&machine.clock),
        };
        service.answers(machine)?;
        Ok(service)
    }

    /// Does `work`, and kills the service where that takes too long: no call of PC/SC has a timeout, and one
    /// that does not return ends with the service.
    pub fn watched<T>(&self, work: impl FnOnce() -> T) -> T {
        let (done, waiting) = mpsc::channel::<()>();
        std::thread::scope(|threads| {
            threads.spawn(move || {
                if waiting.recv_timeout(STUCK) == Err(RecvTimeoutError::Timeout) {
                    // Where it cannot be ended, what hangs says so by hanging.
                    drop(self.kill());
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    /// Whether the service has ended, or ends within a moment.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let soon = Deadline::at(self.clock.now().plus(SEEN));
        let gone = |seen: &Sighting| (seen.service != Service::Up).then_some(());
        self.board
            .wait_until(self.clock.as_ref(), soon, gone)
            .is_some()
    }

    /// Whether a reader whose name holds `mark` stays listed, though it is gone and the service is asked again.
    #[must_use]
    pub fn lists_a_ghost(&self, machine: &Machine, mark: &str) -> bool {
        let gone = |seen: &Sighting| {
            let mut readers = seen.readers.iter();
            readers
                .all(|reader| !reader.name.contains(mark))
                .then_some(())
        };
        let left = self
            .board
            .wait_until(self.clock.as_ref(), machine.patience(), gone);
        self.refresher.look_again();
        left.or_else(|| gone(&self.board.sighting())).is_none()
    }

    /// Starts it anew, and waits until it answers.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn start_anew(&self, machine: &Machine) -> Result<()> {
        self.kill()?;
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = spawned()?;
        self.answers(machine)
    }

    fn answers(&self, machine: &Machine) -> Result<()> {
        self.wait(machine, "the service does not answer", |seen| {
            (seen.service == Service::Up).then_some(())
        })
    }

    /// Kills the service, and waits until the watcher has seen it.
    ///
    /// # Errors
    /// Where the kernel does not let go of it, with what it waits for there.
    fn kill(&self) -> Result<()> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have ended by itself; it is taken from the kernel's list in any case.
        drop(process.kill());
        end_of(&mut process)?;
        drop(process);
        // The next one is not taken for this one; where nobody sees the end, its start fails.
        let _seen = self.has_ended();
        Ok(())
    }

    /// The name of the reader whose name holds `mark`, once it is there.
    ///
    /// # Errors
    /// Where none comes.
    pub fn arrival(&self, machine: &Machine, mark: &str) -> Result<String> {
        self.wait(machine, "no such reader came", |seen| {
            let mut readers = seen.readers.iter();
            let found = readers.find(|reader| reader.name.contains(mark))?;
            Some(found.name.clone())
        })
    }

    /// Waits until a reader is known to have keys.
    ///
    /// # Errors
    /// Where it is not.
    pub fn has_keys(&self, machine: &Machine, name: &str) -> Result<()> {
        self.wait(machine, "the reader shows no keys", |seen| {
            seen.reader(name)?.has_keys.then_some(())
        })
    }

    /// Waits until that reader is gone.
    ///
    /// # Errors
    /// Where it stays.
    pub fn departure(&self, machine: &Machine, name: &str) -> Result<()> {
        self.wait(machine, "the reader stays", |seen| {
            seen.reader(name).is_none().then_some(())
        })
    }

    /// Waits until a reader shows `condition`.
    ///
    /// # Errors
    /// Where it does not.
    pub fn shows(&self, machine: &Machine, name: &str, condition: ReaderCondition) -> Result<()> {
        self.wait(machine, "the reader shows something else", |seen| {
            (seen.reader(name)?.state == condition).then_some(())
        })
    }

    /// A reader, as its thread in a host has it.
    #[must_use]
    pub fn reader(&self, name: &str) -> Reader {
        let surroundings = Surroundings {
            board: Arc::clone(&self.board),
            refresher: self.refresher.clone(),
            activity: Arc::new(Activity::new(Arc::clone(&self.clock))),
            clock: Arc::clone(&self.clock),
        };
        Reader::new(name, surroundings)
    }

    /// As much patience as a working card never needs.
    #[must_use]
    pub fn patience(&self, machine: &Machine) -> Patience {
        Patience::new(Arc::clone(&self.clock), machine.patience())
    }

    fn wait<T>(
        &self,
        machine: &Machine,
        complaint: &'static str,
        probe: impl FnMut(&Sighting) -> Option<T>,
    ) -> Result<T> {
        self.board
            .wait_until(self.clock.as_ref(), machine.patience(), probe)
            .with_context(|| format!("{complaint}: {:?}", self.board.sighting()))
    }
}

impl Drop for CardService {
    fn drop(&mut self) {
        // The machine is switched off soon after.
        drop(self.kill());
    }
}

/// Waits for the end of a process that was killed.
fn end_of(process: &mut Child) -> Result<()> {
    let id = Pid::from_child(process);
    let handle = pidfd_open(id, PidfdFlags::empty()).context("the process of the service")?;
    let patience = Timespec::try_from(LET_GO)?;
    let ended = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&patience))?;
    if ended == 0 {
        let tasks = fs::read_dir(format!("/proc/{id}/task"))?;
        let stacks =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("stack")).ok());
        let stacks: Vec<String> = stacks.collect();
        bail!(
            "the kernel does not let go of the service:\n{}",
            stacks.join("--\n")
        );
    }
    process.wait()?;
    Ok(())
}

fn watcher() -> Result<(Arc<Board>, Refresher)> {
    let mut watcher = WATCHER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watcher) = watcher.as_ref() {
        return Ok(watcher.clone());
    }
    let board = Arc::new(Board::new());
    let refresher = watch(
        Arc::clone(&board),
        ServiceDoor::usual(),
        Box::new(|_: &Sighting| {}),
    )?;
    Ok(watcher.insert((board, refresher)).clone())
}

fn spawned() -> Result<Child> {
    // Readers at serial lines, such as the virtual one of other tests, are none of ours.
    const NO_SERIAL_READERS: &str = "/run/no-serial-readers";
    fs::create_dir_all(NO_SERIAL_READERS)?;
    Command::new("pcscd")
        .args(["--foreground", "--critical", "--config", NO_SERIAL_READERS])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot start pcscd")
}
