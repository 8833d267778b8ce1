//! The networks of a fleet: when a device is reachable, and how late its messages are.
//!
//! Two things take a device away: its own network, at random, and the herd, which takes all away at once
//! and lets all come back at the same moment, as a broker does that is started anew.

use clap::Args;
use sim_kit::Random;

use super::random::{around, below};

/// How bad networks are.
#[derive(Debug, Clone, Copy, Args)]
pub struct NetworkModel {
    /// How much of the time a device is reachable, in thousandths.
    #[arg(long = "online", value_name = "PER_MILLE", default_value_t = 1000)]
    pub online: u16,
    /// How long a device is cut off each time, in seconds, on average.
    #[arg(long = "cut", value_name = "SECONDS", default_value_t = 60)]
    pub cut: u32,
    /// How many of a thousand devices are slow.
    #[arg(long = "slow", value_name = "PER_MILLE", default_value_t = 0)]
    pub slow: u16,
    /// By how much a slow device's messages are late, in seconds.
    #[arg(long = "slow-by", value_name = "SECONDS", default_value_t = 5)]
    pub slow_by: u32,
    /// Every so many seconds all devices are cut off at once; 0 for never.
    #[arg(long = "herd-every", value_name = "SECONDS", default_value_t = 0)]
    pub herd_every: u32,
    /// After so many seconds they all come back at once.
    #[arg(long = "herd-for", value_name = "SECONDS", default_value_t = 10)]
    pub herd_for: u32,
}

/// Longer than any fleet runs.
const FOR_EVER: u64 = u64::MAX / 2;

/// One device's network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    model: NetworkModel,
    /// By how much messages are late, in milliseconds.
    pub(super) late: u64,
    own: bool,
    changes_at: u64,
}

impl NetworkModel {
    /// The network of a device.
    pub(super) fn draw(self, random: &mut Random) -> Network {
        let late = if random.chance(self.slow) {
            u64::from(self.slow_by) * 1000
        } else {
            0
        };
        let mut network = Network {
            model: self,
            late,
            own: random.chance(self.online),
            changes_at: 0,
        };
        // As if it had gone on for long: the first change comes somewhere within the usual time.
        let lasts = network.lasts(random).max(1);
        network.changes_at = if lasts == FOR_EVER {
            FOR_EVER
        } else {
            below(random, lasts)
        };
        network
    }

    /// Whether the herd is away now, and when that changes next, in milliseconds.
    pub(super) fn herd(self, now: u64) -> (bool, u64) {
        let every = u64::from(self.herd_every) * 1000;
        let Some(within) = now.checked_rem(every) else {
            return (false, u64::MAX);
        };
        let lasts = (u64::from(self.herd_for) * 1000).min(every);
        let began = now - within;
        // The first one comes after the first such time, so that a fleet can begin.
        if within < lasts && began > 0 {
            (true, began + lasts)
        } else {
            (false, began + every)
        }
    }
}

impl Network {
    /// Whether the device is reachable now.
    pub(super) fn is_up(&mut self, now: u64, random: &mut Random) -> bool {
        while self.changes_at <= now {
            self.own = !self.own;
            let lasts = self.lasts(random);
            self.changes_at = self.changes_at.saturating_add(lasts.max(1));
        }
        self.own && !self.model.herd(now).0
    }

    /// When that may change, in milliseconds since the fleet's start.
    pub(super) fn changes_at(&self, now: u64) -> u64 {
        self.changes_at.min(self.model.herd(now).1)
    }

    /// How long it stays as it is.
    fn lasts(&self, random: &mut Random) -> u64 {
        let cut = u64::from(self.model.cut.max(1)) * 1000;
        let online = u64::from(self.model.online.min(1000));
        match (self.own, 1000 - online) {
            // Never cut off, or never there.
            (true, 0) | (false, 1000) => FOR_EVER,
            (false, _) => around(random, cut),
            (true, away) => around(random, cut.saturating_mul(online) / away),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: NetworkModel = NetworkModel {
        online: 1000,
        cut: 60,
        slow: 0,
        slow_by: 5,
        herd_every: 0,
        herd_for: 10,
    };

    #[test]
    fn a_good_network_is_always_up_and_others_as_often_as_was_asked_for() {
        let mut random = Random::new(3);
        for (online, least, most) in [(1000, 1000, 1000), (900, 870, 930), (0, 0, 0)] {
            let model = NetworkModel { online, ..GOOD };
            let (mut up, mut looks) = (0, 0);
            for _ in 0..100 {
                let mut network = model.draw(&mut random);
                for second in 0..3000 {
                    up += u64::from(network.is_up(second * 1000, &mut random));
                    looks += 1;
                }
            }
            let share = up * 1000 / looks;
            assert!((least..=most).contains(&share), "{online}: {share}");
        }
    }

    #[test]
    fn the_herd_goes_and_comes_back_as_one() {
        let model = NetworkModel {
            herd_every: 60,
            ..GOOD
        };
        let mut random = Random::new(4);
        let mut networks: Vec<Network> = (0..50).map(|_| model.draw(&mut random)).collect();
        for second in 0..200 {
            let away = matches!(second, 60..70 | 120..130 | 180..190);
            for network in &mut networks {
                assert_eq!(network.is_up(second * 1000, &mut random), !away, "{second}");
                let changes = network.changes_at(second * 1000);
                assert!(changes > second * 1000 && changes <= 240_000);
            }
        }
    }
}
