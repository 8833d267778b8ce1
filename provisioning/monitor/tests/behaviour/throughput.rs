//! Everything against nothing but signatures; the figure means something in a release build only.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Moment, SystemClock};
use monitor::throughput::{Load, measure};

use crate::kit::SETTINGS;

/// The time for which this thread had a processor, where the system tells it, so that neither the disk nor
/// whoever else is busy on this machine counts; the usual time elsewhere.
#[derive(Debug)]
struct Processor(SystemClock);

impl Clock for Processor {
    fn now(&self) -> Moment {
        std::fs::read_to_string("/proc/thread-self/schedstat")
            .ok()
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .map_or_else(
                || self.0.now(),
                |nanos| Moment::after_origin(Duration::from_nanos(nanos)),
            )
    }

    fn unix_millis(&self) -> u64 {
        self.0.unix_millis()
    }
}

#[test]
fn everything_that_was_measured_was_stored() {
    let optimised = !cfg!(debug_assertions);
    let load = Load {
        devices: 500,
        messages: if optimised { 100 } else { 2 },
        batch: 2048,
    };
    let clocks: [(&str, Arc<dyn Clock>); 2] = [
        ("by the wall clock", Arc::new(SystemClock::new())),
        ("by the processor", Arc::new(Processor(SystemClock::new()))),
    ];
    for (name, clock) in clocks {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("monitor.db");
        let measured = measure(&path, load, SETTINGS, &clock).unwrap();
        assert_eq!(measured.messages, u64::from(load.devices * load.messages));
        println!(
            "{name}: {} messages, {} a second verified and stored, {} bare: {} of 1000",
            measured.messages,
            measured.per_second(),
            measured.bare_per_second(),
            measured.per_mille_of_bare()
        );
    }
}
