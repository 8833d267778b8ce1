//! What a test can make the broker do at any time.

use std::sync::Arc;

use super::{Core, Counts, Message, Output, Plan, Seen};
use crate::mischief::Mischief;

impl Core {
    pub(crate) fn set_plan(&mut self, plan: Plan) {
        self.mischief = Mischief::new(plan);
    }

    pub(crate) const fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn seen(&self) -> &[Seen] {
        self.store.seen()
    }

    /// Clients that are connected.
    pub(crate) fn clients(&self) -> Vec<String> {
        self.connections
            .values()
            .filter_map(|connection| connection.client.clone())
            .collect()
    }

    /// What is retained now, by topic.
    pub(crate) fn retained(&self) -> Vec<(String, Arc<[u8]>)> {
        self.store
            .retained()
            .map(|message| (message.topic.clone(), Arc::clone(&message.payload)))
            .collect()
    }

    pub(crate) fn inject(&mut self, topic: &str, payload: &[u8], retain: bool) {
        let message = Message {
            topic: topic.to_owned(),
            payload: payload.into(),
            quality: 1,
            retain,
        };
        self.store.see(Seen {
            client: String::new(),
            topic: message.topic.clone(),
            payload: Arc::clone(&message.payload),
            quality: 1,
            retain,
            duplicate: false,
        });
        self.give(&message);
    }

    /// Gives once more what was seen then.
    pub(crate) fn replay(&mut self, at: usize) -> bool {
        let old = self.store.again(at);
        if let Some(old) = &old {
            self.give(old);
        }
        old.is_some()
    }

    /// Everything that waits to be given or acknowledged.
    pub(crate) fn release(&mut self) {
        self.give_held();
        if let Some(message) = self.swapped.take() {
            self.give(&message);
        }
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.acknowledge_withheld(id);
        }
    }

    pub(crate) fn forge_deaths(&mut self) -> usize {
        self.clients()
            .iter()
            .filter(|client| self.forge_death(client))
            .count()
    }

    /// Sessions of clients that are away, retained messages, and whatever waits.
    pub(crate) fn forget(&mut self) {
        self.sessions
            .retain(|_, session| session.connection.is_some());
        self.store.forget_retained();
        self.held.clear();
        self.swapped = None;
    }

    pub(crate) fn roll_back(&mut self) -> usize {
        self.store.roll_back()
    }

    pub(crate) fn cut_all(&mut self) {
        let ids = self.connections.keys().copied();
        self.out.extend(ids.map(Output::Close));
    }

    pub(crate) fn silence_all(&mut self) {
        let ids = self.connections.keys().copied();
        self.out.extend(ids.map(Output::GoSilent));
    }
}
