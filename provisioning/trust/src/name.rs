//! Who a certificate can be for.
//!
//! Identifiers stand in topics, file names and user names of brokers, so their alphabet has no character
//! that means anything there: no slash, no wildcard, no dot (NATS separates by it), no capital letter.

use std::fmt;

use crate::TrustError;

/// The CN of the monitor, and the user that brokers let read every device.
pub const MONITOR: &str = "monitor";

/// Names that no device gets, because a broker gives them other rights.
///
/// `guest` is the administrator of a fresh RabbitMQ; `broker` and `admin` are kept for operators.
pub const RESERVED: [&str; 4] = [MONITOR, "guest", "broker", "admin"];

/// The longest identifier.
const LONGEST: usize = 32;

/// A device and the tenant that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceName {
    tenant: String,
    device: String,
}

impl DeviceName {
    /// The device `device` of `tenant`; both are `[a-z0-9-]{1,32}`.
    ///
    /// A broker tells devices apart by `device` alone, so it must be unique among all tenants of a broker.
    ///
    /// # Errors
    /// When either is no identifier, or the device is called like a user with other rights.
    pub fn new(tenant: &str, device: &str) -> Result<Self, TrustError> {
        let tenant = identifier("tenant", tenant)?;
        let device = identifier("device", device)?;
        if RESERVED.contains(&device.as_str()) {
            return Err(TrustError::Name {
                what: "device",
                name: device,
                why: "brokers know a user with other rights by this name",
            });
        }
        Ok(Self { tenant, device })
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The device: the CN of its certificate, and its user name at a broker.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.tenant, self.device)
    }
}

fn identifier(what: &'static str, name: &str) -> Result<String, TrustError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=LONGEST).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name.to_owned());
    }
    Err(TrustError::Name {
        what,
        name: name.chars().take(2 * LONGEST).collect(),
        why: "it must be 1 to 32 of a-z, 0-9 and -",
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_device_is_called_like_a_user_with_other_rights() {
        for name in RESERVED {
            assert!(DeviceName::new("town", name).is_err(), "{name}");
        }
        assert!(DeviceName::new("town", "monitor-1").is_ok());
        assert!(DeviceName::new("monitor", "counter-07").is_ok());
    }

    #[test]
    fn what_means_something_in_topics_or_subjects_is_no_identifier() {
        for bad in [
            "", "a/b", "+", "#", "a.b", "*", ">", "%u", "A", "a b", "a\0", "窓口", "a_b", "$sys",
        ] {
            assert!(DeviceName::new("town", bad).is_err(), "{bad:?}");
            assert!(DeviceName::new(bad, "device").is_err(), "{bad:?}");
        }
        assert!(DeviceName::new("town", &"a".repeat(33)).is_err());
        assert!(DeviceName::new("town", &"a".repeat(32)).is_ok());
    }

    proptest! {
        #[test]
        fn only_the_alphabet_passes(name in "\\PC{0,40}") {
            let passes = name.len() <= 32
                && !name.is_empty()
                && name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
                && !RESERVED.contains(&name.as_str());
            prop_assert_eq!(DeviceName::new("t", &name).is_ok(), passes);
        }
    }
}
