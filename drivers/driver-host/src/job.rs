//! One job: what its device's thread and the host's loop share of it.
//!
//! Invariant: a job is finished once, whoever comes first: the thread that did it, or the loop that gave
//! up waiting for the thread.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use device_api::Patience;
use host_protocol::{Answer, HostMessage, Outcome, Question, Step, Task};
use smartcard::Board;

use crate::output::Speaker;

/// One job.
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) task: Task,
    pub(crate) patience: Patience,
    board: Arc<Board>,
    speaker: Speaker,
    finished: AtomicBool,
    cancelled: AtomicBool,
    dialogue: Mutex<Dialogue>,
}

#[derive(Default)]
struct Dialogue {
    /// The number of the last question, 0 before the first.
    asked: u32,
    /// Its answer, until it is taken.
    answer: Option<Answer>,
}

impl Job {
    pub(crate) fn new(
        id: u64,
        task: Task,
        patience: Patience,
        (board, speaker): (Arc<Board>, Speaker),
    ) -> Self {
        Self {
            id,
            task,
            patience,
            board,
            speaker,
            finished: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            dialogue: Mutex::default(),
        }
    }

    /// Says that the job was taken on.
    pub(crate) fn accept(&self) {
        self.say(&HostMessage::Accepted { id: self.id });
    }

    /// Says how far the job has come.
    pub(crate) fn progress(&self, step: Step, card: Option<host_protocol::CardFacts>) {
        self.say(&HostMessage::Progress {
            id: self.id,
            step,
            card,
        });
    }

    /// Asks a person.
    pub(crate) fn ask(&self, question: Question) {
        let ask = {
            let mut dialogue = self.dialogue();
            dialogue.asked += 1;
            dialogue.answer = None;
            dialogue.asked
        };
        self.say(&HostMessage::Ask {
            id: self.id,
            ask,
            question,
        });
    }

    /// Takes in an answer; one to a question that is not open is thrown away.
    pub(crate) fn answer(&self, ask: u32, answer: Answer) {
        {
            let mut dialogue = self.dialogue();
            if dialogue.asked != ask || dialogue.answer.is_some() {
                tracing::warn!(job = self.id, ask, "answer to a question that is not open");
                return;
            }
            dialogue.answer = Some(answer);
        }
        self.board.nudge();
    }

    /// The answer to the open question, once.
    pub(crate) fn take_answer(&self) -> Option<Answer> {
        self.dialogue().answer.take()
    }

    /// Ends the job at its next step.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.patience.stop();
        self.board.nudge();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }

    /// Ends the job with `outcome`, unless it has ended already.
    pub(crate) fn finish(&self, outcome: Outcome) -> bool {
        let first = !self.finished.swap(true, Ordering::SeqCst);
        if first {
            self.speaker.say(&HostMessage::Finished {
                id: self.id,
                outcome,
            });
        }
        first
    }

    /// Nothing is said of a job that has ended.
    fn say(&self, message: &HostMessage) {
        if !self.is_finished() {
            self.speaker.say(message);
        }
    }

    fn dialogue(&self) -> std::sync::MutexGuard<'_, Dialogue> {
        self.dialogue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
