//! An intake over a real database, with a clock that is moved by hand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use device_api::{Clock, Moment};
use monitor::acks::Manner;
use monitor::alarm::AlarmKind;
use monitor::intake::{Delivery, Intake, Own, Settings, Verdict};
use monitor::registry::Shard;
use monitor::rehearsal::{Rehearsed, START};
use monitor::store::Store;
use monitor::watch::Patience;
use telemetry::message::Message;
use telemetry::message::device::FaultChange;
use telemetry::message::work::JobCounts;
use telemetry::{Signer as _, SoftwareSigner, VerifyingKey};

pub(crate) const SETTINGS: Settings = Settings {
    patience: Patience {
        clock: Duration::from_secs(300),
        resend: Duration::from_secs(60),
        suppressed: Duration::from_secs(300),
        replay: Duration::from_secs(600),
    },
    manner: Manner {
        interval: Duration::from_secs(1),
        per_second: None,
    },
    shard: Shard::WHOLE,
};

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct Hand(Mutex<u64>);

impl Hand {
    pub(crate) fn set(&self, seconds: u64) {
        *self.0.lock().unwrap() = seconds;
    }
}

impl Clock for Hand {
    fn now(&self) -> Moment {
        Moment::after_origin(Duration::from_secs(*self.0.lock().unwrap()))
    }

    fn unix_millis(&self) -> u64 {
        (START + *self.0.lock().unwrap()) * 1000
    }
}

pub(crate) struct Bench {
    pub(crate) intake: Intake,
    pub(crate) clock: Arc<Hand>,
    pub(crate) path: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn own() -> Own {
    Own {
        monitor: "monitor".parse().unwrap(),
        signer: Box::new(SoftwareSigner::from_seed(&[1; 32]).unwrap()),
    }
}

pub(crate) fn own_key() -> VerifyingKey {
    SoftwareSigner::from_seed(&[1; 32]).unwrap().verifying_key()
}

pub(crate) fn open(path: &Path, clock: &Arc<Hand>) -> Intake {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    Intake::open(path, own(), SETTINGS, clock).unwrap()
}

impl Bench {
    /// A monitor that knows these devices.
    pub(crate) fn new(devices: &[&Rehearsed]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("monitor.db");
        let store = Store::open(&path).unwrap();
        for device in devices {
            store.add_device(&device.name, &device.key()).unwrap();
        }
        let clock = Arc::new(Hand::default());
        Self {
            intake: open(&path, &clock),
            clock,
            path,
            folder,
        }
    }

    /// Takes one message in.
    pub(crate) fn take(&mut self, delivery: &Delivery) -> Verdict {
        let seconds = delivery.arrival.at.since_origin().as_secs();
        self.clock.set(seconds);
        self.intake.take(std::slice::from_ref(delivery)).unwrap()[0]
    }

    /// The kinds of all open alarms, the newest first.
    pub(crate) fn alarms(&self) -> Vec<AlarmKind> {
        let alarms = self.intake.store().alarms(None, false).unwrap();
        alarms.into_iter().map(|alarm| alarm.kind).collect()
    }
}

pub(crate) fn device(number: u32) -> Rehearsed {
    Rehearsed::new(number).unwrap()
}

pub(crate) fn fault(raised: bool) -> Message {
    Message::Fault(FaultChange {
        device: "printer-1".parse().unwrap(),
        fault: "PRN-PAPER-OUT".parse().unwrap(),
        raised,
    })
}

pub(crate) fn jobs(seconds: u32) -> Message {
    Message::Jobs(JobCounts {
        seconds,
        jobs: Vec::new(),
    })
}

/// What an acknowledgement says.
pub(crate) fn ack(bytes: &[u8]) -> telemetry::down::Ack {
    let envelope = telemetry::Envelope::read(bytes).unwrap();
    telemetry::cbor::decode(envelope.payload()).unwrap()
}
