//! Ticket printers over ESC/POS and page printers over IPP.
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod driver;
pub mod fault;
pub mod journal;
pub mod maintenance;
pub mod page;
pub mod platform;
pub mod quirks;
pub mod raster;
pub mod render;
pub mod settings;
pub mod status;
pub mod storage;
pub mod ticket;
pub mod wire;
