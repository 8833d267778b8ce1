//! The second connection of the SANE network protocol, over which a page's samples come.
//!
//! SANE standard 1.06, clause 5.3: records with their length before them, and at the end a length of
//! FFFFFFFF with a status byte.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::fault::Kind;

/// Data are sent in records of this size.
const RECORD: usize = 32 * 1024;
/// A client that takes no data for this long has left.
const DATA_TIMEOUT: Duration = Duration::from_secs(30);
/// The status word for "no more data".
const EOF: u8 = 5;

/// A page on its way over its own connection.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Data {
    /// Offers `pixels` at a port of its own, in records, with what faults do to them.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    pub(crate) fn serve(host: IpAddr, mut pixels: Vec<u8>, kinds: &[Kind]) -> io::Result<Self> {
        let listener = TcpListener::bind((host, 0))?;
        let address = listener.local_addr()?;
        let mut whole = true;
        for kind in kinds {
            match kind {
                Kind::Truncate(missing) => pixels.truncate(pixels.len().saturating_sub(*missing)),
                Kind::CutAfter(length) => {
                    pixels.truncate(*length);
                    whole = false;
                }
                _ => {}
            }
        }
        let thread = std::thread::Builder::new()
            .name("sim scan".to_owned())
            .spawn(move || {
                let sent = listener
                    .accept()
                    .and_then(|(stream, _)| send(stream, &pixels, whole));
                if let Err(error) = sent {
                    tracing::debug!(%error, "a page did not reach the client");
                }
            })?;
        Ok(Self {
            address,
            thread: Some(thread),
        })
    }
}

fn send(mut stream: TcpStream, pixels: &[u8], whole: bool) -> io::Result<()> {
    stream.set_write_timeout(Some(DATA_TIMEOUT))?;
    for record in pixels.chunks(RECORD) {
        let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(record)?;
    }
    if whole {
        stream.write_all(&[0xFF, 0xFF, 0xFF, 0xFF, EOF])?;
    }
    Ok(())
}

impl Drop for Data {
    /// A client that never came for its data is not waited for.
    fn drop(&mut self) {
        if let Err(error) = TcpStream::connect_timeout(&self.address, DATA_TIMEOUT) {
            tracing::trace!(%error, "the data were fetched");
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a page's thread panicked");
        }
    }
}
