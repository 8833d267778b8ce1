//! No card is locked, and no secret is repeated, guessed at or shown.

use device_api::{FaultCode, Secret};
use idcards::my_number::{CardError, LastTry, SecretKind, TextAp, Tries, VerifyError};
use smartcard::ChannelError;

use crate::card::{Misbehaviour, NUMBER_B, PIN, TestCard, secret};

const PIN_KEY: u8 = 0x11;

fn verify(card: &mut TestCard, digits: &str, last_try: LastTry) -> Result<(), VerifyError> {
    TextAp::select(card)
        .expect("an application")
        .verify(SecretKind::Pin, Secret::from(digits.to_owned()), last_try)
        .map(drop)
}

fn card_with_tries(tries: u8) -> TestCard {
    let mut card = TestCard::synthetic();
    card.tries.insert(PIN_KEY, tries);
    card
}

#[test]
fn a_wrong_pin_tells_how_many_tries_are_left() {
    let mut card = TestCard::synthetic();
    let error = verify(&mut card, "9999", LastTry::NotAllowed).expect_err("a wrong PIN");
    assert_eq!(error, VerifyError::Wrong { tries_left: 2 });
    assert_eq!(
        (error.fault(), error.tries_left()),
        (FaultCode::PinWrong, Some(2))
    );
}

#[test]
fn the_last_try_is_not_spent_unless_allowed() {
    let mut card = card_with_tries(1);
    let error = verify(&mut card, PIN, LastTry::NotAllowed).expect_err("a refusal");
    assert_eq!(error, VerifyError::LastTry);
    assert_eq!(
        (error.fault(), error.tries_left()),
        (FaultCode::PinLastTry, Some(1))
    );
    assert_eq!(card.secrets_seen, 0);
    assert_eq!(card.tries[&PIN_KEY], 1);
}

#[test]
fn the_last_try_opens_the_card_when_allowed_and_right() {
    let mut card = card_with_tries(1);
    assert_eq!(verify(&mut card, PIN, LastTry::Allowed), Ok(()));
    assert_eq!(card.tries[&PIN_KEY], 3);
}

#[test]
fn the_last_try_that_was_wrong_says_blocked() {
    let mut card = card_with_tries(1);
    let error = verify(&mut card, "9999", LastTry::Allowed).expect_err("a wrong PIN");
    assert_eq!(error, VerifyError::Blocked);
    assert_eq!(
        (error.fault(), error.tries_left()),
        (FaultCode::PinBlocked, Some(0))
    );
}

#[test]
fn nothing_is_sent_to_a_blocked_card() {
    for status in [0x6984, 0x6983, 0x63C0] {
        let mut card = TestCard::synthetic().misbehaving(1, Misbehaviour::Answer(status));
        let error = verify(&mut card, PIN, LastTry::Allowed).expect_err("a refusal");
        assert_eq!(error, VerifyError::Blocked, "{status:04X}");
        assert_eq!(card.secrets_seen, 0);
    }
}

#[test]
fn a_malformed_secret_reaches_no_card() {
    let pins = ["", "123", "12345", "12a4", "１２３４", "12 4", "-123"];
    let numbers = ["5502172035228", "550217203522850", "5502172035228x", PIN];
    let cases = pins
        .map(|digits| (SecretKind::Pin, digits))
        .into_iter()
        .chain(numbers.map(|digits| (SecretKind::NumberB, digits)));
    for (kind, digits) in cases {
        let mut card = TestCard::synthetic();
        let application = TextAp::select(&mut card).expect("an application");
        let outcome = application
            .verify(kind, Secret::from(digits.to_owned()), LastTry::Allowed)
            .map(drop);
        assert_eq!(outcome, Err(VerifyError::Format), "{kind:?} {digits}");
        assert_eq!(card.log.len(), 1, "only the selection was sent");
    }
}

#[test]
fn a_connection_that_breaks_on_the_secret_leaves_the_outcome_unknown_and_repeats_nothing() {
    let errors = [
        ChannelError::Removed,
        ChannelError::ResetByOther,
        ChannelError::Mute,
        ChannelError::Garbled,
        ChannelError::ReaderGone,
        ChannelError::ServiceLost,
        ChannelError::Reader { code: 0x8010_0016 },
    ];
    for source in errors {
        let mut card = TestCard::synthetic().misbehaving(2, Misbehaviour::Break(source));
        let error = verify(&mut card, "9999", LastTry::NotAllowed).expect_err("a break");
        assert_eq!(error, VerifyError::OutcomeUnknown { source });
        assert_eq!(
            (error.fault(), error.tries_left()),
            (FaultCode::PinUnknown, None)
        );
        assert_eq!(card.secrets_seen, 1);
        assert_eq!(
            card.tries[&PIN_KEY], 2,
            "the card counted it, so repeating would cost another"
        );
    }
}

#[test]
fn a_job_cancelled_before_the_secret_leaves_no_doubt() {
    let source = ChannelError::Cancelled;
    let mut card = TestCard::synthetic().misbehaving(2, Misbehaviour::Break(source));
    let error = verify(&mut card, PIN, LastTry::NotAllowed).expect_err("a cancellation");
    assert_eq!(error.fault(), FaultCode::JobCancelled);
}

#[test]
fn an_answer_that_is_no_verdict_is_a_refusal_and_repeats_nothing() {
    for status in [
        0x6300, 0x6700, 0x6982, 0x6A88, 0x6F00, 0x6D00, 0x6C04, 0x6104, 0x0000,
    ] {
        let mut card = TestCard::synthetic().misbehaving(2, Misbehaviour::Answer(status));
        let error = verify(&mut card, PIN, LastTry::NotAllowed).expect_err("a refusal");
        assert_eq!(error.fault(), FaultCode::CardRefused, "{status:04X}");
        assert_eq!(card.secrets_seen, 1);
    }
}

#[test]
fn nothing_is_sent_while_the_counter_cannot_be_read() {
    for status in [0x6300, 0x6A88, 0x6F00, 0x6D00] {
        let mut card = TestCard::synthetic().misbehaving(1, Misbehaviour::Answer(status));
        let error = verify(&mut card, PIN, LastTry::Allowed).expect_err("a refusal");
        assert_eq!(error.fault(), FaultCode::CardRefused, "{status:04X}");
        assert_eq!(card.secrets_seen, 0);
    }
}

#[test]
fn a_counter_is_read_without_spending_a_try() {
    let mut card = TestCard::synthetic();
    let mut application = TextAp::select(&mut card).expect("an application");
    for _ in 0..20 {
        assert_eq!(application.tries_left(SecretKind::Pin), Ok(Tries::Left(3)));
        assert_eq!(
            application.tries_left(SecretKind::NumberB),
            Ok(Tries::Left(10))
        );
    }
    assert_eq!(card.tries[&PIN_KEY], 3);
}

#[test]
fn the_counter_of_one_secret_does_not_stand_for_the_other() {
    let mut card = card_with_tries(1);
    let mut application = TextAp::select(&mut card).expect("an application");
    assert_eq!(
        application.tries_left(SecretKind::NumberB),
        Ok(Tries::Left(10))
    );
    let outcome = application.verify(
        SecretKind::Pin,
        secret(SecretKind::Pin),
        LastTry::NotAllowed,
    );
    assert_eq!(outcome.map(drop), Err(VerifyError::LastTry));
}

#[test]
fn a_session_that_somebody_else_opened_is_closed_before_the_counter_is_believed() {
    let mut card = TestCard::synthetic();
    card.misbehaves.insert(1, Misbehaviour::Answer(0x9000));
    let mut application = TextAp::select(&mut card).expect("an application");
    assert_eq!(application.tries_left(SecretKind::Pin), Ok(Tries::Left(3)));
    assert_eq!(
        card.log,
        ["00 A4 04 0C", "00 20 00 91", "00 A4 04 0C", "00 20 00 91"]
    );
}

#[test]
fn a_card_that_never_forgets_a_session_is_not_used() {
    let mut card = TestCard::synthetic();
    card.forgets = false;
    card.verified = Some(PIN_KEY);
    let mut application = TextAp::select(&mut card).expect("an application");
    assert_eq!(
        application.tries_left(SecretKind::Pin),
        Err(CardError::StaleVerification)
    );
    assert_eq!(card.secrets_seen, 0);
}

#[test]
fn the_number_is_not_even_asked_for_when_opened_by_verification_number_b() {
    let mut card = TestCard::synthetic();
    let error = card
        .opened(SecretKind::NumberB)
        .individual_number()
        .expect_err("a refusal");
    assert_eq!(error, CardError::NumberNeedsPin);
    assert_eq!(card.log.len(), 3, "select, counter, verify");
}

#[test]
fn what_debug_shows_says_nothing_of_the_citizen() {
    let mut card = TestCard::synthetic();
    let identity = idcards::my_number::identify(&mut card).expect("a card");
    let mut opened = card.opened(SecretKind::Pin);
    let attributes = opened.four_attributes().expect("attributes");
    let number = opened.individual_number().expect("a number");
    let shown = format!(
        "{identity:?} {opened:?} {attributes:?} {number:?} {:#?}",
        attributes.name
    );
    for hidden in [
        "000000000000017",
        "123456789018",
        "橋",
        "立石",
        "1980",
        PIN,
        NUMBER_B,
    ] {
        assert!(!shown.contains(hidden), "{hidden} stands in {shown}");
    }
}
