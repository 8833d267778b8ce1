//! A card reader from the plug to the card: kernel, `libccid`, `pcscd`, and our drivers above.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use device_api::{FaultCode, Patience, Secret};
use idcards::my_number::{
    CardError, LastTry, OpenedTextAp, SecretKind, TextAp, Tries, VerifyError, identify,
};
use sim_cards::{CardImage, MyNumberCard, Quirks, TryCounters};
use sim_kit::SharedCard;
use smartcard::keypad::{CANCELLED_AT_KEYS, NOBODY_TYPED};
use smartcard::{BeginError, Reader, ReaderCondition, Session, StatusWord, channel_fault};

use super::cycles::Pulled;
use crate::card_service::CardService;
use crate::ccid::{CardReader, Key, SERIAL};
use crate::machine::{Machine, load};
use crate::vhci::{Plugged, Speed};

/// Of the published test card.
const MUNICIPALITY: &str = "13221";
const PIN: &[u8] = b"1234";
const NUMBER: &str = "537686677188";

/// Long enough for anything that the other thread is about to do.
const SOON: Duration = Duration::from_secs(20);

type Card = Arc<Mutex<MyNumberCard>>;

/// A reader that is plugged in, and the service that knows it.
struct Bench {
    service: CardService,
    plugged: Plugged<CardReader>,
    name: String,
    reader: Reader,
    card: Card,
}

impl Bench {
    fn begin(machine: &Machine) -> Result<Self> {
        load(&["vhci_hcd"])?;
        let service = CardService::start(machine)?;
        let plugged = Plugged::plug(Speed::High, CardReader::default())?;
        let name = service.arrival(machine, SERIAL)?;
        service.shows(machine, &name, ReaderCondition::Empty)?;
        Ok(Self {
            reader: service.reader(&name),
            service,
            plugged,
            name,
            card: Arc::new(Mutex::new(new_card())),
        })
    }

    fn with_card(machine: &Machine) -> Result<Self> {
        let bench = Self::begin(machine)?;
        bench.insert(machine)?;
        Ok(bench)
    }

    fn insert(&self, machine: &Machine) -> Result<()> {
        let card: SharedCard = Arc::clone(&self.card) as SharedCard;
        self.plugged.with(|reader| reader.insert(card));
        self.service
            .shows(machine, &self.name, ReaderCondition::Present)
    }

    fn tries(&self) -> u8 {
        let card = self.card.lock().unwrap_or_else(PoisonError::into_inner);
        card.tries_left().pin
    }

    /// Begins with the card and does something with it.
    fn hold<T>(
        &mut self,
        machine: &Machine,
        work: impl FnOnce(&mut Session<'_>) -> Result<T>,
    ) -> Result<T> {
        let patience = self.service.patience(machine);
        let mut session = self.reader.begin_with_next_card(&patience, None)?;
        let done = work(&mut session)?;
        session.finish()?;
        Ok(done)
    }
}

/// The published test card, with all its tries.
fn new_card() -> MyNumberCard {
    let tries = TryCounters::in_memory(sim_cards::Tries::FULL);
    let image = CardImage::published_test_card();
    MyNumberCard::new(image, tries, Quirks::default())
}

/// The tries left, and what came of one of them.
fn verify<'a>(
    session: &'a mut Session<'_>,
    pin: &[u8],
) -> Result<(u8, Result<OpenedTextAp<'a>, VerifyError>)> {
    let mut application = TextAp::select(session)?;
    let Tries::Left(left) = application.tries_left(SecretKind::Pin)? else {
        bail!("blocked");
    };
    let pin = Secret::new(pin.to_vec());
    let opened = application.verify(SecretKind::Pin, pin, LastTry::NotAllowed);
    Ok((left, opened))
}

/// Reads all of the card that a PIN opens.
fn read_all(session: &mut Session<'_>) -> Result<()> {
    let identity = identify(session)?;
    ensure!(identity.municipality_code == MUNICIPALITY, "another card");
    let (_, opened) = verify(session, PIN)?;
    let mut opened = opened?;
    ensure!(
        opened.individual_number()?.expose() == NUMBER,
        "another number"
    );
    let attributes = opened.four_attributes()?;
    ensure!(!attributes.name.expose().is_empty(), "no name");
    Ok(())
}

pub(super) fn read(machine: &mut Machine) -> Result<()> {
    let mut bench = Bench::with_card(machine)?;
    bench.hold(machine, read_all)?;
    bench.hold(machine, |session| {
        let (left, refused) = verify(session, b"4321")?;
        ensure!(left == 3, "{left} tries before");
        let refused = refused.err();
        let wrong = matches!(refused, Some(VerifyError::Wrong { tries_left: 2 }));
        ensure!(wrong, "{refused:?}");
        Ok(())
    })?;
    ensure!(bench.tries() == 2, "{} tries after", bench.tries());
    bench.hold(machine, read_all)?;
    ensure!(bench.tries() == 3, "the right PIN gives the tries back");
    bench.plugged.with(CardReader::lift);
    bench
        .service
        .shows(machine, &bench.name, ReaderCondition::Empty)?;
    let pins = bench.plugged.with(|reader| reader.pins_seen());
    ensure!(pins == 3, "{pins} PINs were sent for three tries");
    bench.plugged.unplug();
    bench.service.departure(machine, &bench.name)
}

/// Reads, and has something happen when the card has fallen silent; what people are told then.
fn disturbed(
    reader: &mut Reader,
    patience: &Patience,
    silent: &Receiver<()>,
    fate: impl FnOnce(),
) -> Result<FaultCode> {
    let outcome = std::thread::scope(|threads| {
        let reading = threads.spawn(|| -> Result<()> {
            let mut session = reader.begin_with_next_card(patience, None)?;
            read_all(&mut session)
        });
        silent.recv_timeout(SOON).ok()?;
        fate();
        reading.join().ok()
    });
    let error = outcome
        .context("the card was not reached, or reading panicked")?
        .err()
        .context("read all the same")?;
    told(&error).with_context(|| format!("{error:#}"))
}

/// What people are told of a card that was lost.
fn told(error: &anyhow::Error) -> Option<FaultCode> {
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(CardError::Channel { source, .. }), _)
        | (_, Some(VerifyError::Card(CardError::Channel { source, .. }))) => {
            Some(channel_fault(*source, None))
        }
        (_, Some(refused @ VerifyError::OutcomeUnknown { .. })) => Some(refused.fault()),
        _ => None,
    }
}

/// Has the card of the reader fall silent after so many exchanges.
fn silence(plugged: &Plugged<CardReader>, exchanges: u32) -> Receiver<()> {
    let (who, silent) = mpsc::channel();
    plugged.with(|reader| reader.fall_silent_after(exchanges, who));
    silent
}

pub(super) fn lifted(machine: &mut Machine) -> Result<()> {
    let mut bench = Bench::with_card(machine)?;
    // The first select is answered 6F00 and repeated; the PIN is the sixth command.
    for (exchanges, expected) in [
        (1, FaultCode::CardRemoved),
        (5, FaultCode::PinUnknown),
        (6, FaultCode::CardRemoved),
    ] {
        let silent = silence(&bench.plugged, exchanges);
        let patience = bench.service.patience(machine);
        let plugged = &bench.plugged;
        let code = disturbed(&mut bench.reader, &patience, &silent, || {
            plugged.with(CardReader::lift);
        })?;
        ensure!(code == expected, "after {exchanges} exchanges: {code:?}");
        let service = &bench.service;
        service.shows(machine, &bench.name, ReaderCondition::Empty)?;
        bench.insert(machine)?;
    }
    bench.hold(machine, read_all)
}

/// Has a PIN typed on the reader; how the card was refused, or nothing where it was opened.
fn typed(
    machine: &Machine,
    bench: &mut Bench,
    fingers: impl FnOnce(&mut CardReader),
) -> Result<Option<VerifyError>> {
    let (who, asked) = mpsc::channel();
    bench.plugged.with(|reader| reader.tell_when_asking(who));
    let patience = bench.service.patience(machine);
    let (reader, plugged) = (&mut bench.reader, &bench.plugged);
    std::thread::scope(|threads| {
        let verifying = threads.spawn(|| -> Result<Option<VerifyError>> {
            let mut session = reader.begin_with_next_card(&patience, None)?;
            ensure!(session.take_pins_from_keys()?, "no keys");
            // These digits stay here; what is typed is what counts.
            let (_, opened) = verify(&mut session, b"0000")?;
            let mut opened = match opened {
                Ok(opened) => opened,
                Err(refused) => return Ok(Some(refused)),
            };
            let number = opened.individual_number()?;
            ensure!(number.expose() == NUMBER, "another number");
            Ok(None)
        });
        if asked.recv_timeout(SOON).is_ok() {
            plugged.with(fingers);
        }
        verifying.join().ok().context("verifying panicked")?
    })
}

/// Presses digits, then Enter.
fn enter(reader: &mut CardReader, digits: &[u8]) {
    for digit in digits {
        reader.press(Key::Digit(*digit));
    }
    reader.press(Key::Enter);
}

/// Whether the reader answered in the card's stead.
fn is_status(refused: Option<&VerifyError>, expected: StatusWord) -> bool {
    matches!(
        refused,
        Some(VerifyError::Card(CardError::Refused { status, .. })) if *status == expected
    )
}

pub(super) fn keys(machine: &mut Machine) -> Result<()> {
    let mut bench = Bench::with_card(machine)?;
    bench.service.has_keys(machine, &bench.name)?;
    let wrong = typed(machine, &mut bench, |reader| enter(reader, &[9, 9, 9, 9]))?;
    let is_wrong = matches!(wrong, Some(VerifyError::Wrong { tries_left: 2 }));
    ensure!(is_wrong, "{wrong:?}");
    let cancelled = typed(machine, &mut bench, |reader| {
        reader.press(Key::Digit(1));
        reader.press(Key::Cancel);
    })?;
    ensure!(
        is_status(cancelled.as_ref(), CANCELLED_AT_KEYS),
        "{cancelled:?}"
    );
    let unfinished = typed(machine, &mut bench, |reader| {
        enter(reader, &[1, 2, 3]);
        reader.nobody_types();
    })?;
    ensure!(
        is_status(unfinished.as_ref(), NOBODY_TYPED),
        "{unfinished:?}"
    );
    ensure!(bench.tries() == 2, "{} tries after", bench.tries());
    let right = typed(machine, &mut bench, |reader| {
        enter(reader, &[1, 2, 3]);
        enter(reader, &[4, 4]);
    })?;
    ensure!(right.is_none(), "{right:?}");
    ensure!(bench.tries() == 3, "the right PIN gives the tries back");
    let lifted = typed(machine, &mut bench, CardReader::lift)?;
    let is_unknown = matches!(lifted, Some(VerifyError::OutcomeUnknown { .. }));
    ensure!(is_unknown, "{lifted:?}");
    let pins = bench.plugged.with(|reader| reader.pins_seen());
    ensure!(pins == 0, "{pins} PINs came from the host");
    Ok(())
}

pub(super) fn unplugged(machine: &mut Machine) -> Result<()> {
    let mut bench = Bench::with_card(machine)?;
    let silent = silence(&bench.plugged, 4);
    let patience = bench.service.patience(machine);
    let plugged = bench.plugged;
    let code = disturbed(&mut bench.reader, &patience, &silent, || plugged.unplug())?;
    ensure!(code == FaultCode::ReaderGone, "{code:?}");
    bench.service.departure(machine, &bench.name)?;
    let plugged = Plugged::plug(Speed::High, CardReader::default())?;
    let name = bench.service.arrival(machine, SERIAL)?;
    let mut bench = Bench {
        reader: bench.service.reader(&name),
        plugged,
        name,
        service: bench.service,
        card: bench.card,
    };
    bench.insert(machine)?;
    bench.hold(machine, read_all)
}

/// The service of the cycles, which outlives every reader.
pub(super) fn service(machine: &Machine) -> Result<CardService> {
    load(&["vhci_hcd"])?;
    CardService::start(machine)
}

/// A reader that is plugged in, and pulled while our driver uses it.
pub(super) fn one_life(machine: &Machine, service: &CardService, pulled: Pulled) -> Result<()> {
    let plugged = Plugged::plug(Speed::High, CardReader::default())?;
    let name = service.arrival(machine, SERIAL)?;
    let patience = service.patience(machine);
    let mut reader = service.reader(&name);
    match pulled {
        Pulled::Unseen => plugged.unplug(),
        Pulled::Waited => {
            service.shows(machine, &name, ReaderCondition::Empty)?;
            let reader = &mut reader;
            let waited = std::thread::scope(|threads| {
                let waiting = threads.spawn(|| -> Result<(), BeginError> {
                    reader.begin_with_next_card(&patience, None).map(drop)
                });
                plugged.unplug();
                waiting.join().ok()
            });
            let is_gone = matches!(waited, Some(Err(BeginError::ReaderGone)));
            ensure!(is_gone, "{waited:?}");
        }
        Pulled::Opened | Pulled::Spoken => {
            let card: SharedCard = Arc::new(Mutex::new(new_card()));
            plugged.with(|reader| reader.insert(card));
            service.shows(machine, &name, ReaderCondition::Present)?;
            let mut session = reader.begin_with_next_card(&patience, None)?;
            if pulled == Pulled::Spoken {
                read_all(&mut session)?;
            }
            plugged.unplug();
            let lost = TextAp::select(&mut session).err();
            let told = lost.and_then(|error| told(&error.into()));
            // A reader that is gone counts as an empty one until udev has told the service (docs/devices).
            let is_lost = matches!(told, Some(FaultCode::ReaderGone | FaultCode::CardRemoved));
            ensure!(is_lost, "{told:?}");
        }
    }
    service.departure(machine, &name)
}
