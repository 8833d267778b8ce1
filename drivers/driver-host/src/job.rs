//! One job: what its device's thread and the host's loop share of it.
//!
//! Invariants: a job is finished once, whoever comes first: the thread that did it, or the loop that gave
//! up waiting for the thread. What the agent sends for a job is bounded, and erased with the job.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use device_api::{Patience, Stop, patience::WhenStopped};
use host_protocol::{
    Act, Answer, Attachment, HostMessage, Item, Outcome, Question, SecretBytes, Step, Task,
};
use zeroize::Zeroizing;

use crate::{floor::Nudge, output::Speaker};

/// The most that a job's attachments may have, in bytes.
const MAX_ATTACHED: usize = 96 * 1024 * 1024;

/// The most of what a citizen did that waits for the device's thread.
const MAX_ACTS: usize = 1024;

/// Bytes of an attachment in one line; base64 makes a third more of them.
const PART: usize = 128 * 1024;

/// The longest sleep of a waiting thread. It is woken by what it waits for; this only bounds the arithmetic.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// One job.
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) task: Task,
    pub(crate) patience: Patience,
    nudge: Nudge,
    speaker: Speaker,
    finished: AtomicBool,
    cancelled: AtomicBool,
    next_item: AtomicU32,
    next_attachment: AtomicU32,
    dialogue: Arc<(Mutex<Dialogue>, Condvar)>,
    _wakes: WhenStopped,
}

#[derive(Default)]
struct Dialogue {
    /// The number of the last question, 0 before the first.
    asked: u32,
    /// Its answer, until it is taken.
    answer: Option<Answer>,
    /// The number of the last item that was taken over.
    received: u32,
    /// Who waits for the next to be taken over.
    until_received: Option<Patience>,
    /// What the citizen did, until it is taken.
    acts: VecDeque<Act>,
    /// Attachments by number, and whether they are whole.
    attachments: BTreeMap<u32, (Zeroizing<Vec<u8>>, bool)>,
    attached: usize,
}

impl Job {
    pub(crate) fn new(
        id: u64,
        task: Task,
        patience: Patience,
        (nudge, speaker): (Nudge, Speaker),
    ) -> Self {
        let dialogue: Arc<(Mutex<Dialogue>, Condvar)> = Arc::default();
        let waiting = Arc::clone(&dialogue);
        let wakes = patience.when_stopped(move || {
            // Locked for a moment, so that nobody between a look and a sleep misses it.
            let until = {
                let mut dialogue = waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
                dialogue.until_received.take()
            };
            if let Some(until) = until {
                until.stop();
            }
            waiting.1.notify_all();
        });
        Self {
            id,
            task,
            patience,
            nudge,
            speaker,
            finished: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            next_item: AtomicU32::new(1),
            next_attachment: AtomicU32::new(1),
            dialogue,
            _wakes: wakes,
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
        (self.nudge)();
    }

    /// The answer to the open question, once.
    pub(crate) fn take_answer(&self) -> Option<Answer> {
        self.dialogue().answer.take()
    }

    /// Gives an item, and tells its number.
    pub(crate) fn item(&self, item: Item) -> u32 {
        let n = self.next_item.fetch_add(1, Ordering::Relaxed);
        self.say(&HostMessage::Item {
            id: self.id,
            n,
            item,
        });
        n
    }

    /// Gives an item where the agent has room for it now; whether it is given.
    pub(crate) fn offer(&self, item: Item) -> bool {
        let n = self.next_item.fetch_add(1, Ordering::Relaxed);
        let id = self.id;
        self.is_finished() || self.speaker.offer(&HostMessage::Item { id, n, item })
    }

    /// Sends an attachment, which the next item or the product may name.
    pub(crate) fn attach(&self, bytes: &[u8], media_type: &str) -> Attachment {
        let number = self.next_attachment.fetch_add(1, Ordering::Relaxed);
        let parts = bytes.len().div_ceil(PART).max(1);
        for part in 0..parts {
            let from = part.saturating_mul(PART);
            let to = from.saturating_add(PART).min(bytes.len());
            let data = bytes.get(from..to).unwrap_or_default().to_vec();
            self.say(&HostMessage::Part {
                id: self.id,
                attachment: number,
                data: SecretBytes::new(data),
                last: part + 1 == parts,
            });
        }
        Attachment {
            attachment: number,
            media_type: media_type.to_owned(),
            length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }

    /// Takes in a part of an attachment. What is too much, or comes after the end, is thrown away: the
    /// attachment then never becomes what the task says, and the job fails.
    pub(crate) fn add_part(&self, attachment: u32, data: &SecretBytes, last: bool) {
        let mut dialogue = self.dialogue();
        let length = data.expose().len();
        let dialogue_mut = &mut *dialogue;
        if dialogue_mut.attached.saturating_add(length) > MAX_ATTACHED {
            tracing::warn!(job = self.id, attachment, "attachments are too large");
            return;
        }
        dialogue_mut.attached += length;
        let (bytes, whole) = dialogue_mut.attachments.entry(attachment).or_default();
        if !*whole {
            append(bytes, data.expose());
            *whole = last;
        }
        drop(dialogue);
        self.dialogue.1.notify_all();
    }

    /// Waits for an attachment of the task and takes it.
    ///
    /// # Errors
    /// The job was stopped before it was whole.
    pub(crate) fn attachment(&self, named: &Attachment) -> Result<Zeroizing<Vec<u8>>, Stop> {
        self.wait(&self.patience, |dialogue| {
            let whole = dialogue
                .attachments
                .get(&named.attachment)
                .is_some_and(|(_, whole)| *whole);
            if !whole {
                return None;
            }
            let (bytes, _) = dialogue.attachments.remove(&named.attachment)?;
            Some(bytes)
        })
    }

    /// An item has been taken over.
    pub(crate) fn receive(&self, n: u32) {
        let waiting = {
            let mut dialogue = self.dialogue();
            dialogue.received = n;
            dialogue.until_received.take()
        };
        if let Some(until) = waiting {
            until.stop();
        }
    }

    /// Whether this item has been taken over.
    pub(crate) fn was_received(&self, n: u32) -> bool {
        self.dialogue().received >= n
    }

    /// Patience that ends with the job's, or as soon as an item has been taken over.
    pub(crate) fn until_received(&self, n: u32) -> Patience {
        let until = Patience::new(Arc::clone(self.patience.clock()), self.patience.deadline());
        let mut dialogue = self.dialogue();
        if dialogue.received >= n || self.patience.check().is_err() {
            until.stop();
        } else {
            dialogue.until_received = Some(until.clone());
        }
        until
    }

    /// The citizen did something. More than can be used is thrown away, the newest first.
    pub(crate) fn act(&self, act: Act) {
        {
            let mut dialogue = self.dialogue();
            if dialogue.acts.len() >= MAX_ACTS {
                tracing::warn!(
                    job = self.id,
                    "acts of the citizen come faster than they are used"
                );
                return;
            }
            dialogue.acts.push_back(act);
        }
        self.dialogue.1.notify_all();
        (self.nudge)();
    }

    /// What the citizen did next, if anything.
    pub(crate) fn take_act(&self) -> Option<Act> {
        self.dialogue().acts.pop_front()
    }

    /// Waits for what the citizen does next.
    ///
    /// # Errors
    /// `patience` ended before.
    pub(crate) fn next_act(&self, patience: &Patience) -> Result<Act, Stop> {
        self.wait(patience, |dialogue| dialogue.acts.pop_front())
    }

    /// Ends the job at its next step.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.patience.stop();
        (self.nudge)();
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

    /// Waits until `look` finds what it looks for.
    fn wait<T>(
        &self,
        patience: &Patience,
        mut look: impl FnMut(&mut Dialogue) -> Option<T>,
    ) -> Result<T, Stop> {
        let mut dialogue = self.dialogue();
        loop {
            if let Some(found) = look(&mut dialogue) {
                return Ok(found);
            }
            patience.check()?;
            let left = patience.deadline().remaining(patience.clock().now());
            let left = left.unwrap_or_default().min(LONGEST_WAIT);
            let waited = self.dialogue.1.wait_timeout(dialogue, left);
            dialogue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nothing is said of a job that has ended.
    fn say(&self, message: &HostMessage) {
        if !self.is_finished() {
            self.speaker.say(message);
        }
    }

    fn dialogue(&self) -> MutexGuard<'_, Dialogue> {
        self.dialogue
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends without leaving an unerased copy behind where the buffer grows.
fn append(bytes: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    if bytes.capacity() - bytes.len() < data.len() {
        let room = (bytes.len() + data.len()).next_power_of_two();
        let mut larger = Zeroizing::new(Vec::with_capacity(room));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(data);
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
