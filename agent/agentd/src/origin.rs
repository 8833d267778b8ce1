//! Web origins, compared for exact equality and in no other way.
//!
//! An origin is enrolled as text and compared with the `Origin` header byte for byte.
//! There is no pattern, no suffix rule and no case folding: each of these let look-alike hosts into
//! local agents before.
//! Invariant: an [`Origin`] is spelt as a browser spells it (RFC 6454 §6.2), so that equal origins are
//! equal text.

use std::fmt;

use thiserror::Error;

/// The prefix of the name under which a native client is granted operations, followed by its user id.
const NATIVE_PREFIX: &str = "unix:";

/// Who may be granted operations: a web origin, or the user of a native client on this machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

/// Text that is no usable origin.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum OriginError {
    /// The scheme is neither `https` nor, on loopback, `http`.
    #[error(
        "an origin starts with https://, or with http:// where the host is 127.0.0.1 or localhost"
    )]
    Scheme,
    /// There is something besides scheme, host and port.
    #[error("an origin is scheme, host and port only, without a path, a user or a closing slash")]
    Extra,
    /// The host is empty or not spelt as browsers spell it.
    #[error("the host must be lower-case ASCII letters, digits, dots and hyphens")]
    Host,
    /// The port is no number from 1 to 65535, or is the scheme's own.
    #[error(
        "the port must be a number from 1 to 65535 and not the scheme's default, which browsers leave out"
    )]
    Port,
    /// The user id of a native client is no number.
    #[error("a native client is named unix: and the number of its user")]
    User,
}

impl Origin {
    /// Takes an origin as an administrator writes it.
    ///
    /// # Errors
    /// Says which part a browser would never send, so that a rule that can never match is refused.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        if let Some(user) = text.strip_prefix(NATIVE_PREFIX) {
            let uid: u32 = user.parse().map_err(|_error| OriginError::User)?;
            return Ok(Self::native(uid));
        }
        let (scheme, authority) = text.split_once("://").ok_or(OriginError::Scheme)?;
        if authority.contains(['/', '?', '#', '@', '\\']) {
            return Err(OriginError::Extra);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        check_host(host)?;
        let default_port = match scheme {
            "https" => 443,
            "http" if matches!(host, "127.0.0.1" | "localhost") => 80,
            _ => return Err(OriginError::Scheme),
        };
        if let Some(port) = port {
            check_port(port, default_port)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// The name of a native client that runs as `uid`.
    #[must_use]
    pub fn native(uid: u32) -> Self {
        Self(format!("{NATIVE_PREFIX}{uid}"))
    }

    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this names a native client.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.0.starts_with(NATIVE_PREFIX)
    }

    /// Whether a header value is this very origin.
    #[must_use]
    pub fn equals(&self, header: &[u8]) -> bool {
        self.0.as_bytes() == header
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_host(host: &str) -> Result<(), OriginError> {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
    };
    if host.is_empty() || host.starts_with('.') || host.ends_with('.') || !host.bytes().all(plain) {
        return Err(OriginError::Host);
    }
    Ok(())
}

fn check_port(port: &str, default_port: u16) -> Result<(), OriginError> {
    let number: u16 = port.parse().map_err(|_error| OriginError::Port)?;
    // Browsers write no leading zeros and no plus sign.
    if number == 0 || number == default_port || number.to_string() != port {
        return Err(OriginError::Port);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Origin, OriginError};

    #[test]
    fn an_origin_that_no_browser_sends_is_refused() {
        for (text, error) in [
            ("https://Madoguchi.example.jp", OriginError::Host),
            ("https://madoguchi.example.jp/", OriginError::Extra),
            ("https://user@madoguchi.example.jp", OriginError::Extra),
            ("https://madoguchi.example.jp:443", OriginError::Port),
            ("https://madoguchi.example.jp:08443", OriginError::Port),
            ("https://*.example.jp", OriginError::Host),
            ("https://", OriginError::Host),
            ("http://madoguchi.example.jp", OriginError::Scheme),
            ("file://x", OriginError::Scheme),
            ("null", OriginError::Scheme),
            ("unix:root", OriginError::User),
        ] {
            assert_eq!(Origin::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn equality_is_exact() {
        let origin = Origin::parse("https://madoguchi.example.jp").unwrap();
        assert!(origin.equals(b"https://madoguchi.example.jp"));
        for other in [
            "https://madoguchi.example.jp.evil.test",
            "https://evilmadoguchi.example.jp",
            "https://MADOGUCHI.example.jp",
            "http://madoguchi.example.jp",
            "https://madoguchi.example.jp:444",
            "https://madoguchi.example.jp/",
            "null",
            "",
        ] {
            assert!(!origin.equals(other.as_bytes()), "{other}");
        }
    }
}
