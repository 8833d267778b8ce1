//! A ticket printer over ESC/POS: reserve, ask, send, and believe only what the printer proves.
//!
//! Invariant: a paper is `sent` in the journal before its first byte leaves, and `printed` only by what the
//! printer said.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, FaultCode, Patience, Stop};

use super::conversation::{Broken, Connector, Conversation, Ended, within};
use super::{Attendance, Capabilities, PrintRequest, Printed, Resolution, Resolved, TicketPrinter};
use crate::fault::{Advice, PrintError};
use crate::journal::{Decision, Journal, JournalError, Progress, Proof, Stored, Unsure};
use crate::maintenance::{Status, after_paper};
use crate::quirks::{Profile, ProofRule};
use crate::raster::Raster;
use crate::render::{ContentError, Typeset, preview};
use crate::status::{Condition, Paper, Trouble};
use crate::ticket::{Ticket, TicketId};
use crate::wire::ProcessId;
use crate::wire::decode::Report;
use crate::wire::encode::{self, Asked};

/// What a driver is made of; [`crate::settings::open`] makes one from settings.
#[derive(Debug)]
pub struct Parts {
    /// What draws.
    pub typesetter: Box<dyn Typeset>,
    /// What became of earlier papers.
    pub journal: Journal,
    /// The model.
    pub profile: Profile,
    /// Who is there.
    pub attendance: Attendance,
    /// The length of a new roll.
    pub roll_metres: Option<u16>,
    /// For the times in the journal.
    pub clock: Arc<dyn Clock>,
}

/// How long a printer may take to answer a question at once.
const ANSWER: Duration = Duration::from_secs(3);
/// How long a proof may still come after a trouble was reported.
const GRACE: Duration = Duration::from_millis(500);
/// How long is listened between two bands.
const GLANCE: Duration = Duration::from_millis(1);

/// A ticket printer over ESC/POS.
#[derive(Debug)]
pub struct EscPosPrinter {
    pub(super) parts: Parts,
    pub(super) conversation: Conversation,
    condition: Option<Condition>,
    pub(super) heard: Heard,
    /// Whether the printer has proved, on this link, that it took everything before.
    pub(super) fenced: bool,
}

/// What was heard and not yet used.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) fence: Option<ProcessId>,
    real_time: Option<u8>,
    /// How often it told of its whole state by itself.
    states: u64,
    pub(super) in_order: bool,
    pub(super) cleared: bool,
    hold: bool,
}

impl EscPosPrinter {
    /// A driver; nothing is opened or sent before it is needed.
    #[must_use]
    pub fn new(connector: Box<dyn Connector>, parts: Parts) -> Self {
        Self {
            parts,
            conversation: Conversation::new(connector),
            condition: None,
            heard: Heard::default(),
            fenced: false,
        }
    }

    /// Sends a reserved paper and waits for the proof. The printer is ready.
    fn produce(
        &mut self,
        paper: (&TicketId, u32),
        raster: &Raster,
        patience: &Patience,
    ) -> Result<Printed, PrintError> {
        let (ticket, copy) = paper;
        let wear = after_paper(
            self.parts.journal.wear(),
            raster.rows(),
            &self.parts.profile,
        );
        let id = self
            .parts
            .journal
            .sent(ticket, copy, wear)
            .map_err(PrintError::Journal)?;
        let outcome = self
            .send_paper(raster, id, patience)
            .and_then(|()| self.await_proof(paper, patience));
        match outcome {
            Ok(proof) => Ok(Printed {
                copy,
                proof,
                warnings: self.warnings(),
            }),
            Err(Lost::Journal(error)) => Err(PrintError::Journal(error)),
            Err(Lost::Paper(why)) => self.lose(paper, why, patience),
        }
    }

    fn send_paper(
        &mut self,
        raster: &Raster,
        id: ProcessId,
        patience: &Patience,
    ) -> Result<(), Lost> {
        let profile = self.parts.profile;
        let start = [&encode::INITIALISE[..], &encode::REPORT_CHANGES].concat();
        let question = match profile.proof {
            ProofRule::ProcessId => encode::report_process(id),
            ProofRule::StateInOrder => encode::STATE_IN_ORDER.to_vec(),
        };
        let end = [encode::cut(profile.cut), question].concat();
        let picture = encode::picture(raster, profile.bands);
        self.heard.in_order = false;
        for piece in std::iter::once(start).chain(picture).chain([end]) {
            self.hold_back(patience)?;
            if let Err(broken) = self.conversation.send(&piece, patience) {
                // What the printer says now tells why it took nothing.
                let glance = within(patience, GRACE);
                if self.conversation.is_connected() {
                    self.overhear(&glance)?;
                }
                return Err(Lost::Paper(self.reason(&broken)));
            }
            self.overhear(&within(patience, GLANCE))?;
            if self.trouble().is_some() {
                return Err(Lost::Paper(Unsure::PrinterError));
            }
        }
        Ok(())
    }

    /// Waits while the printer asks us to.
    fn hold_back(&mut self, patience: &Patience) -> Result<(), Lost> {
        while self.heard.hold {
            if !self.overhear(patience)? {
                return Err(Lost::Paper(Unsure::Silent));
            }
            if self.trouble().is_some() {
                return Err(Lost::Paper(Unsure::PrinterError));
            }
        }
        Ok(())
    }

    fn await_proof(
        &mut self,
        (ticket, copy): (&TicketId, u32),
        patience: &Patience,
    ) -> Result<Proof, Lost> {
        let mut last_chance: Option<Patience> = None;
        loop {
            if self.parts.profile.proof == ProofRule::StateInOrder && self.heard.in_order {
                self.heard.in_order = false;
                let asked = self.ask(patience);
                if asked.is_ok() && self.trouble().is_none() {
                    let proof = Proof::StateInOrder;
                    self.parts
                        .journal
                        .printed(ticket, copy, proof)
                        .map_err(Lost::Journal)?;
                }
            }
            let progress = self
                .parts
                .journal
                .paper(ticket, copy)
                .map(|stored| stored.progress);
            if let Some(Progress::Printed(proof)) = progress {
                return Ok(proof);
            }
            if self.trouble().is_some() && last_chance.is_none() {
                last_chance = Some(within(patience, GRACE));
            }
            let waiting = last_chance.as_ref().unwrap_or(patience);
            if !self.overhear(&waiting.clone())? {
                let why = if self.trouble().is_some() {
                    Unsure::PrinterError
                } else {
                    Unsure::Silent
                };
                return Err(Lost::Paper(why));
            }
        }
    }

    /// Ends a paper of which nobody knows, and keeps the printer from printing the rest of it later.
    fn lose(
        &mut self,
        (ticket, copy): (&TicketId, u32),
        why: Unsure,
        patience: &Patience,
    ) -> Result<Printed, PrintError> {
        self.parts
            .journal
            .unknown(ticket, copy, why)
            .map_err(PrintError::Journal)?;
        self.fenced = false;
        let trouble = self.trouble();
        if self.conversation.is_connected() && trouble.is_some() {
            // Whether it was cleared is asked again before the next paper.
            let cleared = self.clear(patience);
            tracing::debug!(?cleared, "cleared after a failed paper");
        }
        let advice = match self.parts.attendance {
            Attendance::Staffed => Advice::StaffDecide,
            Attendance::Unattended => Advice::ShowOnScreen,
        };
        tracing::warn!(%ticket, copy, ?why, ?trouble, "nobody knows whether a ticket came out");
        Err(PrintError::Unsure {
            why,
            trouble,
            advice,
        })
    }

    /// Asks for the four bytes of real-time status.
    pub(super) fn ask(&mut self, patience: &Patience) -> Result<(), PrintError> {
        let mut answers = [0; 4];
        let states = self.heard.states;
        for (which, place) in Asked::ALL.into_iter().zip(&mut answers) {
            self.heard.real_time = None;
            let asked = self.conversation.send(&encode::ask(which), patience);
            asked.map_err(Ended::from).map_err(Ended::before)?;
            let soon = within(patience, ANSWER);
            *place = loop {
                if let Some(answer) = self.heard.real_time.take() {
                    break answer;
                }
                if !self.listen(&soon).map_err(Ended::before)? {
                    // Its answer may still come, and would be taken for the answer to the next question.
                    self.conversation.hang_up();
                    patience.check().map_err(PrintError::Stopped)?;
                    return Err(PrintError::Silent);
                }
            };
        }
        if self.heard.states != states {
            // It changed meanwhile: some answers are older than what it told, and all of that is known.
            return Ok(());
        }
        self.learn(Condition::of_answers(answers))
            .map_err(PrintError::Journal)
    }

    /// Hears once; `false` where the printer said nothing until the deadline.
    pub(super) fn listen(&mut self, patience: &Patience) -> Result<bool, Ended> {
        let reports = self.conversation.hear(patience)?;
        let heard = !reports.is_empty();
        self.take(reports).map_err(Ended::Journal)?;
        Ok(heard)
    }

    /// The same while a paper is on its way.
    fn overhear(&mut self, patience: &Patience) -> Result<bool, Lost> {
        self.listen(patience).map_err(|ended| match ended {
            Ended::Broken(broken) => Lost::Paper(self.reason(&broken)),
            Ended::Journal(error) => Lost::Journal(error),
        })
    }

    pub(super) fn take(&mut self, reports: Vec<Report>) -> Result<(), JournalError> {
        for report in reports {
            match report {
                Report::State(state) => {
                    self.heard.states += 1;
                    self.learn(Condition::of_state(state))?;
                }
                Report::RealTime(answer) => self.heard.real_time = Some(answer),
                Report::Process(id) => self.proved(id)?,
                Report::Cleared => self.heard.cleared = true,
                Report::InOrder(_) => self.heard.in_order = true,
                Report::Hold => self.heard.hold = true,
                Report::Resume => self.heard.hold = false,
                Report::Text(text) => tracing::debug!(bytes = text.len(), "printer sent a name"),
                Report::Garbled(bytes) => tracing::debug!(bytes, "printer sent no known answer"),
            }
        }
        Ok(())
    }

    /// An id came back. A paper that was given up can be proved late, as long as nobody decided.
    fn proved(&mut self, id: ProcessId) -> Result<(), JournalError> {
        self.heard.fence = Some(id);
        let Some(stored) = self.parts.journal.named(id) else {
            return Ok(());
        };
        if stored.progress == Progress::Sent || stored.is_unresolved() {
            let (ticket, copy) = (stored.ticket.clone(), stored.copy);
            self.parts
                .journal
                .printed(&ticket, copy, Proof::ProcessId)?;
        }
        Ok(())
    }

    fn learn(&mut self, condition: Condition) -> Result<(), JournalError> {
        let before = self.condition.as_ref().map(|condition| condition.paper);
        if before == Some(Paper::Out) && condition.paper == Paper::Enough {
            let wear = crate::journal::Wear {
                of_roll: 0,
                ..self.parts.journal.wear()
            };
            self.parts.journal.used(wear)?;
        }
        self.condition = Some(condition);
        Ok(())
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.condition.as_ref().and_then(Condition::trouble)
    }

    fn reason(&self, broken: &Broken) -> Unsure {
        match broken {
            _ if self.trouble().is_some() => Unsure::PrinterError,
            Broken::Link(_, link::LinkError::TimedOut) | Broken::Stopped(Stop::Deadline) => {
                Unsure::Silent
            }
            Broken::Link(..) | Broken::Stopped(Stop::Cancelled) => Unsure::Interrupted,
        }
    }

    fn report(&self) -> Status {
        let condition = self.condition.clone().unwrap_or_else(|| Condition {
            online: false,
            paper: Paper::Enough,
            troubles: vec![Trouble::OffLine],
        });
        let rated = self.parts.profile.rated;
        Status::of(
            condition,
            self.parts.journal.wear(),
            rated,
            self.parts.roll_metres,
        )
    }

    fn warnings(&self) -> Vec<FaultCode> {
        self.report().warnings
    }
}

impl TicketPrinter for EscPosPrinter {
    fn print(
        &mut self,
        request: &PrintRequest,
        patience: &Patience,
    ) -> Result<Printed, PrintError> {
        let PrintRequest { ticket, document } = request;
        let papers = self.parts.journal.of(ticket);
        if !papers.iter().all(Stored::left_no_paper) {
            return Err(PrintError::Duplicate {
                ticket: ticket.clone(),
            });
        }
        let raster = self
            .parts
            .typesetter
            .typeset(document, None)
            .map_err(PrintError::Content)?;
        let now = self.parts.clock.unix_millis();
        self.parts
            .journal
            .reserve(ticket, 0, now)
            .map_err(PrintError::Journal)?;
        if let Err(error) = self.ready(patience) {
            let kept = self.parts.journal.unknown(ticket, 0, Unsure::NeverSent);
            kept.map_err(PrintError::Journal)?;
            return Err(error);
        }
        self.produce((ticket, 0), &raster, patience)
    }

    fn status(&mut self, patience: &Patience) -> Result<Status, PrintError> {
        self.ask_anew(patience)?;
        Ok(self.report())
    }

    fn wait_for_change(&mut self, patience: &Patience) -> Result<Status, PrintError> {
        self.meet(patience)?;
        let before = self.condition.clone();
        loop {
            if !self.listen(patience).map_err(Ended::before)? {
                patience.check().map_err(PrintError::Stopped)?;
                return Err(PrintError::Stopped(Stop::Deadline));
            }
            if self.condition != before {
                // Paper is back, and the printer would now print what it still holds.
                if self.parts.journal.holding() && self.trouble().is_none() {
                    self.ready(patience)?;
                }
                return Ok(self.report());
            }
        }
    }

    fn unresolved(&self) -> Vec<Stored> {
        self.parts.journal.unresolved()
    }

    fn papers(&self, ticket: &TicketId) -> Vec<Stored> {
        self.parts.journal.of(ticket)
    }

    fn resolve(
        &mut self,
        ticket: &TicketId,
        how: Resolution<'_>,
        patience: &Patience,
    ) -> Result<Resolved, PrintError> {
        let papers = self.parts.journal.of(ticket);
        let in_doubt = papers.iter().any(Stored::is_unresolved);
        let nothing = || PrintError::NothingToDecide {
            ticket: ticket.clone(),
        };
        let now = self.parts.clock.unix_millis();
        let decision = match how {
            Resolution::Reprint(document) => {
                let last = papers.last().ok_or_else(nothing)?;
                let copy = last.copy.saturating_add(1);
                let raster = self.parts.typesetter.typeset(document, Some(copy));
                let raster = raster.map_err(PrintError::Content)?;
                self.ready(patience)?;
                let decided = self
                    .parts
                    .journal
                    .decide(ticket, Decision::Reprint { copy }, now);
                decided.map_err(PrintError::Journal)?;
                return self
                    .produce((ticket, copy), &raster, patience)
                    .map(Resolved::Printed);
            }
            Resolution::CameOut if in_doubt => Decision::CameOut,
            Resolution::DidNotComeOut if in_doubt => Decision::DidNotComeOut,
            Resolution::CameOut | Resolution::DidNotComeOut => return Err(nothing()),
        };
        let decided = self.parts.journal.decide(ticket, decision, now);
        decided
            .map_err(PrintError::Journal)
            .map(|()| Resolved::Kept)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            profile: self.parts.profile,
            attendance: self.parts.attendance,
        }
    }

    fn preview(&self, ticket: &Ticket) -> Result<Vec<u8>, PrintError> {
        let raster = self
            .parts
            .typesetter
            .typeset(ticket, None)
            .map_err(PrintError::Content)?;
        // A typeset ticket has rows, so only an empty one could fail here.
        preview(&raster)
            .ok()
            .ok_or(PrintError::Content(ContentError::Empty))
    }
}

/// What ended a paper on its way.
#[derive(Debug)]
enum Lost {
    Paper(Unsure),
    Journal(JournalError),
}
