//! What the broker keeps for one client, section 3.1.2.4.

use std::collections::{BTreeMap, VecDeque};

use crate::store::Message;
use crate::topics;
use crate::wire::{Publish, Will, publish_bytes};

/// How many messages wait for a client that is away; what is more is forgotten, the oldest first.
const MOST_WAITING: usize = 10_000;

/// One client's session.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) clean: bool,
    pub(crate) connection: Option<u64>,
    pub(crate) will: Option<Will>,
    subscriptions: BTreeMap<String, u8>,
    waiting: VecDeque<Message>,
    in_flight: BTreeMap<u16, Message>,
    last_id: u16,
}

impl Session {
    /// The quality of service that is granted, or 0x80.
    pub(crate) fn subscribe(&mut self, filter: String, quality: u8) -> u8 {
        if !topics::is_filter(&filter) {
            return 0x80;
        }
        let granted = quality.min(1);
        self.subscriptions.insert(filter, granted);
        granted
    }

    pub(crate) fn unsubscribe(&mut self, filter: &str) {
        self.subscriptions.remove(filter);
    }

    /// The quality of service for a message at this topic, if it is for this client at all.
    ///
    /// Section 3.3.5: the highest of all subscriptions that match, once.
    pub(crate) fn wants(&self, topic: &str) -> Option<u8> {
        self.subscriptions
            .iter()
            .filter(|(filter, _)| topics::matches(filter, topic))
            .map(|(_, quality)| *quality)
            .max()
    }

    /// The packet that brings it to a client that is there, or nothing while it is away.
    pub(crate) fn give(&mut self, mut message: Message) -> Option<Vec<u8>> {
        if self.connection.is_some() {
            return Some(self.packet(message));
        }
        // Quality of service 0 may be lost, section 4.1; a clean session is forgotten anyway.
        if message.quality > 0 && !self.clean {
            message.retain = false;
            self.waiting.push_back(message);
            if self.waiting.len() > MOST_WAITING {
                self.waiting.pop_front();
            }
        }
        None
    }

    /// What the client did not acknowledge [MQTT-4.4.0-1] and what waited for it.
    pub(crate) fn resume(&mut self) -> Vec<Vec<u8>> {
        let mut packets: Vec<_> = self
            .in_flight
            .iter()
            .map(|(id, message)| bytes(message, Some(*id), true))
            .collect();
        while let Some(message) = self.waiting.pop_front() {
            packets.push(self.packet(message));
        }
        packets
    }

    pub(crate) fn acknowledge(&mut self, id: u16) {
        self.in_flight.remove(&id);
    }

    fn packet(&mut self, message: Message) -> Vec<u8> {
        if message.quality == 0 {
            return bytes(&message, None, false);
        }
        let id = self.free_id();
        let packet = bytes(&message, Some(id), false);
        self.in_flight.insert(id, message);
        packet
    }

    fn free_id(&mut self) -> u16 {
        for _ in 0..=u16::MAX {
            self.last_id = self.last_id.wrapping_add(1).max(1);
            if !self.in_flight.contains_key(&self.last_id) {
                break;
            }
        }
        self.last_id
    }
}

fn bytes(message: &Message, id: Option<u16>, duplicate: bool) -> Vec<u8> {
    publish_bytes(&Publish {
        duplicate,
        retain: message.retain,
        topic: message.topic.clone(),
        id,
        payload: message.payload.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(quality: u8) -> Message {
        Message {
            topic: "a".to_owned(),
            payload: (*b"x").into(),
            quality,
            retain: false,
        }
    }

    #[test]
    fn what_was_not_acknowledged_comes_again_before_what_waited() {
        let mut session = Session {
            connection: Some(1),
            ..Session::default()
        };
        assert_eq!(session.give(message(1)).unwrap(), b"\x32\x06\0\x01a\0\x01x");
        session.connection = None;
        assert_eq!(session.give(message(1)), None);
        assert_eq!(session.give(message(0)), None);
        session.connection = Some(2);
        let packets = session.resume();
        assert_eq!(
            packets,
            [b"\x3A\x06\0\x01a\0\x01x", b"\x32\x06\0\x01a\0\x02x"]
        );
        session.acknowledge(1);
        session.acknowledge(2);
        assert!(session.resume().is_empty());
    }

    #[test]
    fn a_message_comes_once_at_the_highest_quality() {
        let mut session = Session::default();
        assert_eq!(session.subscribe("a/#".to_owned(), 0), 0);
        assert_eq!(session.subscribe("a/+".to_owned(), 2), 1);
        assert_eq!(session.subscribe("a/#/b".to_owned(), 1), 0x80);
        assert_eq!(session.wants("a/b"), Some(1));
        assert_eq!(session.wants("a/b/c"), Some(0));
        assert_eq!(session.wants("b"), None);
        session.unsubscribe("a/#");
        assert_eq!(session.wants("a/b/c"), None);
    }
}
