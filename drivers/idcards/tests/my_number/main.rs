//! The driver of the My Number card against a card in memory.
//!
//! | module | protects |
//! |---|---|
//! | [`exchanges`] | how many commands a read needs, and which |
//! | [`secrets`] | that no card is locked, and no secret repeated or shown |
//! | [`proof`] | that only what is genuine is called genuine |
//! | [`data`] | that text and dates come out as they stand on the card |
//! | [`broken`] | that a lost, lying or mad card ends in one clear error |
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test helpers fail by panicking, and only on files that stand beside them"
)]

mod broken;
mod card;
mod data;
mod exchanges;
mod proof;
mod secrets;
