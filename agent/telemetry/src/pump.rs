//! What is sent next, and what is sent again: the sending side without clock, network or disk.
//!
//! ```text
//! store --(fresh first, then what was kept, throttled)--> window of at most 50 --> broker
//!   ^                                                                                |
//!   '-- rewound: at every connection, when the monitor asks, when it stays silent <--'
//! ```
//! Invariants: a broker's acknowledgement moves the window and nothing else; what is new never waits for
//! what was kept.

use std::collections::BTreeMap;
use std::time::Duration;

use device_api::Moment;

use crate::down::Mark;
use crate::link::Token;
use crate::outbox::{Outbox, Sealed};

/// A broker that acknowledges nothing for so long is given up.
const BROKER_SILENT: Duration = Duration::from_secs(30);
/// How fast what was kept is sent where no monitor has said anything else, in messages a second.
const USUAL_RATE: u32 = 200;
/// What was handed out and stays without the monitor's word is sent again after so long at first.
const FIRST_RESEND: Duration = Duration::from_secs(60);
/// And after so long at most.
const LAST_RESEND: Duration = Duration::from_secs(15 * 60);

/// Where messages come from: the outbox, or a test.
pub trait Source {
    /// The next message that was accepted since the last rewind.
    fn next_fresh(&mut self) -> Option<Sealed>;
    /// The next message that was kept from before it.
    fn next_backlog(&mut self) -> Option<Sealed>;
    /// Whether something was handed out that no acknowledgement covers.
    fn awaits_ack(&self) -> bool;
    /// Nothing was handed out.
    fn rewind(&mut self);
    /// The monitor has everything up to these marks.
    fn acknowledge(&mut self, marks: &[Mark]) -> Acknowledged;
}

impl Source for Outbox {
    fn next_fresh(&mut self) -> Option<Sealed> {
        Self::next_fresh(self)
    }

    fn next_backlog(&mut self) -> Option<Sealed> {
        Self::next_backlog(self)
    }

    fn awaits_ack(&self) -> bool {
        Self::awaits_ack(self)
    }

    fn rewind(&mut self) {
        Self::rewind(self);
    }

    fn acknowledge(&mut self, marks: &[Mark]) -> Acknowledged {
        let before = self.acknowledged();
        let refused = Self::acknowledge(self, marks).len();
        Acknowledged {
            progress: self.acknowledged() > before,
            refused,
        }
    }
}

/// What an acknowledgement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Acknowledged {
    /// Whether it covers anything that no earlier one covered.
    pub progress: bool,
    /// How many of its marks cover what was never sent; these did nothing.
    pub refused: usize,
}

/// The state of sending over one connection after the other.
#[derive(Debug)]
pub struct Pump {
    window: usize,
    under_way: BTreeMap<Token, Moment>,
    /// What was handed out and found no room.
    returned: Option<Sealed>,
    rate: Rate,
    resend: Resend,
}

/// A token bucket of one second's worth.
#[derive(Debug)]
struct Rate {
    per_second: u32,
    /// When the next message may go, as if they were evenly spaced.
    next: Moment,
}

#[derive(Debug)]
struct Resend {
    after: Duration,
    since: Moment,
}

impl Pump {
    /// Begins with no connection; `window` messages may be under way.
    #[must_use]
    pub fn new(window: u16) -> Self {
        Self {
            window: usize::from(window),
            under_way: BTreeMap::new(),
            returned: None,
            rate: Rate {
                per_second: USUAL_RATE,
                next: Moment::default(),
            },
            resend: Resend {
                after: FIRST_RESEND,
                since: Moment::default(),
            },
        }
    }

    /// A connection is ready: everything that is not acknowledged goes out again.
    pub fn connected(&mut self, source: &mut impl Source, now: Moment) {
        self.under_way.clear();
        self.rate.next = now;
        self.resend = Resend {
            after: FIRST_RESEND,
            since: now,
        };
        self.rewind(source);
    }

    /// The next message for the broker, if one may go now.
    pub fn next(&mut self, source: &mut impl Source, now: Moment) -> Option<Sealed> {
        if self.under_way.len() >= self.window {
            return None;
        }
        if let Some(returned) = self.returned.take() {
            return Some(returned);
        }
        if let Some(fresh) = source.next_fresh() {
            return Some(fresh);
        }
        if !self.rate.allows(now) {
            return None;
        }
        let kept = source.next_backlog()?;
        self.rate.spend(now);
        Some(kept)
    }

    /// A message found no room in the link; it is the next one to go.
    pub fn take_back(&mut self, sealed: Sealed) {
        self.returned = Some(sealed);
    }

    /// A message went to the broker.
    pub fn sent(&mut self, token: Token, now: Moment) {
        self.under_way.insert(token, now);
    }

    /// The broker has taken a message, or refused it for ever.
    pub fn settled(&mut self, token: Token) {
        self.under_way.remove(&token);
    }

    /// The monitor has said how far it has everything; how many of its marks were refused.
    pub fn acknowledged(
        &mut self,
        source: &mut impl Source,
        heard: &Heard<'_>,
        now: Moment,
    ) -> usize {
        if let Some(per_second) = heard.per_second {
            self.rate.per_second = per_second.max(1);
        }
        let acknowledged = source.acknowledge(heard.marks);
        if acknowledged.progress {
            self.resend = Resend {
                after: FIRST_RESEND,
                since: now,
            };
        }
        if heard.resend {
            self.rewind(source);
        }
        acknowledged.refused
    }

    /// Sends again what stayed without an answer for too long.
    pub fn tick(&mut self, source: &mut impl Source, now: Moment) {
        if !source.awaits_ack() {
            self.resend.since = now;
        } else if now.since(self.resend.since) >= self.resend.after {
            self.rewind(source);
            self.resend.since = now;
            self.resend.after = self.resend.after.saturating_mul(2).min(LAST_RESEND);
        }
    }

    /// Whether the broker has acknowledged nothing for so long that it is to be given up.
    #[must_use]
    pub fn is_stuck(&self, now: Moment) -> bool {
        let oldest = self.under_way.values().min();
        oldest.is_some_and(|sent| now.since(*sent) >= BROKER_SILENT)
    }

    fn rewind(&mut self, source: &mut impl Source) {
        self.returned = None;
        source.rewind();
    }

    /// How long from `now` until a message that was kept may go; zero if one may.
    #[must_use]
    pub fn pause(&self, now: Moment) -> Duration {
        self.rate.next.since(now)
    }
}

/// What the pump needs of the monitor's word.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// How far it has everything.
    pub marks: &'a [Mark],
    /// Whether it wants the rest again.
    pub resend: bool,
    /// How fast it wants what was kept.
    pub per_second: Option<u32>,
}

impl Rate {
    fn allows(&self, now: Moment) -> bool {
        now >= self.next
    }

    fn spend(&mut self, now: Moment) {
        let apart = Duration::from_secs(1) / self.per_second;
        // Up to a tenth of a second that was not used may be made up for, so that a late timer costs nothing.
        let earliest = now
            .since_origin()
            .saturating_sub(Duration::from_millis(100));
        self.next = self.next.max(Moment::after_origin(earliest)).plus(apart);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Stamp;
    use crate::lane::Lane;
    use crate::message::machine::TimeQuality;

    /// Numbers in place of messages.
    #[derive(Debug, Default)]
    struct Numbers {
        fresh: Vec<u64>,
        kept: Vec<u64>,
        out: Vec<u64>,
        rewinds: u32,
    }

    fn sealed(number: u64) -> Sealed {
        Sealed {
            topic: "t".into(),
            bytes: Vec::new(),
            stamp: Stamp {
                epoch: 1,
                lane: Lane::State,
                number,
                monotonic_millis: 0,
                issued_at: 0,
                quality: TimeQuality::Free,
            },
            retain: false,
        }
    }

    impl Source for Numbers {
        fn next_fresh(&mut self) -> Option<Sealed> {
            let number = self.fresh.pop()?;
            self.out.push(number);
            Some(sealed(number))
        }
        fn next_backlog(&mut self) -> Option<Sealed> {
            let number = self.kept.pop()?;
            self.out.push(number);
            Some(sealed(number))
        }
        fn awaits_ack(&self) -> bool {
            !self.out.is_empty()
        }
        fn rewind(&mut self) {
            self.rewinds += 1;
            self.kept.append(&mut self.fresh);
            self.kept.append(&mut self.out);
        }
        fn acknowledge(&mut self, marks: &[Mark]) -> Acknowledged {
            let before = self.out.len();
            let through = marks.first().map_or(0, |mark| mark.through);
            self.out.retain(|number| *number > through);
            Acknowledged {
                progress: self.out.len() < before,
                refused: 0,
            }
        }
    }

    fn at(millis: u64) -> Moment {
        Moment::after_origin(Duration::from_millis(millis))
    }

    #[test]
    fn the_window_holds_and_only_the_monitor_frees() {
        let mut source = Numbers {
            fresh: (1..=9).rev().collect(),
            ..Numbers::default()
        };
        let mut pump = Pump::new(2);
        pump.connected(&mut source, at(0));
        for token in 0..2 {
            assert!(pump.next(&mut source, at(1_000)).is_some());
            pump.sent(Token::after(token), at(1_000));
        }
        assert_eq!(pump.next(&mut source, at(1_000)), None);
        pump.settled(Token::after(0));
        assert!(source.awaits_ack());
        assert!(pump.next(&mut source, at(1_000)).is_some());
    }

    #[test]
    fn what_found_no_room_goes_next_and_once() {
        let mut source = Numbers {
            fresh: vec![2, 1],
            ..Numbers::default()
        };
        let mut pump = Pump::new(50);
        let first = pump.next(&mut source, at(0)).unwrap();
        pump.take_back(first.clone());
        assert_eq!(pump.next(&mut source, at(0)), Some(first.clone()));
        pump.take_back(first);
        pump.connected(&mut source, at(0));
        let left: Vec<_> = (0..1_000)
            .filter_map(|millis| pump.next(&mut source, at(millis)))
            .map(|sealed| sealed.stamp.number)
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[test]
    fn what_is_new_does_not_wait_for_what_was_kept() {
        let mut source = Numbers {
            kept: (1..=1_000).rev().collect(),
            ..Numbers::default()
        };
        let mut pump = Pump::new(50);
        pump.connected(&mut source, at(0));
        let mut kept = 0;
        for millis in 0..1_000 {
            while let Some(message) = pump.next(&mut source, at(millis)) {
                kept += u32::from(message.stamp.number <= 1_000);
            }
            if millis % 100 == 0 {
                source.fresh.push(5_000 + millis);
                assert_eq!(
                    pump.next(&mut source, at(millis)).unwrap().stamp.number,
                    5_000 + millis
                );
            }
        }
        assert!((195..=225).contains(&kept), "{kept} in a second");
        let slower = Heard {
            marks: &[],
            resend: false,
            per_second: Some(10),
        };
        pump.acknowledged(&mut source, &slower, at(1_000));
        let sent = (1_000..3_000).filter(|millis| pump.next(&mut source, at(*millis)).is_some());
        assert!((19..=23).contains(&sent.count()));
    }

    #[test]
    fn silence_of_the_broker_ends_the_connection_and_silence_of_the_monitor_sends_again() {
        let mut source = Numbers {
            fresh: vec![1],
            ..Numbers::default()
        };
        let mut pump = Pump::new(50);
        pump.connected(&mut source, at(0));
        source.fresh.push(1);
        pump.next(&mut source, at(0)).unwrap();
        pump.sent(Token::after(0), at(0));
        assert!(!pump.is_stuck(at(29_000)) && pump.is_stuck(at(30_000)));
        pump.settled(Token::after(0));
        assert!(!pump.is_stuck(at(99_000)));
        let rewinds: Vec<u64> = (0..600)
            .filter(|second| {
                let before = source.rewinds;
                pump.tick(&mut source, at(second * 1_000));
                while pump.next(&mut source, at(second * 1_000)).is_some() {}
                source.rewinds > before
            })
            .collect();
        assert_eq!(rewinds, [60, 180, 420]);
        let mark = Mark {
            epoch: 1,
            lane: Lane::State,
            through: 9,
        };
        let all = Heard {
            marks: &[mark],
            resend: false,
            per_second: None,
        };
        pump.acknowledged(&mut source, &all, at(600_000));
        assert!(!source.awaits_ack());
    }

    #[test]
    fn the_monitor_can_ask_for_the_rest_again() {
        let mut source = Numbers {
            fresh: vec![2, 1],
            ..Numbers::default()
        };
        let mut pump = Pump::new(50);
        while pump.next(&mut source, at(0)).is_some() {}
        let again = Heard {
            marks: &[],
            resend: true,
            per_second: None,
        };
        pump.acknowledged(&mut source, &again, at(0));
        assert_eq!(source.kept.len(), 2);
    }
}
