//! One connection of a fleet, and the devices that speak through it.
//!
//! ```text
//! agenda: device x is due at t -> it says something, keeps it -> ready -> window -> broker
//!                    ^------- the connection is gone: all that was under way is kept again
//! ```
//! Where the herd is away the connection is dropped without a farewell; a device of its own connection
//! drops it whenever its own network does.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use telemetry::link::{
    Backoff, BackoffLimits, Connection, Connector, Link, LinkEvent, MqttConnector, Publication,
    Reliability, Token,
};
use telemetry::{Lane, UpTopic};
use tokio::time::Instant;

use super::counts::Counts;
use super::device::Device;
use super::kept::Said;
use super::network::NetworkModel;
use super::{FleetError, random};

/// How long nothing may go on without a look at the herd and the link.
const LONGEST_REST: u64 = 1000;

/// A connection with its devices.
pub(super) struct Carrier {
    pub(super) devices: Vec<Device>,
    pub(super) connection: Connection,
    pub(super) connector: MqttConnector,
    pub(super) network: NetworkModel,
    pub(super) counts: Arc<Counts>,
    pub(super) start: Instant,
    /// Whether its only device may leave a will.
    pub(super) is_own: bool,
    pub(super) random: sim_kit::Random,
}

/// What a carrier is doing.
struct Work {
    carrier: Carrier,
    link: Option<Box<dyn Link>>,
    is_ready: bool,
    retry_at: u64,
    backoff: Backoff,
    agenda: BinaryHeap<Reverse<(u64, usize)>>,
    /// When each device is due; other entries of the agenda are out of date.
    due: Vec<u64>,
    ready: VecDeque<usize>,
    under_way: HashMap<Token, (usize, Lane, u64)>,
}

impl Carrier {
    /// Carries until it is dropped.
    pub(super) async fn run(self) -> Result<(), FleetError> {
        let devices = self.devices.len();
        let mut work = Work {
            carrier: self,
            link: None,
            is_ready: false,
            retry_at: 0,
            backoff: Backoff::new(BackoffLimits {
                base: Duration::from_millis(500),
                cap: Duration::from_secs(30),
            }),
            agenda: (0..devices).map(|device| Reverse((0, device))).collect(),
            due: vec![0; devices],
            ready: VecDeque::new(),
            under_way: HashMap::new(),
        };
        loop {
            work.mind_the_link()?;
            work.wake_devices()?;
            work.send();
            work.rest().await;
        }
    }
}

impl Work {
    fn now(&self) -> u64 {
        u64::try_from(self.carrier.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Connects and disconnects as the networks want it.
    fn mind_the_link(&mut self) -> Result<(), FleetError> {
        let now = self.now();
        let mut wanted = !self.carrier.network.herd(now).0;
        if self.carrier.is_own {
            wanted &= self
                .carrier
                .devices
                .first_mut()
                .is_some_and(|device| device.is_up(now));
        }
        if self.link.is_some() && !wanted {
            self.closed();
            self.retry_at = now;
        } else if self.link.is_none() && wanted && now >= self.retry_at {
            let mut connection = self.carrier.connection.clone();
            if self.carrier.is_own
                && let Some(device) = self.carrier.devices.first_mut()
            {
                connection.will = Some(publication(device.will(now)?));
            }
            self.link = Some(self.carrier.connector.connect(&connection));
        }
        Ok(())
    }

    /// Has everybody speak who is due.
    fn wake_devices(&mut self) -> Result<(), FleetError> {
        let now = self.now();
        while let Some(Reverse((at, place))) = self.agenda.peek().copied() {
            if at > now {
                break;
            }
            self.agenda.pop();
            let (Some(device), Some(due)) =
                (self.carrier.devices.get_mut(place), self.due.get_mut(place))
            else {
                continue;
            };
            if *due != at {
                continue;
            }
            *due = device.wake(now, self.is_ready)?.max(now + 1);
            self.agenda.push(Reverse((*due, place)));
            if device.talks() && device.kept.next_at().is_some_and(|at| at <= now) {
                self.ready.push_back(place);
            }
        }
        Ok(())
    }

    /// Sends as much as the window takes.
    fn send(&mut self) {
        let now = self.now();
        let window = usize::from(self.carrier.connection.bounded_window());
        let Some(link) = self.link.as_mut().filter(|_| self.is_ready) else {
            self.ready.clear();
            return;
        };
        while let Some(place) = self.ready.pop_front() {
            let Some(device) = self.carrier.devices.get_mut(place) else {
                continue;
            };
            while device.talks() {
                if self.under_way.len() >= window {
                    self.ready.push_front(place);
                    return;
                }
                let Some(said) = device.kept.send(now) else {
                    break;
                };
                let (lane, number) = (said.lane, said.number);
                match link.publish(publication(said.clone())) {
                    Ok(token) => {
                        Counts::one(&self.carrier.counts.sent);
                        self.under_way.insert(token, (place, lane, number));
                    }
                    Err(_refused) => {
                        // The link is over, or its queue is full for a moment.
                        device.kept.settle(lane, number);
                        device.kept.keep_first(said);
                        self.ready.push_front(place);
                        return;
                    }
                }
            }
        }
    }

    /// Waits for the link, or until somebody is due.
    async fn rest(&mut self) {
        let now = self.now();
        let due = self.agenda.peek().map_or(u64::MAX, |Reverse((at, _))| *at);
        let retry = if self.link.is_none() && self.retry_at > now {
            self.retry_at
        } else {
            u64::MAX
        };
        let until = due.min(retry).min(now + LONGEST_REST);
        let until = self.carrier.start + Duration::from_millis(until);
        let event = match self.link.as_mut() {
            None => {
                tokio::time::sleep_until(until).await;
                return;
            }
            Some(link) => tokio::select! {
                event = link.next() => event,
                () = tokio::time::sleep_until(until) => return,
            },
        };
        self.hear(event);
    }

    fn hear(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Ready { .. } => {
                Counts::one(&self.carrier.counts.connections);
                self.is_ready = true;
                self.backoff.reset();
                self.wake_all();
            }
            LinkEvent::Delivered(token) | LinkEvent::Rejected(token) => {
                if let Some((place, lane, number)) = self.under_way.remove(&token) {
                    Counts::one(&self.carrier.counts.taken);
                    if let Some(device) = self.carrier.devices.get_mut(place) {
                        device.kept.settle(lane, number);
                    }
                }
            }
            LinkEvent::Arrived { .. } => {}
            LinkEvent::Closed(failure) => {
                Counts::one(&self.carrier.counts.failures);
                tracing::debug!(%failure, "a connection is over");
                self.closed();
                let wait = self.backoff.next(|| self.carrier.random.word());
                let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                self.retry_at = self.now().saturating_add(wait);
            }
        }
    }

    fn closed(&mut self) {
        self.link = None;
        self.is_ready = false;
        self.under_way.clear();
        self.ready.clear();
        self.carrier.devices.iter_mut().for_each(Device::cut);
    }

    /// Everybody hears that there is a connection: at one moment, as after a broker's start.
    fn wake_all(&mut self) {
        let now = self.now();
        for (place, due) in self.due.iter_mut().enumerate() {
            *due = now;
            self.agenda.push(Reverse((now, place)));
        }
    }
}

fn publication(said: Said) -> Publication {
    let is_beat = said
        .topic
        .parse::<UpTopic>()
        .is_ok_and(|topic| topic.class == telemetry::Class::Beat);
    Publication {
        topic: said.topic,
        payload: said.bytes,
        retain: said.retain,
        expiry: None,
        reliability: if is_beat {
            Reliability::AtMostOnce
        } else {
            Reliability::AtLeastOnce
        },
    }
}

/// Randomness for the waits of a connection.
pub(super) fn waits(seed: u64, connection: u32) -> sim_kit::Random {
    random::of_device(!seed, connection)
}
