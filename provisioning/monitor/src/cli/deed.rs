//! Commands that register: devices, keys, people.

use std::fmt::Write as _;

use anyhow::Context as _;
use telemetry::{Signer as _, SoftwareSigner};

use super::{DeviceVerb, Done, End, PersonVerb, key_line, print, store};
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
                    let _infallible =
                        writeln!(text, "  {} from epoch {}{until}", key.id, key.from_epoch);
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

/// Registers people who may command.
pub(super) fn person(config: &Config, verb: PersonVerb) -> Done {
    let store = store(&config.database)?;
    match verb {
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
