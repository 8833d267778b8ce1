//! Ticket printers over ESC/POS and page printers over IPP.
pub mod journal;
pub mod platform;
pub mod quirks;
pub mod raster;
pub mod render;
pub mod storage;
pub mod ticket;
pub mod wire;
