//! The machine in which the checks run: its modules, its devices, and what must not leak.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use device_api::{Clock, Deadline, SystemClock};
use link::identity::Found;
use link::watch::{Event, Watch};

/// Long enough for a device to come on an emulated processor.
const PATIENCE: Duration = Duration::from_secs(20);

/// What every check is given.
#[derive(Debug)]
pub struct Machine {
    /// The clock of everything here.
    pub clock: Arc<dyn Clock>,
    /// Sees devices come and go.
    pub watch: Watch,
    /// How many plug and unplug cycles a check of cycles does.
    pub cycles: u32,
}

impl Machine {
    /// The machine, with a watch begun.
    ///
    /// # Errors
    /// Where this is no such machine.
    pub fn begin(cycles: u32) -> anyhow::Result<Self> {
        if !Path::new("/run/vm/command").exists() {
            bail!("this runs in a virtual machine; start it with: cargo xtask vm");
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let watch = Watch::begin(Arc::clone(&clock))?;
        Ok(Self {
            clock,
            watch,
            cycles,
        })
    }

    /// A deadline that a working device never meets.
    #[must_use]
    pub fn patience(&self) -> Deadline {
        self.within(PATIENCE)
    }

    /// A deadline `span` from now.
    #[must_use]
    pub fn within(&self, span: Duration) -> Deadline {
        Deadline::at(self.clock.now().plus(span))
    }

    /// The next device to arrive that `wanted` says yes to, or the one that is there.
    ///
    /// # Errors
    /// Where none comes.
    pub fn arrival(&mut self, wanted: impl Fn(&Found) -> bool) -> anyhow::Result<Found> {
        if let Some(found) = self.watch.present().iter().find(|found| wanted(found)) {
            return Ok(found.clone());
        }
        let deadline = self.patience();
        loop {
            match self.watch.next(deadline).context("no such device came")? {
                Event::Arrived(found) if wanted(&found) => return Ok(found),
                Event::Arrived(_) | Event::Left(_) => {}
            }
        }
    }

    /// Opens something as soon as it can be opened: between two lives of a device, there is none.
    ///
    /// # Errors
    /// Where it cannot be opened whatever comes.
    pub fn opened<T, E: std::error::Error + Send + Sync + 'static>(
        &mut self,
        mut open: impl FnMut() -> Result<T, E>,
    ) -> anyhow::Result<T> {
        let deadline = self.patience();
        loop {
            let error = match open() {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            if self.watch.next(deadline).is_err() {
                return Err(error).context("nothing else came");
            }
        }
    }

    /// Takes in what happened while nobody looked, so that one check does not begin with the events of another.
    pub fn catch_up(&mut self) {
        while self.watch.next(self.within(Duration::ZERO)).is_ok() {}
    }

    /// Waits until nothing that `wanted` says yes to is there.
    ///
    /// # Errors
    /// Where it stays.
    pub fn departure(&mut self, wanted: impl Fn(&Found) -> bool) -> anyhow::Result<()> {
        let deadline = self.patience();
        while self.watch.present().iter().any(&wanted) {
            self.watch.next(deadline).context("the device stays")?;
        }
        Ok(())
    }
}

/// Loads modules of the kernel.
///
/// # Errors
/// Where one cannot be loaded.
pub fn load(modules: &[&str]) -> anyhow::Result<()> {
    run("modprobe", &[&["--all"], modules].concat())
}

/// Takes a module of the kernel out again, if it is there.
///
/// # Errors
/// Where it is in use.
pub fn unload(module: &str) -> anyhow::Result<()> {
    run("modprobe", &["--remove", "--quiet", module])
}

/// Waits until udev has done what the kernel's messages gave it to do.
///
/// # Errors
/// Where it does not end.
pub fn settle() -> anyhow::Result<()> {
    run("udevadm", &["settle", "--timeout=20"])
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} {}: {status}", arguments.join(" "));
    }
    Ok(())
}

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
}

/// What this process holds now.
///
/// A thread that has been waited for may stand in the kernel's list a moment longer, so the least of
/// several looks counts.
///
/// # Errors
/// Where the kernel does not tell.
pub fn held() -> anyhow::Result<Held> {
    const LOOKS: u32 = 100;
    let mut least = look()?;
    for _ in 0..LOOKS {
        std::thread::yield_now();
        let now = look()?;
        least.descriptors = least.descriptors.min(now.descriptors);
        least.threads = least.threads.min(now.threads);
    }
    Ok(least)
}

fn look() -> anyhow::Result<Held> {
    Ok(Held {
        descriptors: fs::read_dir("/proc/self/fd")?.count(),
        threads: fs::read_dir("/proc/self/task")?.count(),
    })
}
