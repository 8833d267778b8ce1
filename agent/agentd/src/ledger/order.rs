//! What the audit log keeps of operators' orders.

use audit::{CommandRecord, Entry};
use commands::Verb;
use commands::step::AuditRecord;
use telemetry::message::outcome::Progress;

/// A record of a command as the log keeps it.
pub(super) fn noted(record: &AuditRecord) -> Entry {
    match record {
        AuditRecord::Command {
            command,
            verb,
            issuer,
            approvers,
            document,
            progress,
            reason,
        } => Entry::Command(Box::new(CommandRecord {
            command: command.to_string(),
            verb: verb.code().to_owned(),
            subject: subject(verb),
            issuer: issuer.to_string(),
            approvers: approvers.iter().map(ToString::to_string).collect(),
            document: document.as_str().to_owned(),
            progress: word(*progress).to_owned(),
            reason: reason.as_ref().map(ToString::to_string),
        })),
        AuditRecord::TurnedAway {
            command,
            reason,
            others,
        } => Entry::TurnedAway {
            command: command.map(|id| id.to_string()),
            reason: reason.code().to_owned(),
            others: *others,
        },
    }
}

fn subject(verb: &Verb) -> Option<String> {
    match verb {
        Verb::RestartDriver { host: about } | Verb::Recalibrate { device: about } => {
            Some(about.to_string())
        }
        Verb::Diagnostics
        | Verb::LockKiosk
        | Verb::UnlockKiosk
        | Verb::RotateKeys
        | Verb::Reboot
        | Verb::Wipe => None,
    }
}

const fn word(progress: Progress) -> &'static str {
    match progress {
        Progress::Accepted => "accepted",
        Progress::Refused => "refused",
        Progress::Running => "running",
        Progress::Done => "done",
        Progress::Failed => "failed",
        Progress::Unknown => "unknown",
    }
}
