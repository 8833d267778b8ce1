//! Driver hosts of other vendors: what is checked of their lists before anything starts.
//!
//! Invariant: a vendor's name is nobody else's, because the ids of its devices begin with it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use device_api::DeviceClass;

use super::hosts::CARDS;
use super::{ConfigError, Host, HostCommand, name, raw, value};
use crate::allowing::{Publisher, Vendor};

/// The folder of the copies, below the state folder.
const FOLDER: &str = "vendor";

/// The hosts of other vendors; their copies go below `state_dir`.
pub(super) fn hosts(
    drivers: Vec<raw::VendorDriver>,
    publishers: Vec<raw::DriverPublisher>,
    state_dir: &Path,
) -> Result<Vec<Host>, ConfigError> {
    let publishers = listed(publishers)?;
    let mut taken = BTreeSet::from([CARDS.to_owned()]);
    let mut hosts = Vec::with_capacity(drivers.len());
    for driver in drivers {
        let name = own_name(driver.name)?;
        if !taken.insert(name.clone()) {
            return Err(value("vendor_driver.name", "a driver is named twice"));
        }
        let publisher = publishers
            .iter()
            .find(|known| known.name == driver.publisher)
            .cloned()
            .ok_or_else(|| value("vendor_driver.publisher", "no such driver_publisher"))?;
        let files = driver.files.into_iter().map(file);
        let vendor = Vendor {
            folder: state_dir.join(FOLDER).join(&name),
            program: file(driver.program)?,
            args: driver.args.clone(),
            files: files.collect::<Result<_, _>>()?,
            manifest: file(driver.manifest)?,
            signature: file(driver.signature)?,
            publisher,
            name: name.clone(),
        };
        let settings = driver.settings.map(serde_json::to_value).transpose();
        hosts.push(Host {
            name,
            command: HostCommand {
                program: vendor.program.clone(),
                args: driver.args,
                vendor: Some(Arc::new(vendor)),
            },
            settings: settings
                .map_err(|_error| value("vendor_driver.settings", "cannot be told to a host"))?,
        });
    }
    Ok(hosts)
}

fn listed(raw: Vec<raw::DriverPublisher>) -> Result<Vec<Publisher>, ConfigError> {
    let mut publishers: Vec<Publisher> = Vec::with_capacity(raw.len());
    for publisher in raw {
        let bytes = URL_SAFE_NO_PAD.decode(&publisher.public_key);
        let public_key = bytes.unwrap_or_default().try_into().map_err(|_bytes| {
            value(
                "driver_publisher.public_key",
                "must be 32 bytes as base64url without padding (43 characters)",
            )
        })?;
        let name = name("driver_publisher.name", publisher.name)?;
        if publishers.iter().any(|known| known.name == name) {
            return Err(value("driver_publisher.name", "a publisher is named twice"));
        }
        publishers.push(Publisher { name, public_key });
    }
    Ok(publishers)
}

/// Ids of shipped hosts begin with the class of the device or `pcsc`.
fn own_name(text: String) -> Result<String, ConfigError> {
    let name = name("vendor_driver.name", text)?;
    if DeviceClass::from_name(&name).is_some() || name.chars().all(|c| c == '.') {
        return Err(value("vendor_driver.name", "this name is taken"));
    }
    Ok(name)
}

/// A path that means one file, whatever the working directory.
fn file(path: PathBuf) -> Result<PathBuf, ConfigError> {
    let plain = path.components().all(|part| part != Component::ParentDir);
    if !path.is_absolute() || !plain {
        return Err(value(
            "vendor_driver",
            "program, files, manifest and signature must be absolute paths without `..`",
        ));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const PUBLISHER: &str = "[[driver_publisher]]\nname = \"acme\"\npublic_key = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"\n";
    const DRIVER: &str = "[[vendor_driver]]\nname = \"acme-scan\"\nprogram = \"/opt/acme/scan\"\nargs = [\"-v\"]\nfiles = [\"/opt/acme/lib\"]\nmanifest = \"/opt/acme/m.json\"\nsignature = \"/opt/acme/m.sig\"\npublisher = \"acme\"\n";

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, "agent.toml".as_ref()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_vendors_driver_is_a_host_with_settings_of_its_own() {
        let text = format!("{PUBLISHER}{DRIVER}[vendor_driver.settings]\nport = 7\n");
        let config = parse(&text).unwrap();
        let host = config.hosts.last().unwrap();
        assert_eq!(host.name, "acme-scan");
        assert_eq!(host.settings, Some(serde_json::json!({"port": 7})));
        let vendor = host.command.vendor.as_ref().unwrap();
        assert!(vendor.folder.ends_with("vendor/acme-scan"));
        assert_eq!(vendor.publisher.name, "acme");
    }

    #[test]
    fn what_would_weaken_the_list_is_refused() {
        for (from, to) in [
            ("publisher = \"acme\"", "publisher = \"other\""),
            ("/opt/acme/scan", "scan"),
            ("/opt/acme/lib", "/opt/acme/../lib"),
            ("\"acme-scan\"", "\"codeScanner\""),
            ("\"acme-scan\"", "\"pcsc\""),
            ("\"acme-scan\"", "\"..\""),
            ("\"acme-scan\"", "\"acme:scan\""),
            ("11qY", "11q"),
            ("signature = \"/opt/acme/m.sig\"\n", ""),
        ] {
            let text = format!("{PUBLISHER}{DRIVER}");
            assert!(parse(&text).is_ok());
            assert!(parse(&text.replace(from, to)).is_err(), "{from} -> {to}");
        }
        assert!(parse(&format!("{PUBLISHER}{DRIVER}{DRIVER}")).is_err());
        assert!(parse(&format!("{PUBLISHER}{PUBLISHER}{DRIVER}")).is_err());
    }
}
