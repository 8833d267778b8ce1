//! The agent's event stream, and the PIN screen's, as their pages know them.

use std::net::{SocketAddr, TcpStream};

use agent_api::event::{ClientMessage, Event, Position, ServerMessage};
use agent_api::item::{Act, Item};
use agent_api::pin_screen::{ScreenInstruction, ScreenMessage};
use agent_api::secret::SecretText;
use anyhow::{Context as _, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

use crate::Patience;

/// How long the agent may take to answer a first message.
const GREETING: u64 = 10;

/// What is heard on an event stream.
#[derive(Debug)]
pub enum Heard {
    /// Something happened.
    Event(Event),
    /// Something came of a job before its end.
    Item {
        /// The job.
        job: String,
        /// Its number.
        n: u32,
        /// What.
        item: Box<Item>,
    },
}

/// A WebSocket of JSON messages.
#[derive(Debug)]
struct Channel {
    socket: WebSocket<TcpStream>,
}

impl Channel {
    fn open(address: SocketAddr, path: &str, origin: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        request
            .headers_mut()
            .insert("origin", HeaderValue::from_str(origin)?);
        let (socket, _) = tungstenite::client(request, stream)
            .map_err(|error| anyhow::anyhow!("cannot open ws://{address}{path}: {error}"))?;
        Ok(Self { socket })
    }

    fn say(&mut self, message: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(message)?;
        self.socket
            .send(Message::text(text))
            .context("cannot send a message")
    }

    fn hear<M: DeserializeOwned>(&mut self, patience: Patience) -> anyhow::Result<M> {
        loop {
            self.socket
                .get_ref()
                .set_read_timeout(Some(patience.left("a message")?))?;
            match self.socket.read().context("no message came")? {
                Message::Text(text) => {
                    return serde_json::from_str(&text).context("not a message of this stream");
                }
                Message::Close(frame) => bail!("the agent closed the stream: {frame:?}"),
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
            }
        }
    }
}

/// The event stream of a counter application.
#[derive(Debug)]
pub struct Events {
    channel: Channel,
    session: String,
    position: Position,
    missed: bool,
}

impl Events {
    /// Opens the stream with a token; `after` is the last position that an earlier stream has seen.
    ///
    /// # Errors
    /// When the agent refuses, with its code in the text, or does not answer.
    pub fn open(
        address: SocketAddr,
        origin: &str,
        token: &str,
        after: Option<Position>,
    ) -> anyhow::Result<Self> {
        let mut channel = Channel::open(address, "/v1/events", origin)?;
        channel.say(&ClientMessage::Hello {
            token: token.to_owned(),
            after,
        })?;
        match channel.hear(Patience::seconds(GREETING))? {
            ServerMessage::Welcome {
                session,
                position,
                missed,
            } => Ok(Self {
                channel,
                session,
                position,
                missed,
            }),
            ServerMessage::Refused { error } => {
                bail!("refused: {} {}", error.code, error.message.en)
            }
            ServerMessage::Event { .. } | ServerMessage::Item { .. } => {
                bail!("something came before the welcome")
            }
        }
    }

    /// The session, to which a lease can be bound.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.session
    }

    /// The position of the last event that was seen.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Whether events after the named position are lost.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.missed
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// When none comes in time, or the stream ends.
    pub fn next(&mut self, patience: Patience) -> anyhow::Result<Event> {
        loop {
            if let Heard::Event(event) = self.hear(patience)? {
                return Ok(event);
            }
        }
    }

    /// Waits for the next event or item.
    ///
    /// # Errors
    /// When none comes in time, or the stream ends.
    pub fn hear(&mut self, patience: Patience) -> anyhow::Result<Heard> {
        match self.channel.hear(patience)? {
            ServerMessage::Event { seq, event } => {
                self.position.seq = seq;
                Ok(Heard::Event(event))
            }
            ServerMessage::Item { job, n, item } => Ok(Heard::Item { job, n, item }),
            ServerMessage::Refused { error } => bail!("the stream ended: {}", error.code),
            ServerMessage::Welcome { .. } => bail!("a second welcome came"),
        }
    }

    /// Says that an item was taken over.
    ///
    /// # Errors
    /// When the stream has ended.
    pub fn received(&mut self, job: &str, n: u32) -> anyhow::Result<()> {
        let job = job.to_owned();
        self.channel.say(&ClientMessage::Received { job, n })
    }

    /// Says what the citizen did on a page of the application.
    ///
    /// # Errors
    /// When the stream has ended.
    pub fn act(&mut self, job: &str, act: Act) -> anyhow::Result<()> {
        let job = job.to_owned();
        self.channel.say(&ClientMessage::Act { job, act })
    }

    /// Waits for the first event from which `wanted` gets something; the others are dropped.
    ///
    /// # Errors
    /// When none comes in time, or the stream ends.
    pub fn wait_for<T>(
        &mut self,
        patience: Patience,
        mut wanted: impl FnMut(Event) -> Option<T>,
    ) -> anyhow::Result<T> {
        loop {
            if let Some(found) = wanted(self.next(patience)?) {
                return Ok(found);
            }
        }
    }

    /// Replaces the token.
    ///
    /// # Errors
    /// When the stream has ended.
    pub fn renew_token(&mut self, token: &str) -> anyhow::Result<()> {
        self.channel.say(&ClientMessage::Token {
            token: token.to_owned(),
        })
    }
}

/// The citizen's PIN screen.
#[derive(Debug)]
pub struct PinScreen {
    channel: Channel,
}

/// What the agent asks of the citizen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinQuestion {
    /// The job.
    pub job: String,
    /// The question.
    pub ask: u32,
    /// The word that the clerk's page shows too.
    pub word: String,
    /// Tries left.
    pub tries_left: u8,
    /// Whether the last try may be spent.
    pub last_try: bool,
    /// Which digit each key carries.
    pub keys: Vec<u8>,
}

impl PinScreen {
    /// Opens the PIN page's stream as a screen that has never been paired, and returns the code that
    /// it shows.
    ///
    /// # Errors
    /// When the agent refuses or says something else.
    pub fn open_new(address: SocketAddr) -> anyhow::Result<(Self, String)> {
        let mut screen = Self::register(address, None)?;
        let first = screen.next(Patience::seconds(GREETING))?;
        let ScreenInstruction::Pairing { code } = first else {
            bail!("instead of a pairing code came {first:?}");
        };
        Ok((screen, code))
    }

    /// Opens the stream as a screen that was paired, with the key that it was given.
    ///
    /// # Errors
    /// When the agent does not know the key.
    pub fn open_paired(address: SocketAddr, key: &SecretText) -> anyhow::Result<Self> {
        let mut screen = Self::register(address, Some(key.clone()))?;
        screen.wait_paired(Patience::seconds(GREETING))?;
        Ok(screen)
    }

    /// Waits until the counter has paired this screen, and returns the key that it must keep.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn wait_paired(&mut self, patience: Patience) -> anyhow::Result<Option<SecretText>> {
        loop {
            if let ScreenInstruction::Paired { key, .. } = self.next(patience)? {
                return Ok(key);
            }
        }
    }

    /// Waits until a PIN is asked for.
    ///
    /// # Errors
    /// When none is asked for in time.
    pub fn wait_question(&mut self, patience: Patience) -> anyhow::Result<PinQuestion> {
        loop {
            let ScreenInstruction::Ask {
                job,
                ask,
                word,
                tries_left,
                last_try,
                keys,
            } = self.next(patience)?
            else {
                continue;
            };
            return Ok(PinQuestion {
                job,
                ask,
                word,
                tries_left,
                last_try,
                keys,
            });
        }
    }

    /// Types a PIN.
    ///
    /// # Errors
    /// When the stream has ended.
    pub fn enter(&mut self, question: &PinQuestion, pin: &str) -> anyhow::Result<()> {
        let (job, ask, value) = (
            question.job.clone(),
            question.ask,
            SecretText::new(pin.to_owned()),
        );
        self.channel.say(&ScreenMessage::Secret { job, ask, value })
    }

    /// Declines.
    ///
    /// # Errors
    /// When the stream has ended.
    pub fn decline(&mut self, question: &PinQuestion) -> anyhow::Result<()> {
        self.channel.say(&ScreenMessage::Decline {
            job: question.job.clone(),
            ask: question.ask,
        })
    }

    /// Waits for the next instruction.
    ///
    /// # Errors
    /// When none comes in time, or the stream ends.
    pub fn next(&mut self, patience: Patience) -> anyhow::Result<ScreenInstruction> {
        self.channel.hear(patience)
    }

    fn register(address: SocketAddr, key: Option<SecretText>) -> anyhow::Result<Self> {
        let mut channel = Channel::open(address, "/pin/events", &format!("http://{address}"))?;
        channel.say(&ScreenMessage::Register { key })?;
        Ok(Self { channel })
    }
}
