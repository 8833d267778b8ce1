//! One driver host's process: started, spoken to, heard, killed, reaped.
//!
//! A host is a child that may hang, crash or write nonsense; each of these becomes an input of the loop
//! and nothing worse.
//! Invariants: every process that was started is reaped and reported as exited exactly once; no process
//! outlives the agent (`kill_on_drop`, its own process group, and its input ending with ours); a host
//! that reads nothing costs bounded memory and is killed.
//! Standard error is the host's log: it is passed on, at the speed of [`Pace`].

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use agent_core::ids::HostRun;
use device_api::Clock;
use host_protocol::{AgentMessage, HostMessage, MAX_LINE, SecretBytes, decode, encode};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use zeroize::{Zeroize as _, Zeroizing};

use crate::allowing::{Allowed, Vendor};
use crate::config::HostCommand;
use crate::input::{Desk, Input};
use crate::pace::Pace;
use crate::platform;
use crate::translate::host::Told;

/// Messages that may wait for a host; it works on a few jobs at most.
const UNREAD: usize = 64;
/// Bytes of an attachment in one line; base64 makes a third more of them.
const PART: usize = 128 * 1024;
/// Longest log line that is passed on whole.
const LOG_LINE: usize = 2048;
/// Has large memory go back to the system when it is freed: the C library's own threshold, which once it is set does
/// not grow with what was freed (`mallopt(3)`). Pages and screens pass through a host; otherwise room for the largest
/// of them stays, with what was in it.
const FREED_AT_ONCE: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072");
/// How long a dead host's last words may take; a grandchild can hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A running host.
#[derive(Debug)]
pub struct Driver {
    orders: Option<mpsc::Sender<Told>>,
    kill: Option<oneshot::Sender<()>>,
}

impl Driver {
    /// Starts a host. What it says, and that it has ended, is told to `desk`.
    /// The files of a vendor's host are verified first, away from the loop; one that is not allowed is told
    /// as ended.
    ///
    /// # Errors
    /// It cannot be started; nothing is told then.
    pub fn start(
        command: &HostCommand,
        run: HostRun,
        desk: &Desk,
        clock: &Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let (orders, to_send) = mpsc::channel(UNREAD);
        let (kill, killed) = oneshot::channel();
        let attendant = Attendant {
            run,
            desk: desk.clone(),
            clock: Arc::clone(clock),
        };
        if let Some(vendor) = &command.vendor {
            let vendor = Arc::clone(vendor);
            tokio::spawn(async move {
                match start_allowed(vendor).await {
                    Some(child) => attendant.attend(child, to_send, killed).await,
                    None => attendant.desk.tell(Input::HostExited { run }).await,
                }
            });
        } else {
            let mut process = Command::new(&command.program);
            process.args(&command.args).envs([FREED_AT_ONCE]);
            let child = spawn(process)?;
            tokio::spawn(attendant.attend(child, to_send, killed));
        }
        Ok(Self {
            orders: Some(orders),
            kill: Some(kill),
        })
    }

    /// Sends a message; `false` where the host reads nothing any more.
    #[must_use]
    pub fn send(&self, told: Told) -> bool {
        let orders = self.orders.as_ref();
        orders.is_some_and(|orders| orders.try_send(told).is_ok())
    }

    /// Ends the host's input, which asks it to release its devices and to end.
    pub fn end_input(&mut self) {
        self.orders = None;
    }

    /// Kills the process. Its end is told as any other.
    pub fn kill(&mut self) {
        if let Some(kill) = self.kill.take() {
            // The process may have ended by itself just now.
            let _already_gone = kill.send(());
        }
    }
}

fn spawn(mut process: Command) -> io::Result<Child> {
    process
        .kill_on_drop(true)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    platform::own_process_group(&mut process);
    process.spawn()
}

/// Starts a vendor's host from the copies of its verified files; `None` where it is not allowed or cannot.
async fn start_allowed(vendor: Arc<Vendor>) -> Option<Child> {
    let name = vendor.name.clone();
    let verified = tokio::task::spawn_blocking(move || vendor.verify()).await;
    let allowed = match verified {
        Ok(Ok(allowed)) => allowed,
        Ok(Err(refused)) => {
            let fault = refused.fault().as_str();
            let error = format!("{:#}", anyhow::Error::new(refused));
            tracing::error!(error, fault, driver = name, "a driver host is not allowed");
            return None;
        }
        Err(error) => {
            tracing::error!(%error, driver = name, "a driver host was not verified");
            return None;
        }
    };
    let Allowed {
        program,
        args,
        folder,
    } = allowed;
    let mut process = Command::new(program);
    process.args(args).current_dir(folder);
    // The environment can name libraries and modules to load before those that were verified. Windows
    // programs find their system by it.
    if std::env::consts::FAMILY == "unix" {
        process.env_clear();
    }
    let started = spawn(process);
    if let Err(error) = &started {
        tracing::error!(%error, driver = name, "a driver host cannot be started");
    }
    started.ok()
}

/// Whoever looks after one process.
struct Attendant {
    run: HostRun,
    desk: Desk,
    clock: Arc<dyn Clock>,
}

impl Attendant {
    /// Passes on what the process says until it has ended, and tells that it has.
    async fn attend(
        self,
        mut child: Child,
        to_send: mpsc::Receiver<Told>,
        killed: oneshot::Receiver<()>,
    ) -> bool {
        let Self { run, desk, clock } = self;
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(write_orders(stdin, to_send));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(pass_log_on(stderr, Arc::clone(&clock)));
        }
        let listener = child
            .stdout
            .take()
            .map(|out| tokio::spawn(listen(out, run, desk.clone(), clock)));
        reap(child, killed, run).await;
        if let Some(listener) = listener {
            let heard = tokio::time::timeout(LAST_WORDS, listener).await;
            tracing::trace!(
                run = run.run,
                complete = heard.is_ok(),
                "last words of a host"
            );
        }
        desk.tell(Input::HostExited { run }).await
    }
}

async fn reap(mut child: Child, killed: oneshot::Receiver<()>, run: HostRun) {
    let asked_to_die = tokio::select! {
        status = child.wait() => {
            tracing::info!(host = run.host.0, run = run.run, ?status, "a driver host ended");
            false
        }
        // Dropping the driver asks for the same.
        _killed_or_dropped = killed => true,
    };
    if asked_to_die {
        if let Err(error) = child.kill().await {
            tracing::warn!(%error, host = run.host.0, "a driver host could not be killed");
        }
        tracing::info!(host = run.host.0, run = run.run, "a driver host was killed");
    }
}

/// Ends when the driver is dropped, which closes the host's input and so asks it to end.
async fn write_orders(mut stdin: ChildStdin, mut orders: mpsc::Receiver<Told>) {
    while let Some(Told {
        message,
        attachments,
    }) = orders.recv().await
    {
        // Only what starts a job has attachments.
        let id = if let AgentMessage::Start { id, .. } = &message {
            *id
        } else {
            0
        };
        if !write_line(&mut stdin, &message).await {
            return;
        }
        for (number, content) in (1..).zip(&attachments) {
            if !write_attachment(&mut stdin, (id, number), &content.bytes).await {
                return;
            }
        }
    }
}

/// Writes an attachment in parts that fit a line each; an empty one is one empty part.
async fn write_attachment(
    stdin: &mut ChildStdin,
    (id, attachment): (u64, u32),
    bytes: &[u8],
) -> bool {
    let parts = bytes.len().div_ceil(PART).max(1);
    for number in 0..parts {
        let from = number.saturating_mul(PART);
        let to = from.saturating_add(PART).min(bytes.len());
        let message = AgentMessage::Part {
            id,
            attachment,
            data: SecretBytes::new(bytes.get(from..to).unwrap_or_default().to_vec()),
            last: number + 1 == parts,
        };
        if !write_line(stdin, &message).await {
            return false;
        }
    }
    true
}

/// Writes a message; `false` where the host reads nothing any more.
async fn write_line(stdin: &mut ChildStdin, message: &AgentMessage) -> bool {
    match encode(message) {
        Ok(line) => stdin.write_all(&line).await.is_ok() && stdin.flush().await.is_ok(),
        Err(error) => {
            tracing::error!(%error, "a message for a driver host cannot be written");
            true
        }
    }
}

async fn listen(stdout: ChildStdout, run: HostRun, desk: Desk, clock: Arc<dyn Clock>) {
    let mut reader = BufReader::new(stdout);
    let pace = Pace::default();
    while let Ok(Some(line)) = next_line(&mut reader, MAX_LINE).await {
        let input = match line.whole().map(decode::<HostMessage>) {
            Some(Ok(message)) => Input::HostSaid {
                run,
                message: Box::new(message),
            },
            Some(Err(error)) => {
                if let Some(dropped) = pace.admit(clock.now()) {
                    tracing::debug!(%error, host = run.host.0, dropped, "a driver host wrote no message");
                }
                Input::HostGarbled { run }
            }
            None => Input::HostGarbled { run },
        };
        if !desk.tell(input).await {
            return;
        }
    }
}

/// A line, or the beginning of one that was too long.
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    cut: bool,
}

impl Line {
    fn whole(&self) -> Option<&[u8]> {
        (!self.cut).then_some(self.bytes.as_slice())
    }
}

/// Reads up to the next newline, keeping at most `longest` bytes and erasing what it copied from.
async fn next_line(
    reader: &mut (impl AsyncBufRead + Unpin),
    longest: usize,
) -> io::Result<Option<Line>> {
    let mut line = Line {
        bytes: Zeroizing::new(Vec::new()),
        cut: false,
    };
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            let nothing = line.bytes.is_empty() && !line.cut;
            return Ok((!nothing).then_some(line));
        }
        let newline = available.iter().position(|byte| *byte == b'\n');
        let part = available
            .get(..newline.unwrap_or(available.len()))
            .unwrap_or_default();
        let room = longest.saturating_sub(line.bytes.len());
        line.cut |= part.len() > room;
        append(
            &mut line.bytes,
            part.get(..room.min(part.len())).unwrap_or_default(),
        );
        let used = newline.map_or(available.len(), |at| at + 1);
        reader.consume(used);
        if newline.is_some() {
            return Ok(Some(line));
        }
    }
}

/// Appends without leaving an unerased copy behind where the buffer grows.
fn append(bytes: &mut Zeroizing<Vec<u8>>, part: &[u8]) {
    if bytes.capacity() - bytes.len() < part.len() {
        let mut larger = Vec::with_capacity((bytes.len() + part.len()).next_power_of_two());
        larger.extend_from_slice(bytes);
        bytes.zeroize();
        **bytes = larger;
    }
    bytes.extend_from_slice(part);
}

async fn pass_log_on(stderr: ChildStderr, clock: Arc<dyn Clock>) {
    let mut reader = BufReader::new(stderr);
    let pace = Pace::default();
    while let Ok(Some(line)) = next_line(&mut reader, LOG_LINE).await {
        match pace.admit(clock.now()) {
            Some(dropped) => {
                let text = String::from_utf8_lossy(&line.bytes);
                tracing::info!(target: "driver_host", dropped, "{}", text.trim_end());
            }
            None => continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::next_line;

    fn lines(input: &[u8], longest: usize) -> Vec<Option<Vec<u8>>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut reader = BufReader::with_capacity(3, input);
            let mut lines = Vec::new();
            while let Some(line) = next_line(&mut reader, longest).await.unwrap() {
                lines.push(line.whole().map(<[u8]>::to_vec));
            }
            lines
        })
    }

    #[test]
    fn a_line_that_is_too_long_costs_itself_only() {
        let found = lines(b"abcd\nabcdefghij\n\nlast", 5);
        assert_eq!(
            found,
            [
                Some(b"abcd".to_vec()),
                None,
                Some(Vec::new()),
                Some(b"last".to_vec())
            ]
        );
    }
}
