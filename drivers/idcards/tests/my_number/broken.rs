//! A lost, lying or mad card ends in one clear error.

use device_api::FaultCode;
use idcards::my_number::{
    CardError, Challenge, LastTry, SecretKind, TextAp, VerifyError, identify,
};
use proptest::prelude::*;
use smartcard::{CardChannel, ChannelError, Command, Response, Sensitivity, StatusWord};

use crate::card::{Misbehaviour, TestCard, secret, synthetic_anchors};

/// A whole read; the first failure as the fault that is reported.
fn whole_read(card: &mut dyn CardChannel) -> Result<(), FaultCode> {
    let told = |error: CardError| error.fault();
    identify(card).map_err(told)?;
    let mut application = TextAp::select(card).map_err(told)?;
    application.tries_left(SecretKind::Pin).map_err(told)?;
    let mut opened = application
        .verify(
            SecretKind::Pin,
            secret(SecretKind::Pin),
            LastTry::NotAllowed,
        )
        .map_err(|error: VerifyError| error.fault())?;
    opened.four_attributes().map_err(told)?;
    opened.individual_number().map_err(told)?;
    opened
        .prove(&synthetic_anchors(), Challenge::new([7; 32]))
        .map(drop)
        .map_err(told)
}

#[test]
fn a_card_lifted_at_any_command_is_one_clear_fault_and_the_next_read_works() {
    for at in 0..16 {
        let lifted = Misbehaviour::Break(ChannelError::Removed);
        let mut card = TestCard::synthetic().misbehaving(at, lifted);
        // The fifth command carries the PIN: what became of it, nobody knows.
        let expected = if at == 4 {
            FaultCode::PinUnknown
        } else {
            FaultCode::CardRemoved
        };
        assert_eq!(whole_read(&mut card), Err(expected), "command {at}");
        assert!(card.secrets_seen <= 1);
        card.misbehaves.clear();
        card.log.clear();
        assert_eq!(whole_read(&mut card), Ok(()), "after command {at}");
    }
}

#[test]
fn each_way_of_losing_a_card_has_its_fault() {
    for (error, fault) in [
        (ChannelError::Removed, FaultCode::CardRemoved),
        (ChannelError::ResetByOther, FaultCode::CardInterrupted),
        (ChannelError::Mute, FaultCode::CardMute),
        (ChannelError::Garbled, FaultCode::CardGarbled),
        (ChannelError::ReaderGone, FaultCode::ReaderGone),
        (ChannelError::ServiceLost, FaultCode::ServiceLost),
        (ChannelError::Cancelled, FaultCode::JobCancelled),
        (
            ChannelError::Reader { code: 0x8010_0001 },
            FaultCode::ReaderFailed,
        ),
    ] {
        let mut card = TestCard::synthetic().misbehaving(0, Misbehaviour::Break(error));
        assert_eq!(whole_read(&mut card), Err(fault));
    }
}

#[test]
fn a_card_without_the_application_is_another_card() {
    for status in [0x6A82, 0x6A81, 0x6A86, 0x6D00, 0x6E00] {
        for at in [0, 2] {
            let mut card = TestCard::synthetic().misbehaving(at, Misbehaviour::Answer(status));
            assert_eq!(
                whole_read(&mut card),
                Err(FaultCode::CardUnknown),
                "{status:04X}"
            );
        }
    }
}

#[test]
fn the_first_command_after_power_on_is_repeated_once_when_the_card_stumbles() {
    let mut card = TestCard::synthetic().misbehaving(0, Misbehaviour::Answer(0x6F00));
    assert_eq!(whole_read(&mut card), Ok(()));
    let mut card = TestCard::synthetic()
        .misbehaving(0, Misbehaviour::Answer(0x6F00))
        .misbehaving(1, Misbehaviour::Answer(0x6F00));
    assert_eq!(whole_read(&mut card), Err(FaultCode::CardRefused));
    assert_eq!(card.log.len(), 2);
}

#[test]
fn a_status_in_the_middle_of_a_read_is_a_refusal() {
    for status in [0x6982, 0x6A82, 0x6F00, 0x6700] {
        let mut card = TestCard::synthetic().misbehaving(5, Misbehaviour::Answer(status));
        assert_eq!(
            whole_read(&mut card),
            Err(FaultCode::CardRefused),
            "{status:04X}"
        );
    }
}

#[test]
fn a_card_that_answers_more_than_was_asked_is_garbled() {
    let too_much = Misbehaviour::Data(vec![0x00; 257]);
    let mut card = TestCard::synthetic().misbehaving(5, too_much);
    assert_eq!(whole_read(&mut card), Err(FaultCode::CardGarbled));
}

#[test]
fn a_file_without_end_is_not_followed() {
    for length in [[0x10, 0x00], [0xFF, 0xFF]] {
        let endless = [&[0xFF, 0x20, 0x82][..], &length, &[0x41; 250]].concat();
        let mut card = TestCard::synthetic().with_file(0x02, endless.clone());
        assert!(whole_read(&mut card).is_err());
        // The same as crumbs: one byte at a time.
        let mut card = TestCard::synthetic().with_file(0x02, endless);
        card.misbehaves = (6..5000)
            .map(|at| (at, Misbehaviour::Data(vec![0x41])))
            .collect();
        assert_eq!(whole_read(&mut card), Err(FaultCode::CardGarbled));
        assert!(card.log.len() < 40, "{} commands", card.log.len());
    }
}

/// A card that answers whatever it is told to, in turn.
struct MadCard {
    answers: Vec<(Vec<u8>, u16)>,
    extended: bool,
    asked: usize,
    secrets_seen: usize,
}

impl CardChannel for MadCard {
    fn transmit(&mut self, command: Command) -> Result<Response, ChannelError> {
        if command.data_sensitivity() == Sensitivity::Personal {
            self.secrets_seen += 1;
        }
        let (data, status) = self
            .answers
            .get(self.asked)
            .cloned()
            .ok_or(ChannelError::Removed)?;
        self.asked += 1;
        Ok(Response::new(data, StatusWord(status)))
    }

    fn takes_extended_length(&self) -> bool {
        self.extended
    }
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![
        6 => Just(0x9000_u16),
        2 => 0x63C0..=0x63CF_u16,
        1 => prop_oneof![Just(0x6282_u16), Just(0x6A82), Just(0x6B00), Just(0x6984), Just(0x6F00)],
        1 => any::<u16>(),
    ]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    let files = ["01", "02", "03", "04", "07"]
        .map(|id| crate::card::fixture(&format!("synthetic/ef-00{id}.bin")));
    let record = crate::card::fixture("synthetic/record.bin");
    prop_oneof![
        Just(Vec::new()),
        Just(record),
        (
            prop::sample::select(files.to_vec()),
            0..600_usize,
            any::<prop::sample::Index>(),
            any::<u8>()
        )
            .prop_map(|(mut file, length, at, value)| {
                let at = at.index(file.len());
                file[at] = value;
                file.truncate(length);
                file
            }),
        prop::collection::vec(any::<u8>(), 0..300),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_answers_panics_or_draws_a_secret_out_twice(
        answers in prop::collection::vec((data(), status()), 0..24),
        extended: bool,
    ) {
        let mut card = MadCard { answers, extended, asked: 0, secrets_seen: 0 };
        let _outcome = whole_read(&mut card);
        prop_assert!(card.secrets_seen <= 1);
        prop_assert!(card.asked <= 24);
    }
}
