//! Parts of a measurement that must be processes of their own: this program again, in another role.
//!
//! The PC/SC library finds its service by an environment variable that is read once for each process, and
//! an HTTP server that shares a process with its client is nobody's floor.
//! The protocol is lines: one question, one answer, each answer within a deadline.
//! Invariant: a helper that is dropped has ended.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use harness::{Patience, binary};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Longer than any answer takes.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// A helper process.
#[derive(Debug)]
pub(crate) struct Helper {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Helper {
    /// Starts this program in another role; `pcsc_socket` is the card service that it shall use.
    pub(crate) fn start(role: &str, pcsc_socket: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = Command::new(binary("bench")?);
        command
            .arg(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(socket) = pcsc_socket {
            command.env("PCSCLITE_CSOCK_NAME", socket);
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {role}"))?;
        let questions = child.stdin.take();
        let answers = child.stdout.take().context("a helper without answers")?;
        Ok(Self {
            child,
            questions,
            answers: BufReader::new(answers),
        })
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets time pass, in which it must neither say anything nor end.
    ///
    /// # Errors
    /// When it does.
    pub(crate) fn must_rest(&self, patience: Patience) -> anyhow::Result<()> {
        let span = Timespec::try_from(patience.left("a rest")?)?;
        let mut fds = [PollFd::new(self.answers.get_ref(), PollFlags::IN)];
        ensure!(poll(&mut fds, Some(&span))? == 0, "a helper has ended");
        Ok(())
    }

    /// Sends a line and waits for one.
    ///
    /// # Errors
    /// When the helper has ended or does not answer in time; it says why on standard error.
    pub(crate) fn ask(&mut self, question: &str) -> anyhow::Result<String> {
        let to = self.questions.as_mut().context("a helper that has ended")?;
        to.write_all(format!("{question}\n").as_bytes())?;
        let mut fds = [PollFd::new(self.answers.get_ref(), PollFlags::IN)];
        let ready = poll(&mut fds, Some(&Timespec::try_from(LONGEST_ANSWER)?))?;
        ensure!(
            ready == 1,
            "a helper did not answer within {LONGEST_ANSWER:?}"
        );
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        ensure!(answer.ends_with('\n'), "a helper has ended");
        Ok(answer.trim_end().to_owned())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It ends with its input; killing it makes sure, and may come too late.
        drop(self.questions.take());
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
