//! The device: a scanner that sends each code as a line over TCP.
//!
//! This is what you replace. It runs on a thread of its own, may wait for its device as long as it likes,
//! and tells what happens as events.
//! Invariant: a line is kept up to [`LONGEST_CODE`]; what is longer costs no more memory.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use crate::{Event, log};

/// No code holds more (QR, version 40, has 2953 bytes); the rest leaves room for joined ones.
const LONGEST_CODE: u64 = 64 * 1024;
/// How long to wait before looking again for a scanner that is not there.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Watches the scanner at `address` until the host ends.
pub(crate) fn watch(address: &str, events: &Sender<Event>) {
    let Ok(address) = address.parse::<SocketAddr>() else {
        log("`address` is no address such as 127.0.0.1:4001; no device is offered");
        return;
    };
    // Nobody ever sends on it: it is there to be waited on.
    let (_never, pause) = channel::<()>();
    loop {
        if let Ok(stream) = TcpStream::connect_timeout(&address, CONNECT_WITHIN) {
            let heard = serve(stream, events);
            if events.send(Event::Scanner { there: false }).is_err() || heard.is_none() {
                return;
            }
        }
        let _time_is_over = pause.recv_timeout(LOOK_AGAIN);
    }
}

/// Tells of codes until the connection ends; `None` where the host has ended.
fn serve(stream: TcpStream, events: &Sender<Event>) -> Option<()> {
    events.send(Event::Scanner { there: true }).ok()?;
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        let mut next = stream.by_ref().take(LONGEST_CODE);
        if !matches!(next.read_until(b'\n', &mut line), Ok(1..)) {
            return Some(());
        }
        if line.pop() != Some(b'\n') {
            log("a code is too long or was cut off; the scanner is looked for anew");
            return Some(());
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if !line.is_empty() {
            events.send(Event::Scanned(line)).ok()?;
        }
    }
}
