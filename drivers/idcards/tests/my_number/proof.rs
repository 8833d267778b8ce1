//! Only what is genuine is called genuine.

use idcards::TrustAnchors;
use idcards::my_number::{
    Authenticity, CardError, Challenge, Doubt, Forgery, OpenedTextAp, SecretKind, Verdict,
};
use smartcard::ChannelError;

use crate::card::{Misbehaviour, TestCard, challenge, synthetic_anchors};

/// The verdict after reading whatever can be read; that something cannot be is no matter here.
fn verdict(card: &mut TestCard, anchors: &TrustAnchors) -> Authenticity {
    let mut opened = card.opened(SecretKind::Pin);
    read_all(&mut opened);
    opened
        .prove(anchors, challenge())
        .expect("the card is there")
}

fn read_all(opened: &mut OpenedTextAp<'_>) {
    drop(opened.four_attributes());
    drop(opened.individual_number());
}

fn synthetic_verdict(mut card: TestCard) -> Verdict {
    verdict(&mut card, &synthetic_anchors()).verdict
}

fn jlis(name: &str) -> TrustAnchors {
    TrustAnchors::builtin(name).expect("keys of this name ship")
}

fn changed(file: u8, at: usize) -> TestCard {
    let mut card = TestCard::synthetic();
    card.files.get_mut(&file).expect("a file")[at] ^= 0x01;
    card
}

#[test]
fn a_card_whose_every_check_passes_is_genuine_and_names_its_anchor() {
    let authenticity = verdict(&mut TestCard::synthetic(), &synthetic_anchors());
    assert_eq!(authenticity.verdict, Verdict::Genuine);
    assert_eq!(authenticity.verdict.reason(), None);
    assert_eq!(authenticity.anchor.as_deref(), Some("simulated/9000033"));
}

#[test]
fn the_dump_of_a_test_card_passes_every_check_but_the_challenge() {
    let authenticity = verdict(&mut TestCard::jlis_dump(), &jlis("jlis-test"));
    assert_eq!(
        authenticity.verdict,
        Verdict::NotVerified(Doubt::ChallengeRefused)
    );
    assert_eq!(authenticity.anchor.as_deref(), Some("jlis-test/6000033"));
}

#[test]
fn a_test_card_is_not_trusted_where_only_production_cards_are() {
    for anchors in [
        jlis("jlis-production"),
        TrustAnchors::default(),
        synthetic_anchors(),
    ] {
        let authenticity = verdict(&mut TestCard::jlis_dump(), &anchors);
        assert_eq!(
            authenticity.verdict,
            Verdict::NotVerified(Doubt::IssuerUnknown)
        );
        assert_eq!(authenticity.anchor, None);
    }
}

#[test]
fn every_changed_byte_of_the_dumps_attributes_is_forgery() {
    let anchors = jlis("jlis-test");
    let length = TestCard::jlis_dump().files[&0x02].len();
    // Behind the file's header and the offsets, which the issuer does not sign.
    for at in 14..length {
        for flip in [0x01, 0x80] {
            let mut card = TestCard::jlis_dump();
            card.files.get_mut(&0x02).expect("a file")[at] ^= flip;
            let found = verdict(&mut card, &anchors).verdict;
            assert_eq!(found, Verdict::Forged(Forgery::AttributesHash), "byte {at}");
        }
    }
}

#[test]
fn every_changed_byte_of_the_dumps_number_file_is_forgery_or_unreadable() {
    let anchors = jlis("jlis-test");
    for at in 3..17 {
        let mut card = TestCard::jlis_dump();
        card.files.get_mut(&0x01).expect("a file")[at] ^= 0x01;
        let found = verdict(&mut card, &anchors).verdict;
        assert_eq!(found, Verdict::Forged(Forgery::NumberHash), "byte {at}");
    }
}

#[test]
fn no_changed_byte_of_any_file_of_proof_is_genuine() {
    for file in [0x03, 0x04, 0x07] {
        let length = TestCard::synthetic().files[&file].len();
        for at in 0..length {
            let found = synthetic_verdict(changed(file, at));
            assert_ne!(found, Verdict::Genuine, "byte {at} of file {file:02X}");
        }
    }
}

#[test]
fn no_truncated_file_of_proof_is_genuine() {
    for file in [0x03, 0x04, 0x07] {
        let whole = TestCard::synthetic().files[&file].clone();
        for length in 1..whole.len() {
            let card = TestCard::synthetic().with_file(file, whole[..length].to_vec());
            let found = synthetic_verdict(card);
            assert_eq!(
                found,
                Verdict::NotVerified(Doubt::FileMalformed),
                "{length} bytes of {file:02X}"
            );
        }
    }
}

#[test]
fn each_failed_check_has_its_own_word() {
    let swapped = |from: u8, to: u8| {
        let mut card = TestCard::jlis_dump();
        let content = TestCard::synthetic().files[&from].clone();
        card.files.insert(to, content);
        card
    };
    let word =
        |mut card: TestCard, anchors: &TrustAnchors| verdict(&mut card, anchors).verdict.reason();
    let test = jlis("jlis-test");
    let synthetic = synthetic_anchors();
    // The last byte of each file belongs to a signature.
    assert_eq!(
        word(changed(0x04, 567), &synthetic),
        Some("certificate-signature")
    );
    assert_eq!(
        word(changed(0x03, 335), &synthetic),
        Some("record-signature")
    );
    assert_eq!(
        word(changed(0x07, 535), &synthetic),
        Some("card-key-signature")
    );
    assert_eq!(word(swapped(0x02, 0x02), &test), Some("attributes-hash"));
    assert_eq!(word(swapped(0x01, 0x01), &test), Some("number-hash"));
    assert_eq!(word(swapped(0x03, 0x03), &test), Some("record-signature"));
    assert_eq!(word(swapped(0x04, 0x04), &test), Some("issuer-unknown"));
    assert_eq!(word(swapped(0x07, 0x07), &test), Some("card-key-signature"));
}

#[test]
fn a_copy_that_answers_the_challenge_with_anything_is_forged() {
    let genuine = TestCard::synthetic().answer.expect("an answer").1;
    let short = genuine[..255].to_vec();
    let long = [&genuine[..], &[0x00]].concat();
    let mut changed = genuine.clone();
    changed[255] ^= 0x01;
    for answer in [Vec::new(), short, long, changed, vec![0x00; 256]] {
        let mut card = TestCard::synthetic();
        card.answer = Some((crate::card::synthetic_challenge(), answer));
        assert_eq!(
            synthetic_verdict(card),
            Verdict::Forged(Forgery::ChallengeSignature)
        );
    }
}

#[test]
fn the_answer_to_an_earlier_challenge_does_not_serve_again() {
    let mut card = TestCard::synthetic();
    let answer = card.answer.clone().expect("an answer").1;
    // A copy that recorded one answer and gives it to whatever it is asked.
    card.answer = Some(([0x5A; 32], answer));
    let mut opened = card.opened(SecretKind::Pin);
    read_all(&mut opened);
    let found = opened
        .prove(&synthetic_anchors(), Challenge::new([0x5A; 32]))
        .expect("a verdict");
    assert_eq!(found.verdict, Verdict::Forged(Forgery::ChallengeSignature));
}

#[test]
fn a_card_that_lacks_or_refuses_a_file_of_proof_is_not_verified() {
    for file in [0x03, 0x04, 0x07] {
        let mut card = TestCard::synthetic();
        card.files.remove(&file);
        assert_eq!(
            synthetic_verdict(card),
            Verdict::NotVerified(Doubt::FileMissing),
            "{file:02X}"
        );
        let card = TestCard::synthetic().with_file(file, vec![0xFF; 568]);
        assert_eq!(
            synthetic_verdict(card),
            Verdict::NotVerified(Doubt::FileMalformed)
        );
    }
    // Select, counter, verify, two reads: the sixth command reads the certificate.
    let card = TestCard::synthetic().misbehaving(5, Misbehaviour::Answer(0x6982));
    assert_eq!(
        synthetic_verdict(card),
        Verdict::NotVerified(Doubt::FileRefused)
    );
}

#[test]
fn a_key_for_the_printed_surface_does_not_vouch_for_the_text() {
    let json = String::from_utf8(crate::card::fixture("synthetic/anchors.json")).expect("UTF-8");
    let relabelled = json.replace("card-surface input (text) AP", "card-surface AP");
    let anchors = TrustAnchors::load(&relabelled).expect("a key file");
    let found = verdict(&mut TestCard::synthetic(), &anchors).verdict;
    assert_eq!(found, Verdict::NotVerified(Doubt::IssuerUnknown));
}

#[test]
fn nothing_read_is_nothing_proved() {
    let mut card = TestCard::synthetic();
    let found = card
        .opened(SecretKind::Pin)
        .prove(&synthetic_anchors(), challenge());
    assert_eq!(
        found.map(|it| it.verdict),
        Ok(Verdict::NotVerified(Doubt::NothingRead))
    );
}

#[test]
fn a_card_lifted_during_the_checks_is_an_error_and_no_verdict() {
    for at in 5..14 {
        let lifted = Misbehaviour::Break(ChannelError::Removed);
        let mut card = TestCard::synthetic().misbehaving(at, lifted);
        let mut opened = card.opened(SecretKind::Pin);
        read_all(&mut opened);
        let found = opened.prove(&synthetic_anchors(), challenge());
        let lost = matches!(
            found,
            Err(CardError::Channel {
                source: ChannelError::Removed,
                ..
            })
        );
        assert!(lost, "command {at}");
    }
}
