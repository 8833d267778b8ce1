//! The settings of code scanners, checked and made into those of the driver.

use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};

use device_api::Secret;
use host_protocol::settings::{
    self, CodeScanner, Connection, Keymap, PreApplications, Start, Suffix,
};
use link::serial::SerialSettings;
use scanner::preapplication::{CounterKey, FormKey, PreApplicationKeys};
use scanner::{HidSelector, KeyboardSelector, ScannerSettings};

/// How long content may be. No symbol holds as much; what a scanner joins of several may be longer than one.
const LONGEST: RangeInclusive<u32> = 1..=65_536;
/// A shorter pause is one that machines make, a longer one is a person's.
const SILENCE_MS: RangeInclusive<u32> = 10..=10_000;

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
    if !LONGEST.contains(&scanner.longest) {
        return Err(wrong("longest: 1 to 65536 bytes"));
    }
    if !SILENCE_MS.contains(&scanner.silence_ms) {
        return Err(wrong("silence_ms: 10 to 10000"));
    }
    let reports = matches!(
        connection,
        scanner::Connection::Hid(_) | scanner::Connection::HidStream(_)
    );
    if reports && scanner.start != Start::Nothing {
        return Err(wrong("start: only of a scanner on a line or keyboard"));
    }
    let mut wanted = ScannerSettings::new(connection);
    wanted.framing.start = match scanner.start {
        Start::Nothing => scanner::Start::Nothing,
        Start::Stx => scanner::Start::Stx,
    };
    wanted.framing.longest =
        usize::try_from(scanner.longest).map_err(|_error| wrong("longest: more than memory"))?;
    wanted.framing.silence = Duration::from_millis(u64::from(scanner.silence_ms));
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn checked(members: Value) -> Result<ScannerSettings, String> {
        let mut scanner = json!({"name": "front", "connection": {"tcp": "127.0.0.1:1"}});
        let Value::Object(members) = members else {
            return Err("not an object".to_owned());
        };
        scanner.as_object_mut().unwrap().extend(members);
        driver(&serde_json::from_value(scanner).unwrap())
    }

    #[test]
    fn what_is_not_set_is_as_scanners_leave_the_factory() {
        let wanted = checked(json!({})).unwrap();
        assert_eq!(wanted.framing, scanner::Framing::default());
    }

    #[test]
    fn delimiters_are_passed_on() {
        let set = json!({"start": "stx", "suffix": "etx_lrc", "longest": 64, "silence_ms": 50});
        let framing = checked(set).unwrap().framing;
        assert_eq!(
            framing,
            scanner::Framing {
                start: scanner::Start::Stx,
                suffix: scanner::Suffix::EtxLrc,
                longest: 64,
                silence: Duration::from_millis(50),
                ..scanner::Framing::default()
            }
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_key() {
        for (members, why) in [
            (json!({"longest": 0}), "longest: 1 to 65536 bytes"),
            (json!({"longest": 65_537}), "longest: 1 to 65536 bytes"),
            (json!({"silence_ms": 9}), "silence_ms: 10 to 10000"),
            (json!({"silence_ms": 10_001}), "silence_ms: 10 to 10000"),
            (
                json!({"start": "stx", "connection": {"usb": {}}}),
                "start: only of a scanner on a line or keyboard",
            ),
        ] {
            let refused = checked(members).unwrap_err();
            assert_eq!(refused, format!("scanner front: {why}"));
        }
    }
}
