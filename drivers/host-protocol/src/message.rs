//! The messages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Act, CardFacts, Item, Product, SecretBytes, SecretText, Source, Task};

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
        /// The host's own section of the agent's configuration; what it may hold is the host's business.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings: Option<serde_json::Value>,
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
    /// A part of an attachment that the task of a started job names.
    Part {
        /// The job.
        id: u64,
        /// Which attachment, as the task names it.
        attachment: u32,
        /// The next bytes; the parts of an attachment come in order.
        data: SecretBytes,
        /// Whether the attachment is complete with it.
        last: bool,
    },
    /// An item has reached whom it is for; the next may follow.
    Received {
        /// The job.
        id: u64,
        /// The number of the item.
        n: u32,
    },
    /// The citizen did something on the screen that the agent shows.
    Act {
        /// The job.
        id: u64,
        /// What.
        act: Act,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Something came of the job before its end: a scanned code, ink, a page to be shown.
    Item {
        /// The job.
        id: u64,
        /// Counted from 1 in each job.
        n: u32,
        /// What.
        item: Item,
    },
    /// A part of an attachment that a later `item` or `finished` of the job names.
    Part {
        /// The job.
        id: u64,
        /// Which attachment; the host chooses numbers, each used once in a job.
        attachment: u32,
        /// The next bytes; the parts of an attachment come in order.
        data: SecretBytes,
        /// Whether the attachment is complete with it.
        last: bool,
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
    /// For `notReady`: the code of what stands in the way, such as `PRN-PAPER-OUT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Codes of what will stand in the way soon, such as `PRN-PAPER-LOW`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Capabilities::is_empty")]
    pub capabilities: Capabilities,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Make::is_unknown")]
    pub make: Make,
    /// What it has done in its life, as far as the host counts it, such as `cuts`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

/// What a device can do, beyond what its class says. What is absent it cannot do, or it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Capabilities {
    /// Card readers: whether the PIN can be typed on the device itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pin_pad: bool,
    /// Signature tablets: who shows the document, and who feels the pen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pen: Option<Pen>,
    /// Signature tablets: whether it takes [`crate::Task::CalibrateTablet`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub calibrates: bool,
    /// Ticket printers: dots in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dots: Option<u32>,
    /// Printers and document scanners: resolutions, in dots per inch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolutions: Vec<u32>,
    /// Document scanners: where paper can lie.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Keyboards and handover folders: the forms or templates that are configured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
}

impl Capabilities {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Who shows the document to be signed, and who feels the pen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pen {
    /// The device has a screen of its own and does both.
    OwnScreen,
    /// The device feels the pen; the citizen's page shows the document.
    Display,
    /// The citizen's page does both, by pointer events of the browser.
    Page,
}

/// What a device says of itself; whatever it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Make {
    /// The maker.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// The model.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Its serial number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub serial: String,
    /// The version of its firmware.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub firmware: String,
}

impl Make {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// The state of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeviceState {
    /// A card reader: ready; no card on it.
    Empty,
    /// A card reader: ready; a card is on it.
    CardPresent,
    /// A card is on it and does not answer.
    CardMute,
    /// Ready; said of devices that take no card.
    Ready,
    /// It answers, and a person must do something first; `fault` says what.
    NotReady,
    /// The operating system denies access.
    Denied,
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
    /// Waiting for a code to be held in front of the scanner.
    WaitingForCode,
    /// The citizen sees the document.
    Showing,
    /// The citizen signs.
    Signing,
    /// The paper is on its way.
    Printing,
    /// Waiting for paper in the document scanner.
    WaitingForPaper,
    /// Pages are being scanned; `item` says how many there are.
    Scanning,
    /// What was scanned is being straightened and put together.
    Processing,
    /// The text is announced on the desktop before it is typed.
    Announcing,
    /// Text is being typed.
    Typing,
    /// The file is being written.
    Writing,
    /// The file is written; the other system has not said yet that it took it.
    WaitingForReceipt,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Which part of what was handed in is at fault, such as a field's name; never its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// For faults of a PIN: how many tries the card has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
}
