//! Commands that register: devices, keys, people.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use telemetry::name::DeviceName;
use telemetry::{Signer as _, SoftwareSigner, VerifyingKey};

use super::{DeviceVerb, Done, End, PersonVerb, device_name, key_line, print, public_key, store};
use monitor::config::Config;
use monitor::registry::Shard;

/// Makes the monitor's key where there is none, and prints its public half.
pub(super) fn key(config: &Config) -> Done {
    if !config.key.exists() {
        let document = SoftwareSigner::generate()?;
        crate::platform::write_private(&config.key, &document)
            .with_context(|| format!("failed to write {}", config.key.display()))?;
    }
    let signer = own(config)?;
    let key = signer.verifying_key();
    print(&key_line(key.id(), &key));
    Ok(End::Well)
}

/// Makes a person's key.
fn person_key(file: &std::path::Path) -> Done {
    anyhow::ensure!(!file.exists(), "{} is there already", file.display());
    let document = SoftwareSigner::generate()?;
    crate::platform::write_private(file, &document)
        .with_context(|| format!("failed to write {}", file.display()))?;
    let key = SoftwareSigner::from_pkcs8(&document)?.verifying_key();
    print(&format!("{}\n", hex::encode(key.bytes())));
    Ok(End::Well)
}

/// The monitor's key.
pub(super) fn own(config: &Config) -> anyhow::Result<SoftwareSigner> {
    let document = std::fs::read(&config.key)
        .with_context(|| format!("failed to read {}", config.key.display()))?;
    Ok(SoftwareSigner::from_pkcs8(&document)?)
}

/// Registers devices and their keys.
pub(super) fn device(config: &Config, verb: DeviceVerb) -> Done {
    let store = store(&config.database)?;
    match verb {
        DeviceVerb::Add { device, key } => {
            store.add_device(&device, &key)?;
            print(&format!("{device}: registered with key {}\n", key.id()));
        }
        DeviceVerb::Import { file } => {
            let devices = listed(&text_of(&file)?)?;
            store.add_devices(&devices)?;
            print(&format!("{} devices registered\n", devices.len()));
        }
        DeviceVerb::AddKey {
            device,
            key,
            from_epoch,
            beside,
        } => {
            store.add_key(&device, &key, from_epoch, !beside)?;
            print(&format!(
                "{device}: key {} counts from epoch {from_epoch} on\n",
                key.id()
            ));
        }
        DeviceVerb::EnrolAnew { device, key } => {
            store.enrol_anew(&device, &key)?;
            print(&format!(
                "{device}: begins anew with key {}; its earlier keys are void\n",
                key.id()
            ));
        }
        DeviceVerb::List => {
            let mut text = String::new();
            for device in store.registry(Shard::WHOLE)?.devices() {
                let quarantine = device
                    .quarantine
                    .as_ref()
                    .map_or_else(String::new, |reason| format!(" QUARANTINE: {reason}"));
                let _infallible = writeln!(text, "{}{quarantine}", device.name);
                for key in &device.keys {
                    let until = key
                        .until_epoch
                        .map_or_else(String::new, |until| format!(" to {until}"));
                    let waits = if key.waits {
                        ", stated, has not signed yet"
                    } else {
                        ""
                    };
                    let _infallible = writeln!(
                        text,
                        "  {} from epoch {}{until}{waits}",
                        key.id, key.from_epoch
                    );
                }
            }
            print(&text);
        }
        DeviceVerb::Quarantine { device, reason } => {
            store.quarantine(&device, &reason, None)?;
            print(&format!("{device}: nothing of it is accepted any more\n"));
        }
        DeviceVerb::Release { device } => {
            let released = store.release(&device)?;
            let more = released.rollback.map_or_else(String::new, |epoch| {
                format!(", and goes on in epoch {epoch}")
            });
            print(&format!("{device}: is accepted again{more}\n"));
        }
    }
    Ok(End::Well)
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        return std::io::read_to_string(std::io::stdin()).context("failed to read standard input");
    }
    std::fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))
}

/// The devices of such lines as `counter-sim fleet keys` prints.
fn listed(text: &str) -> anyhow::Result<Vec<(DeviceName, VerifyingKey)>> {
    let one = |(place, line): (usize, &str)| {
        let (name, key) = line
            .split_once(' ')
            .with_context(|| format!("line {}: no name and key", place + 1))?;
        let wrong = |what: String| anyhow::anyhow!("line {}: {what}", place + 1);
        Ok((
            device_name(name).map_err(wrong)?,
            public_key(key.trim()).map_err(wrong)?,
        ))
    };
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(one)
        .collect()
}

/// Registers people who may command.
pub(super) fn person(config: &Config, verb: PersonVerb) -> Done {
    if let PersonVerb::Key { file } = &verb {
        return person_key(file);
    }
    let store = store(&config.database)?;
    match verb {
        PersonVerb::Key { .. } => {}
        PersonVerb::Add { name, role, key } => {
            store.add_person(&name, &role, &key)?;
            print(&format!(
                "{name}: registered as {role} with key {}\n",
                key.id()
            ));
        }
        PersonVerb::Retire { key } => {
            store.retire_person(&key)?;
            print(&format!("key {} counts no longer\n", key.id()));
        }
        PersonVerb::List => {
            for person in store.people()? {
                let retired = if person.retired { " retired" } else { "" };
                let id = person.key.id();
                print(&format!("{id} {} {}{retired}\n", person.role, person.name));
            }
        }
    }
    Ok(End::Well)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let key = "ab".repeat(32);
        let text = format!("hoshino-shi/c-1 {key}\n\nhoshino-shi/c-2 {key}\n");
        assert_eq!(listed(&text).unwrap().len(), 2);
        for (text, error) in [
            ("hoshino-shi/c-1".to_owned(), "line 1: no name and key"),
            (
                format!("hoshino-shi/c-1 {key}\nc-2 {key}"),
                "line 2: a device is written as tenant/device, each 1 to 32 of a-z, 0-9 and -",
            ),
            (
                "hoshino-shi/c-1 ab".to_owned(),
                "line 1: a public key is 64 hexadecimal digits",
            ),
        ] {
            assert_eq!(listed(&text).unwrap_err().to_string(), error);
        }
    }
}
