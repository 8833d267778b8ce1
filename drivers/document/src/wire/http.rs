//! The part of HTTP/1.1 (RFC 9112) that eSCL needs: requests with a short body, answers with a length or
//! in chunks, one request a connection.
//!
//! Strict where leniency has been abused elsewhere: two lengths, a length beside chunks, folded lines and
//! bare line feeds are refused. No redirects, no cookies, no compression.

use super::{WireError, malformed};

/// The longest head of an answer, and the longest line between chunks together with its trailers.
pub const HEAD: usize = 16 * 1024;

/// The most headers of an answer.
const HEADERS: usize = 64;

/// Where an eSCL service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, with a slash in front and none at the end.
    pub path: String,
}

impl Url {
    /// Reads `http://host[:port][/path]`.
    ///
    /// # Errors
    /// [`WireError::Malformed`] for anything else; there is no TLS here.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        const WHAT: WireError = malformed("address of the scanner");
        let rest = text.strip_prefix("http://").ok_or(WHAT)?;
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, path.trim_end_matches('/')),
            None => (rest, ""),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (host, behind) = inner.split_once(']').ok_or(WHAT)?;
                (
                    host,
                    behind
                        .strip_prefix(':')
                        .or_else(|| behind.is_empty().then_some("80")),
                )
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, Some("80")),
            },
        };
        let port = port.and_then(|port| port.parse().ok()).ok_or(WHAT)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:%~".contains(c);
        if host.is_empty() || !host.chars().all(plain) || !is_path(path) {
            return Err(WHAT);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            path: match path {
                "" => String::new(),
                path => format!("/{path}"),
            },
        })
    }

    /// What the `Host` header says.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Whether `path` can stand in a request line as it is.
fn is_path(path: &str) -> bool {
    path.len() <= 1024 && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Fetch.
    Get,
    /// Begin a job; with a body in XML.
    Post,
    /// End a job.
    Delete,
}

/// The bytes of a request.
#[must_use]
pub fn request(method: Method, url: &Url, path: &str, body: &str) -> Vec<u8> {
    let (name, type_and_length) = match method {
        Method::Get => ("GET", String::new()),
        Method::Delete => ("DELETE", String::new()),
        Method::Post => (
            "POST",
            format!(
                "Content-Type: text/xml\r\nContent-Length: {}\r\n",
                body.len()
            ),
        ),
    };
    format!(
        "{name} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept: */*\r\n{type_and_length}\r\n{body}",
        url.authority()
    )
    .into_bytes()
}

/// How long the body of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// As many bytes.
    Exactly(u64),
    /// In chunks.
    Chunked,
    /// Until the connection ends.
    UntilEnd,
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status, such as 200.
    pub status: u16,
    /// How long the body is.
    pub length: Length,
    /// What the body is, in lower case and without parameters.
    pub content_type: Option<String>,
    /// Where the new job is.
    pub location: Option<String>,
    /// After how many seconds to ask again.
    pub retry_after: Option<u64>,
}

impl Head {
    /// Reads a head, and says how many bytes it took.
    ///
    /// # Errors
    /// [`WireError::Incomplete`] until all of it is there.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), WireError> {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            return match bytes.len() > HEAD {
                true => Err(WireError::Beyond {
                    what: "head of an answer",
                    limit: HEAD,
                }),
                false => Err(WireError::Incomplete),
            };
        };
        let text = std::str::from_utf8(bytes.get(..end).unwrap_or_default())
            .map_err(|_not_utf8| malformed("head of an answer"))?;
        let mut lines = text.split("\r\n");
        let status = status(lines.next().unwrap_or_default())?;
        let mut head = Self {
            status,
            length: Length::UntilEnd,
            content_type: None,
            location: None,
            retry_after: None,
        };
        for (number, line) in lines.enumerate() {
            if number >= HEADERS {
                return Err(WireError::Beyond {
                    what: "headers",
                    limit: HEADERS,
                });
            }
            head.take(line)?;
        }
        if matches!(head.status, 204 | 304) {
            head.length = Length::Exactly(0);
        }
        Ok((head, end + 4))
    }

    fn take(&mut self, line: &str) -> Result<(), WireError> {
        let (name, value) = line.split_once(':').ok_or(malformed("header"))?;
        // A space before the colon or a folded line has let two programs disagree about a message.
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("header"));
        }
        let value = value.trim_matches([' ', '\t']);
        if value.chars().any(char::is_control) {
            return Err(malformed("header"));
        }
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let length = value.parse().ok().filter(|_| digits);
                self.set_length(Length::Exactly(length.ok_or(malformed("length"))?))
            }
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => {
                self.set_length(Length::Chunked)
            }
            "transfer-encoding" => Err(malformed("transfer encoding")),
            "content-encoding" if !value.eq_ignore_ascii_case("identity") => {
                Err(malformed("content encoding"))
            }
            "content-type" => {
                let kind = value.split(';').next().unwrap_or_default();
                self.content_type = Some(kind.trim().to_ascii_lowercase());
                Ok(())
            }
            "location" => {
                self.location = Some(value.to_owned());
                Ok(())
            }
            "retry-after" => {
                // The other form, a date, is left alone: the scanner's clock is not ours.
                self.retry_after = value.parse().ok();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn set_length(&mut self, length: Length) -> Result<(), WireError> {
        match self.length {
            Length::UntilEnd => {
                self.length = length;
                Ok(())
            }
            before if before == length => Ok(()),
            Length::Exactly(_) | Length::Chunked => Err(malformed("two different lengths")),
        }
    }
}

fn status(line: &str) -> Result<u16, WireError> {
    let mut parts = line.splitn(3, ' ');
    let version = parts.next().unwrap_or_default();
    let code = parts.next().unwrap_or_default();
    let right = matches!(version, "HTTP/1.1" | "HTTP/1.0")
        && code.len() == 3
        && code.bytes().all(|byte| byte.is_ascii_digit());
    match code.parse() {
        Ok(code) if right && (100..600).contains(&code) => Ok(code),
        _ => Err(malformed("status line")),
    }
}

/// The path of a job from the `Location` of the answer that made it.
///
/// Only the path counts: printers are seen to name themselves by an address that is not reachable from
/// here, behind ipp-usb always, and a scanner shall not send us to another machine.
///
/// # Errors
/// [`WireError::Malformed`] where it is no path.
pub fn job_path(location: &str) -> Result<String, WireError> {
    const WHAT: WireError = malformed("place of the job");
    let path = match location.split_once("://") {
        Some((_scheme, rest)) => rest.find('/').and_then(|at| rest.get(at..)).ok_or(WHAT)?,
        None => location,
    };
    let path = path.trim_end_matches('/');
    match path.starts_with('/') && !path.starts_with("//") && is_path(path) {
        true => Ok(path.to_owned()),
        false => Err(WHAT),
    }
}

/// Takes chunks apart, wherever the bytes are cut.
#[derive(Debug, Default)]
pub struct Chunks {
    state: ChunkState,
    line: Vec<u8>,
    overhead: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ChunkState {
    #[default]
    Size,
    Data(u64),
    AfterData,
    Trailer,
    Ended,
}

impl Chunks {
    /// Takes `input`, and hands what is data in it to `data`.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where it is not made of chunks.
    pub fn feed(
        &mut self,
        mut input: &[u8],
        mut data: impl FnMut(&[u8]) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        while let Some((first, rest)) = input.split_first() {
            match self.state {
                ChunkState::Data(left) => {
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let (now, later) = input.split_at_checked(take).unwrap_or((input, &[]));
                    data(now)?;
                    input = later;
                    let left = left.saturating_sub(u64::try_from(take).unwrap_or(u64::MAX));
                    self.state = match left {
                        0 => ChunkState::AfterData,
                        left => ChunkState::Data(left),
                    };
                }
                ChunkState::Ended => return Err(malformed("bytes behind the last chunk")),
                ChunkState::Size | ChunkState::AfterData | ChunkState::Trailer => {
                    input = rest;
                    self.push(*first)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the last chunk has come.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.state == ChunkState::Ended
    }

    fn push(&mut self, byte: u8) -> Result<(), WireError> {
        self.line.push(byte);
        if self.line.len() > 256 {
            return Err(malformed("line between chunks"));
        }
        let Some(line) = self.line.strip_suffix(b"\r\n") else {
            return Ok(());
        };
        self.state = match self.state {
            ChunkState::Size => match chunk_size(line)? {
                0 => ChunkState::Trailer,
                size => ChunkState::Data(size),
            },
            ChunkState::AfterData if line.is_empty() => ChunkState::Size,
            ChunkState::Trailer if line.is_empty() => ChunkState::Ended,
            ChunkState::Trailer => {
                self.overhead += line.len();
                if self.overhead > HEAD {
                    return Err(malformed("trailer"));
                }
                ChunkState::Trailer
            }
            ChunkState::AfterData | ChunkState::Data(_) | ChunkState::Ended => {
                return Err(malformed("end of a chunk"));
            }
        };
        self.line.clear();
        Ok(())
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, WireError> {
    const WHAT: WireError = malformed("size of a chunk");
    // An extension behind a semicolon is allowed, and means nothing to us.
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let text = std::str::from_utf8(digits).map_err(|_not_utf8| WHAT)?;
    let text = text.trim_end_matches([' ', '\t']);
    if text.is_empty() || text.len() > 15 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(WHAT);
    }
    u64::from_str_radix(text, 16).map_err(|_not_hex| WHAT)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes
        .windows(what.len())
        .take(HEAD)
        .position(|window| window == what)
}
