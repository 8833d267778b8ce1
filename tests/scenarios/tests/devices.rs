//! The devices beside the card readers, one counter for all scenes.

use anyhow::Context as _;
use scenarios::devices;

#[test]
fn every_device_does_what_a_page_may_expect() -> anyhow::Result<()> {
    let counter = devices::counter()?;
    for scenes in devices::SCENES {
        (scenes.play)(&counter).context(scenes.device)?;
    }
    counter.stop()
}
