//! Calibrations that were made at signature tablets: kept over restarts, and told to the tablets' host.
//!
//! ```text
//! product of a job -> kept in the state folder -> settings of the host's next welcome
//! ```
//! The host uses a calibration from its making on; what stands here is for its next start.
//! Invariants: a calibration counts only while the tablet's own lines in the configuration are those with which
//! it was made, so that whoever changes them has the last word; nothing here keeps a tablet from being used: a
//! calibration that does not fit is left out, here or by the host.

use std::collections::BTreeMap;

use device_api::DeviceClass;
use host_protocol::settings::{Mapping, Rotation, SignatureTablet, SignatureTablets};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use signature::Turn;

use crate::config::{Host, TABLETS};

/// A calibration as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// What of the configuration it was made under; see [`footing`].
    footing: String,
    /// The map.
    mapping: Mapping,
}

/// The calibrations, by the names of tablets.
#[derive(Debug, Default)]
pub struct Calibrations(BTreeMap<String, Kept>);

impl Calibrations {
    /// Those that were stored; tells the tablets' host of those that count.
    #[must_use]
    pub fn new(stored: BTreeMap<String, Kept>, hosts: &mut [Host]) -> Self {
        let calibrations = Self(stored);
        for host in hosts.iter_mut().filter(|host| is_of_tablets(host)) {
            calibrations.tell(host);
        }
        calibrations
    }

    /// Keeps the calibration of a device of this host, and tells the host of it at its next start. What is to be
    /// stored now; `None` for a vendor's device, whose host keeps such things itself.
    pub fn keep(
        &mut self,
        device: &str,
        mapping: Mapping,
        host: &mut Host,
    ) -> Option<&BTreeMap<String, Kept>> {
        if !is_of_tablets(host) {
            return None;
        }
        let tablet = tablet_of(host, device)?;
        let footing = footing(&tablet)?;
        self.0.insert(tablet.name, Kept { footing, mapping });
        self.tell(host);
        Some(&self.0)
    }

    /// Forgets the calibration of a device of this host, which is told of none at its next start. What is to be
    /// stored now; `None` for a device that the configuration does not name.
    pub fn forget(&mut self, device: &str, host: &mut Host) -> Option<&BTreeMap<String, Kept>> {
        let tablet = tablet_of(host, device)?;
        self.0.remove(&tablet.name);
        self.tell(host);
        Some(&self.0)
    }

    fn tell(&self, host: &mut Host) {
        let Some(mut settings) = settings_of(host) else {
            return;
        };
        settings.kept.clear();
        for tablet in &settings.tablets {
            let Some(kept) = self.0.get(&tablet.name) else {
                continue;
            };
            if footing(tablet).as_ref() == Some(&kept.footing) {
                settings.kept.insert(tablet.name.clone(), kept.mapping);
            } else {
                tracing::warn!(
                    tablet = tablet.name,
                    "a calibration that was made at a tablet is left out, because what the configuration says \
                     of the tablet has changed since"
                );
            }
        }
        // What was read as settings a moment ago can be written as such.
        if let Ok(settings) = serde_json::to_value(settings) {
            host.settings = Some(settings);
        }
    }
}

/// Whether a device is a signature tablet, by its id.
#[must_use]
pub fn is_tablet(device: &str) -> bool {
    name_of(device).is_some()
}

fn name_of(device: &str) -> Option<&str> {
    let name = device.strip_prefix(DeviceClass::SignatureTablet.as_str())?;
    name.strip_prefix(':')
}

/// How a tablet of this host stands, by its calibration or else its configuration; as built for a device that the
/// configuration does not name, such as a vendor's.
#[must_use]
pub fn turn(device: &str, host: &Host) -> Turn {
    let (Some(tablet), Some(settings)) = (tablet_of(host, device), settings_of(host)) else {
        return Turn::None;
    };
    let made = settings.kept.get(&tablet.name).copied();
    match (made.or(tablet.mapping), tablet.rotation) {
        (Some(mapping), _) => turn_of(&mapping),
        (None, Rotation::None) => Turn::None,
        (None, Rotation::Quarter) => Turn::Quarter,
        (None, Rotation::Half) => Turn::Half,
        (None, Rotation::ThreeQuarters) => Turn::ThreeQuarters,
    }
}

/// To which turn a map is nearest.
fn turn_of(mapping: &Mapping) -> Turn {
    let Mapping {
        x: [across, along, _],
        ..
    } = mapping;
    match (across.abs() >= along.abs(), across + along > 0.0) {
        (true, true) => Turn::None,
        (true, false) => Turn::Half,
        (false, false) => Turn::Quarter,
        (false, true) => Turn::ThreeQuarters,
    }
}

/// What the configuration says of a tablet.
fn tablet_of(host: &Host, device: &str) -> Option<SignatureTablet> {
    let name = name_of(device)?;
    let tablets = settings_of(host)?.tablets;
    tablets.into_iter().find(|known| known.name == name)
}

/// Whether a host is the one whose calibrations are kept here.
#[must_use]
pub fn is_of_tablets(host: &Host) -> bool {
    host.name == TABLETS && host.vendor().is_none()
}

fn settings_of(host: &Host) -> Option<SignatureTablets> {
    serde_json::from_value(host.settings.clone()?).ok()
}

/// What of a tablet's settings a calibration rests on, as a digest: which device it is, and how it stands. The size
/// of the pictures is none of it, because a calibration outlives another resolution.
fn footing(tablet: &SignatureTablet) -> Option<String> {
    let SignatureTablet {
        name: _,
        connection,
        kind,
        rotation,
        mapping,
        font: _,
        picture_width: _,
        picture_height: _,
    } = tablet;
    let text = serde_json::to_vec(&(connection, kind, rotation, mapping)).ok()?;
    Some(hex::encode(digest(&SHA256, &text)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::state_dir::StateDir;
    use crate::stored;

    const DEVICE: &str = "signatureTablet:desk";
    const MADE: Mapping = Mapping {
        x: [3.2e-5, 1.0e-7, -0.01],
        y: [-2.0e-7, 5.1e-5, 0.02],
    };

    fn hosts(rotation: &str) -> Vec<Host> {
        let text = format!(
            "[driver_host]\nprogram = \"/usr/libexec/madoguchi/driver-host\"\n\
             [[signature_tablet]]\nname = \"desk\"\nrotation = \"{rotation}\"\n\
             connection = {{ simulated = \"127.0.0.1:4001\" }}\n"
        );
        Config::parse(&text, Path::new("agent.toml")).unwrap().hosts
    }

    fn told(hosts: &[Host]) -> BTreeMap<String, Mapping> {
        let host = hosts.iter().find(|host| is_of_tablets(host)).unwrap();
        settings_of(host).unwrap().kept
    }

    fn tablets(hosts: &mut [Host]) -> &mut Host {
        hosts.iter_mut().find(|host| is_of_tablets(host)).unwrap()
    }

    #[test]
    fn a_calibration_is_told_at_the_next_start_of_the_host_and_of_the_agent() {
        let folder = tempfile::tempdir().unwrap();
        let dir = StateDir::open(folder.path()).unwrap();
        let mut first = hosts("none");
        let stored = stored::read_calibrations(&dir).unwrap();
        let mut calibrations = Calibrations::new(stored, &mut first);
        assert!(told(&first).is_empty());
        let to_store = calibrations.keep(DEVICE, MADE, tablets(&mut first));
        stored::write_calibrations(&dir, to_store.unwrap()).unwrap();
        assert_eq!(told(&first).get("desk"), Some(&MADE));

        let mut second = hosts("none");
        let stored = stored::read_calibrations(&dir).unwrap();
        let _calibrations = Calibrations::new(stored, &mut second);
        assert_eq!(told(&second), told(&first));
    }

    #[test]
    fn a_tablet_stands_as_it_was_calibrated_or_else_as_configured() {
        for (rotation, expected) in [
            ("none", Turn::None),
            ("quarter", Turn::Quarter),
            ("half", Turn::Half),
            ("three_quarters", Turn::ThreeQuarters),
        ] {
            let mut hosts = hosts(rotation);
            assert_eq!(turn(DEVICE, tablets(&mut hosts)), expected);
            assert_eq!(turn("acme:desk", tablets(&mut hosts)), Turn::None);
        }
        let mut hosts = hosts("none");
        let mut calibrations = Calibrations::default();
        for (x, y, expected) in [
            ([3.2e-5, 1.0e-7, 0.0], [-2.0e-7, 5.1e-5, 0.0], Turn::None),
            ([1.0e-7, -3.2e-5, 1.0], [5.1e-5, 2.0e-7, 0.0], Turn::Quarter),
            ([-3.2e-5, 1.0e-7, 1.0], [2.0e-7, -5.1e-5, 1.0], Turn::Half),
            (
                [1.0e-7, 3.2e-5, 0.0],
                [-5.1e-5, 2.0e-7, 1.0],
                Turn::ThreeQuarters,
            ),
        ] {
            let made = Mapping { x, y };
            calibrations
                .keep(DEVICE, made, tablets(&mut hosts))
                .unwrap();
            assert_eq!(turn(DEVICE, tablets(&mut hosts)), expected);
        }
    }

    #[test]
    fn what_is_forgotten_is_told_no_more() {
        let mut hosts = hosts("none");
        let mut calibrations = Calibrations::default();
        calibrations
            .keep(DEVICE, MADE, tablets(&mut hosts))
            .unwrap();
        let unknown = calibrations.forget("signatureTablet:hall", tablets(&mut hosts));
        assert_eq!(unknown, None);
        assert_eq!(told(&hosts).len(), 1);
        let stored = calibrations.forget(DEVICE, tablets(&mut hosts)).unwrap();
        assert!(stored.is_empty() && told(&hosts).is_empty());
    }

    #[test]
    fn what_is_configured_anew_has_the_last_word() {
        let mut before = hosts("none");
        let mut calibrations = Calibrations::default();
        let stored = calibrations.keep(DEVICE, MADE, tablets(&mut before));
        let mut after = hosts("half");
        let _calibrations = Calibrations::new(stored.unwrap().clone(), &mut after);
        assert!(told(&after).is_empty());
    }

    #[test]
    fn nothing_is_kept_of_what_the_configuration_does_not_name() {
        let mut hosts = hosts("none");
        let mut calibrations = Calibrations::default();
        for unknown in ["signatureTablet:hall", "signatureTablet", "acme:desk"] {
            let stored = calibrations.keep(unknown, MADE, tablets(&mut hosts));
            assert_eq!(stored, None, "{unknown}");
        }
        let cards = hosts.first_mut().unwrap();
        assert_eq!(calibrations.keep(DEVICE, MADE, cards), None);
    }
}
