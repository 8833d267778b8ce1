//! Certificates of a small embedded certificate authority.
//!
//! A town without a certificate authority of its own needs one all the same: a broker knows a device by
//! nothing but its certificate.
//! This crate makes a root, issues what brokers, devices and the monitor need, and reads how long a
//! certificate still lives.
//!
//! ```
//! use trust::{Authority, DeviceName, Validity, read_certificate};
//!
//! # fn main() -> Result<(), trust::TrustError> {
//! let now = 1_790_000_000;
//! let root = Authority::create("Sakura City", Validity::days(now, 3650)?)?;
//! let name = DeviceName::new("sakura-city", "counter-07")?;
//! let device = root.issue_device(&name, Validity::days(now, 60)?)?;
//! assert_eq!(read_certificate(device.certificate_pem())?.common_name(), Some("counter-07"));
//! # Ok(())
//! # }
//! ```
//!
//! | certificate | CN | O | for |
//! |---|---|---|---|
//! | root | as the caller says | - | signing the others, nothing else |
//! | server, peer | `Madoguchi server` | - | TLS server; a peer is TLS client of the other nodes too |
//! | device | the device's id | the tenant | TLS client |
//! | monitor | `monitor` | - | TLS client |
//!
//! Brokers take the CN for the name of the user and derive from it what may be written and read, so:
//! - no device is ever called like a user with other rights ([`DeviceName`] refuses it);
//! - no CN of a server is a device id;
//! - a server's certificate is no client's, except a peer's.
//!
//! Every key is ECDSA P-256, which every broker and every token understands.
//! Time is passed in; randomness is the operating system's, taken by `ring`.
//! It revokes nothing, takes no requests for signing and keeps no list of what it issued.

mod authority;
mod error;
mod files;
mod name;
mod platform;
mod read;
mod validity;

#[cfg(test)]
mod tests;

pub use authority::{Authority, Credentials};
pub use error::TrustError;
pub use files::{FileError, write_credentials, write_private, write_public};
pub use name::{DeviceName, MONITOR, RESERVED};
pub use read::{CertificateFacts, read_certificate};
pub use validity::Validity;
