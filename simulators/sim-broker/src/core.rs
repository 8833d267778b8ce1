//! What the broker does with each packet, without I/O: packets in, [`Output`]s out.

use std::collections::BTreeMap;

use crate::broker::VersionAnswer;
use crate::counts::Counts;
use crate::mischief::Mischief;
use crate::plan::{Kind, Moment, Plan};
use crate::session::Session;
use crate::store::{Message, Seen, Store};
use crate::wire::{self, Connect, ConnectCode, Packet, Publish, Will};

mod controls;
mod publishing;

/// Names a connection; never used twice.
pub(crate) type ConnectionId = u64;

/// What is to be done for the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Send(ConnectionId, Vec<u8>),
    /// To be told [`Core::acknowledge`] after so many milliseconds.
    AcknowledgeLate(ConnectionId, u16, u64),
    /// After so many seconds without a packet, the client is gone.
    KeepAlive(ConnectionId, u16),
    GoSilent(ConnectionId),
    Close(ConnectionId),
}

/// A connection and what is outstanding on it.
#[derive(Debug, Default)]
struct Connection {
    /// Once CONNECT was accepted.
    client: Option<String>,
    /// Publications of the client without acknowledgement.
    under_way: u64,
    /// Acknowledgements that wait for others.
    withheld: Vec<u16>,
}

/// The broker without its sockets.
#[derive(Debug)]
pub(crate) struct Core {
    answer: VersionAnswer,
    mischief: Mischief,
    connections: BTreeMap<ConnectionId, Connection>,
    sessions: BTreeMap<String, Session>,
    store: Store,
    counts: Counts,
    held: Vec<Message>,
    swapped: Option<Message>,
    nameless: u64,
    out: Vec<Output>,
}

impl Core {
    pub(crate) fn new(answer: VersionAnswer, plan: Plan) -> Self {
        Self {
            answer,
            mischief: Mischief::new(plan),
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            store: Store::default(),
            counts: Counts::default(),
            held: Vec::new(),
            swapped: None,
            nameless: 0,
            out: Vec::new(),
        }
    }

    pub(crate) fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    pub(crate) fn opened(&mut self, id: ConnectionId) {
        self.connections.insert(id, Connection::default());
    }

    /// The connection ended; the will is published unless the client said goodbye [MQTT-3.1.2-8].
    pub(crate) fn gone(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        let Some(client) = connection.client else {
            return;
        };
        self.counts.connected = self.counts.connected.saturating_sub(1);
        let will = self.part(&client, id);
        if let Some(will) = will {
            self.counts.wills += 1;
            self.give_will(will);
        }
    }

    pub(crate) fn malformed(&mut self, id: ConnectionId) {
        self.counts.malformed += 1;
        self.out.push(Output::Close(id));
    }

    pub(crate) fn handle(&mut self, id: ConnectionId, packet: Packet) {
        let client = self
            .connections
            .get(&id)
            .and_then(|connection| connection.client.clone());
        match (packet, client) {
            (Packet::Connect(connect), None) => self.connect(id, connect),
            (Packet::Publish(publish), Some(client)) => self.publish(id, &client, publish),
            (Packet::PubAck { id: message }, Some(client)) => {
                self.counts.taken += 1;
                if let Some(session) = self.sessions.get_mut(&client) {
                    session.acknowledge(message);
                }
            }
            (
                Packet::Subscribe {
                    id: request,
                    filters,
                },
                Some(client),
            ) => self.subscribe(id, &client, request, filters),
            (
                Packet::Unsubscribe {
                    id: request,
                    filters,
                },
                Some(client),
            ) => {
                if let Some(session) = self.sessions.get_mut(&client) {
                    for filter in &filters {
                        session.unsubscribe(filter);
                    }
                }
                self.send(id, wire::unsuback(request));
            }
            (Packet::PingReq, Some(_)) => self.send(id, wire::pingresp()),
            (Packet::Disconnect, Some(client)) => {
                self.counts.farewells += 1;
                if let Some(session) = self.sessions.get_mut(&client) {
                    // [MQTT-3.14.4-3].
                    session.will = None;
                }
                self.out.push(Output::Close(id));
            }
            // [MQTT-3.1.0-1], [MQTT-3.1.0-2]: CONNECT comes first and only once.
            (Packet::Connect(_), Some(_)) | (_, None) => self.malformed(id),
        }
    }

    fn connect(&mut self, id: ConnectionId, connect: Connect) {
        if connect.level != 4 {
            self.counts.refused += 1;
            self.counts.other_versions += 1;
            match self.answer {
                // [MQTT-3.1.2-2].
                VersionAnswer::Refusal => {
                    let code = ConnectCode::UnacceptableProtocol;
                    self.send(id, wire::connack(false, code));
                    self.out.push(Output::Close(id));
                }
                VersionAnswer::Close => self.out.push(Output::Close(id)),
                VersionAnswer::OpenRefusal => {
                    let code = ConnectCode::UnacceptableProtocol;
                    self.send(id, wire::connack(false, code));
                }
            }
            return;
        }
        if let Some(kind) = self.strike(Moment::Connect, "") {
            self.counts.refused += 1;
            self.misconnect(id, kind);
            return;
        }
        let mut client = connect.client_id;
        if client.is_empty() {
            // [MQTT-3.1.3-8].
            if !connect.clean {
                self.counts.refused += 1;
                self.send(id, wire::connack(false, ConnectCode::IdentifierRejected));
                self.out.push(Output::Close(id));
                return;
            }
            self.nameless += 1;
            client = format!("nameless-{}", self.nameless);
        }
        self.take_over(&client);
        let present = self.begin_session(id, &client, connect.clean, connect.will);
        self.counts.accepted += 1;
        self.counts.connected += 1;
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.client = Some(client.clone());
        }
        self.send(id, wire::connack(present, ConnectCode::Accepted));
        if connect.keep_alive > 0 {
            self.out.push(Output::KeepAlive(id, connect.keep_alive));
        }
        let packets = self
            .sessions
            .get_mut(&client)
            .map(Session::resume)
            .unwrap_or_default();
        for packet in packets {
            self.counts.given += 1;
            self.send(id, packet);
        }
    }

    fn misconnect(&mut self, id: ConnectionId, kind: Kind) {
        if let Kind::Refuse(code) = kind {
            self.send(id, wire::connack(false, ConnectCode::Other(code)));
            self.out.push(Output::Close(id));
        } else if let Kind::GarbageAtConnect(length) = kind {
            let rubbish = self.mischief.bytes(length);
            self.send(id, rubbish);
        } else if kind == Kind::SilentAtConnect {
            self.out.push(Output::GoSilent(id));
        } else {
            self.out.push(Output::Close(id));
        }
    }

    /// [MQTT-3.1.4-2]: an older connection of the same client ends.
    fn take_over(&mut self, client: &str) {
        let older = self
            .sessions
            .get(client)
            .and_then(|session| session.connection);
        if let Some(older) = older {
            self.out.push(Output::Close(older));
            self.gone(older);
        }
    }

    /// [MQTT-3.1.2-4, -6]: whether a session was there to go on with.
    fn begin_session(
        &mut self,
        id: ConnectionId,
        client: &str,
        clean: bool,
        will: Option<Will>,
    ) -> bool {
        if clean {
            self.sessions.remove(client);
        }
        let present = self.sessions.contains_key(client);
        let session = self.sessions.entry(client.to_owned()).or_default();
        session.clean = clean;
        session.connection = Some(id);
        session.will = will;
        present
    }

    /// Ends the session's connection, and the session if it is clean; the will, if it is still in force.
    fn part(&mut self, client: &str, id: ConnectionId) -> Option<Will> {
        let session = self.sessions.get_mut(client)?;
        if session.connection != Some(id) {
            return None;
        }
        session.connection = None;
        let will = session.will.take();
        if session.clean {
            self.sessions.remove(client);
        }
        will
    }

    fn subscribe(
        &mut self,
        id: ConnectionId,
        client: &str,
        request: u16,
        filters: Vec<(String, u8)>,
    ) {
        let strikes = self.strike(Moment::Subscribe, "");
        if strikes == Some(Kind::CloseAtSubscription) {
            if filters.iter().any(|(_, quality)| *quality > 0) {
                return self.out.push(Output::Close(id));
            }
        } else if strikes.is_some() {
            let refused = vec![0x80; filters.len()];
            self.send(id, wire::suback(request, &refused));
            return;
        }
        let Some(session) = self.sessions.get_mut(client) else {
            return;
        };
        let mut granted = Vec::new();
        let mut kept = Vec::new();
        for (filter, quality) in filters {
            let grant = session.subscribe(filter.clone(), quality);
            granted.push(grant);
            if grant < 0x80 {
                kept.push((filter, grant));
            }
        }
        self.send(id, wire::suback(request, &granted));
        // [MQTT-3.3.1-6]: what is retained comes with every new subscription.
        for (filter, grant) in kept {
            self.give_retained(client, &filter, grant);
        }
    }

    fn strike(&mut self, moment: Moment, topic: &str) -> Option<Kind> {
        let kind = self.mischief.strike(moment, topic)?;
        *self.counts.struck.entry(kind).or_default() += 1;
        tracing::debug!(?kind, topic, "misbehaving");
        Some(kind)
    }

    fn send(&mut self, id: ConnectionId, bytes: Vec<u8>) {
        self.out.push(Output::Send(id, bytes));
    }
}

#[cfg(test)]
mod tests;
