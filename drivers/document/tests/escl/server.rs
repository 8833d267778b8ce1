//! A server of eSCL that answers as it is told, one connection after the other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What `NextDocument` gives.
pub(crate) enum Answer {
    /// A page with its length.
    Page(&'static [u8]),
    /// A page in chunks.
    Chunked(&'static [u8]),
    /// A page that ends before its length.
    CutOff(&'static [u8]),
    /// 503.
    NotYet,
    /// 409.
    Conflict,
    /// 500.
    Fails,
    /// Nothing, until the client goes.
    Silence,
}

pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    silent: Mutex<Option<Receiver<()>>>,
    thread: Option<JoinHandle<()>>,
}

struct Told {
    capabilities: String,
    status: String,
    refusal: Option<u16>,
    answers: std::vec::IntoIter<Answer>,
    silent: Sender<()>,
}

impl Server {
    pub(crate) fn start(capabilities: &str, status: &str, answers: Vec<Answer>) -> Self {
        Self::with(capabilities, status, None, answers)
    }

    pub(crate) fn refusing(capabilities: &str, status: &str, code: u16) -> Self {
        Self::with(capabilities, status, Some(code), Vec::new())
    }

    fn with(capabilities: &str, status: &str, refusal: Option<u16>, answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (told_silent, silent) = mpsc::channel();
        let mut told = Told {
            capabilities: capabilities.to_owned(),
            status: status.to_owned(),
            refusal,
            answers: answers.into_iter(),
            silent: told_silent,
        };
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (address, kept) = (listener.local_addr().unwrap(), Arc::clone(&log));
        let thread = thread::spawn(move || {
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read(&mut stream);
                if request.is_empty() {
                    return;
                }
                kept.lock().unwrap().push(request.clone());
                told.answer(&request, &mut stream);
            }
        });
        Self {
            address,
            log,
            silent: Mutex::new(Some(silent)),
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/eSCL", self.address)
    }

    /// The requests that came.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Does `then` once the server is silent.
    pub(crate) fn when_silent(&self, then: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
        let silent = self.silent.lock().unwrap().take().unwrap();
        thread::spawn(move || {
            silent.recv().unwrap();
            then();
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Told {
    fn answer(&mut self, request: &str, stream: &mut TcpStream) {
        let line = request.lines().next().unwrap_or_default();
        if line.starts_with("DELETE") {
            reply(stream, "200 OK", "", b"");
        } else if line.contains("/ScannerCapabilities ") {
            reply(
                stream,
                "200 OK",
                "Content-Type: text/xml\r\n",
                self.capabilities.as_bytes(),
            );
        } else if line.contains("/ScannerStatus ") {
            reply(
                stream,
                "200 OK",
                "Content-Type: text/xml\r\n",
                self.status.as_bytes(),
            );
        } else if line.starts_with("POST") {
            match self.refusal {
                Some(code) => reply(stream, &format!("{code} No"), "Retry-After: 1\r\n", b""),
                // Devices behind ipp-usb name themselves by an address of their own.
                None => reply(
                    stream,
                    "201 Created",
                    "Location: http://192.0.2.9:8080/eSCL/ScanJobs/7\r\n",
                    b"",
                ),
            }
        } else {
            self.next_document(stream);
        }
    }

    fn next_document(&mut self, stream: &mut TcpStream) {
        const JPEG: &str = "Content-Type: image/jpeg\r\n";
        match self.answers.next() {
            Some(Answer::Page(page)) => reply(stream, "200 OK", JPEG, page),
            Some(Answer::Chunked(page)) => {
                let head = format!("HTTP/1.1 200 OK\r\n{JPEG}Transfer-Encoding: chunked\r\n\r\n");
                let mut bytes = head.into_bytes();
                for chunk in page.chunks(777) {
                    bytes.extend(format!("{:X}\r\n", chunk.len()).into_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
                drop(stream.write_all(&bytes));
            }
            Some(Answer::CutOff(page)) => {
                let length = page.len() + 1000;
                let head = format!("HTTP/1.1 200 OK\r\n{JPEG}Content-Length: {length}\r\n\r\n");
                drop(stream.write_all(head.as_bytes()));
                drop(stream.write_all(page));
            }
            Some(Answer::NotYet) => reply(stream, "503 Later", "Retry-After: 1\r\n", b""),
            Some(Answer::Conflict) => reply(stream, "409 Conflict", "", b""),
            Some(Answer::Fails) => reply(stream, "500 Failed", "", b""),
            Some(Answer::Silence) => {
                self.silent.send(()).unwrap_or_default();
                // Until the client hangs up.
                drop(stream.read(&mut [0; 64]));
            }
            None => reply(stream, "404 Not Found", "", b""),
        }
    }
}

fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    drop(stream.write_all(head.as_bytes()));
    drop(stream.write_all(body));
}

/// Reads a request with its body; nothing where the client says nothing.
fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return String::new(),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}
