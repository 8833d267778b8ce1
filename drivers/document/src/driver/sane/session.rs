//! One conversation with a SANE server.
//!
//! | state | leaves by |
//! |---|---|
//! | greeted | `open`, `devices`, `end` |
//! | open | `set`, `start`, `end` |
//!
//! Dropping it closes the connection; `saned` then cancels, closes the scanner and ends.

use device_api::Patience;

use super::Server;
use crate::ScanError;
use crate::connection::Connection;
use crate::wire::WireError;
use crate::wire::sane::option::{Descriptor, Value};
use crate::wire::sane::reply::{self, Controlled, Device, Parameters, Started};
use crate::wire::sane::request::Request;
use crate::wire::sane::{Status, VERSION};

/// The longest reply. The options of a large scanner have some 30 kilobytes.
const REPLY: usize = 1024 * 1024;

/// A conversation.
#[derive(Debug)]
pub(super) struct Session {
    control: Connection,
    handle: Option<u32>,
    options: Vec<Descriptor>,
}

impl Session {
    /// Connects and greets.
    pub(super) fn begin(server: &Server, patience: &Patience) -> Result<Self, ScanError> {
        const ATTEMPTED: &str = "greeting the server";
        let place = (server.host.as_str(), server.port);
        let control = Connection::open(place, patience, server.silence)?;
        let mut session = Self {
            control,
            handle: None,
            options: Vec::new(),
        };
        let request = Request::Init { user: "madoguchi" };
        let greeting = session.call(&request, ATTEMPTED, reply::init);
        let greeting = match greeting {
            // A server whose list of hosts lacks us hangs up without a word.
            Err(ScanError::Gone { attempted }) => return Err(ScanError::Denied { attempted }),
            other => other?,
        };
        good(greeting.status, ATTEMPTED, 0)?;
        // Older ones, of 1999, write some fields differently.
        match (greeting.version >> 24, greeting.version & 0xFFFF) {
            (major, 2..) if major == VERSION >> 24 => Ok(session),
            _ => Err(ScanError::Settings {
                what: "version of the protocol",
            }),
        }
    }

    /// The scanners of the server.
    pub(super) fn devices(&mut self) -> Result<Vec<Device>, ScanError> {
        const ATTEMPTED: &str = "listing scanners";
        let (status, devices) = self.call(&Request::Devices, ATTEMPTED, reply::devices)?;
        good(status, ATTEMPTED, 0)?;
        Ok(devices)
    }

    /// Takes a scanner, and asks what can be set.
    pub(super) fn open(&mut self, device: &str) -> Result<(), ScanError> {
        const ATTEMPTED: &str = "opening the scanner";
        let opened = self.call(&Request::Open { device }, ATTEMPTED, reply::opened)?;
        allowed(opened.wants_password, ATTEMPTED)?;
        // What no backend knows by this name is not plugged in.
        if opened.status == Status::Inval {
            return Err(ScanError::Gone {
                attempted: ATTEMPTED,
            });
        }
        good(opened.status, ATTEMPTED, 0)?;
        self.handle = Some(opened.handle);
        self.refresh()
    }

    /// What can be set.
    pub(super) fn options(&self) -> &[Descriptor] {
        &self.options
    }

    /// Sets an option by its number, and tells what it became.
    pub(super) fn set(&mut self, option: usize, value: &Value) -> Result<Controlled, ScanError> {
        const ATTEMPTED: &str = "setting an option";
        let handle = self.handle(ATTEMPTED)?;
        let request = Request::Set {
            handle,
            option: u32::try_from(option).unwrap_or(u32::MAX),
            value,
        };
        let answer = self.call(&request, ATTEMPTED, reply::controlled)?;
        allowed(answer.wants_password, ATTEMPTED)?;
        if matches!(answer.status, Status::Inval | Status::Unsupported) {
            return Err(ScanError::Settings { what: "setting" });
        }
        good(answer.status, ATTEMPTED, 0)?;
        if answer.options_changed() {
            self.refresh()?;
        }
        Ok(answer)
    }

    /// Reads an option by its number.
    pub(super) fn value(&mut self, option: usize, shape: &Value) -> Result<Value, ScanError> {
        const ATTEMPTED: &str = "reading an option";
        let handle = self.handle(ATTEMPTED)?;
        let request = Request::Get {
            handle,
            option: u32::try_from(option).unwrap_or(u32::MAX),
            shape,
        };
        let answer = self.call(&request, ATTEMPTED, reply::controlled)?;
        allowed(answer.wants_password, ATTEMPTED)?;
        good(answer.status, ATTEMPTED, 0)?;
        Ok(answer.value)
    }

    /// Starts a frame, after `pages` pages.
    pub(super) fn start(&mut self, pages: u32) -> Result<Started, ScanError> {
        const ATTEMPTED: &str = "starting a page";
        let handle = self.handle(ATTEMPTED)?;
        let started = self.call(&Request::Start { handle }, ATTEMPTED, reply::started)?;
        allowed(started.wants_password, ATTEMPTED)?;
        if started.status == Status::Inval {
            return Err(ScanError::Settings {
                what: "combination",
            });
        }
        good(started.status, ATTEMPTED, pages)?;
        Ok(started)
    }

    /// How the frame that was started looks, and the connection on which it comes.
    ///
    /// The question goes out first: the server hears nothing until it has its data connection, and then
    /// reads ahead, so that with several passes a later question would be answered for the next one.
    pub(super) fn parameters_and_data(
        &mut self,
        port: u16,
    ) -> Result<(Parameters, Connection), ScanError> {
        const ATTEMPTED: &str = "asking for the size of a page";
        let handle = self.handle(ATTEMPTED)?;
        let request = Request::Parameters { handle };
        self.control.write(&request.encode(), ATTEMPTED)?;
        let data = self.control.beside(port)?;
        let (status, parameters) = self.answer(ATTEMPTED, reply::parameters)?;
        good(status, ATTEMPTED, 0)?;
        let parameters = parameters.ok_or(ScanError::Failed {
            attempted: ATTEMPTED,
            code: 0,
        })?;
        Ok((parameters, data))
    }

    /// Gives the scanner back and says goodbye.
    pub(super) fn end(mut self) -> Result<(), ScanError> {
        const ATTEMPTED: &str = "giving the scanner back";
        if let Some(handle) = self.handle.take() {
            self.call(&Request::Cancel { handle }, ATTEMPTED, reply::dummy)?;
            self.call(&Request::Close { handle }, ATTEMPTED, reply::dummy)?;
        }
        self.control.write(&Request::Exit.encode(), ATTEMPTED)
    }

    fn refresh(&mut self) -> Result<(), ScanError> {
        const ATTEMPTED: &str = "asking what can be set";
        let handle = self.handle(ATTEMPTED)?;
        self.options = self.call(&Request::Options { handle }, ATTEMPTED, reply::options)?;
        Ok(())
    }

    fn handle(&self, attempted: &'static str) -> Result<u32, ScanError> {
        self.handle.ok_or(ScanError::Gone { attempted })
    }

    /// Asks, and reads until the answer is whole.
    fn call<T>(
        &mut self,
        request: &Request<'_>,
        attempted: &'static str,
        decode: impl Fn(&[u8]) -> Result<T, WireError>,
    ) -> Result<T, ScanError> {
        self.control.write(&request.encode(), attempted)?;
        self.answer(attempted, decode)
    }

    fn answer<T>(
        &mut self,
        attempted: &'static str,
        decode: impl Fn(&[u8]) -> Result<T, WireError>,
    ) -> Result<T, ScanError> {
        let mut answer = Vec::new();
        let mut chunk = vec![0; 16 * 1024];
        loop {
            let count = self.control.read(&mut chunk, attempted)?;
            if count == 0 {
                return Err(ScanError::Gone { attempted });
            }
            answer.extend_from_slice(chunk.get(..count).unwrap_or_default());
            match decode(&answer) {
                Err(WireError::Incomplete) if answer.len() < REPLY => {}
                outcome => return outcome.map_err(|source| ScanError::of_wire(source, attempted)),
            }
        }
    }
}

fn good(status: Status, attempted: &'static str, pages: u32) -> Result<(), ScanError> {
    if status == Status::Good {
        return Ok(());
    }
    Err(ScanError::of_sane(status, attempted, pages))
}

/// Passwords of SANE travel in clear or as an old hash, so none is ever sent.
fn allowed(wants_password: bool, attempted: &'static str) -> Result<(), ScanError> {
    match wants_password {
        true => Err(ScanError::Denied { attempted }),
        false => Ok(()),
    }
}
