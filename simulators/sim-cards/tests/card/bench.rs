//! Cards for the tests of this folder, from keys that are made once per build folder.

use std::path::Path;

use sim_cards::{CardImage, Date, Holder, Holders, MyNumberCard, Pki, Tries, TryCounters};
use sim_kit::{Card, Power};

/// A card that lies powered on the reader.
pub(crate) struct Bench {
    pub(crate) card: MyNumberCard,
    pub(crate) holder: Holder,
}

pub(crate) fn pki() -> Pki {
    Pki::open(Path::new(env!("CARGO_TARGET_TMPDIR")).join("sim-cards-pki")).unwrap()
}

pub(crate) fn holder(id: &str) -> Holder {
    let holders = Holders::embedded(Date::parse("20260401").unwrap()).unwrap();
    holders.find(id).unwrap().clone()
}

impl Bench {
    /// The card of this holder, after the throw-away first command.
    pub(crate) fn of(id: &str) -> Self {
        let holder = holder(id);
        let image = CardImage::for_holder(&holder, &pki()).unwrap();
        let tries = TryCounters::in_memory(holder.tries.unwrap_or(Tries::FULL));
        let mut bench = Self {
            card: MyNumberCard::new(image, tries, holder.quirks),
            holder,
        };
        bench.power_up();
        bench
    }

    pub(crate) fn power_up(&mut self) {
        self.card.power(Power::On);
        self.card.transmit(&[0x00, 0xA4, 0x00, 0x00]);
    }
}
