//! What of the agent's life is reported: devices that changed, faults that came and went, jobs counted.
//!
//! ```text
//! event loop --Notice--> Ledger of what is true and what was kept --> telemetry::Reporter
//! ```
//! Nothing about a person passes: of a job there is its kind, how it ended and how long it took.
//! Invariant: what could not be kept, because the disk was full, is reported again with the next turn; a
//! count is given out of hand only once it is on the disk.

use std::time::Duration;

use agent_core::effect::{DeviceListView, Report};
use device_api::FaultCode;

mod clerk;
mod control;
mod counts;
mod desk;
mod effects;
mod key;
mod ledger;
mod machine;
mod opening;
mod succession;
mod work;

pub use control::{MachineControl, ThisMachine};
pub use counts::Counts;
pub use desk::{Desk, Surroundings};
pub use key::{KeyError, public_key};
pub use ledger::{Change, Ledger};
pub use machine::{Machine, MachineFacts};
pub use opening::ReportingError;

/// Something that is reported.
#[derive(Debug)]
pub enum Notice {
    /// How all devices stand.
    Devices(DeviceListView),
    /// A job has ended.
    JobEnded {
        /// What was done.
        operation: &'static str,
        /// How it ended: `None` for success.
        fault: Option<FaultCode>,
        /// How long its host worked on it.
        took: Duration,
    },
    /// A fault of the agent itself came or went.
    AgentFault {
        /// Which.
        fault: FaultCode,
        /// Whether it is there now.
        raised: bool,
    },
}

impl Notice {
    /// What of a report leaves the machine.
    #[must_use]
    pub fn of(report: &Report) -> Option<Self> {
        match report {
            Report::Devices(view) => Some(Self::Devices(view.clone())),
            Report::JobEnded {
                operation,
                fault,
                took,
            } => Some(Self::JobEnded {
                operation,
                fault: *fault,
                took: *took,
            }),
            // Devices of the host come and go with it, and are reported so; that the audit log fails is told
            // by whoever writes it, and also when it can be written again.
            Report::AuditLost { .. }
            | Report::HostReady { .. }
            | Report::HostLost { .. }
            | Report::DeviceOfferedTwice { .. }
            | Report::HostOutOfTurn { .. }
            | Report::PairingGuesses { .. } => None,
        }
    }
}
