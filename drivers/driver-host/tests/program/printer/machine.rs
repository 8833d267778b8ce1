//! A printer of the TM series, as far as its answers go: it takes commands whole, counts what it is asked,
//! and says what it is told to say. Nothing is drawn.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::JoinHandle,
};

/// The printer; switched off when dropped.
pub(crate) struct Machine {
    pub(crate) address: String,
    shared: Arc<(Mutex<State>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct State {
    host: Option<TcpStream>,
    off: bool,
    paper: bool,
    proves: bool,
    reports: bool,
    questions: usize,
    fences: usize,
    cuts: usize,
    black: usize,
}

impl Machine {
    pub(crate) fn start() -> Self {
        Self::at("127.0.0.1:0")
    }

    pub(crate) fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = State {
            host: None,
            off: false,
            paper: true,
            proves: true,
            reports: false,
            questions: 0,
            fences: 0,
            cuts: 0,
            black: 0,
        };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let within = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(&listener, &within));
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// Puts paper in or takes it out.
    pub(crate) fn paper(&self, there: bool) {
        let mut state = self.state();
        state.paper = there;
        state.report();
    }

    /// Whether it sends process ids back.
    pub(crate) fn prove(&self, proves: bool) {
        self.state().proves = proves;
    }

    pub(crate) fn questions(&self) -> usize {
        self.state().questions
    }

    pub(crate) fn fences(&self) -> usize {
        self.state().fences
    }

    pub(crate) fn cuts(&self) -> usize {
        self.state().cuts
    }

    /// Bytes of pictures in which every dot is black.
    pub(crate) fn black_bytes(&self) -> usize {
        self.state().black
    }

    /// Waits until so many papers were cut.
    pub(crate) fn wait_for_cut(&self, cuts: usize) {
        let state = self.state();
        let done = self.shared.1.wait_while(state, |state| state.cuts < cuts);
        drop(done.unwrap());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let host = {
            let mut state = self.state();
            state.off = true;
            state.host.take()
        };
        if let Some(host) = host {
            let _gone_already = host.shutdown(Shutdown::Both);
        }
        // Wakes the thread where it waits for a host.
        let _refused = TcpStream::connect(&self.address);
        let _ended = self.thread.take().unwrap().join();
    }
}

fn serve(listener: &TcpListener, shared: &(Mutex<State>, Condvar)) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        {
            let mut state = shared.0.lock().unwrap();
            if state.off {
                return;
            }
            state.host = Some(stream.try_clone().unwrap());
            state.reports = false;
        }
        let mut waiting = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut bytes) {
            waiting.extend(bytes.iter().take(count));
            while let Some(length) = length(&waiting).filter(|length| *length <= waiting.len()) {
                let command: Vec<u8> = waiting.drain(..length).collect();
                let mut state = shared.0.lock().unwrap();
                state.take(&command);
                shared.1.notify_all();
            }
        }
    }
}

/// The length of the command that these bytes begin with.
fn length(bytes: &[u8]) -> Option<usize> {
    let two =
        |at: usize| Some(usize::from(*bytes.get(at)?) + 256 * usize::from(*bytes.get(at + 1)?));
    Some(match (bytes.first()?, bytes.get(1)) {
        (0x00, _) => 1,
        (0x10, Some(0x04)) => 3,
        (0x10, Some(0x14)) => 10,
        (0x1B, Some(0x40)) => 2,
        (0x1D, Some(0x61)) => 3,
        (0x1D, Some(0x56)) => 4,
        (0x1D, Some(0x28)) => 5 + two(3)?,
        (_, None) => return None,
        (first, second) => panic!("this printer knows no {first:02x} {second:02x?}"),
    })
}

impl State {
    fn take(&mut self, command: &[u8]) {
        match command {
            [0x10, 0x04, which] => {
                self.questions += 1;
                let status = match (which, self.paper) {
                    (1, false) => 0x1A,
                    (2, false) => 0x32,
                    (4, false) => 0x7E,
                    _ => 0x12,
                };
                self.say(&[status]);
            }
            [0x10, 0x14, ..] => self.say(&[0x37, 0x25, 0x00]),
            [0x1D, 0x61, _] => {
                self.reports = true;
                self.report();
            }
            [0x1D, 0x56, ..] => self.cuts += 1,
            [0x1D, 0x28, 0x48, _, _, _, _, id @ ..] => {
                self.fences += 1;
                if self.proves {
                    self.say(&[&[0x37, 0x22], id, &[0x00]].concat());
                }
            }
            [0x1D, 0x28, 0x4C, dots @ ..] => {
                self.black += dots.iter().filter(|byte| **byte == 0xFF).count();
            }
            _ => {}
        }
    }

    fn report(&mut self) {
        if self.reports {
            let bytes = if self.paper {
                [0x10, 0, 0, 0]
            } else {
                [0x18, 0, 0x0C, 0]
            };
            self.say(&bytes);
        }
    }

    fn say(&mut self, bytes: &[u8]) {
        if let Some(host) = &mut self.host {
            let _gone_already = host.write_all(bytes);
        }
    }
}
