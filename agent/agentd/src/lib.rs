//! The daemon on every counter machine: the local API, the PIN page, driver hosts, the audit log.
//!
//! A counter application's page talks to this process over loopback; nothing else may.
//! The library holds all parts, so that tests and fuzz targets can call them; the program is a thin shell.
//!
//! ```text
//! page, native client ----> [server] -> [door] -> [routes] --+
//! PIN page -----------> [server] -> [pin_page] --------------+-> [input] -> [event_loop] -> agent-core
//! driver host -------> [driver] ----------------------------+                   |
//! signal, audit log -> [agent], [recorder] -----------------+                   v
//!                                          replies, events, host commands, records, pairings
//! ```
//!
//! What it refuses to do: listen where another machine could reach it; speak to an origin that was not
//! enrolled; take raw card commands, file paths or addresses to fetch; log anything of a request's or a
//! card's content; hand out a result before its audit record is on the disk.
//!
//! Guarantees: one thread decides, so decisions have one order; a driver host that hangs or crashes costs
//! one job; with nothing to do the process does nothing; told to end, it has ended within two seconds.

pub mod agent;
pub mod allowing;
pub mod asyncapi;
pub mod attachments;
pub mod browser_policy;
pub mod calibrations;
pub mod chance;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod door;
pub mod driver;
pub mod event_loop;
pub mod hearing;
pub mod host_settings;
pub mod identity;
pub mod input;
pub mod keeping;
pub mod ledger;
pub mod limits;
pub mod log;
pub mod origin;
pub mod outlet;
pub mod pace;
pub mod parcel;
pub mod pin_page;
pub mod platform;
pub mod recorder;
pub mod refusal;
pub mod reporting;
pub mod routes;
pub mod sealing;
pub mod server;
pub mod socket;
pub mod state_dir;
pub mod stored;
pub mod token;
pub mod translate;
pub mod wire;

#[cfg(test)]
mod testing;
