//! Approvals made, joined, taken apart, and spoilt.

use telemetry::lane::Lane;
use telemetry::message::machine::TimeQuality;
use telemetry::{SoftwareSigner, Stamp, envelope};

use super::*;
use crate::document::tests::order;
use crate::verb::Verb;

fn signer(seed: u8) -> SoftwareSigner {
    SoftwareSigner::from_seed(&[seed; 32]).unwrap()
}

fn approved(document: &Document, seed: u8, name: &str) -> Vec<u8> {
    approve(
        document,
        &signer(seed),
        &name.parse().unwrap(),
        1_795_000_000,
    )
    .unwrap()
}

fn document() -> Document {
    Document::new(order(1, Verb::Reboot)).unwrap()
}

#[test]
fn what_two_approved_is_one_message() {
    let document = document();
    let both = [
        approved(&document, 1, "sato"),
        approved(&document, 2, "suzuki"),
    ];
    let message = Message::read(&join(&both).unwrap()).unwrap();
    assert_eq!(message.document(), &document);
    let names: Vec<&str> = message
        .approvals()
        .map(|one| one.approver().as_str())
        .collect();
    assert_eq!(names, ["sato", "suzuki"]);
    let topic = topic_of(&document);
    for (approval, seed) in message.approvals().zip([1, 2]) {
        assert!(approval.is_signed_by(&signer(seed).verifying_key(), &topic));
        assert!(!approval.is_signed_by(&signer(9).verifying_key(), &topic));
        assert_eq!(approval.approved_at(), 1_795_000_000);
    }
}

#[test]
fn an_approval_is_bound_to_its_topic() {
    let document = document();
    let approval = Approval::read(&approved(&document, 1, "sato")).unwrap();
    let mut topic = topic_of(&document);
    topic.kind = DownKind::Ack;
    assert!(!approval.is_signed_by(&signer(1).verifying_key(), &topic));
    topic.kind = DownKind::Command;
    topic.to.device = "c-04".parse().unwrap();
    assert!(!approval.is_signed_by(&signer(1).verifying_key(), &topic));
}

#[test]
fn none_three_or_different_approvals_are_no_message() {
    let document = document();
    let one = approved(&document, 1, "sato");
    assert_eq!(join(&[]), Err(ApprovalError::Form));
    let three = [one.clone(), one.clone(), one.clone()];
    assert_eq!(join(&three), Err(ApprovalError::Form));
    let bytes = [vec![0x83], three.concat()].concat();
    assert_eq!(Message::read(&bytes).unwrap_err(), ApprovalError::Form);
    assert_eq!(Message::read(&[0x80]).unwrap_err(), ApprovalError::Form);
    let other = Document::new(order(2, Verb::Reboot)).unwrap();
    let different = [one, approved(&other, 2, "suzuki")];
    assert_eq!(join(&different), Err(ApprovalError::Differ));
}

#[test]
fn a_message_has_one_encoding() {
    let bytes = join(&[approved(&document(), 1, "sato")]).unwrap();
    assert!(Message::read(&bytes).is_ok());
    let content = &bytes[1..];
    let others = [
        [&[0x9F], content, &[0xFF]].concat(), // an indefinite length
        [&[0x98, 0x01], content].concat(),    // a length that is not the shortest
        [bytes.as_slice(), &[0x00]].concat(), // something follows
        content.to_vec(),                     // no array
        [&[0xC1], bytes.as_slice()].concat(), // a tag
        vec![0x81; LONGEST],                  // too deep
    ];
    for other in others {
        assert_eq!(Message::read(&other).unwrap_err(), ApprovalError::Form);
    }
    for end in 0..bytes.len() {
        assert!(Message::read(&bytes[..end]).is_err(), "cut at {end}");
    }
    let long = vec![0; LONGEST + 1];
    assert_eq!(Message::read(&long).unwrap_err(), ApprovalError::TooLong);
}

#[test]
fn what_is_signed_for_another_purpose_is_no_approval() {
    let document = document();
    let stamp = Stamp {
        epoch: 1,
        lane: Lane::Commands,
        number: 1,
        monotonic_millis: 1,
        issued_at: 1,
        quality: TimeQuality::Free,
    };
    let topic = topic_of(&document).to_string();
    let payload = document.bytes().to_vec();
    let sealed = envelope::seal(&signer(1), "sato", stamp, &topic, payload).unwrap();
    assert_eq!(Approval::read(&sealed).unwrap_err(), ApprovalError::Form);
    let approval = approved(&document, 1, "sato");
    assert!(telemetry::Envelope::read(&approval).is_err());
    let named = sign1::sign(
        &signer(1),
        Claims {
            issuer: "佐藤".to_owned(),
            issued_at: 1,
            label: APPROVAL,
            value: Value::from(VERSION),
        },
        &topic,
        document.bytes().to_vec(),
    );
    let error = Approval::read(&named.unwrap()).unwrap_err();
    assert_eq!(error, ApprovalError::Form);
}
