//! An MQTT broker that misbehaves by plan.
//!
//! It speaks MQTT 3.1.1 over TCP or TLS, to several clients at once, with sessions, retained messages and
//! wills, and it refuses MQTT 5 as a broker of 3.1.1 does.
//! A [`Plan`] says what it does wrong: it loses what it acknowledged, repeats, reorders, replays, swaps
//! topics, flips bits, declares living clients dead, keeps acknowledgements to itself, closes, goes silent,
//! forgets, or sends rubbish.
//!
//! ```
//! use sim_broker::{Broker, Fault, Kind, Plan};
//!
//! let plan = Plan { seed: 7, faults: vec![Fault::every(Kind::Drop).within("town/#").per_mille(20)] };
//! let broker = Broker::start(plan)?;
//! println!("a client connects to {}", broker.address());
//! broker.stop();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What it refuses to do
//!
//! It understands no payload: whatever it does to one it could do to any, which is all that a broker can do
//! to messages that are signed.
//! It shares no code with the product, neither the client library nor the envelope, so that a mistake made on
//! one side shows on the other.
//! Quality of service 2 is not spoken: such a publication closes the connection, such a subscription is
//! granted as 1.
//!
//! # Guarantees
//!
//! What is decided at random follows from the plan's seed and the order in which packets are handled.
//! Everything ever published is kept for [`Broker::seen`], however much that is.

mod broker;
mod core;
mod counts;
mod mischief;
mod pipe;
mod plan;
mod server;
mod session;
mod store;
mod topics;
mod wire;

pub use broker::{Broker, Settings, VersionAnswer};
pub use counts::Counts;
pub use plan::{Fault, Kind, Plan};
pub use store::Seen;
