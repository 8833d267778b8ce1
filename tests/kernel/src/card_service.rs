//! The real PC/SC service inside the machine, and our watcher that looks at it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use device_api::{Clock, Patience};
use smartcard::{
    Activity, Board, Reader, ReaderCondition, Refresher, Service, ServiceDoor, Sighting,
    Surroundings, watch,
};

use crate::machine::Machine;

/// The service and the watcher. The service ends with it; the watcher's thread stays, as it does in a host.
#[derive(Debug)]
pub struct CardService {
    process: Child,
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
        // Readers at serial lines, such as the virtual one of other tests, are none of ours.
        const NO_SERIAL_READERS: &str = "/run/no-serial-readers";
        fs::create_dir_all(NO_SERIAL_READERS)?;
        let process = Command::new("pcscd")
            .args(["--foreground", "--critical", "--config", NO_SERIAL_READERS])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start pcscd")?;
        let board = Arc::new(Board::new());
        let refresher = watch(
            Arc::clone(&board),
            ServiceDoor::usual(),
            Box::new(|_: &Sighting| {}),
        )?;
        let service = Self {
            process,
            board,
            refresher,
            clock: Arc::clone(&machine.clock),
        };
        service.wait(machine, "the service does not answer", |seen| {
            (seen.service == Service::Up).then_some(())
        })?;
        Ok(service)
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
        // It may have ended by itself; it is taken from the kernel's list in any case.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
