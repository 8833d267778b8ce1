//! One HTTP/1.1 request and its answer (RFC 9112), over a connection of its own.
//!
//! Invariant: nothing waits beyond the patience, and nothing that a server sends makes us keep more than
//! [`LONGEST_ANSWER`].

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use device_api::{Patience, Stop};
use thiserror::Error;

/// The longest answer that is read; a printer's attributes are some ten kilobytes.
pub const LONGEST_ANSWER: usize = 4 << 20;
/// The longest head of an answer.
const LONGEST_HEAD: usize = 16 << 10;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The connection failed.
    #[error("the connection failed to {0}")]
    Connection(&'static str, #[source] io::Error),
    /// The answer is no HTTP.
    #[error("the answer is no HTTP")]
    Garbled,
    /// The answer is too long.
    #[error("the answer is too long")]
    TooLong,
    /// The server says no.
    #[error("the server answers with status {0}")]
    Status(u16),
    /// The work was stopped.
    #[error("stopped while waiting for the server")]
    Stopped(Stop),
}

/// Posts an IPP request, given in parts; the answer's body.
///
/// # Errors
/// Where there is none in time.
pub fn post(
    address: &SocketAddr,
    path: &str,
    body: &[&[u8]],
    patience: &Patience,
) -> Result<Vec<u8>, HttpError> {
    let mut line = Line::connect(address, patience)?;
    let length: usize = body.iter().map(|part| part.len()).sum();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/ipp\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // A server that refuses may answer and close before it has read the document.
    let sent = std::iter::once(head.as_bytes())
        .chain(body.iter().copied())
        .try_for_each(|part| line.send(part));
    match (sent, line.receive_answer()) {
        (_, Ok(answer)) => Ok(answer),
        (Err(error), Err(_)) | (Ok(()), Err(error)) => Err(error),
    }
}

struct Line<'a> {
    stream: TcpStream,
    patience: &'a Patience,
    _waker: device_api::patience::WhenStopped,
}

impl<'a> Line<'a> {
    fn connect(address: &SocketAddr, patience: &'a Patience) -> Result<Self, HttpError> {
        const CONNECT: &str = "connect";
        patience.check().map_err(HttpError::Stopped)?;
        let left = patience.deadline().remaining(patience.clock().now());
        let left = left.ok_or(HttpError::Stopped(Stop::Deadline))?;
        let stream = TcpStream::connect_timeout(address, left)
            .map_err(|source| blame(CONNECT, source, patience))?;
        let other = stream
            .try_clone()
            .map_err(|source| HttpError::Connection(CONNECT, source))?;
        let waker = patience.when_stopped(move || {
            // Whoever waits on this connection wakes; it may be closed already.
            drop(other.shutdown(Shutdown::Both));
        });
        Ok(Self {
            stream,
            patience,
            _waker: waker,
        })
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = self.left()?;
            let ready = self.stream.set_write_timeout(Some(left));
            let written = ready.and_then(|()| self.stream.write(rest));
            if is_interrupted(&written) {
                continue;
            }
            let written = written.map_err(|source| blame("send", source, self.patience))?;
            if written == 0 {
                return Err(HttpError::Connection(
                    "send",
                    io::ErrorKind::WriteZero.into(),
                ));
            }
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn receive_answer(&mut self) -> Result<Vec<u8>, HttpError> {
        let mut answer = Answer::default();
        let mut buffer = vec![0; 8192];
        loop {
            if let Some(body) = answer.take()? {
                return Ok(body);
            }
            let left = self.left()?;
            let ready = self.stream.set_read_timeout(Some(left));
            let read = ready.and_then(|()| self.stream.read(&mut buffer));
            if is_interrupted(&read) {
                continue;
            }
            match read.map_err(|source| blame("receive", source, self.patience))? {
                // Closed by the other side, or by whoever stopped the work.
                0 => {
                    self.patience.check().map_err(HttpError::Stopped)?;
                    return answer.end();
                }
                count => answer.add(buffer.get(..count).unwrap_or_default())?,
            }
        }
    }

    fn left(&self) -> Result<std::time::Duration, HttpError> {
        self.patience.check().map_err(HttpError::Stopped)?;
        let left = self
            .patience
            .deadline()
            .remaining(self.patience.clock().now());
        left.ok_or(HttpError::Stopped(Stop::Deadline))
    }
}

/// Whether a signal ended a call, as one does where the machine was suspended.
fn is_interrupted(outcome: &io::Result<usize>) -> bool {
    let kind = outcome.as_ref().map_err(io::Error::kind);
    kind == Err(io::ErrorKind::Interrupted)
}

/// A connection that failed because the work was stopped failed for that reason.
fn blame(attempted: &'static str, source: io::Error, patience: &Patience) -> HttpError {
    match (patience.check(), source.kind()) {
        (Err(stop), _) => HttpError::Stopped(stop),
        (Ok(()), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
            HttpError::Stopped(Stop::Deadline)
        }
        (Ok(()), _) => HttpError::Connection(attempted, source),
    }
}

/// An answer as it comes.
#[derive(Debug, Default)]
pub struct Answer {
    bytes: Vec<u8>,
}

enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

impl Answer {
    /// Takes bytes.
    ///
    /// # Errors
    /// Where it becomes too long.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        if self.bytes.len() + bytes.len() > LONGEST_ANSWER {
            return Err(HttpError::TooLong);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// The body, once it is whole.
    ///
    /// # Errors
    /// Where it is no HTTP, or the server says no.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        loop {
            let Some((head, body)) = self.head()? else {
                return Ok(None);
            };
            let (status, framing) = read_head(head)?;
            if (100..200).contains(&status) {
                // Told to go on, which we did anyway; the answer follows.
                let used = self.bytes.len() - body.len();
                self.bytes.drain(..used);
                continue;
            }
            if status != 200 {
                return Err(HttpError::Status(status));
            }
            return match framing {
                Framing::Length(length) => Ok(body.get(..length).map(<[u8]>::to_vec)),
                Framing::Chunked => join_chunks(body),
                Framing::UntilClosed => Ok(None),
            };
        }
    }

    /// The body of a connection that was closed.
    ///
    /// # Errors
    /// Where it is not whole.
    pub fn end(&mut self) -> Result<Vec<u8>, HttpError> {
        if let Some(body) = self.take()? {
            return Ok(body);
        }
        match self.head()? {
            Some((head, body)) => match read_head(head)? {
                (200, Framing::UntilClosed) => Ok(body.to_vec()),
                _ => Err(HttpError::Garbled),
            },
            None => Err(HttpError::Connection(
                "receive",
                io::ErrorKind::UnexpectedEof.into(),
            )),
        }
    }

    fn head(&self) -> Result<Option<(&str, &[u8])>, HttpError> {
        let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n");
        match end {
            Some(end) => {
                let (head, body) = self.bytes.split_at(end);
                let head = std::str::from_utf8(head).ok().ok_or(HttpError::Garbled)?;
                Ok(Some((head, body.get(4..).unwrap_or_default())))
            }
            None if self.bytes.len() > LONGEST_HEAD => Err(HttpError::Garbled),
            None => Ok(None),
        }
    }
}

fn read_head(head: &str) -> Result<(u16, Framing), HttpError> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let version = first.next().unwrap_or_default();
    let status = first.next().and_then(|status| status.parse().ok());
    let status: u16 = status
        .filter(|_| version.starts_with("HTTP/1."))
        .ok_or(HttpError::Garbled)?;
    let mut framing = Framing::UntilClosed;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(HttpError::Garbled)?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(HttpError::Garbled);
            }
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("content-length")
            && !matches!(framing, Framing::Chunked)
        {
            let length = value.parse().ok().ok_or(HttpError::Garbled)?;
            framing = Framing::Length(length);
        }
    }
    Ok((status, framing))
}

/// The body of a chunked answer; `None` where more is to come.
fn join_chunks(body: &[u8]) -> Result<Option<Vec<u8>>, HttpError> {
    let mut joined = Vec::new();
    let mut rest = body;
    loop {
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
            return if rest.len() > LONGEST_HEAD {
                Err(HttpError::Garbled)
            } else {
                Ok(None)
            };
        };
        let (line, after) = rest.split_at(end);
        let line = std::str::from_utf8(line).ok().ok_or(HttpError::Garbled)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16)
            .ok()
            .ok_or(HttpError::Garbled)?;
        let after = after.get(2..).unwrap_or_default();
        if size == 0 {
            return Ok(Some(joined));
        }
        if size > LONGEST_ANSWER {
            return Err(HttpError::TooLong);
        }
        let Some(chunk) = after.get(..size) else {
            return Ok(None);
        };
        joined.extend_from_slice(chunk);
        match after.get(size..size + 2) {
            Some(b"\r\n") => rest = after.get(size + 2..).unwrap_or_default(),
            Some(_) => return Err(HttpError::Garbled),
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &[u8]) -> Result<Vec<u8>, HttpError> {
        let mut answer = Answer::default();
        for byte in text {
            answer.add(&[*byte])?;
            if let Some(body) = answer.take()? {
                return Ok(body);
            }
        }
        answer.end()
    }

    #[test]
    fn a_body_ends_by_length_by_chunks_or_by_the_end() {
        let length =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(whole(length).unwrap(), b"abc");
        let chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n";
        assert_eq!(whole(chunks).unwrap(), b"abc");
        assert_eq!(whole(b"HTTP/1.0 200 OK\r\n\r\nabc").unwrap(), b"abc");
        for cut in 0..length.len() {
            assert!(whole(&length[..cut]).is_err());
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for bad in [
            &b"HTTP/1.1 403 Forbidden\r\n\r\n"[..],
            b"SSH-2.0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ] {
            assert!(whole(bad).is_err());
        }
        let mut answer = Answer::default();
        answer.add(&vec![b'a'; LONGEST_HEAD + 1]).unwrap();
        assert!(answer.take().is_err());
        assert!(answer.add(&vec![b'a'; LONGEST_ANSWER]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(whole(&bytes));
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            drop(whole(&[&head[..], &bytes].concat()));
        }
    }
}
