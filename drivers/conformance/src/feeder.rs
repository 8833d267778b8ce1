//! A device on TCP that sends codes, for hosts of scanners whose settings name an address.

use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// In settings, replaced by the feeder's address, such as `127.0.0.1:40001`.
pub const FEEDER: &str = "$FEEDER";

/// The feeder.
#[derive(Debug)]
pub(crate) struct Feeder {
    address: String,
    connected: Receiver<TcpStream>,
    stream: Option<TcpStream>,
}

impl Feeder {
    /// Listens on a port of this machine that the system chooses.
    pub(crate) fn open() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?.to_string();
        let (found, connected) = channel();
        thread::spawn(move || {
            // One connection: the thread and the listener end with it, or with the suite.
            if let Ok((stream, _)) = listener.accept() {
                let _suite_has_ended = found.send(stream);
            }
        });
        Ok(Self {
            address,
            connected,
            stream: None,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Sends a code, ended by CR LF, once the host has connected.
    pub(crate) fn feed(&mut self, code: &str, within: Duration) -> Result<(), String> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none @ None => {
                let found = self.connected.recv_timeout(within);
                none.insert(
                    found.map_err(|_late| "the host did not connect to the feeder".to_owned())?,
                )
            }
        };
        let sent = stream.write_all(format!("{code}\r\n").as_bytes());
        sent.map_err(|error| format!("the host closed the connection to the feeder: {error}"))
    }
}

/// Settings with the feeder's address in the place of [`FEEDER`].
pub(crate) fn with_address(settings: &serde_json::Value, address: &str) -> serde_json::Value {
    use serde_json::Value;

    match settings {
        Value::String(text) => Value::String(text.replace(FEEDER, address)),
        Value::Array(list) => {
            let list = list.iter().map(|value| with_address(value, address));
            Value::Array(list.collect())
        }
        Value::Object(table) => {
            let pairs = table.iter();
            let pairs = pairs.map(|(key, value)| (key.clone(), with_address(value, address)));
            Value::Object(pairs.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => settings.clone(),
    }
}

/// Whether settings name the feeder.
pub(crate) fn is_named(settings: Option<&serde_json::Value>) -> bool {
    settings.is_some_and(|settings| settings.to_string().contains(FEEDER))
}
