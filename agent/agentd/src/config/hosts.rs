//! Which driver hosts are started, and what each is told.
//!
//! A family of devices has a host of its own, so that one that hangs or crashes costs no other; a family
//! without devices has none.

use host_protocol::settings::CodeScanners;
use serde::Serialize;

use super::{ConfigError, Host, HostCommand, raw, value};
use crate::platform;

/// The name of the host of card readers.
pub const CARDS: &str = "pcsc";

/// The devices that the configuration names, by family.
#[derive(Debug)]
pub(super) struct Devices {
    /// Code scanners.
    pub(super) code_scanners: CodeScanners,
}

/// All driver hosts; that of card readers is the first.
pub(super) fn hosts(
    raw: raw::DriverHost,
    trust: raw::CardTrust,
    devices: &Devices,
    log: &str,
) -> Result<Vec<Host>, ConfigError> {
    let cards = Host {
        name: CARDS.to_owned(),
        command: cards(raw, trust, log)?,
        settings: None,
    };
    let program = cards.command.program.clone();
    let mut hosts = vec![cards];
    let family = |name: &str, settings: serde_json::Value| Host {
        name: name.to_owned(),
        command: HostCommand {
            program: program.clone(),
            args: vec![name.to_owned(), "--log".to_owned(), log.to_owned()],
        },
        settings: Some(settings),
    };
    if !devices.code_scanners.scanners.is_empty() {
        let settings = told("code_scanner", &devices.code_scanners)?;
        hosts.push(family("scanner", settings));
    }
    Ok(hosts)
}

fn told(key: &str, settings: &impl Serialize) -> Result<serde_json::Value, ConfigError> {
    serde_json::to_value(settings).map_err(|_error| value(key, "cannot be told to a driver host"))
}

fn cards(
    raw: raw::DriverHost,
    trust: raw::CardTrust,
    log: &str,
) -> Result<HostCommand, ConfigError> {
    let program = match raw.program {
        Some(program) if program.is_absolute() => program,
        Some(_) => return Err(value("driver_host.program", "must be an absolute path")),
        None => platform::beside_this_program("driver-host")
            .ok_or_else(|| value("driver_host.program", "cannot be guessed; name it"))?,
    };
    let mut args = raw.args;
    for builtin in trust.builtin {
        args.extend(["--trust".to_owned(), builtin.as_str().to_owned()]);
    }
    for file in trust.files {
        let file = file
            .to_str()
            .ok_or_else(|| value("card_trust.files", "must be Unicode"))?;
        args.extend(["--trust-file".to_owned(), file.to_owned()]);
    }
    args.extend(["--log".to_owned(), log.to_owned()]);
    Ok(HostCommand { program, args })
}
