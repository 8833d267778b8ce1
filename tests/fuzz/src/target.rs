//! The targets, by what sends the bytes.

pub mod card_data;
pub mod card_read;
pub mod connection;
pub mod hearing;
pub mod host_protocol;
pub mod local_api;
pub mod ordered;
pub mod pens;
pub mod printing;
pub mod reports;
pub mod scanned_codes;
pub mod scanned_pages;
pub mod signatures;
pub mod written_by_hand;
