//! The devices beside the card readers, through the real agent and their real driver hosts.
//!
//! Each scene begins with a counter that is whole and leaves it so.
//!
//! | module | shows |
//! |---|---|
//! | [`page`] | a counter application's page with a lease that is bound to its session |
//! | [`scanning`] | codes reach the page that waits for them, one at a time, and no other |
//! | [`printing`] | a ticket is on at most one paper that is not marked |
//! | [`scanning_papers`] | papers become one file, handed out once |
//! | [`signing`] | what is signed is what was shown |
//! | [`handing_over`] | files for other systems are whole, once, and acknowledged |
//! | [`rig`] | simulated devices that the test itself holds |
//! | [`uses`] | each of them used once |
//! | [`codes`] | codes of an independent encoder arrive byte for byte |
//! | [`papers`] | independent programs read the codes on printed tickets |
//! | [`plugging`] | cables pulled at any moment leave nothing behind |
//! | [`power_cuts`] | a power cut at every step of printing |
//! | [`load`] | everything at random, and memory that does not grow |

pub mod codes;
pub mod handing_over;
pub mod load;
pub mod page;
pub mod papers;
pub mod plugging;
pub mod power_cuts;
pub mod printing;
pub mod rig;
pub mod scanning;
pub mod scanning_papers;
pub mod signing;
pub mod uses;

use harness::{Counter, Options};

/// What is played with one device.
#[derive(Debug)]
pub struct Scenes {
    /// The device.
    pub device: &'static str,
    /// What holds when they end well.
    pub shows: &'static str,
    /// Plays them.
    pub play: fn(&Counter) -> anyhow::Result<()>,
}

/// The scenes of every device.
pub const SCENES: &[Scenes] = &[
    Scenes {
        device: "code scanner",
        shows: "codes reach the page that waits, one at a time; a stray code reaches nobody; pulled and back",
        play: scanning::scenes,
    },
    Scenes {
        device: "handover folder",
        shows: "a whole file in CP932; a character that the receiver cannot take is named, and nothing written",
        play: handing_over::scenes,
    },
    Scenes {
        device: "ticket printer",
        shows: "on one paper; no paper is said before; a ticket in doubt waits for a person",
        play: printing::scenes,
    },
    Scenes {
        device: "document scanner",
        shows: "two sheets in one file; an empty feeder and a jam are said",
        play: scanning_papers::scenes,
    },
    Scenes {
        device: "signature tablet",
        shows: "signed on the pad and sealed; declined; pulled in the middle and back",
        play: signing::scenes,
    },
];

/// A counter with every device.
///
/// # Errors
/// When a part does not come up.
pub fn counter() -> anyhow::Result<Counter> {
    Counter::start(&Options {
        devices: true,
        slots: 1,
        ..Options::default()
    })
}
