//! The handle of a running broker.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use crate::core::Core;
use crate::counts::Counts;
use crate::plan::Plan;
use crate::server::Server;
use crate::store::Seen;

/// Where and how a broker listens.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address; port zero lets the system choose.
    pub address: SocketAddr,
    /// TLS, if any; whether clients need certificates is its business.
    pub tls: Option<Arc<ServerConfig>>,
    /// What a client of another version of MQTT is answered.
    pub version_answer: VersionAnswer,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: None,
            version_answer: VersionAnswer::Refusal,
        }
    }
}

/// What a client of another version of MQTT is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionAnswer {
    /// CONNACK with return code 1, and the end, as MQTT 3.1.1 wants it.
    Refusal,
    /// The end alone, as some brokers do.
    Close,
    /// CONNACK with return code 1, and the connection stays open.
    OpenRefusal,
}

/// A running broker. Dropping it stops it.
#[derive(Debug)]
pub struct Broker {
    server: Arc<Server>,
    address: SocketAddr,
}

impl Broker {
    /// Starts one on loopback, without TLS.
    ///
    /// # Errors
    ///
    /// If there is no port or no thread to be had.
    pub fn start(plan: Plan) -> io::Result<Self> {
        Self::start_with(Settings::default(), plan)
    }

    /// Starts one as it is set.
    ///
    /// # Errors
    ///
    /// If the address is taken, or no thread is to be had.
    pub fn start_with(settings: Settings, plan: Plan) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.address)?;
        let address = listener.local_addr()?;
        let core = Core::new(settings.version_answer, plan);
        let server = Server::new(core, settings.tls);
        server.listen(listener)?;
        Ok(Self { server, address })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Goes on by another plan, whose randomness begins anew.
    pub fn set_plan(&self, plan: Plan) {
        self.server.control(|core| core.set_plan(plan));
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.server.control(|core| core.counts().clone())
    }

    /// Waits until the counts are as `wanted`, at most `patience`; whether they are.
    #[must_use]
    pub fn wait(&self, patience: Duration, wanted: impl Fn(&Counts) -> bool) -> bool {
        self.server.wait(patience, wanted)
    }

    /// Everything ever published, in the order in which it came.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.server.control(|core| core.seen().to_vec())
    }

    /// What is retained, by topic.
    #[must_use]
    pub fn retained(&self) -> Vec<(String, Arc<[u8]>)> {
        self.server.control(|core| core.retained())
    }

    /// The clients that are connected.
    #[must_use]
    pub fn clients(&self) -> Vec<String> {
        self.server.control(|core| core.clients())
    }

    /// Publishes something that no client sent.
    pub fn inject(&self, topic: &str, payload: &[u8]) {
        self.server
            .control(|core| core.inject(topic, payload, false));
    }

    /// Publishes something that no client sent, and retains it.
    pub fn inject_retained(&self, topic: &str, payload: &[u8]) {
        self.server
            .control(|core| core.inject(topic, payload, true));
    }

    /// Gives once more what stands at this place of [`Broker::seen`]; whether there is such a place.
    pub fn replay(&self, at: usize) -> bool {
        self.server.control(|core| core.replay(at))
    }

    /// Gives what is held back, and acknowledges what waits for it.
    pub fn release(&self) {
        self.server.control(Core::release);
    }

    /// Publishes the will of every client that has one and is alive; how many those are.
    pub fn forge_deaths(&self) -> usize {
        self.server.control(Core::forge_deaths)
    }

    /// Forgets what it retained, and sessions of clients that are away.
    pub fn forget(&self) {
        self.server.control(Core::forget);
    }

    /// Retains at every topic what it retained there before; at how many there was something.
    pub fn roll_back(&self) -> usize {
        self.server.control(Core::roll_back)
    }

    /// Closes every connection, without a word.
    pub fn cut_all(&self) {
        self.server.control(Core::cut_all);
    }

    /// Leaves every connection open, and neither reads nor sends anything there any more.
    pub fn silence_all(&self) {
        self.server.control(Core::silence_all);
    }

    /// Ends it: connections are closed, the port is free.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.server.stop(self.address);
    }
}
