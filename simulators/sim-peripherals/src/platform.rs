//! What depends on the operating system: pseudo-terminals, and holding a port without listening there.

#[cfg(target_os = "linux")]
pub(crate) use linux::{Pty, hold, stop_listening};
#[cfg(not(target_os = "linux"))]
pub(crate) use none::{Pty, hold, stop_listening};

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::io;
    use std::net::{SocketAddr, TcpListener};
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};
    use rustix::pty::OpenptFlags;
    use rustix::termios::OptionalActions;

    /// Takes an address without listening there: nobody is given its port, and connections are refused.
    /// A second socket may listen at the address meanwhile, because both allow reuse.
    pub(crate) fn hold(wanted: SocketAddr) -> io::Result<Option<TcpListener>> {
        let family = match wanted {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &wanted)?;
        Ok(Some(TcpListener::from(socket)))
    }

    /// Ends listening at once. Closing alone is not enough: a child process that is being started holds
    /// a copy for a moment, and the port could not be opened again until then.
    pub(crate) fn stop_listening(listener: &TcpListener) {
        if let Err(error) = rustix::net::shutdown(listener, rustix::net::Shutdown::Both) {
            tracing::debug!(%error, "the port was closed already");
        }
    }

    /// The device's side of a pseudo-terminal in raw mode.
    ///
    /// The driver's side is held open here too: otherwise reading would fail while no driver is there.
    /// It is let go by dropping, and then the driver sees a hang-up, as when a USB serial device is pulled.
    #[derive(Debug)]
    pub(crate) struct Pty {
        device: OwnedFd,
        _driver_side: OwnedFd,
        path: PathBuf,
        link: Option<PathBuf>,
        woken: OwnedFd,
        wake: OwnedFd,
    }

    impl Pty {
        pub(crate) fn open(link: Option<&Path>) -> io::Result<Self> {
            let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
            let device = rustix::pty::openpt(flags)?;
            rustix::pty::grantpt(&device)?;
            rustix::pty::unlockpt(&device)?;
            let name = rustix::pty::ptsname(&device, Vec::new())?;
            let path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
            let open = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            let driver_side = rustix::fs::open(&path, open, Mode::empty())?;
            let mut terminal = rustix::termios::tcgetattr(&driver_side)?;
            terminal.make_raw();
            rustix::termios::tcsetattr(&driver_side, OptionalActions::Now, &terminal)?;
            rustix::fs::fcntl_setfl(&device, OFlags::NONBLOCK)?;
            let (woken, wake) = rustix::pipe::pipe_with(
                rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK,
            )?;
            if let Some(link) = link {
                point(link, &path)?;
            }
            Ok(Self {
                device,
                _driver_side: driver_side,
                path,
                link: link.map(Path::to_path_buf),
                woken,
                wake,
            })
        }

        pub(crate) fn path(&self) -> PathBuf {
            self.path.clone()
        }

        pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
            loop {
                if !self.ready(PollFlags::IN, None)? {
                    return Ok(0);
                }
                match rustix::io::read(&self.device, &mut *buffer) {
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    outcome => return Ok(outcome?),
                }
            }
        }

        pub(crate) fn write(&self, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
            while !bytes.is_empty() {
                if !self.ready(PollFlags::OUT, Some(patience))? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                match rustix::io::write(&self.device, bytes) {
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    outcome => bytes = bytes.get(outcome?..).unwrap_or_default(),
                }
            }
            Ok(())
        }

        pub(crate) fn close(&self) {
            if let Err(error) = rustix::io::write(&self.wake, &[0]) {
                tracing::trace!(%error, "the terminal was closed already");
            }
        }

        /// Whether the terminal is ready; not when it was closed or patience ended.
        fn ready(&self, flags: PollFlags, patience: Option<Duration>) -> io::Result<bool> {
            let limit = patience.map(|patience| Timespec {
                tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(patience.subsec_nanos()),
            });
            let mut watched = [
                PollFd::new(&self.woken, PollFlags::IN),
                PollFd::new(&self.device, flags),
            ];
            loop {
                match poll(&mut watched, limit.as_ref()) {
                    Err(Errno::INTR) => {}
                    outcome => {
                        let some = outcome? > 0;
                        let [woken, _] = &watched;
                        return Ok(some && woken.revents().is_empty());
                    }
                }
            }
        }
    }

    impl Drop for Pty {
        fn drop(&mut self) {
            let ours =
                |link: &&PathBuf| std::fs::read_link(link).is_ok_and(|target| target == self.path);
            if let Some(link) = self.link.as_ref().filter(ours)
                && let Err(error) = std::fs::remove_file(link)
            {
                tracing::debug!(%error, "the terminal's link is gone already");
            }
        }
    }

    /// Points `link` to `path`, replacing what it pointed to.
    fn point(link: &Path, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::os::unix::fs::symlink(path, link)
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::io;
    use std::net::{SocketAddr, TcpListener};
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    /// No address can be held here without listening: a port may be lost while a cable is out.
    pub(crate) fn hold(_wanted: SocketAddr) -> io::Result<Option<TcpListener>> {
        Ok(None)
    }

    /// Closing is enough here.
    pub(crate) fn stop_listening(_listener: &TcpListener) {}

    /// There are no pseudo-terminals here; devices are reached by TCP.
    #[derive(Debug)]
    pub(crate) enum Pty {}

    impl Pty {
        pub(crate) fn open(_link: Option<&Path>) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn path(&self) -> PathBuf {
            match *self {}
        }

        pub(crate) fn read(&self, _buffer: &mut [u8]) -> io::Result<usize> {
            match *self {}
        }

        pub(crate) fn write(&self, _bytes: &[u8], _patience: Duration) -> io::Result<()> {
            match *self {}
        }

        pub(crate) fn close(&self) {
            match *self {}
        }
    }
}
