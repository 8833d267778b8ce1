//! The devices beside the card readers, one counter for all scenes.

use scenarios::devices::{self, handing_over, printing, scanning, scanning_papers, signing};

#[test]
fn every_device_does_what_a_page_may_expect() -> anyhow::Result<()> {
    let counter = devices::counter()?;
    scanning::scenes(&counter)?;
    handing_over::scenes(&counter)?;
    printing::scenes(&counter)?;
    scanning_papers::scenes(&counter)?;
    signing::scenes(&counter)?;
    counter.stop()
}
