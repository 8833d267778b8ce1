//! The few PC/SC calls that this crate makes, behind small private traits.
//!
//! Everything above is tested against scripted implementations; everything below is the `pcsc` crate.
//! Each thread has its own context: the library serialises all calls of one context, so a shared one
//! would let a reader that waits hold up a reader that works.

use std::{
    ffi::{CStr, CString},
    fmt,
};

use pcsc::{Disposition, Error, Protocols, Scope, ShareMode, State, ffi::DWORD};
use zeroize::Zeroizing;

/// Makes contexts, one for each thread and each life of the service.
#[cfg_attr(test, mockall::automock)]
pub(crate) trait Connector: Send + fmt::Debug {
    /// Reaches the service.
    fn establish(&self) -> Result<Box<dyn ServiceLink>, Error>;
}

/// One context with the service.
#[cfg_attr(test, mockall::automock)]
pub(crate) trait ServiceLink: Send {
    /// Connects to the card on a reader, sharing it with other programs.
    fn connect(&self, reader: &CStr) -> Result<Box<dyn CardLink>, Error>;
    /// The features of a reader, whether or not a card is on it, as PC/SC part 10 lists them.
    fn features(&self, reader: &CStr) -> Result<Vec<u8>, Error>;
}

/// One connection to a card.
#[cfg_attr(test, mockall::automock)]
pub(crate) trait CardLink: Send {
    /// Begins a transaction that lasts until the connection ends. Waits for other programs' ones.
    fn begin(&mut self) -> Result<(), Error>;
    /// Takes note of a reset by another program, leaving the card as it is.
    fn reconnect(&mut self) -> Result<(), Error>;
    /// The card's answer to reset; [`Error::ResetCard`] where a reset left no agreed protocol behind.
    fn answer_to_reset(&self) -> Result<Vec<u8>, Error>;
    /// Sends `apdu` and waits for an answer of at most `room` bytes.
    fn transmit(&self, apdu: &[u8], room: usize) -> Result<Zeroizing<Vec<u8>>, Error>;
    /// Gives an order to the reader itself and waits for its answer, however long a person takes.
    fn control(&self, code: DWORD, order: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;
    /// Powers the card off and ends transaction and connection in one call.
    fn power_off(self: Box<Self>) -> Result<(), Error>;
}

/// The real thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PcscConnector;

impl Connector for PcscConnector {
    fn establish(&self) -> Result<Box<dyn ServiceLink>, Error> {
        Ok(Box::new(PcscService {
            context: establish()?,
        }))
    }
}

/// Makes a context.
pub(crate) fn establish() -> Result<pcsc::Context, Error> {
    match pcsc::Context::establish(Scope::System) {
        // libpcsclite says the same of a service that refuses us and of one that dies while it greets
        // us; a second greeting tells them apart.
        Err(Error::SecurityViolation) => pcsc::Context::establish(Scope::System),
        established => established,
    }
}

struct PcscService {
    context: pcsc::Context,
}

impl ServiceLink for PcscService {
    fn connect(&self, reader: &CStr) -> Result<Box<dyn CardLink>, Error> {
        let shared = self
            .context
            .connect(reader, ShareMode::Shared, Protocols::ANY);
        let card = match shared {
            // pcscd 1.9.9 powers a card for the first connection only. When a session of ours powered it
            // off while another program kept a connection, a new connection finds it without power.
            Err(Error::UnpoweredCard) => self.connect_and_power(reader)?,
            connected => connected?,
        };
        Ok(Box::new(PcscCard { card }))
    }

    fn features(&self, reader: &CStr) -> Result<Vec<u8>, Error> {
        let connection = self
            .context
            .connect(reader, ShareMode::Direct, Protocols::UNDEFINED)?;
        let mut room = [0; CONTROL_ROOM];
        let features = connection
            .control(FEATURE_REQUEST, &[], &mut room)
            .map(<[u8]>::to_vec);
        // The card, if there is one, may be in the middle of another program's work.
        if let Err((_connection, error)) = connection.disconnect(Disposition::LeaveCard) {
            tracing::debug!(%error, "reader could not be let go of");
        }
        features
    }
}

/// CM_IOCTL_GET_FEATURE_REQUEST (PC/SC part 10, revision 2.02.09, clause 2.2).
pub(crate) const FEATURE_REQUEST: DWORD = pcsc::ctl_code(3400);

/// More than any list of features, and more than any status word.
const CONTROL_ROOM: usize = 264;

impl PcscService {
    /// Connects to the reader alone, then has it power the card.
    fn connect_and_power(&self, reader: &CStr) -> Result<pcsc::Card, Error> {
        let mut card = self
            .context
            .connect(reader, ShareMode::Direct, Protocols::UNDEFINED)?;
        card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::UnpowerCard)?;
        Ok(card)
    }
}

struct PcscCard {
    card: pcsc::Card,
}

impl CardLink for PcscCard {
    fn begin(&mut self) -> Result<(), Error> {
        let transaction = self.card.transaction()?;
        // The guard's drop would end the transaction and leave the card powered, so that another program
        // could step in between and use a PIN that was verified. Disconnecting ends both at once.
        std::mem::forget(transaction);
        Ok(())
    }

    fn reconnect(&mut self) -> Result<(), Error> {
        self.card
            .reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard)
    }

    fn answer_to_reset(&self) -> Result<Vec<u8>, Error> {
        // Longest reader name and longest answer to reset of any PC/SC implementation.
        let mut names = [0_u8; 512];
        let mut atr = [0_u8; pcsc::MAX_ATR_SIZE];
        let status = self.card.status2(&mut names, &mut atr)?;
        match status.protocol2() {
            Some(_) => Ok(status.atr().to_vec()),
            None => Err(Error::ResetCard),
        }
    }

    fn transmit(&self, apdu: &[u8], room: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut buffer = Zeroizing::new(vec![0_u8; room]);
        let length = self.card.transmit(apdu, &mut buffer)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }

    fn control(&self, code: DWORD, order: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut buffer = Zeroizing::new(vec![0_u8; CONTROL_ROOM]);
        let length = self.card.control(code, order, &mut buffer)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }

    fn power_off(self: Box<Self>) -> Result<(), Error> {
        // Always off, never merely reset: a My Number card keeps a verified PIN over a warm reset, and
        // the service itself waits 0.4 seconds before it powers a card off.
        self.card
            .disconnect(Disposition::UnpowerCard)
            .map_err(|(_card, error)| error)
    }
}

/// The watcher's own context.
pub(crate) struct WatchLink {
    pub(crate) context: pcsc::Context,
}

/// What the watcher knows of one reader; the service tells it when that is no longer true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: CString,
    pub(crate) state: State,
    pub(crate) events: u32,
}

impl Known {
    /// A reader of which nothing is known yet: the next wait returns at once.
    pub(crate) const fn unaware(name: CString) -> Self {
        Self {
            name,
            state: State::UNAWARE,
            events: 0,
        }
    }

    /// The state as the service wants it back, with its event count in the upper half.
    fn as_current(&self) -> State {
        let count = DWORD::from(self.events & 0xFFFF) << 16;
        State::from_bits_retain((self.state - State::CHANGED).bits() | count)
    }
}

/// What the watcher asks of the service.
#[cfg_attr(test, mockall::automock)]
pub(crate) trait Watching {
    /// The names of all readers.
    fn readers(&self) -> Result<Vec<CString>, Error>;
    /// Waits until one of `known` is no longer true, and brings all up to date.
    fn wait_change(&self, known: &mut [Known]) -> Result<(), Error>;
}

impl Watching for WatchLink {
    fn readers(&self) -> Result<Vec<CString>, Error> {
        self.context.list_readers_owned()
    }

    fn wait_change(&self, known: &mut [Known]) -> Result<(), Error> {
        let mut states: Vec<pcsc::ReaderState> = known
            .iter()
            .map(|reader| pcsc::ReaderState::new(reader.name.clone(), reader.as_current()))
            .collect();
        self.context.get_status_change(None, &mut states)?;
        for (reader, state) in known.iter_mut().zip(&states) {
            reader.state = state.event_state();
            reader.events = state.event_count();
        }
        Ok(())
    }
}
