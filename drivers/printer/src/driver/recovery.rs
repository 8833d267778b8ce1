//! Before anything is printed: the printer is asked, and whatever it still holds is brought to an end.
//!
//! ```text
//! real-time status -> [blocked: clear, fail] -> fence
//!   answered, nothing held ------------------------------------------> ready
//!   answered, a paper in doubt --> cut it off ---> fence ------------> ready, the doubt is `unknown`
//!   silent (half a picture) -----> clear, NUL, ESC @ --> cut, fence -> ready, the doubt is `unknown`
//! ```
//!
//! A fence is a process id of its own: its answer proves that everything before was taken.
//! While waiting, the process id of a paper in doubt can still come, and proves that paper.
//! Invariant: the driver is ready only where a fence was answered on this link and no paper is held.

use std::time::Duration;

use device_api::Patience;

use super::conversation::{Ended, within};
use super::escpos::{EscPosPrinter, Heard};
use crate::fault::PrintError;
use crate::maintenance::after_paper;
use crate::quirks::{Clear, ProofRule};
use crate::wire::encode;

/// How long a printer may take to finish what it was printing, before we take it for stuck in a picture.
const FINISH: Duration = Duration::from_secs(5);
/// How long it may take afterwards.
const AFTER_FLUSH: Duration = Duration::from_secs(10);
/// How long clearing may take.
const CLEARING: Duration = Duration::from_secs(1);

impl EscPosPrinter {
    /// Connects where there is no link.
    pub(super) fn meet(&mut self, patience: &Patience) -> Result<(), PrintError> {
        let met = self.conversation.connect(patience);
        if let Some(left) = met.map_err(Ended::from).map_err(Ended::before)? {
            self.fenced = false;
            self.heard = Heard::default();
            self.take(left).map_err(PrintError::Journal)?;
            // Changes are reported to whoever asked on this link.
            self.tell(&encode::REPORT_CHANGES, patience)?;
        }
        Ok(())
    }

    /// Makes sure that the printer prints the next paper, and nothing else before it.
    pub(super) fn ready(&mut self, patience: &Patience) -> Result<(), PrintError> {
        match self.ask_anew(patience) {
            // It may wait for the rest of a picture, and take our question for dots.
            Err(PrintError::Silent) if self.parts.journal.holding() => {
                self.flush(patience)?;
                self.ask(patience)?;
            }
            asked => asked?,
        }
        if let Some(trouble) = self.trouble() {
            if self.parts.journal.holding() {
                let cleared = self.clear(patience);
                tracing::debug!(?cleared, "cleared a printer that is blocked");
            }
            return Err(PrintError::Blocked { trouble });
        }
        if self.fenced && !self.parts.journal.holding() {
            return Ok(());
        }
        self.recover(patience)
    }

    /// Asks for the condition; a link that the other side closed while it was idle, as network printers do
    /// after some minutes, is found by the question and opened anew, once.
    pub(super) fn ask_anew(&mut self, patience: &Patience) -> Result<(), PrintError> {
        let idle = self.conversation.is_connected();
        self.meet(patience)?;
        match self.ask(patience) {
            Err(PrintError::Link { .. }) if idle => {
                self.meet(patience)?;
                self.ask(patience)
            }
            asked => asked,
        }
    }

    fn recover(&mut self, patience: &Patience) -> Result<(), PrintError> {
        let mut answered = self.fence(FINISH, patience)?;
        if !answered {
            self.flush(patience)?;
        }
        if self.parts.journal.holding() {
            // What came out of the doubtful paper must not hang at the next one.
            let cut = [
                &encode::INITIALISE[..],
                &encode::cut(self.parts.profile.cut),
            ]
            .concat();
            self.tell(&cut, patience)?;
            let wear = after_paper(self.parts.journal.wear(), 0, &self.parts.profile);
            self.parts.journal.used(wear).map_err(PrintError::Journal)?;
            answered = false;
        }
        if !answered && !self.fence(AFTER_FLUSH, patience)? {
            self.conversation.hang_up();
            return Err(PrintError::Silent);
        }
        if self.parts.journal.holding() {
            self.parts
                .journal
                .settle_sent()
                .map_err(PrintError::Journal)?;
        }
        self.fenced = true;
        Ok(())
    }

    /// Asks for an answer that comes after everything before was taken; `false` where it does not come.
    fn fence(&mut self, span: Duration, patience: &Patience) -> Result<bool, PrintError> {
        let id = match self.parts.profile.proof {
            ProofRule::ProcessId => Some(self.parts.journal.fence().map_err(PrintError::Journal)?),
            ProofRule::StateInOrder => None,
        };
        self.heard.in_order = false;
        let question = id.map_or_else(|| encode::STATE_IN_ORDER.to_vec(), encode::report_process);
        self.tell(&question, patience)?;
        let soon = within(patience, span);
        loop {
            let answered = match id {
                Some(_) => self.heard.fence == id,
                None => self.heard.in_order,
            };
            if answered {
                return Ok(true);
            }
            if let Some(trouble) = self.trouble() {
                return Err(PrintError::Blocked { trouble });
            }
            if !self.listen(&soon).map_err(Ended::before)? {
                patience.check().map_err(PrintError::Stopped)?;
                return Ok(false);
            }
        }
    }

    /// Ends a picture of which only a part arrived, and forgets what waits.
    fn flush(&mut self, patience: &Patience) -> Result<(), PrintError> {
        self.meet(patience)?;
        let cleared = self.clear(patience);
        tracing::debug!(?cleared, "cleared a printer that does not answer");
        let stride = usize::from(self.parts.profile.dots / 8);
        let mut bytes = encode::padding(stride, self.parts.profile.bands);
        bytes.extend_from_slice(&encode::INITIALISE);
        self.tell(&bytes, patience)
    }

    /// Empties the printer's buffers; `true` where it says that it did.
    pub(super) fn clear(&mut self, patience: &Patience) -> Result<bool, PrintError> {
        self.heard.cleared = false;
        match self.parts.profile.clear {
            Clear::Answered => self.tell(&encode::CLEAR, patience)?,
            Clear::Request => {
                self.tell(&encode::LEAVE_ERROR, patience)?;
                return Ok(false);
            }
        }
        let soon = within(patience, CLEARING);
        while !self.heard.cleared {
            if !self.listen(&soon).map_err(Ended::before)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tell(&mut self, bytes: &[u8], patience: &Patience) -> Result<(), PrintError> {
        let told = self.conversation.send(bytes, patience);
        told.map_err(Ended::from).map_err(Ended::before)
    }
}
