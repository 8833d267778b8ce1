//! One child process: started, watched through a pid descriptor, ended without leaving anything.
//!
//! Invariant: a [`Process`] that is dropped has been killed and reaped.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::Patience;

/// A running child process.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    pidfd: OwnedFd,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; its standard output and error go to the end of the file `log`.
    ///
    /// # Errors
    /// When the program cannot be started or the file not be written.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name}: {}", command.get_program().display()))?;
        let pid = Pid::from_child(&child);
        let pidfd =
            pidfd_open(pid, PidfdFlags::empty()).with_context(|| format!("cannot watch {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            pidfd,
            log: log.to_owned(),
        })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    ///
    /// # Errors
    /// When its log cannot be read.
    pub fn output(&self) -> anyhow::Result<String> {
        let bytes = std::fs::read(&self.log)
            .with_context(|| format!("cannot read {}", self.log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends a signal; a process that has ended already is no error.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        match pidfd_send_signal(&self.pidfd, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => Err(errno).with_context(|| format!("cannot signal {}", self.name)),
        }
    }

    /// Asks it to end and waits.
    ///
    /// # Errors
    /// When it has not ended in time.
    pub fn terminate(&mut self, patience: Patience) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait(patience)
    }

    /// Ends it at once and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be reaped.
    pub fn kill(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::KILL)?;
        self.child
            .wait()
            .with_context(|| format!("cannot reap {}", self.name))
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it has not ended in time.
    pub fn wait(&mut self, patience: Patience) -> anyhow::Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        while !self.has_ended()? {
            let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
            match poll(&mut fds, Some(&patience.timespec(&what)?)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno).context(what),
            }
        }
        self.child
            .wait()
            .with_context(|| format!("cannot reap {}", self.name))
    }

    /// Whether it has ended.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn has_ended(&mut self) -> anyhow::Result<bool> {
        let status = self.child.try_wait();
        Ok(status
            .with_context(|| format!("cannot ask for {}", self.name))?
            .is_some())
    }

    /// Fails, with the end of its log, when it has ended.
    ///
    /// # Errors
    /// When it has ended or cannot be asked.
    pub fn must_run(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let text = self.output()?;
        let start = text.len().saturating_sub(4000);
        let tail = text.get(start..).unwrap_or(&text);
        let signal = status.signal();
        bail!(
            "{} ended ({status}, signal {signal:?}); its log ends with:\n{tail}",
            self.name
        )
    }
}

impl AsFd for Process {
    /// Becomes readable when the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has been ended in order before, or a test is failing; then only the end counts.
        if self.has_ended().is_ok_and(|ended| !ended) {
            let _killed = self.kill();
        }
    }
}
