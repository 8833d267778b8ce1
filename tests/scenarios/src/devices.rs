//! The devices beside the card readers, through the real agent and their real driver hosts.
//!
//! Each scene begins with a counter that is whole and leaves it so.
//!
//! | module | shows |
//! |---|---|
//! | [`page`] | a counter application's page with a lease that is bound to its session |
//! | [`scanning`] | codes reach the page that waits for them, one at a time, and no other |
//! | [`handing_over`] | files for other systems are whole, once, and acknowledged |

pub mod handing_over;
pub mod page;
pub mod scanning;

use harness::{Counter, Options};

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
