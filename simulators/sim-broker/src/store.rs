//! What the broker remembers of messages: all that it saw, and what it retains.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Arc<[u8]>,
    pub(crate) quality: u8,
    pub(crate) retain: bool,
}

/// A publication that the broker saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Who published it; empty for what a test put in.
    pub client: String,
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Arc<[u8]>,
    /// Quality of service 0 or 1.
    pub quality: u8,
    /// Whether it was to be retained.
    pub retain: bool,
    /// Whether its sender marked it as sent before.
    pub duplicate: bool,
}

/// Both memories.
#[derive(Debug, Default)]
pub(crate) struct Store {
    seen: Vec<Seen>,
    /// Every message that was retained at a topic, the one in force last.
    retained: BTreeMap<String, Vec<Message>>,
}

impl Store {
    pub(crate) fn see(&mut self, seen: Seen) {
        self.seen.push(seen);
    }

    pub(crate) fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// What was seen then, to be given once more.
    pub(crate) fn again(&self, at: usize) -> Option<Message> {
        self.seen.get(at).map(|seen| Message {
            topic: seen.topic.clone(),
            payload: Arc::clone(&seen.payload),
            quality: seen.quality,
            retain: false,
        })
    }

    /// Section 3.3.1.3; nothing as payload takes the retained message away [MQTT-3.3.1-10].
    pub(crate) fn retain(&mut self, message: &Message) {
        if message.payload.is_empty() {
            self.retained.remove(&message.topic);
        } else {
            self.retained
                .entry(message.topic.clone())
                .or_default()
                .push(message.clone());
        }
    }

    /// What is in force.
    pub(crate) fn retained(&self) -> impl Iterator<Item = &Message> {
        self.retained.values().filter_map(|all| all.last())
    }

    /// Puts the older one in force at every topic that has one; how many topics that were.
    pub(crate) fn roll_back(&mut self) -> usize {
        let mut topics = 0;
        for all in self.retained.values_mut().filter(|all| all.len() > 1) {
            all.pop();
            topics += 1;
        }
        topics
    }

    pub(crate) fn forget_retained(&mut self) {
        self.retained.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, payload: &[u8]) -> Message {
        Message {
            topic: topic.to_owned(),
            payload: payload.into(),
            quality: 1,
            retain: true,
        }
    }

    #[test]
    fn the_older_one_comes_back_and_nothing_takes_it_away() {
        let mut store = Store::default();
        for payload in [b"1", b"2", b"3"] {
            store.retain(&message("a", payload));
        }
        store.retain(&message("b", b"1"));
        assert_eq!(store.roll_back(), 1);
        let now: Vec<_> = store.retained().cloned().collect();
        assert_eq!(now, [message("a", b"2"), message("b", b"1")]);
        store.retain(&message("a", b""));
        assert_eq!(store.retained().count(), 1);
    }
}
