//! Everything against nothing but signatures; the figure means something in a release build only.

use std::sync::Arc;

use crate::kit::SETTINGS;
use device_api::{Clock, SystemClock};
use monitor::throughput::{Load, measure};

#[test]
fn everything_that_was_measured_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let optimised = !cfg!(debug_assertions);
    let load = Load {
        devices: 500,
        messages: if optimised { 100 } else { 2 },
        batch: 512,
    };
    let path = folder.path().join("monitor.db");
    let measured = measure(&path, load, SETTINGS, &clock).unwrap();
    assert_eq!(measured.messages, u64::from(load.devices * load.messages));
    println!(
        "{} messages: {} a second verified and stored, {} bare: {} of 1000",
        measured.messages,
        measured.per_second(),
        measured.bare_per_second(),
        measured.per_mille_of_bare()
    );
}
