//! Who may approve what: an allow-list from the agent's configuration.
//!
//! Taking an approver off the list is the revocation; an order of theirs that still waits is refused then.
//! Invariant: no two approvers have one name, one key or one key id, so two approvals are two people as far
//! as keys can tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use telemetry::name::Label;
use telemetry::{KeyId, VerifyingKey};
use thiserror::Error;

use crate::verb::Danger;

/// A person who may approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approver {
    /// The name under which they sign.
    pub name: Label,
    /// Their key.
    pub key: VerifyingKey,
    /// The classes that they may approve.
    pub may: BTreeSet<Danger>,
}

/// An approver as the configuration file says it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApproverSettings {
    /// The name under which they sign: 1 to 32 of `a-z`, `0-9` and `-`.
    pub name: Label,
    /// Their Ed25519 public key: 64 hexadecimal digits.
    pub key: String,
    /// The classes that they may approve: `readOnly`, `reversible`, `destructive`.
    pub may: BTreeSet<Danger>,
}

/// Everybody who may approve.
#[derive(Debug, Clone, Default)]
pub struct Authority {
    approvers: BTreeMap<KeyId, Approver>,
}

/// A list of approvers that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthorityError {
    /// What stands for a key is none.
    #[error("the key of approver {name} is not 64 hexadecimal digits")]
    Key {
        /// Whose.
        name: Label,
    },
    /// Two have one name.
    #[error("two approvers are named {name}")]
    SameName {
        /// The name.
        name: Label,
    },
    /// Two have one key.
    #[error("approver {name} has the key of another")]
    SameKey {
        /// The second of them.
        name: Label,
    },
}

impl Authority {
    /// The list of these approvers.
    ///
    /// # Errors
    /// Where two have one name or one key.
    pub fn new(approvers: impl IntoIterator<Item = Approver>) -> Result<Self, AuthorityError> {
        let mut list = Self::default();
        for approver in approvers {
            let name = approver.name.clone();
            if list.named(&name).is_some() {
                return Err(AuthorityError::SameName { name });
            }
            if list.approvers.insert(approver.key.id(), approver).is_some() {
                return Err(AuthorityError::SameKey { name });
            }
        }
        Ok(list)
    }

    /// The list of a configuration file.
    ///
    /// # Errors
    /// Each of [`AuthorityError`].
    pub fn of_settings(settings: &[ApproverSettings]) -> Result<Self, AuthorityError> {
        let approvers = settings.iter().map(|one| {
            let name = one.name.clone();
            match VerifyingKey::from_hex(&one.key) {
                Ok(key) => Ok(Approver {
                    name,
                    key,
                    may: one.may.clone(),
                }),
                Err(_no_key) => Err(AuthorityError::Key { name }),
            }
        });
        Self::new(approvers.collect::<Result<Vec<_>, _>>()?)
    }

    /// Who has this key.
    #[must_use]
    pub fn of_key(&self, key: KeyId) -> Option<&Approver> {
        self.approvers.get(&key)
    }

    /// Who has this name.
    #[must_use]
    pub fn named(&self, name: &Label) -> Option<&Approver> {
        self.approvers.values().find(|known| known.name == *name)
    }

    /// Whether the one of this name may approve this class.
    #[must_use]
    pub fn allows(&self, name: &Label, danger: Danger) -> bool {
        self.named(name)
            .is_some_and(|approver| approver.may.contains(&danger))
    }
}

#[cfg(test)]
mod tests {
    use telemetry::cbor;

    use super::*;

    fn approver(name: &str, key: u8) -> Approver {
        Approver {
            name: name.parse().unwrap(),
            key: VerifyingKey::new([key; 32]),
            may: [Danger::ReadOnly].into(),
        }
    }

    #[test]
    fn one_name_or_one_key_for_two_people_is_refused() {
        let same_name = Authority::new([approver("sato", 1), approver("sato", 2)]);
        assert!(matches!(same_name, Err(AuthorityError::SameName { .. })));
        let same_key = Authority::new([approver("sato", 1), approver("suzuki", 1)]);
        assert!(matches!(same_key, Err(AuthorityError::SameKey { .. })));
    }

    #[test]
    fn a_right_is_only_what_is_listed() {
        let list = Authority::new([approver("sato", 1), approver("suzuki", 2)]).unwrap();
        let name = |name: &str| name.parse::<Label>().unwrap();
        assert!(list.allows(&name("sato"), Danger::ReadOnly));
        assert!(!list.allows(&name("sato"), Danger::Reversible));
        assert!(!list.allows(&name("tanaka"), Danger::ReadOnly));
        let key = VerifyingKey::new([2; 32]).id();
        assert_eq!(list.of_key(key).unwrap().name, name("suzuki"));
    }

    #[test]
    fn settings_are_read_strictly() {
        let settings = |key: &str| ApproverSettings {
            name: "sato".parse().unwrap(),
            key: key.to_owned(),
            may: [Danger::Destructive].into(),
        };
        assert!(Authority::of_settings(&[settings(&"ab".repeat(32))]).is_ok());
        let error = Authority::of_settings(&[settings("ab")]).unwrap_err();
        assert!(matches!(error, AuthorityError::Key { .. }));
        let more = BTreeMap::from([("name", "a"), ("key", ""), ("may", ""), ("all", "yes")]);
        let bytes = cbor::encode(&more).unwrap();
        assert!(cbor::decode::<ApproverSettings>(&bytes).is_err());
    }
}
