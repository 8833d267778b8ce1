//! What comes out of a signature, also where not everything can be made of it.

use agent_api::signature::{Export, Place};
use agent_core::ids::{HostId, Origin};
use device_api::DeviceId;
use ring::rand::SystemRandom;

use super::*;

/// Enough touching samples, the last of them so many microseconds after the first.
fn samples(last_us: u64) -> Vec<wire::InkSample> {
    let place = |n: u64| i32::try_from(n).unwrap() * 37;
    let at = |n: u64| if n == 39 { last_us } else { n * 5_000 };
    (0..40)
        .map(|n| wire::InkSample(at(n), place(n), place(n), 500, 0, 0, 3))
        .collect()
}

fn to_seal(document: &[u8], exports: &[Export], place: Option<Place>, last_us: u64) -> ToSeal {
    let samples = serde_json::to_vec(&samples(last_us)).unwrap();
    let digest = hex::encode(container::sha256(document));
    ToSeal {
        of: (
            HostRun {
                host: HostId(0),
                run: 1,
            },
            7,
        ),
        signing: Signing {
            order: SigningOrder {
                document: "d".to_owned(),
                surface: agent_api::signature::Surface::CitizenScreen,
                every_page: false,
                visit: None,
                exports: exports.to_vec(),
                place,
            },
            audit: AuditOrder {
                staff: "s-1".to_owned(),
                origin: Origin::new("https://a.test"),
                counter: "3".to_owned(),
                device: DeviceId::new("signatureTablet:desk"),
                purpose: "試験".to_owned(),
                operation: "captureSignature",
                subject: None,
                fields: Vec::new(),
                credential: None,
            },
            document: Content {
                media_type: "image/png".to_owned(),
                bytes: Zeroizing::new(document.to_vec()),
            },
            begun_at: 1_795_240_800_000,
        },
        signature: wire::Signature {
            device: wire::InkDevice {
                model: "Example".to_owned(),
                serial: String::new(),
                firmware: String::new(),
                max_x: 10_000,
                max_y: 10_000,
                max_pressure: 1023,
                milli_units_per_mm: 100_000,
                nominal_rate: 200,
                clock: wire::SampleClock::Device,
            },
            samples: wire::Attachment {
                attachment: 1,
                media_type: "application/json".to_owned(),
                length: u64::try_from(samples.len()).unwrap(),
            },
            count: 40,
            lost: 0,
            unreadable: 0,
            measured_milli_rate: 0,
            attempts: 1,
            document_sha256: digest.clone(),
            shown: vec![wire::ShownPage {
                page: 1,
                picture_sha256: digest,
                sent_sha256: None,
                shown_ms: 900,
            }],
            area: wire::Area {
                x: 0,
                y: 0,
                width: 300,
                height: 100,
            },
            ink_area: [0, 0, 10_000, 10_000],
        },
        samples: Zeroizing::new(samples),
    }
}

/// The roles of what came out, and what was left out.
fn made(to_seal: &ToSeal) -> (Vec<String>, Vec<Export>) {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let key = Arc::new(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap());
    let seal = Seal {
        agent: "agent".to_owned(),
        key,
        municipality: None,
    };
    let HostSays::Done { result, .. } = seal.seal(to_seal, Turn::None, 1_795_240_860_000) else {
        panic!("nothing was sealed")
    };
    let Parcel::Result(result) = result.open() else {
        panic!("no result")
    };
    let JobResult::Signature { summary, documents } = *result else {
        panic!("no signature")
    };
    let roles = documents.into_iter().map(|document| document.role);
    (roles.collect(), summary.not_made)
}

fn names(roles: &[&str]) -> Vec<String> {
    roles.iter().map(|role| (*role).to_owned()).collect()
}

#[test]
fn an_export_that_cannot_be_made_costs_nobody_a_signature() {
    let everywhere = Some(Place {
        page: 1,
        area: [0, 0, 600, 200],
    });
    let wanted = [Export::Png, Export::Pdf, Export::Iso19794];
    // A picture is no PDF, and takes no signature.
    let picture = to_seal(b"no PDF", &wanted, everywhere.clone(), 200_000);
    assert_eq!(
        made(&picture),
        (names(&["container", "png", "iso19794"]), vec![Export::Pdf])
    );
    // ISO/IEC 19794-7 has 16 bits for the milliseconds between two samples.
    let slow = to_seal(b"no PDF", &wanted[2..], everywhere, 70_000_000);
    assert_eq!(made(&slow), (names(&["container"]), vec![Export::Iso19794]));
    let nowhere = to_seal(b"%PDF-1.7", &[Export::Pdf], None, 200_000);
    assert_eq!(made(&nowhere), (names(&["container"]), vec![Export::Pdf]));
}
