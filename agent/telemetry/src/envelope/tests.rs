//! Envelopes made, taken apart, and spoilt; bytes of other implementations are in `tests/judges`.

use coset::{CoseSign1, CoseSign1Builder, TaggedCborSerializable as _};

use super::*;
use crate::message::device::FaultChange;
use crate::message::{Class, Message};
use crate::signer::SoftwareSigner;

const TOPIC: &str = "madoguchi/1/hoshino-shi/c-03/up/al/fault";

fn stamp() -> Stamp {
    Stamp {
        epoch: 7,
        lane: Lane::Alerts,
        number: 300,
        monotonic_millis: 70_000,
        issued_at: 1_795_000_000,
        quality: TimeQuality::Synchronised,
    }
}

fn sealed() -> (SoftwareSigner, Vec<u8>) {
    let signer = SoftwareSigner::from_seed(&[7; 32]).unwrap();
    let message = Message::Fault(FaultChange {
        device: "ticketPrinter:1".parse().unwrap(),
        fault: "PRN-PAPER-OUT".parse().unwrap(),
        raised: true,
    });
    let payload = message.encode().unwrap();
    let bytes = seal(
        &signer,
        "urn:madoguchi:hoshino-shi:c-03",
        stamp(),
        TOPIC,
        payload,
    )
    .unwrap();
    (signer, bytes)
}

#[test]
fn what_was_sealed_is_opened() {
    let (signer, bytes) = sealed();
    let envelope = Envelope::read(&bytes).unwrap();
    assert_eq!(envelope.header().stamp, stamp());
    assert_eq!(envelope.header().key, signer.verifying_key().id());
    assert!(envelope.is_signed_by(&signer.verifying_key(), TOPIC));
    let message = Message::decode(Class::Fault, envelope.payload()).unwrap();
    assert_eq!(
        serde_json::to_string(&message).unwrap(),
        r#"{"device":"ticketPrinter:1","fault":"PRN-PAPER-OUT","raised":true}"#
    );
}

#[test]
fn another_implementation_reads_verifies_and_writes_the_same_bytes() {
    let (signer, bytes) = sealed();
    let mut cose = CoseSign1::from_tagged_slice(&bytes).unwrap();
    cose.verify_signature(TOPIC.as_bytes(), |signature, covered| {
        assert!(signer.verifying_key().verifies(covered, signature));
        Ok::<(), ()>(())
    })
    .unwrap();
    cose.protected.original_data = None;
    assert_eq!(cose.to_tagged_vec().unwrap(), bytes);
}

#[test]
fn another_topic_or_key_is_no_proof() {
    let (signer, bytes) = sealed();
    let envelope = Envelope::read(&bytes).unwrap();
    assert!(!envelope.is_signed_by(&signer.verifying_key(), &TOPIC.replace("c-03", "c-04")));
    let other = SoftwareSigner::from_seed(&[8; 32]).unwrap();
    assert!(!envelope.is_signed_by(&other.verifying_key(), TOPIC));
}

#[test]
fn every_bit_counts() {
    let (signer, bytes) = sealed();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut spoilt = bytes.clone();
            spoilt[place] ^= 1 << bit;
            let proved = Envelope::read(&spoilt)
                .is_ok_and(|envelope| envelope.is_signed_by(&signer.verifying_key(), TOPIC));
            assert!(!proved, "bit {bit} of byte {place}");
        }
    }
    for end in 0..bytes.len() {
        assert!(Envelope::read(&bytes[..end]).is_err(), "cut at {end}");
    }
    assert!(Envelope::read(&[bytes.as_slice(), &[0]].concat()).is_err());
}

#[test]
fn headers_beyond_those_of_the_protocol_are_refused() {
    let (signer, bytes) = sealed();
    let spoilers: [fn(&mut CoseSign1); 5] = [
        |cose| cose.unprotected.key_id = vec![1],
        |cose| cose.protected.header.content_type = Some(coset::ContentType::Text("x".into())),
        |cose| {
            cose.protected.header.crit = vec![coset::RegisteredLabelWithPrivate::Text("x".into())]
        },
        |cose| cose.protected.header.rest.swap(0, 1),
        |cose| cose.protected.header.alg = None,
    ];
    for spoil in spoilers {
        let mut cose = CoseSign1::from_tagged_slice(&bytes).unwrap();
        cose.protected.original_data = None;
        spoil(&mut cose);
        let signed = CoseSign1Builder::new()
            .protected(cose.protected.header)
            .unprotected(cose.unprotected)
            .payload(cose.payload.unwrap())
            .create_signature(TOPIC.as_bytes(), |text| signer.sign(text).unwrap().to_vec())
            .build();
        assert!(Envelope::read(&signed.to_tagged_vec().unwrap()).is_err());
    }
}

#[test]
fn what_is_too_long_is_neither_made_nor_read() {
    let signer = SoftwareSigner::from_seed(&[7; 32]).unwrap();
    let error = seal(&signer, "urn:x", stamp(), TOPIC, vec![0; LONGEST]).unwrap_err();
    assert_eq!(error, SealError::TooLong);
    let long = vec![0; LONGEST + 1];
    assert_eq!(Envelope::read(&long).unwrap_err(), EnvelopeError::TooLong);
}
