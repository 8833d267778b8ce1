//! What is told of the pen while it writes: each sample at once, several together where the agent is busy.
//!
//! Invariants: while the tip stays down, what is told begins with the sample that was told last, so that
//! strokes connect; that sample alone is never told; an agent that is busy does not keep the pen waiting.

use host_protocol::InkSample;

/// The most samples that wait for an agent that is busy: seconds of any pen, and a quarter of a line.
const MOST: usize = 1024;
/// The flag of a tip that touches.
const TIP: u8 = 1;

/// Samples on their way to the page.
#[derive(Debug, Default)]
pub(super) struct ToldInk {
    samples: Vec<InkSample>,
    /// How many of them have been told: the one that the others follow, or none.
    told: usize,
}

impl ToldInk {
    /// Takes a sample in. Of a pen in the air nothing can be seen but that it was lifted.
    pub(super) fn add(&mut self, sample: InkSample) {
        // Ink is told for looking at only; a line of which so much is missing begins anew.
        if self.samples.len() >= MOST {
            self.clear();
        }
        if touches(&sample) || self.samples.last().is_some_and(touches) {
            self.samples.push(sample);
        }
    }

    /// Offers what was not told yet; `offer` says whether it was taken.
    pub(super) fn tell(&mut self, offer: impl FnOnce(&[InkSample]) -> bool) {
        if self.samples.len() > self.told && offer(&self.samples) {
            let last = self.samples.last().copied().filter(touches);
            self.samples.clear();
            self.samples.extend(last);
            self.told = self.samples.len();
        }
    }

    /// Forgets everything: what comes follows nothing.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
        self.told = 0;
    }
}

fn touches(sample: &InkSample) -> bool {
    sample.6 & TIP != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: u8 = 3;
    const UP: u8 = 2;

    /// The moments of the samples that are told, for those that the pen gives; `ready` says for each sample
    /// whether the agent takes something.
    fn told(pen: &[(u64, u8)], ready: impl Fn(u64) -> bool) -> Vec<Vec<u64>> {
        let (mut ink, mut told) = (ToldInk::default(), Vec::new());
        for (at, flags) in pen {
            ink.add(InkSample(*at, 0, 0, 0, 0, 0, *flags));
            ink.tell(|samples| {
                if ready(*at) {
                    told.push(samples.iter().map(|sample| sample.0).collect());
                }
                ready(*at)
            });
        }
        told
    }

    #[test]
    fn each_sample_is_told_at_once_and_follows_the_one_before() {
        let pen = [
            (1, UP),
            (2, DOWN),
            (3, DOWN),
            (4, UP),
            (5, UP),
            (6, DOWN),
            (7, UP),
        ];
        let expected = [vec![2], vec![2, 3], vec![3, 4], vec![6], vec![6, 7]];
        assert_eq!(told(&pen, |_at| true), expected);
    }

    #[test]
    fn what_a_busy_agent_did_not_take_comes_together() {
        let pen = [
            (1, DOWN),
            (2, DOWN),
            (3, DOWN),
            (4, UP),
            (5, DOWN),
            (6, DOWN),
        ];
        let busy = |at| !(2..5).contains(&at);
        assert_eq!(told(&pen, busy), [vec![1], vec![1, 2, 3, 4, 5], vec![5, 6]]);
        let lifted_meanwhile = [(1, DOWN), (2, DOWN), (3, UP), (4, UP), (5, UP)];
        assert_eq!(told(&lifted_meanwhile, busy), [vec![1], vec![1, 2, 3]]);
    }

    #[test]
    fn an_agent_that_takes_nothing_costs_no_more_than_so_much() {
        let mut ink = ToldInk::default();
        for at in 0..10 * MOST as u64 {
            ink.add(InkSample(at, 0, 0, 0, 0, 0, DOWN));
            ink.tell(|samples| {
                assert!(samples.len() <= MOST);
                false
            });
        }
    }
}
