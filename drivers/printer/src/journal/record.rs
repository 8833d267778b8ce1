//! One line of the journal, and what it says.

use crate::ticket::TicketId;
use crate::wire::ProcessId;

/// One paper of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whose.
    pub ticket: TicketId,
    /// 0 for the first paper; each further one carries the mark 再発行 and this number.
    pub copy: u32,
    /// How far it got.
    pub progress: Progress,
    /// What a person decided where nobody knew.
    pub decision: Option<Decision>,
    /// When it was reserved, in milliseconds since 1970.
    pub at: u64,
}

impl Stored {
    /// Whether a person has still to say what became of it.
    #[must_use]
    pub const fn is_unresolved(&self) -> bool {
        matches!(self.progress, Progress::Unknown(_)) && self.decision.is_none()
    }

    /// Whether certainly no paper carries a dot of it: nothing of it was sent, and no person says that it came out.
    #[must_use]
    pub fn left_no_paper(&self) -> bool {
        self.progress == Progress::Unknown(Unsure::NeverSent)
            && self.decision != Some(Decision::CameOut)
    }

    /// Whether nothing can become of it any more. What was never sent can be printed under its name as if it had
    /// never been, so that it need not be remembered for ever.
    pub(crate) const fn is_finished(&self) -> bool {
        match self.progress {
            Progress::Printed(_) | Progress::Unknown(Unsure::NeverSent) => true,
            Progress::Unknown(_) => self.decision.is_some(),
            Progress::Reserved | Progress::Sent => false,
        }
    }
}

/// How far a paper got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Its name is taken; nothing has left.
    Reserved,
    /// Bytes may have left.
    Sent,
    /// It came out.
    Printed(Proof),
    /// Nobody knows whether it came out.
    Unknown(Unsure),
}

/// How it is known that a paper came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The printer sent its process id back.
    ProcessId,
    /// The printer answered in order and then reported no error; see the profile.
    StateInOrder,
}

/// Why nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsure {
    /// No byte left, so it certainly did not come out.
    NeverSent,
    /// The connection, the power or the work ended in between.
    Interrupted,
    /// The printer did not answer in time.
    Silent,
    /// The printer reported an error in between.
    PrinterError,
}

/// What a person decided about a paper that nobody knew of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It came out.
    CameOut,
    /// It did not come out, and none is wanted.
    DidNotComeOut,
    /// A marked one was printed instead.
    Reprint {
        /// The number of the marked one.
        copy: u32,
    },
}

/// What the printer has used since this journal began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wear {
    /// Papers printed.
    pub prints: u64,
    /// Dot lines printed or fed.
    pub lines: u64,
    /// Cuts.
    pub cuts: u64,
    /// Millimetres of paper in all.
    pub millimetres: u64,
    /// Millimetres of paper since the roll was changed.
    pub of_roll: u64,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    Ticket(Stored, Option<ProcessId>),
    NextId(u32),
    /// The last paper that was sent and neither proved nor fenced off.
    Holding(Option<ProcessId>),
    Wear(Wear),
}

impl Record {
    /// Stands between the records of a line; no ticket's name holds it.
    pub(crate) const SEPARATOR: &str = "\t";

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Ticket(stored, process) => {
                let id = id_text(*process);
                let (ticket, copy, at) = (&stored.ticket, stored.copy, stored.at);
                let progress = progress_text(stored.progress);
                let decision = match stored.decision {
                    None => "-".to_owned(),
                    Some(Decision::CameOut) => "cameOut".to_owned(),
                    Some(Decision::DidNotComeOut) => "didNotComeOut".to_owned(),
                    Some(Decision::Reprint { copy }) => format!("reprint:{copy}"),
                };
                format!("ticket {ticket} {copy} {at} {id} {progress} {decision}")
            }
            Self::NextId(number) => format!("id {number}"),
            Self::Holding(process) => format!("holding {}", id_text(*process)),
            Self::Wear(wear) => {
                let Wear {
                    prints,
                    lines,
                    cuts,
                    millimetres,
                    of_roll,
                } = wear;
                format!("wear {prints} {lines} {cuts} {millimetres} {of_roll}")
            }
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            ["ticket", ticket, copy, at, id, progress, decision] => {
                let stored = Stored {
                    ticket: TicketId::new(*ticket).ok()?,
                    copy: copy.parse().ok()?,
                    at: at.parse().ok()?,
                    progress: read_progress(progress)?,
                    decision: read_decision(decision)?,
                };
                Some(Self::Ticket(stored, read_id(id)?))
            }
            ["id", number] => Some(Self::NextId(number.parse().ok()?)),
            ["holding", holding] => Some(Self::Holding(read_id(holding)?)),
            ["wear", prints, lines, cuts, millimetres, of_roll] => Some(Self::Wear(Wear {
                prints: prints.parse().ok()?,
                lines: lines.parse().ok()?,
                cuts: cuts.parse().ok()?,
                millimetres: millimetres.parse().ok()?,
                of_roll: of_roll.parse().ok()?,
            })),
            _ => None,
        }
    }
}

fn id_text(process: Option<ProcessId>) -> String {
    let number = process.and_then(ProcessId::number);
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

#[expect(
    clippy::option_option,
    reason = "whether it reads, and whether there is one"
)]
fn read_id(text: &str) -> Option<Option<ProcessId>> {
    match text {
        "-" => Some(None),
        number => Some(Some(ProcessId::numbered(number.parse().ok()?))),
    }
}

const PROGRESS: [(&str, Progress); 8] = [
    ("reserved", Progress::Reserved),
    ("sent", Progress::Sent),
    ("printed:processId", Progress::Printed(Proof::ProcessId)),
    (
        "printed:stateInOrder",
        Progress::Printed(Proof::StateInOrder),
    ),
    ("unknown:neverSent", Progress::Unknown(Unsure::NeverSent)),
    (
        "unknown:interrupted",
        Progress::Unknown(Unsure::Interrupted),
    ),
    ("unknown:silent", Progress::Unknown(Unsure::Silent)),
    (
        "unknown:printerError",
        Progress::Unknown(Unsure::PrinterError),
    ),
];

fn progress_text(progress: Progress) -> &'static str {
    let known = PROGRESS.iter().find(|(_, known)| *known == progress);
    known.map_or("sent", |(text, _)| text)
}

fn read_progress(text: &str) -> Option<Progress> {
    let known = PROGRESS.iter().find(|(known, _)| *known == text);
    known.map(|(_, progress)| *progress)
}

#[expect(
    clippy::option_option,
    reason = "whether it reads, and whether there is one"
)]
fn read_decision(text: &str) -> Option<Option<Decision>> {
    match text {
        "-" => Some(None),
        "cameOut" => Some(Some(Decision::CameOut)),
        "didNotComeOut" => Some(Some(Decision::DidNotComeOut)),
        other => {
            let copy = other.strip_prefix("reprint:")?.parse().ok()?;
            Some(Some(Decision::Reprint { copy }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_read_as_it_was_written() {
        let mut records = vec![
            Record::NextId(7),
            Record::Holding(None),
            Record::Holding(Some(ProcessId::numbered(3))),
        ];
        let wear = Wear {
            prints: 1,
            lines: 2,
            cuts: 3,
            millimetres: 4,
            of_roll: 5,
        };
        records.push(Record::Wear(wear));
        let decisions = [
            None,
            Some(Decision::CameOut),
            Some(Decision::DidNotComeOut),
            Some(Decision::Reprint { copy: 2 }),
        ];
        for (_, progress) in PROGRESS {
            for decision in decisions {
                let ticket = TicketId::new("2026-11-21/A/014").unwrap();
                let stored = Stored {
                    ticket,
                    copy: 1,
                    progress,
                    decision,
                    at: 9,
                };
                records.push(Record::Ticket(stored.clone(), None));
                records.push(Record::Ticket(stored, Some(ProcessId::numbered(77))));
            }
        }
        for record in records {
            assert_eq!(Record::read(&record.text()), Some(record));
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        for text in [
            "",
            "ticket",
            "ticket a b c d e f",
            "id -1",
            "holding maybe",
            "wear 1 2 3",
        ] {
            assert_eq!(Record::read(text), None);
        }
    }
}
