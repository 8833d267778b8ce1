//! The settings of code scanners, checked and made into those of the driver.

use std::{net::SocketAddr, time::Duration};

use device_api::Secret;
use host_protocol::settings::{self, CodeScanner, Connection, Keymap, PreApplications, Suffix};
use link::serial::SerialSettings;
use scanner::preapplication::{CounterKey, FormKey, PreApplicationKeys};
use scanner::{HidSelector, KeyboardSelector, ScannerSettings};

/// What the driver is opened with.
///
/// # Errors
/// What is wrong, for the operator.
pub(super) fn driver(scanner: &CodeScanner) -> Result<ScannerSettings, String> {
    let wrong = |what: &str| format!("scanner {}: {what}", scanner.name);
    let address = |text: &str| {
        text.parse::<SocketAddr>()
            .map_err(|_error| wrong("not an address such as 192.168.10.7:4001"))
    };
    let connection = match &scanner.connection {
        Connection::Serial(line) => {
            scanner::Connection::Serial(SerialSettings::new(&line.path, line.baud))
        }
        Connection::Tcp(text) => scanner::Connection::Tcp(address(text)?),
        Connection::Usb {
            vendor,
            product,
            serial,
        } => scanner::Connection::Hid(HidSelector {
            vendor: *vendor,
            product: *product,
            serial: serial.clone(),
        }),
        Connection::Keyboard(path) => {
            scanner::Connection::Keyboard(KeyboardSelector::Path(path.into()))
        }
        Connection::Simulated(text) => scanner::Connection::HidStream(address(text)?),
    };
    let mut wanted = ScannerSettings::new(connection);
    wanted.framing.aim = scanner.aim;
    if let Some(suffix) = scanner.suffix {
        wanted.framing.suffix = match suffix {
            Suffix::Nothing => scanner::Suffix::Nothing,
            Suffix::Cr => scanner::Suffix::Cr,
            Suffix::CrLf => scanner::Suffix::CrLf,
            Suffix::Tab => scanner::Suffix::Tab,
            Suffix::Etx => scanner::Suffix::Etx,
            Suffix::EtxLrc => scanner::Suffix::EtxLrc,
        };
    }
    wanted.keymap = match scanner.keymap {
        Keymap::Us => scanner::Keymap::Us,
        Keymap::Jis => scanner::Keymap::Jis,
    };
    wanted.duplicates = Duration::from_millis(u64::from(scanner.duplicate_window_ms));
    Ok(wanted)
}

/// Whose pre-applications are accepted.
///
/// # Errors
/// What is wrong, for the operator.
pub(super) fn keys(accepted: &PreApplications) -> Result<PreApplicationKeys, String> {
    let form = |key: &settings::FormKey| {
        let public = key_bytes(&key.public_key)
            .ok_or_else(|| format!("form key {}: not 64 hexadecimal digits", key.id))?;
        Ok(FormKey { id: key.id, public })
    };
    let counter = |key: &settings::CounterKey| {
        let private = key_bytes(key.private_key.expose())
            .ok_or_else(|| format!("counter key {}: not 64 hexadecimal digits", key.id))?;
        Ok(CounterKey {
            id: key.id,
            private: Secret::new(private.to_vec()),
        })
    };
    Ok(PreApplicationKeys {
        municipality: accepted.municipality,
        forms: accepted
            .forms
            .iter()
            .map(form)
            .collect::<Result<_, String>>()?,
        counters: accepted
            .counters
            .iter()
            .map(counter)
            .collect::<Result<_, String>>()?,
    })
}

fn key_bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}
