//! Supervision of the driver hosts.
//!
//! ```text
//! waiting -> starting -> ready -> (killed ->) waiting ...
//! ```
//! Nobody is pinged who has given no cause: an idle host costs nothing.
//! Invariants: at most one life of a host is current; words of any other life are ignored; a host is
//! started again however often it ends, ever more slowly up to [`SLOWEST_RESTART`], and quickly again
//! once it has lived for [`HEALTHY_AFTER`].

use std::time::Duration;

use device_api::Moment;

use crate::effect::HostLoss;
use crate::ids::{HostId, HostRun};

/// Time from start to hello.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Time from ping to pong.
const PONG_WITHIN: Duration = Duration::from_secs(2);

/// Time from a kill until the host is taken for dead even if its end was not reported: a process that
/// hangs in the kernel cannot be reaped, and must not keep its successor from starting.
const REAPED_WITHIN: Duration = Duration::from_secs(5);

/// The first restart after this long, doubled with each further one.
const FIRST_RESTART: Duration = Duration::from_millis(100);

/// Never slower than this.
const SLOWEST_RESTART: Duration = Duration::from_secs(30);

/// A life this long makes earlier failures forgotten.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Words that are no message or out of turn, in one life, until the host counts as unusable.
const MAX_GARBLED: u32 = 16;

/// The version of the host protocol that the agent speaks.
const PROTOCOL: u32 = 1;

/// All driver hosts.
#[derive(Debug)]
pub(crate) struct Hosts {
    hosts: Vec<Host>,
    next_ping: u64,
    stopping: bool,
}

#[derive(Debug)]
struct Host {
    run: HostRun,
    phase: Phase,
    /// Lives in a row that ended before they were healthy.
    failures: u32,
    garbled: u32,
    ping: Option<(u64, Moment)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not before the daemon is ready.
    Off,
    Waiting {
        until: Moment,
    },
    Starting {
        until: Moment,
    },
    Ready {
        since: Moment,
    },
    Killed {
        until: Moment,
    },
}

/// What supervision wants done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HostStep {
    /// Start this life.
    Start(HostRun),
    /// This life is over for this reason; kill its process.
    Kill(HostRun, HostLoss),
}

/// A life that is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HostEnd {
    /// How many lives in a row ended badly.
    pub(crate) in_a_row: u32,
    /// When the next one begins.
    pub(crate) restart_in: Duration,
}

impl Hosts {
    pub(crate) fn new(count: u16) -> Self {
        let host = |id| Host {
            run: HostRun {
                host: HostId(id),
                run: 0,
            },
            phase: Phase::Off,
            failures: 0,
            garbled: 0,
            ping: None,
        };
        Self {
            hosts: (0..count).map(host).collect(),
            next_ping: 1,
            stopping: false,
        }
    }

    /// The daemon is ready: every host is due at once.
    pub(crate) fn start_all(&mut self, now: Moment) {
        for host in &mut self.hosts {
            if host.phase == Phase::Off {
                host.phase = Phase::Waiting { until: now };
            }
        }
    }

    /// The agent ends: nothing is started any more.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        for host in &mut self.hosts {
            if matches!(host.phase, Phase::Waiting { .. }) {
                host.phase = Phase::Off;
            }
        }
    }

    /// What is due at `now`.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<HostStep> {
        let mut steps = Vec::new();
        for host in &mut self.hosts {
            match host.phase {
                Phase::Waiting { until } if until <= now => {
                    host.run.run += 1;
                    host.garbled = 0;
                    host.ping = None;
                    host.phase = Phase::Starting {
                        until: now.plus(HELLO_WITHIN),
                    };
                    steps.push(HostStep::Start(host.run));
                }
                Phase::Starting { until } if until <= now => {
                    steps.push(HostStep::Kill(host.run, HostLoss::Silent));
                }
                Phase::Ready { .. } if host.ping.is_some_and(|(_, until)| until <= now) => {
                    steps.push(HostStep::Kill(host.run, HostLoss::Deaf));
                }
                // Its end was never reported; it is taken for dead without having cost another failure.
                Phase::Killed { until } if until <= now => {
                    host.phase = after_end(self.stopping, host.failures, now);
                }
                Phase::Off
                | Phase::Waiting { .. }
                | Phase::Starting { .. }
                | Phase::Ready { .. }
                | Phase::Killed { .. } => {}
            }
        }
        steps
    }

    /// Takes in the hello of a life; gives the version to speak.
    pub(crate) fn hello(
        &mut self,
        run: HostRun,
        protocols: &[u32],
        now: Moment,
    ) -> Result<u32, HostLoss> {
        let Some(host) = self.current(run) else {
            return Err(HostLoss::Unusable);
        };
        if !matches!(host.phase, Phase::Starting { .. }) {
            return Err(HostLoss::Unusable);
        }
        if !protocols.contains(&PROTOCOL) {
            return Err(HostLoss::WrongVersion);
        }
        host.phase = Phase::Ready { since: now };
        Ok(PROTOCOL)
    }

    /// Whether this life is the current one, may speak and be spoken to.
    pub(crate) fn is_ready(&self, run: HostRun) -> bool {
        self.ready(run.host) == Some(run)
    }

    /// Whether this life is the current one and not given up.
    pub(crate) fn is_alive(&self, run: HostRun) -> bool {
        self.hosts.iter().any(|host| {
            host.run == run && matches!(host.phase, Phase::Starting { .. } | Phase::Ready { .. })
        })
    }

    /// The life of a host that can take a job.
    pub(crate) fn ready(&self, host: HostId) -> Option<HostRun> {
        let found = self.hosts.iter().find(|known| known.run.host == host)?;
        matches!(found.phase, Phase::Ready { .. }).then_some(found.run)
    }

    /// A host gives cause to doubt that it listens: the number to ping it with, unless one is out.
    pub(crate) fn suspect(&mut self, run: HostRun, now: Moment) -> Option<u64> {
        let n = self.next_ping;
        let host = self.current(run)?;
        if host.ping.is_some() {
            return None;
        }
        host.ping = Some((n, now.plus(PONG_WITHIN)));
        self.next_ping += 1;
        Some(n)
    }

    /// Takes in an answer to a ping.
    pub(crate) fn pong(&mut self, run: HostRun, n: u64) {
        if let Some(host) = self.current(run)
            && host.ping.is_some_and(|(sent, _)| sent == n)
        {
            host.ping = None;
        }
    }

    /// A host said something that makes no sense; true where that was once too often.
    pub(crate) fn garbled(&mut self, run: HostRun) -> bool {
        let Some(host) = self.current(run) else {
            return false;
        };
        host.garbled = host.garbled.saturating_add(1);
        host.garbled >= MAX_GARBLED
    }

    /// A life is given up; its process is being killed.
    pub(crate) fn killed(&mut self, run: HostRun, now: Moment) -> Option<HostEnd> {
        let end = self.end(run, now)?;
        let host = self.current(run)?;
        host.phase = Phase::Killed {
            until: now.plus(REAPED_WITHIN.max(end.restart_in)),
        };
        Some(end)
    }

    /// A process has ended. `None` where its life was over before; then only its restart is planned.
    pub(crate) fn exited(&mut self, run: HostRun, now: Moment) -> Option<HostEnd> {
        let was_killed = self
            .current(run)
            .is_some_and(|host| matches!(host.phase, Phase::Killed { .. }));
        let end = if was_killed { None } else { self.end(run, now) };
        let stopping = self.stopping;
        let host = self.current(run)?;
        if matches!(host.phase, Phase::Off | Phase::Waiting { .. }) {
            return None;
        }
        host.phase = after_end(stopping, host.failures, now);
        end
    }

    pub(crate) fn next_wakeup(&self) -> Option<Moment> {
        let due = |host: &Host| match host.phase {
            Phase::Off => None,
            Phase::Waiting { until } | Phase::Starting { until } | Phase::Killed { until } => {
                Some(until)
            }
            Phase::Ready { .. } => host.ping.map(|(_, until)| until),
        };
        self.hosts.iter().filter_map(due).min()
    }

    fn end(&mut self, run: HostRun, now: Moment) -> Option<HostEnd> {
        let host = self.current(run)?;
        let healthy = match host.phase {
            Phase::Off | Phase::Waiting { .. } | Phase::Killed { .. } => return None,
            Phase::Starting { .. } => false,
            Phase::Ready { since } => now.since(since) >= HEALTHY_AFTER,
        };
        host.failures = if healthy {
            1
        } else {
            host.failures.saturating_add(1)
        };
        host.ping = None;
        Some(HostEnd {
            in_a_row: host.failures,
            restart_in: restart_after(host.failures),
        })
    }

    fn current(&mut self, run: HostRun) -> Option<&mut Host> {
        self.hosts.iter_mut().find(|host| host.run == run)
    }
}

/// What follows the end of a life.
fn after_end(stopping: bool, failures: u32, now: Moment) -> Phase {
    if stopping {
        Phase::Off
    } else {
        Phase::Waiting {
            until: now.plus(restart_after(failures)),
        }
    }
}

/// How long after the given number of failures in a row a host is started again.
fn restart_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    FIRST_RESTART
        .saturating_mul(1 << doublings)
        .min(SLOWEST_RESTART)
}
