//! What is said to the agent: one thread writes, everybody else queues whole lines.

use std::{
    fmt, io,
    io::Write,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};

use device_api::FaultCode;
use host_protocol::{EncodeError, HostFault, HostMessage, Outcome, encode};
use zeroize::Zeroizing;

/// Lines that may wait for an agent that is busy; after that, whoever speaks waits too.
const QUEUE: usize = 64;

type Text = Zeroizing<Vec<u8>>;

/// What the writer's thread is given.
enum Entry {
    Line(Text),
    /// Everything before it is written.
    Mark(SyncSender<()>),
}

/// Says things to the agent.
#[derive(Clone)]
pub(crate) struct Speaker {
    lines: SyncSender<Entry>,
}

impl Speaker {
    /// Starts the writer's thread; `on_failure` runs there when the agent can no longer be reached.
    pub(crate) fn start(
        out: impl Write + Send + 'static,
        on_failure: impl FnOnce(io::Error) + Send + 'static,
    ) -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("to-agent".to_owned())
            .spawn(move || {
                if let Err(error) = write_all(out, &queue) {
                    on_failure(error);
                }
            })?;
        Ok(Self { lines })
    }

    /// Says `message`.
    pub(crate) fn say(&self, message: &HostMessage) {
        match encode(message) {
            Ok(line) => self.queue(line),
            Err(error) => self.say_instead(message, &error),
        }
    }

    /// Says `message` where it need not wait; whether it is said.
    pub(crate) fn offer(&self, message: &HostMessage) -> bool {
        match encode(message) {
            Ok(line) => !matches!(
                self.lines.try_send(Entry::Line(line)),
                Err(TrySendError::Full(_))
            ),
            Err(error) => {
                self.say_instead(message, &error);
                true
            }
        }
    }

    /// Waits until everything that was said so far is written, but no longer than `within`: the process
    /// must not end before the last words of its jobs have left it.
    pub(crate) fn written(&self, within: Duration) {
        let (done, told) = sync_channel(1);
        // Where the queue is full, nobody reads.
        if self.lines.try_send(Entry::Mark(done)).is_ok() && told.recv_timeout(within).is_err() {
            tracing::debug!("the agent did not take the last words");
        }
    }

    /// A product that fits no line must still end its job.
    fn say_instead(&self, message: &HostMessage, why: &EncodeError) {
        tracing::error!(error = %why, "message could not be sent");
        if let HostMessage::Finished { id, .. } = message {
            let fault = HostFault {
                code: FaultCode::HostUnusable.as_str().to_owned(),
                detail: "what came out does not fit a message".to_owned(),
                about: None,
                tries_left: None,
            };
            let outcome = Outcome::Failed { fault };
            if let Ok(line) = encode(&HostMessage::Finished { id: *id, outcome }) {
                self.queue(line);
            }
        }
    }

    fn queue(&self, line: Text) {
        if self.lines.send(Entry::Line(line)).is_err() {
            tracing::debug!("nobody writes to the agent any more");
        }
    }
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Speaker")
    }
}

fn write_all(mut out: impl Write, queue: &Receiver<Entry>) -> io::Result<()> {
    for entry in queue {
        match entry {
            Entry::Line(line) => {
                out.write_all(&line)?;
                out.flush()?;
            }
            Entry::Mark(done) => {
                // Whoever asked may have stopped waiting.
                let _nobody_waits = done.try_send(());
            }
        }
    }
    Ok(())
}
