//! As much of HTTP/1.1 (RFC 9112) as eSCL clients need: requests with a length, answers with a length.

use std::io;

use crate::line::Line;

const MOST_HEAD: usize = 16 * 1024;
const MOST_BODY: usize = 64 * 1024;

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: String,
    /// Whether the connection ends after the answer.
    pub(crate) last: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) const fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    pub(crate) fn body(self, kind: &str, body: Vec<u8>) -> Self {
        let mut response = self.with("Content-Type", kind);
        response.body = body;
        response
    }

    /// The head, which promises the whole body.
    pub(crate) fn head(&self) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            201 => "Created",
            400 => "Bad Request",
            404 => "Not Found",
            409 => "Conflict",
            410 => "Gone",
            503 => "Service Unavailable",
            _ => "Other",
        };
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        head.into_bytes()
    }
}

/// Waits for the next request; none at the end of the connection.
pub(crate) fn request(line: &Line, rest: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if rest.len() > MOST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if !more(line, rest)? {
            return Ok(None);
        }
    };
    let head: Vec<u8> = rest.drain(..end).collect();
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (words.next(), words.next());
    let header = |wanted: &str| {
        head.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_ascii_lowercase())
        })
    };
    let length = match header("content-length") {
        Some(length) => length.parse().map_err(io::Error::other)?,
        None => 0,
    };
    if length > MOST_BODY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    if header("expect").is_some() {
        line.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    while rest.len() < length {
        if !more(line, rest)? {
            return Ok(None);
        }
    }
    let body: Vec<u8> = rest.drain(..length).collect();
    Ok(Some(Request {
        method: method.unwrap_or_default().to_owned(),
        path: path.unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        last: header("connection").is_some_and(|value| value == "close"),
    }))
}

fn more(line: &Line, rest: &mut Vec<u8>) -> io::Result<bool> {
    let mut bytes = [0; 4096];
    let length = line.read(&mut bytes)?;
    rest.extend(bytes.iter().take(length));
    Ok(length > 0)
}
