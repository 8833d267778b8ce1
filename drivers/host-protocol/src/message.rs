//! The messages.

use serde::{Deserialize, Serialize};

use crate::{CardFacts, Product, SecretText, Task};

/// What the agent says to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum AgentMessage {
    /// Answers `hello` and chooses one of the offered versions.
    Welcome {
        /// The version both sides speak from here on.
        protocol: u32,
    },
    /// Starts a job on a device.
    Start {
        /// Chosen by the agent, unique for the life of the host.
        id: u64,
        /// The device, as named in `devices`.
        device: String,
        /// Milliseconds from receipt after which the job must have finished.
        deadline_ms: u64,
        /// What to do.
        task: Task,
    },
    /// Answers an `ask`.
    Answer {
        /// The job.
        id: u64,
        /// The number of the question, as asked.
        ask: u32,
        /// The answer.
        answer: Answer,
    },
    /// Ends a job early. It still ends with one `finished`.
    Cancel {
        /// The job.
        id: u64,
    },
    /// Asks for a `pong`, to see whether the host still listens.
    Ping {
        /// Returned as it came.
        n: u64,
    },
}

/// A person's answer to a question of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Answer {
    /// The PIN or verification number that was asked for.
    Secret {
        /// Digits, ASCII.
        value: SecretText,
        /// Whether a person with the right to do so allowed the last try to be spent on it.
        last_try_allowed: bool,
    },
    /// The PIN may be typed on the device now; answers [`Question::PinOnDevice`] only.
    EnterOnDevice {
        /// Whether a person with the right to do so allowed the last try to be spent on it.
        last_try_allowed: bool,
    },
    /// The person declined.
    Declined,
    /// Nobody answered in time.
    TimedOut,
}

/// What a host says to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum HostMessage {
    /// The first message: who this is and which versions it speaks.
    Hello {
        /// The versions of the protocol that the host speaks.
        protocols: Vec<u32>,
        /// Who it is.
        host: HostName,
    },
    /// All devices of this host, whenever any of them changed.
    Devices {
        /// The operating system's service that the devices depend on.
        service: ServiceState,
        /// All of them; a device that is missing here is gone.
        devices: Vec<DeviceDescription>,
    },
    /// The job was taken on.
    Accepted {
        /// The job.
        id: u64,
    },
    /// The job has come a step further.
    Progress {
        /// The job.
        id: u64,
        /// Where it stands.
        step: Step,
        /// What the card says of itself without any secret, once known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        card: Option<CardFacts>,
    },
    /// The job needs something from a person. One question is open at a time.
    Ask {
        /// The job.
        id: u64,
        /// The number of the question, counted from 1 in each job.
        ask: u32,
        /// The question.
        question: Question,
    },
    /// The job has ended; nothing more is said of it.
    Finished {
        /// The job.
        id: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// Answers `ping`.
    Pong {
        /// As it came.
        n: u64,
    },
}

/// Who a host is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostName {
    /// The program.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The operating system's service under the devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ServiceState {
    /// It answers.
    Up,
    /// It does not run; the host waits for it.
    Down,
    /// It runs and refuses the user under whom the host runs.
    Denied,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceDescription {
    /// Stable over unplugging and restarts.
    pub id: String,
    /// The kind of device, such as `cardReader`.
    pub class: String,
    /// The name that the operating system shows.
    pub name: String,
    /// Whether it can be used, and what stands on it.
    pub state: DeviceState,
    /// Whether the PIN can be typed on the device itself.
    pub pin_pad: bool,
}

/// The state of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeviceState {
    /// Ready; no card on it.
    Empty,
    /// Ready; a card is on it.
    CardPresent,
    /// A card is on it and does not answer.
    CardMute,
    /// Another program holds it.
    InUse,
    /// It does not answer.
    Unresponsive,
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// Waiting for a person to put the card.
    WaitingForCard,
    /// Finding out what card it is.
    Identifying,
    /// Reading what the job asked for.
    Reading,
    /// Checking signatures and that the card is no copy.
    Verifying,
}

/// What a host asks of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Question {
    /// The citizen's 4-digit PIN of the card-surface input AP.
    Pin {
        /// Tries left, read from the card just now. One left needs a separate permission.
        tries_left: u8,
    },
    /// Leave to have the same PIN typed on the keys of the device.
    PinOnDevice {
        /// Tries left, read from the card just now. One left needs a separate permission.
        tries_left: u8,
    },
    /// Verification number B, 14 digits, from what is printed on the card.
    VerificationNumberB {
        /// Tries left, read from the card just now.
        tries_left: u8,
    },
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Outcome {
    /// It did what was asked.
    Done {
        /// What came out.
        product: Box<Product>,
    },
    /// It failed.
    Failed {
        /// Why.
        fault: HostFault,
    },
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostFault {
    /// A stable code of `docs/errors.md`, such as `CRD-REMOVED`.
    pub code: String,
    /// For the log: what was being attempted. Nothing about a citizen.
    pub detail: String,
    /// For faults of a PIN: how many tries the card has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
}
