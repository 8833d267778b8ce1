//! What the broker does wrong, as data.
//!
//! In JSON, a plan looks like this:
//!
//! ```json
//! { "seed": 7, "faults": [
//!   { "kind": "drop", "topics": "ct/1/+/+/up/tm/#", "perMille": 20 },
//!   { "kind": { "holdBack": 8 }, "perMille": 1000, "times": 40 } ] }
//! ```

use serde::{Deserialize, Serialize};

/// Everything that the broker does wrong. The first fault that strikes a packet is the only one that does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The seed of everything random.
    #[serde(default)]
    pub seed: u64,
    /// The faults, in the order in which they are considered.
    pub faults: Vec<Fault>,
}

impl Plan {
    /// A broker that does nothing wrong.
    #[must_use]
    pub fn honest() -> Self {
        Self::default()
    }

    /// One fault, with this seed.
    #[must_use]
    pub fn of(seed: u64, fault: Fault) -> Self {
        Self {
            seed,
            faults: vec![fault],
        }
    }
}

/// One thing that it does wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// To publications at which topics, as a filter; to all when absent. No matter at a CONNECT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<String>,
    /// How likely each time, of a thousand.
    #[serde(default = "always")]
    pub per_mille: u16,
    /// How often at most; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

const fn always() -> u16 {
    1000
}

impl Fault {
    /// Strikes every time, for ever.
    #[must_use]
    pub const fn every(kind: Kind) -> Self {
        Self {
            kind,
            topics: None,
            per_mille: always(),
            times: None,
        }
    }

    /// Strikes only publications at topics that `filter` matches.
    #[must_use]
    pub fn within(mut self, filter: &str) -> Self {
        self.topics = Some(filter.to_owned());
        self
    }

    /// Strikes as likely as this, of a thousand.
    #[must_use]
    pub const fn per_mille(mut self, likelihood: u16) -> Self {
        self.per_mille = likelihood;
        self
    }

    /// Strikes so often and then no more.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

/// What it does wrong. All but the last six happen at a publication of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// It is acknowledged and given to nobody.
    Drop,
    /// It is given twice.
    Duplicate,
    /// It waits until so many are held back; then all are given, in another order.
    HoldBack(usize),
    /// Something older is given with it, once more.
    Replay,
    /// It waits for the next at another topic; then both are given, each at the other's topic.
    SwapTopics,
    /// One bit of the payload is another.
    FlipBit,
    /// The will of its sender is given, who is alive.
    ForgeDeath,
    /// It is given, and never acknowledged.
    NoPuback,
    /// It is acknowledged so many milliseconds late.
    LatePuback(u64),
    /// Acknowledgements wait until there are so many; then they are sent in reverse order.
    ReversePubacks(usize),
    /// It is acknowledged twice.
    DoublePuback,
    /// Where it is to be retained, the older one stays.
    KeepOldRetained,
    /// Every session without a connection and every retained message is forgotten.
    LoseStore,
    /// The sender's connection is closed, after the message is given.
    Close,
    /// The sender's connection stays open, and nothing is read from it or sent to it any more.
    GoSilent,
    /// The sender gets so many random bytes.
    Garbage(usize),
    /// A client that connects is refused, with this return code.
    Refuse(u8),
    /// The connection is closed instead of an answer to CONNECT.
    CloseAtConnect,
    /// CONNECT is not answered.
    SilentAtConnect,
    /// CONNECT is answered with so many random bytes.
    GarbageAtConnect(usize),
    /// Every filter of a SUBSCRIBE is refused.
    RefuseSubscriptions,
    /// The connection is closed instead of an answer to a SUBSCRIBE of quality 1: RabbitMQ 3.10 does so where
    /// the node is down on which the client's queue is.
    CloseAtSubscription,
}

/// The moments at which a fault can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Publish,
    Connect,
    Subscribe,
}

impl Kind {
    pub(crate) const fn moment(self) -> Moment {
        match self {
            Self::Refuse(_)
            | Self::CloseAtConnect
            | Self::SilentAtConnect
            | Self::GarbageAtConnect(_) => Moment::Connect,
            Self::RefuseSubscriptions | Self::CloseAtSubscription => Moment::Subscribe,
            Self::Drop
            | Self::Duplicate
            | Self::HoldBack(_)
            | Self::Replay
            | Self::SwapTopics
            | Self::FlipBit
            | Self::ForgeDeath
            | Self::NoPuback
            | Self::LatePuback(_)
            | Self::ReversePubacks(_)
            | Self::DoublePuback
            | Self::KeepOldRetained
            | Self::LoseStore
            | Self::Close
            | Self::GoSilent
            | Self::Garbage(_) => Moment::Publish,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_the_documentation_writes_it() {
        let text = r#"{ "seed": 7, "faults": [
            { "kind": "drop", "topics": "ct/1/+/+/up/tm/#", "perMille": 20 },
            { "kind": { "holdBack": 8 }, "perMille": 1000, "times": 40 } ] }"#;
        let expected = Plan {
            seed: 7,
            faults: vec![
                Fault::every(Kind::Drop)
                    .within("ct/1/+/+/up/tm/#")
                    .per_mille(20),
                Fault::every(Kind::HoldBack(8)).times(40),
            ],
        };
        assert_eq!(serde_json::from_str::<Plan>(text).unwrap(), expected);
    }
}
