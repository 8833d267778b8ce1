//! Attachments of driver hosts' jobs, put together from their parts.
//!
//! Invariants: what one job can make the agent hold is bounded; everything of a job is erased when it ends
//! or its host is gone.

use std::collections::BTreeMap;

use agent_core::ids::HostRun;
use zeroize::Zeroizing;

/// The most that all attachments of one job can have, in bytes.
pub const MAX_ATTACHED: usize = 96 * 1024 * 1024;

/// The most attachments that one job can have. A signature shows pages one by one, each an attachment.
const MAX_ATTACHMENTS: usize = 256;

/// All attachments that are under way.
#[derive(Debug, Default)]
pub struct Attachments {
    jobs: BTreeMap<(HostRun, u64), Job>,
}

#[derive(Default)]
struct Job {
    held: usize,
    attachments: BTreeMap<u32, Attachment>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({} bytes)", self.held)
    }
}

#[derive(Default)]
struct Attachment {
    bytes: Zeroizing<Vec<u8>>,
    whole: bool,
}

impl Attachments {
    /// Takes in a part; false where the job has too many, or the attachment was whole already.
    #[must_use]
    pub fn add(&mut self, of: (HostRun, u64), part: (u32, &[u8], bool)) -> bool {
        let (number, data, last) = part;
        let job = self.jobs.entry(of).or_default();
        let room = job.held.saturating_add(data.len()) <= MAX_ATTACHED;
        let known = job.attachments.contains_key(&number);
        if !room || (!known && job.attachments.len() >= MAX_ATTACHMENTS) {
            return false;
        }
        let attachment = job.attachments.entry(number).or_default();
        if attachment.whole {
            return false;
        }
        attachment.append(data);
        attachment.whole = last;
        job.held += data.len();
        true
    }

    /// A whole attachment of the length that was told, taken out.
    pub fn take(&mut self, of: (HostRun, u64), told: (u32, u64)) -> Option<Zeroizing<Vec<u8>>> {
        let (number, length) = told;
        let job = self.jobs.get_mut(&of)?;
        let found = job.attachments.get(&number)?;
        let fits = u64::try_from(found.bytes.len()) == Ok(length);
        if !found.whole || !fits {
            return None;
        }
        let taken = job.attachments.remove(&number)?;
        job.held = job.held.saturating_sub(taken.bytes.len());
        Some(taken.bytes)
    }

    /// The job is over.
    pub fn forget(&mut self, of: (HostRun, u64)) {
        self.jobs.remove(&of);
    }

    /// The host is gone.
    pub fn forget_host(&mut self, gone: HostRun) {
        self.jobs.retain(|(run, _), _| *run != gone);
    }
}

impl Attachment {
    /// Appends without leaving an unerased copy behind where the buffer grows.
    fn append(&mut self, data: &[u8]) {
        if self.bytes.capacity() - self.bytes.len() < data.len() {
            let room = (self.bytes.len() + data.len()).next_power_of_two();
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(data);
    }
}

#[cfg(test)]
mod tests {
    use agent_core::ids::HostId;

    use super::*;

    const JOB: (HostRun, u64) = (
        HostRun {
            host: HostId(1),
            run: 1,
        },
        7,
    );

    #[test]
    fn parts_become_whole_in_their_order() {
        let mut attachments = Attachments::default();
        assert!(attachments.add(JOB, (1, b"ab", false)));
        assert!(attachments.take(JOB, (1, 2)).is_none(), "not whole yet");
        assert!(attachments.add(JOB, (1, b"c", true)));
        assert!(attachments.take(JOB, (1, 4)).is_none(), "not as told");
        assert_eq!(attachments.take(JOB, (1, 3)).unwrap().as_slice(), b"abc");
        assert!(attachments.take(JOB, (1, 3)).is_none(), "taken once");
    }

    #[test]
    fn what_is_whole_does_not_grow() {
        let mut attachments = Attachments::default();
        assert!(attachments.add(JOB, (1, b"a", true)));
        assert!(!attachments.add(JOB, (1, b"b", true)));
    }

    #[test]
    fn a_job_holds_no_more_than_its_share_and_nothing_after_its_end() {
        let mut attachments = Attachments::default();
        let half = vec![0; MAX_ATTACHED / 2 + 1];
        assert!(attachments.add(JOB, (1, &half, false)));
        assert!(!attachments.add(JOB, (2, &half, false)));
        attachments.forget(JOB);
        assert!(attachments.add(JOB, (2, &half, false)));
        attachments.forget_host(JOB.0);
        assert!(attachments.jobs.is_empty());
        for number in 0..MAX_ATTACHMENTS {
            let number = u32::try_from(number).unwrap();
            assert!(attachments.add(JOB, (number, b"", false)));
        }
        assert!(!attachments.add(JOB, (100_000, b"", false)));
    }
}
