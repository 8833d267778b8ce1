//! Names of things: those the daemon gives (numbers) and those the core draws (unguessable text).
//!
//! Invariant: a text id is only ever made from the randomness that is passed in, so knowing one
//! proves that the agent told it.

use std::fmt;

/// A driver host, by its place in [`crate::Config::hosts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u16);

/// One life of a driver host, so that a late word of a dead process is not taken for its successor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostRun {
    /// The host.
    pub host: HostId,
    /// Counts its processes from 1.
    pub run: u64,
}

/// A request of a client; the daemon numbers them and finds the waiting client by the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A connection of a counter application's event stream, numbered by the daemon, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionLink(pub u64);

/// A connection of a PIN page, numbered by the daemon, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScreenLink(pub u64);

/// Names an audit record that is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditTicket(pub u64);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes over a name, as a client sent it or the core drew it.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A lease.
    LeaseId
);
text_id!(
    /// A job.
    JobId
);
text_id!(
    /// A document that is kept in memory.
    DocumentId
);
text_id!(
    /// An event session of a client, as told to it.
    SessionId
);
text_id!(
    /// A paired PIN screen, as told to clients.
    ScreenId
);
text_id!(
    /// Who asks: a web origin such as `https://madoguchi.city.example.jp`, or a local user such as
    /// `unix:1000`. Compared as a whole, never by a part.
    Origin
);
