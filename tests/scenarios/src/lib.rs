//! Scenarios through the real agent, the real PC/SC service and simulated cards.
//!
//! Nothing between the page's request and the card is replaced: HTTP door, daemon, driver host, pcscd and
//! virtual reader are the ones that run at a counter.
//!
//! | module | what it is for |
//! |---|---|
//! | [`canaries`] | fresh secrets, sought in everything that is written, logged, shown or dumped |
//! | [`devices`] | scanners, printers, tablets, document scanners and the others |
//! | [`clerk`] | asks for readings as a counter application does |
//! | [`footprint`] | what the agent's processes hold on to |
//! | [`hostile`] | hostile bytes at every mouth of the running agent |
//! | [`script`] | the scripted scenario of `cargo xtask demo --once` |
//! | [`steps`] | steps with a time and a tick or a cross |
//! | [`storm`] | random sequences of everything at once, with a second program at the cards |
//! | [`telemetry`] | reports from a device to the monitor, whatever is killed, cut or lies on the way |
//! | [`troubles`] | cards lifted, cards that hang, a killed card service, at every moment of a read |

pub mod canaries;
pub mod clerk;
pub mod devices;
pub mod footprint;
pub mod hostile;
pub mod last_words;
pub mod oversight;
mod scenes;
pub mod script;
pub mod steps;
pub mod storm;
pub mod telemetry;
pub mod troubles;
