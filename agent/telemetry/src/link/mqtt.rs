//! The link by MQTT.
//!
//! The library's event loop runs in a task of its own and is never interrupted in the middle, because half of
//! a step of it could lose an acknowledgement; the task ends when the link is dropped.
//! What the library knows of a publication is a notice that it resolves at the PUBACK; which token that is,
//! is known here only.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::{
    Connection, Connector, Link, LinkEvent, LinkFailure, NextEvent, Protocol, Publication,
    PublishRefusal, Reliability, Token,
};

mod dial;
mod plan;
mod pump;
mod v4;
mod v5;

use plan::{Memory, Plan};

/// How many events wait for the layer above before nothing more is read from the broker.
const EVENTS: usize = 64;

/// How many packets the library may read at once; each may have [`Connection::LARGEST_PACKET`] bytes.
const READ_BATCH: usize = 16;

/// Connects by MQTT, and remembers which broker speaks which version.
#[derive(Debug)]
pub struct MqttConnector {
    runtime: Handle,
    memory: Arc<Mutex<Memory>>,
}

impl MqttConnector {
    /// A connector whose links run on `runtime`.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            memory: Arc::default(),
        }
    }
}

impl Connector for MqttConnector {
    fn connect(&mut self, connection: &Connection) -> Box<dyn Link> {
        let plan = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            Plan::new(connection, &mut memory)
        };
        let (events, steps) = mpsc::channel(EVENTS);
        let (hearing, heard) = watch::channel(None);
        let task = match plan {
            Ok(plan) => Some(
                self.runtime
                    .spawn(pump::run(plan, Arc::clone(&self.memory), events, hearing))
                    .abort_handle(),
            ),
            Err(reason) => {
                let failure = LinkFailure::Unusable { reason };
                // The channel is new and holds many.
                drop(events.try_send(Step::Closed(failure)));
                None
            }
        };
        Box::new(MqttLink {
            task,
            steps,
            heard,
            speaker: None,
            under_way: Vec::new(),
            window: usize::from(connection.bounded_window()),
            keep_alive: connection.keep_alive,
            published: 0,
            closed: None,
        })
    }
}

/// One connection.
struct MqttLink {
    task: Option<AbortHandle>,
    steps: mpsc::Receiver<Step>,
    heard: watch::Receiver<Option<Instant>>,
    speaker: Option<Box<dyn Speaker>>,
    under_way: Vec<(Token, Acknowledgement)>,
    window: usize,
    keep_alive: Duration,
    published: u64,
    closed: Option<LinkFailure>,
}

impl MqttLink {
    /// What has happened and was not told yet: acknowledgements first, because the end must be the last.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        loop {
            if let Some(failure) = &self.closed {
                return Poll::Ready(LinkEvent::Closed(failure.clone()));
            }
            if let Poll::Ready(event) = self.poll_acknowledgements(context) {
                return Poll::Ready(event);
            }
            match self.steps.poll_recv(context) {
                Poll::Ready(Some(Step::Ready {
                    protocol,
                    endpoint,
                    speaker,
                })) => {
                    self.speaker = Some(speaker);
                    return Poll::Ready(LinkEvent::Ready { protocol, endpoint });
                }
                Poll::Ready(Some(Step::Arrived(event))) => return Poll::Ready(event),
                Poll::Ready(Some(Step::Closed(failure))) => self.close(failure),
                // The task ends with `Closed`; without it, it died.
                Poll::Ready(None) => self.close(LinkFailure::Protocol {
                    detail: "the client library failed".to_owned(),
                }),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn poll_acknowledgements(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        let mut at = 0;
        while let Some((token, acknowledgement)) = self.under_way.get_mut(at) {
            let token = *token;
            match acknowledgement.as_mut().poll(context) {
                Poll::Pending => at += 1,
                Poll::Ready(fate) => {
                    drop(self.under_way.remove(at));
                    match fate {
                        Fate::Delivered => return Poll::Ready(LinkEvent::Delivered(token)),
                        Fate::Rejected => return Poll::Ready(LinkEvent::Rejected(token)),
                        // The end of the connection follows and says why.
                        Fate::Lost => {}
                    }
                }
            }
        }
        Poll::Pending
    }

    fn close(&mut self, failure: LinkFailure) {
        tracing::debug!(%failure, "link closed");
        self.closed = Some(failure);
        self.speaker = None;
        self.under_way.clear();
    }

    /// A broker of which nothing was heard for long must answer, or it would never be found out: the library
    /// sends no ping while it sends something else.
    fn must_be_answered(&self) -> bool {
        let heard = *self.heard.borrow();
        heard.is_none_or(|heard| heard.elapsed() > self.keep_alive)
    }
}

impl Link for MqttLink {
    fn publish(&mut self, mut publication: Publication) -> Result<Token, PublishRefusal> {
        if self.closed.is_some() {
            return Err(PublishRefusal::Closed);
        }
        let Some(speaker) = &self.speaker else {
            return Err(PublishRefusal::NotReady);
        };
        plan::check(&publication)?;
        if self.under_way.len() >= self.window {
            return Err(PublishRefusal::Busy);
        }
        if self.must_be_answered() {
            publication.reliability = Reliability::AtLeastOnce;
        }
        let acknowledgement = speaker.publish(publication)?;
        let token = Token::after(self.published);
        self.published += 1;
        self.under_way.push((token, acknowledgement));
        Ok(token)
    }

    fn next(&mut self) -> NextEvent<'_> {
        Box::pin(poll_fn(|context| self.poll_next(context)))
    }

    fn leave(&mut self, patience: Duration) {
        match &self.speaker {
            Some(speaker) if self.closed.is_none() => speaker.leave(patience),
            _ => {
                if self.closed.is_none() {
                    self.close(LinkFailure::Left);
                }
                if let Some(task) = &self.task {
                    task.abort();
                }
            }
        }
    }
}

impl Drop for MqttLink {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// What the task tells the link.
enum Step {
    Ready {
        protocol: Protocol,
        endpoint: usize,
        speaker: Box<dyn Speaker>,
    },
    Arrived(LinkEvent),
    Closed(LinkFailure),
}

/// What became of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delivered,
    Rejected,
    Lost,
}

/// Resolves when the fate of a publication is known.
type Acknowledgement = Pin<Box<dyn Future<Output = Fate> + Send>>;

/// The half of a library's client that is asked to send; nothing of it waits.
trait Speaker: Send + Sync {
    fn publish(&self, publication: Publication) -> Result<Acknowledgement, PublishRefusal>;

    fn subscribe(&self, filters: &[String], how: Reliability) -> Result<(), LinkFailure>;

    fn leave(&self, patience: Duration);
}

/// The half of a library's client that does the work, step by step.
trait Listener: Send {
    /// Does one step. Its future must not be dropped unless the connection ends with it.
    fn hear(&mut self) -> Pin<Box<dyn Future<Output = Result<Heard, LinkFailure>> + Send + '_>>;
}

/// What one step of the library brought.
#[derive(Debug)]
enum Heard {
    /// CONNACK; the broker may prescribe another keep-alive.
    Accepted { keep_alive: Option<Duration> },
    /// SUBACK: how every filter was granted at least, unless one was refused.
    Subscribed { granted: Option<Reliability> },
    /// PUBLISH.
    Arrived(LinkEvent),
    /// Another packet of the broker.
    Other,
    /// Something of ours was sent.
    Sent,
    /// Our DISCONNECT was sent.
    Left,
}

/// The topic of a message; brokers must not pass on one that is no text.
fn topic(bytes: &[u8]) -> Result<String, LinkFailure> {
    std::str::from_utf8(bytes)
        .map(ToOwned::to_owned)
        .ok()
        .ok_or_else(|| LinkFailure::Protocol {
            detail: "a topic is not UTF-8".to_owned(),
        })
}

/// An error of the library in words, with all that caused it, at most 200 characters: part of it may have
/// been said by the broker.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words.push_str(": ");
            words.push_str(&inner_words);
        }
        source = inner.source();
    }
    words
        .chars()
        .filter(|one| !one.is_control())
        .take(200)
        .collect()
}
