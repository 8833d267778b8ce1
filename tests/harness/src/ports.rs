//! TCP ports for virtual readers and brokers, kept for one owner.
//!
//! A virtual reader of two slots listens on two neighbouring ports that its configuration file names, so
//! they must be known before it starts.
//! A port that is only looked up can be taken by someone else before the reader binds it.
//! Here a socket stays bound to each port and never listens: with `SO_REUSEADDR` on both sides, the
//! kernel lets the reader (which sets it) bind the same port, and nobody who does not.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use anyhow::{Context as _, bail};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};

/// Two neighbouring ports that nobody else gets while this lives.
#[derive(Debug)]
pub(crate) struct PortPair {
    first: u16,
    _held: [OwnedFd; 2],
}

impl PortPair {
    /// Reserves two neighbouring ports.
    pub(crate) fn reserve() -> anyhow::Result<Self> {
        // Only a busy neighbour makes this go round again; a machine has thousands of free pairs.
        for _ in 0..1000 {
            let (first, lower) = hold(0)?.context("the system gave no free port")?;
            let Some(neighbour) = first.checked_add(1) else {
                continue;
            };
            if let Some((_, upper)) = hold(neighbour)? {
                for held in [&lower, &upper] {
                    sockopt::set_socket_reuseaddr(held, true)?;
                }
                return Ok(Self {
                    first,
                    _held: [lower, upper],
                });
            }
        }
        bail!("found no two neighbouring free ports")
    }

    /// Reserves several pairs.
    pub(crate) fn reserve_some(count: usize) -> anyhow::Result<Vec<Self>> {
        (0..count).map(|_| Self::reserve()).collect()
    }

    /// The lower port.
    pub(crate) fn first(&self) -> u16 {
        self.first
    }
}

fn hold(port: u16) -> anyhow::Result<Option<(u16, OwnedFd)>> {
    let held = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&held, rustix::io::FdFlags::CLOEXEC)?;
    match bind(&held, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)) {
        Ok(()) => {}
        Err(Errno::ADDRINUSE | Errno::ACCESS) => return Ok(None),
        Err(errno) => return Err(errno).context("cannot reserve a port"),
    }
    let address = SocketAddr::try_from(getsockname(&held)?).context("the port has no address")?;
    Ok(Some((address.port(), held)))
}
