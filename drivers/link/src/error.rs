//! How a link fails: a closed set.

use std::io;

use thiserror::Error;

/// Why nothing could be sent or received.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The device has left, or was never there. The link stays gone; open it anew.
    #[error("the device is gone")]
    Gone,
    /// Nothing happened until the deadline.
    #[error("no answer until the deadline")]
    TimedOut,
    /// Somebody called [`crate::Interrupter::interrupt`].
    #[error("interrupted")]
    Interrupted,
    /// Another program holds the device.
    #[error("another program holds the device")]
    Busy,
    /// The operating system denies access.
    #[error("the operating system denies access")]
    Denied,
    /// The device has no such thing, or what came cannot be from such a device.
    #[error("{attempted}: not what this device offers")]
    Malformed {
        /// What was being attempted.
        attempted: &'static str,
    },
    /// The operating system reports something else.
    #[error("{attempted} failed")]
    Io {
        /// What was being attempted.
        attempted: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl LinkError {
    /// What a failure to connect means: nobody there, too late, not permitted, or something else.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the standard library's own list of errors; the rest is something else to us"
    )]
    pub(crate) fn of_connecting(attempted: &'static str, source: io::Error) -> Self {
        use io::ErrorKind;
        match source.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TimedOut,
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NotFound => Self::Gone,
            _ => Self::Io { attempted, source },
        }
    }
}
