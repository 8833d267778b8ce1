//! What one reader of a stream is told, without ever waiting for it.
//!
//! Ink comes as often as a pen is felt, hundreds of times in a second, and is for looking at only.
//! Invariants: ink takes at most half of a reader's places, so it never makes a reader look gone; ink that
//! has no place is kept, merged, and goes out before whatever follows it; what is kept is bounded.

use agent_api::event::ServerMessage;
use agent_api::item::{InkSample, Item};
use agent_api::pin_screen::ScreenInstruction;
use tokio::sync::mpsc;

/// The most samples that are kept for a slow reader: ten seconds of a fast pen.
const MOST_KEPT: usize = 4096;

/// Ink of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ink {
    /// The job.
    pub job: String,
    /// The number of the item with which the newest of it came.
    pub n: u32,
    /// The samples.
    pub samples: Vec<InkSample>,
}

/// The way to one reader. Dropping it closes the reader's connection.
#[derive(Debug)]
pub struct Outlet<M> {
    out: mpsc::Sender<M>,
    kept: Option<Ink>,
}

impl<M: From<Ink>> Outlet<M> {
    /// The way to a reader who takes what comes out of `out`.
    #[must_use]
    pub fn new(out: mpsc::Sender<M>) -> Self {
        Self { out, kept: None }
    }

    /// Tells the reader something; `false` where it has no place for it.
    #[must_use]
    pub fn tell(&mut self, message: M) -> bool {
        if let Some(kept) = self.kept.take()
            && self.out.capacity() > 1
        {
            // A reader that has gone is noticed by the message that follows.
            let _taken = self.out.try_send(M::from(kept));
        }
        self.out.try_send(message).is_ok()
    }

    /// Tells the reader of ink, with that which had no place before; `false` where the reader has gone.
    #[must_use]
    pub fn draw(&mut self, ink: Ink) -> bool {
        let ink = match self.kept.take() {
            Some(kept) if kept.job == ink.job => merged(kept, ink),
            Some(_) | None => ink,
        };
        if self.out.capacity() > self.out.max_capacity() / 2 {
            self.out.try_send(M::from(ink)).is_ok()
        } else {
            self.kept = (ink.samples.len() <= MOST_KEPT).then_some(ink);
            true
        }
    }
}

fn merged(mut earlier: Ink, later: Ink) -> Ink {
    // A batch begins where the one before it ended.
    let repeats = earlier.samples.last() == later.samples.first();
    let new = later.samples.into_iter().skip(usize::from(repeats));
    earlier.samples.extend(new);
    Ink {
        n: later.n,
        ..earlier
    }
}

impl From<Ink> for ServerMessage {
    fn from(ink: Ink) -> Self {
        let Ink { job, n, samples } = ink;
        let item = Box::new(Item::Ink { samples });
        Self::Item { job, n, item }
    }
}

impl From<Ink> for ScreenInstruction {
    fn from(ink: Ink) -> Self {
        let Ink { job, samples, .. } = ink;
        Self::Ink { job, samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(n: u32, at: &[u64]) -> Ink {
        let sample = |at: &u64| InkSample(*at, 0, 0, 0, 0, 0, 3);
        Ink {
            job: "j".to_owned(),
            n,
            samples: at.iter().map(sample).collect(),
        }
    }

    fn idle() -> ScreenInstruction {
        ScreenInstruction::Pairing {
            code: "123456".to_owned(),
        }
    }

    /// The moments of what a reader reads; nothing for what is no ink.
    fn read(told: &mut mpsc::Receiver<ScreenInstruction>) -> Vec<Vec<u64>> {
        let mut read = Vec::new();
        while let Ok(instruction) = told.try_recv() {
            let mut at = Vec::new();
            if let ScreenInstruction::Ink { samples, .. } = instruction {
                at.extend(samples.iter().map(|sample| sample.0));
            }
            read.push(at);
        }
        read
    }

    #[test]
    fn ink_goes_out_at_once_while_there_is_room() {
        let (out, mut told) = mpsc::channel(4);
        let mut outlet: Outlet<ScreenInstruction> = Outlet::new(out);
        assert!(outlet.draw(ink(1, &[1])));
        assert_eq!(read(&mut told), [vec![1]]);
        assert!(outlet.draw(ink(2, &[1, 2])));
        assert_eq!(read(&mut told), [vec![1, 2]]);
    }

    #[test]
    fn ink_for_a_slow_reader_is_merged_and_leaves_room_for_news() {
        let (out, mut told) = mpsc::channel(4);
        let mut outlet: Outlet<ScreenInstruction> = Outlet::new(out);
        for n in 2_u32..100 {
            let at = u64::from(n);
            assert!(outlet.draw(ink(n, &[at - 1, at])));
        }
        assert!(outlet.tell(idle()));
        let all: Vec<u64> = (3..100).collect();
        let expected = [vec![1, 2], vec![2, 3], all, Vec::new()];
        assert_eq!(read(&mut told), expected);
        assert!(outlet.draw(ink(100, &[99, 100])));
        assert_eq!(read(&mut told), [vec![99, 100]]);
    }

    #[test]
    fn what_is_kept_is_bounded_and_goes_with_its_job() {
        let (out, mut told) = mpsc::channel(2);
        let mut outlet: Outlet<ScreenInstruction> = Outlet::new(out);
        assert!(outlet.tell(idle()));
        for n in 0..10 * u32::try_from(MOST_KEPT).unwrap() {
            assert!(outlet.draw(ink(n, &[u64::from(n)])));
            let kept = outlet.kept.as_ref().map_or(0, |kept| kept.samples.len());
            assert!(kept <= MOST_KEPT);
        }
        assert!(outlet.draw(Ink {
            job: "next".to_owned(),
            ..ink(1, &[7])
        }));
        assert_eq!(outlet.kept.as_ref().unwrap().samples.len(), 1);
        // The last place is for what is told, not for what was kept.
        assert!(outlet.tell(idle()) && outlet.kept.is_none());
        assert_eq!(read(&mut told), [[0; 0]; 2]);
    }

    #[test]
    fn a_reader_that_has_gone_is_noticed() {
        let (out, told) = mpsc::channel(4);
        let mut outlet: Outlet<ScreenInstruction> = Outlet::new(out);
        drop(told);
        assert!(!outlet.draw(ink(1, &[1])) && !outlet.tell(idle()));
    }
}
