//! Publications: acknowledged, spoilt by plan, and given to whom they are for.

use std::sync::Arc;

use super::{ConnectionId, Core, Kind, Message, Moment, Output, Publish, Seen, Will, wire};
use crate::topics;

impl Core {
    pub(super) fn publish(&mut self, id: ConnectionId, client: &str, publish: Publish) {
        self.counts.published += 1;
        let message = Message {
            topic: publish.topic,
            payload: publish.payload.into(),
            quality: u8::from(publish.id.is_some()),
            retain: publish.retain,
        };
        let earlier = self.store.seen().len();
        self.store.see(Seen {
            client: client.to_owned(),
            topic: message.topic.clone(),
            payload: Arc::clone(&message.payload),
            quality: message.quality,
            retain: message.retain,
            duplicate: publish.duplicate,
        });
        let kind = self.strike(Moment::Publish, &message.topic);
        if let Some(number) = publish.id {
            self.answer_publish(id, number, kind);
        }
        match kind {
            Some(Kind::Replay) => {
                self.give(&message);
                let at = self.mischief.below(earlier);
                if let Some(old) = self.store.again(at).filter(|_| earlier > 0) {
                    self.give(&old);
                }
            }
            Some(Kind::ForgeDeath) => {
                self.give(&message);
                self.forge_death(client);
            }
            Some(Kind::Garbage(length)) => {
                self.give(&message);
                let rubbish = self.mischief.bytes(length);
                self.send(id, rubbish);
            }
            Some(Kind::Close) => {
                self.give(&message);
                self.out.push(Output::Close(id));
            }
            Some(Kind::GoSilent) => {
                self.give(&message);
                self.out.push(Output::GoSilent(id));
            }
            kind => self.spoil(message, kind),
        }
    }

    /// What concerns the message alone.
    fn spoil(&mut self, mut message: Message, kind: Option<Kind>) {
        match kind {
            Some(Kind::Drop) => {}
            Some(Kind::Duplicate) => {
                self.give(&message);
                self.give(&message);
            }
            Some(Kind::HoldBack(most)) => {
                self.held.push(message);
                if self.held.len() >= most {
                    self.give_held();
                }
            }
            Some(Kind::SwapTopics) => self.swap(message),
            Some(Kind::FlipBit) => {
                message.payload = self.mischief.flip_bit(&message.payload).into();
                self.give(&message);
            }
            Some(Kind::KeepOldRetained) => {
                message.retain = false;
                self.give(&message);
            }
            Some(Kind::LoseStore) => {
                self.forget();
                self.give(&message);
            }
            _ => self.give(&message),
        }
    }

    fn swap(&mut self, message: Message) {
        match self.swapped.take() {
            Some(first) if first.topic != message.topic => {
                let mut second = message.clone();
                second.payload = Arc::clone(&first.payload);
                let mut first = first;
                first.payload = message.payload;
                self.give(&first);
                self.give(&second);
            }
            Some(first) => {
                self.swapped = Some(first);
                self.give(&message);
            }
            None => self.swapped = Some(message),
        }
    }

    /// What was held back, none of it where it was.
    pub(super) fn give_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        self.mischief.disorder(&mut held);
        for message in held {
            self.give(&message);
        }
    }

    fn answer_publish(&mut self, id: ConnectionId, number: u16, kind: Option<Kind>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.under_way += 1;
        let under_way = connection.under_way;
        self.counts.most_under_way = self.counts.most_under_way.max(under_way);
        match kind {
            Some(Kind::NoPuback | Kind::GoSilent) => {}
            Some(Kind::LatePuback(millis)) => {
                self.out.push(Output::AcknowledgeLate(id, number, millis));
            }
            Some(Kind::ReversePubacks(most)) => {
                connection.withheld.push(number);
                if connection.withheld.len() >= most {
                    self.acknowledge_withheld(id);
                }
            }
            Some(Kind::DoublePuback) => {
                self.acknowledge(id, number);
                self.acknowledge(id, number);
            }
            _ => self.acknowledge(id, number),
        }
    }

    pub(super) fn acknowledge_withheld(&mut self, id: ConnectionId) {
        let withheld = self
            .connections
            .get_mut(&id)
            .map(|connection| std::mem::take(&mut connection.withheld))
            .unwrap_or_default();
        for number in withheld.into_iter().rev() {
            self.acknowledge(id, number);
        }
    }

    /// Sends a PUBACK, if the connection is still there.
    pub(crate) fn acknowledge(&mut self, id: ConnectionId, number: u16) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.under_way = connection.under_way.saturating_sub(1);
            self.counts.acknowledged += 1;
            self.send(id, wire::puback(number));
        }
    }

    /// Retains it, if it is to be, and gives it to every session that wants it.
    pub(super) fn give(&mut self, message: &Message) {
        if message.retain {
            self.store.retain(message);
        }
        for session in self.sessions.values_mut() {
            let Some(wanted) = session.wants(&message.topic) else {
                continue;
            };
            let copy = Message {
                quality: wanted.min(message.quality),
                // [MQTT-3.3.1-9].
                retain: false,
                ..message.clone()
            };
            let connection = session.connection;
            if let (Some(packet), Some(id)) = (session.give(copy), connection) {
                self.counts.given += 1;
                self.out.push(Output::Send(id, packet));
            }
        }
    }

    /// What is retained at topics of a new subscription; marked as such [MQTT-3.3.1-8].
    pub(super) fn give_retained(&mut self, client: &str, filter: &str, granted: u8) {
        let Some(session) = self.sessions.get_mut(client) else {
            return;
        };
        for message in self.store.retained() {
            if !topics::matches(filter, &message.topic) {
                continue;
            }
            let copy = Message {
                quality: granted.min(message.quality),
                ..message.clone()
            };
            let connection = session.connection;
            if let (Some(packet), Some(id)) = (session.give(copy), connection) {
                self.counts.given += 1;
                self.out.push(Output::Send(id, packet));
            }
        }
    }

    pub(super) fn give_will(&mut self, will: Will) {
        self.give(&Message {
            topic: will.topic,
            payload: will.payload.into(),
            quality: will.quality.min(1),
            retain: will.retain,
        });
    }

    /// Whether the client had a will.
    pub(super) fn forge_death(&mut self, client: &str) -> bool {
        let will = self
            .sessions
            .get(client)
            .and_then(|session| session.will.clone());
        let forged = will.is_some();
        if let Some(will) = will {
            self.give_will(will);
        }
        forged
    }
}
