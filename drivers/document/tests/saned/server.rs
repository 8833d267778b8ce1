//! `saned`, started for each connection.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

/// Debian and Fedora have it there; it is on no ordinary user's path.
const PROGRAM: &str = "/usr/sbin/saned";

/// A server with the backend `test` only.
pub(crate) struct Saned {
    address: SocketAddr,
    folder: TempDir,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Child>>>,
}

impl Saned {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("dll.conf", "test\n");
        write("saned.conf", "127.0.0.1\n");
        write("test.conf", "number_of_devices 1\n");
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, path) = (Arc::clone(&stop), folder.path().to_owned());
        let thread = thread::spawn(move || serve(&listener, &stopped, &path));
        Self {
            address,
            folder,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// What `scanimage` makes of the same scanner, without any network.
    pub(crate) fn scanimage(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("scanimage")
            .env("SANE_CONFIG_DIR", self.folder.path())
            .args(["-d", "test:0", "-x", "80", "-y", "100", "--format=pnm"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }
}

impl Drop for Saned {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        let children = self.thread.take().unwrap().join().unwrap();
        for mut child in children {
            // Most have ended with their connection.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn serve(listener: &TcpListener, stop: &AtomicBool, folder: &Path) -> Vec<Child> {
    let mut children = Vec::new();
    loop {
        let (stream, _) = listener.accept().unwrap();
        if stop.load(Ordering::SeqCst) {
            return children;
        }
        let (input, output) = (stream.try_clone().unwrap(), stream);
        let child = Command::new(PROGRAM)
            .env("SANE_CONFIG_DIR", folder)
            .stdin(Stdio::from(OwnedFd::from(input)))
            .stdout(Stdio::from(OwnedFd::from(output)))
            .stderr(Stdio::null())
            .spawn()
            .expect("saned is installed (Debian: sane-utils)");
        children.push(child);
    }
}
