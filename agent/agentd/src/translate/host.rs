//! Between the core and a driver host.

use std::time::Duration;

use agent_api::job as api;
use agent_api::secret::SecretText;
use agent_core::effect::{HostAnswer, HostCommand};
use agent_core::event::{HostSays, SecretKind, ServiceState};
use agent_core::task;
use device_api::{DeviceId, FaultCode};
use host_protocol as wire;

use super::api::millis;
use crate::parcel::{Content, Parcel};

/// What a command is to a host: a message, and for a start the documents that follow it.
#[derive(Debug)]
pub struct Told {
    /// The message.
    pub message: wire::AgentMessage,
    /// The documents, numbered from 1.
    pub attachments: Vec<Content>,
}

impl From<wire::AgentMessage> for Told {
    fn from(message: wire::AgentMessage) -> Self {
        Self {
            message,
            attachments: Vec::new(),
        }
    }
}

/// A command for a host, without that which starts a job; `settings` go with the welcome.
#[must_use]
pub fn command(command: HostCommand<Parcel>, settings: Option<&serde_json::Value>) -> Option<Told> {
    let message = match command {
        HostCommand::Welcome { protocol } => wire::AgentMessage::Welcome {
            protocol,
            settings: settings.cloned(),
        },
        HostCommand::Start { .. } => return None,
        HostCommand::Received { work, n } => wire::AgentMessage::Received { id: work, n },
        HostCommand::Act { work, act } => {
            let Parcel::Act(act) = act.open() else {
                return None;
            };
            wire::AgentMessage::Act {
                id: work,
                act: *act,
            }
        }
        HostCommand::Answer { work, ask, answer } => wire::AgentMessage::Answer {
            id: work,
            ask,
            answer: match answer {
                HostAnswer::Secret {
                    value,
                    last_try_allowed,
                } => wire::Answer::Secret {
                    // The core lets only digits through; anything else becomes nothing, which the
                    // host refuses before the card sees it.
                    value: wire::SecretText::new(
                        String::from_utf8(value.expose().to_vec()).unwrap_or_default(),
                    ),
                    last_try_allowed,
                },
                HostAnswer::EnterOnDevice { last_try_allowed } => {
                    wire::Answer::EnterOnDevice { last_try_allowed }
                }
                HostAnswer::Declined => wire::Answer::Declined,
                HostAnswer::TimedOut => wire::Answer::TimedOut,
            },
        },
        HostCommand::Cancel { work } => wire::AgentMessage::Cancel { id: work },
        HostCommand::Ping { n } => wire::AgentMessage::Ping { n },
    };
    Some(Told::from(message))
}

/// The message that starts a job; the task of a card reader is made of the core's words, any other is
/// `assigned`.
#[must_use]
pub fn start(
    (work, device, within): (u64, &DeviceId, Duration),
    task: wire::Task,
    attachments: Vec<Content>,
) -> Told {
    Told {
        message: wire::AgentMessage::Start {
            id: work,
            device: device.as_str().to_owned(),
            deadline_ms: millis(within),
            task,
        },
        attachments,
    }
}

/// The task of a card reader, in the host's words; `None` for any other.
#[must_use]
pub fn card_task(task: task::Task, today: &str) -> Option<wire::Task> {
    match task {
        task::Task::IdentifyCard => Some(wire::Task::IdentifyCard {}),
        task::Task::ReadMyNumberCard { fields, credential } => Some(wire::Task::ReadMyNumberCard {
            fields: fields
                .into_iter()
                .map(|field| match field {
                    task::Field::FourAttributes => wire::Field::FourAttributes,
                    task::Field::IndividualNumber => wire::Field::IndividualNumber,
                })
                .collect(),
            credential: match credential {
                task::Credential::PinOnScreen { .. } | task::Credential::PinByApi => {
                    wire::Credential::Pin
                }
                task::Credential::PinOnDevice => wire::Credential::PinOnDevice,
                task::Credential::VerificationNumberB => wire::Credential::VerificationNumberB,
            },
            today: today.to_owned(),
        }),
        task::Task::ScanCodes
        | task::Task::CaptureSignature { .. }
        | task::Task::CalibrateTablet { .. }
        | task::Task::PrintTicket { .. }
        | task::Task::ListTickets
        | task::Task::SettleTicket { .. }
        | task::Task::PrintDocument
        | task::Task::ScanDocument
        | task::Task::TypeText { .. }
        | task::Task::HandOver { .. } => None,
    }
}

/// What a host said; `None` for what is put together elsewhere: items, parts and ends of jobs.
/// `today` is the date in Japan, for products that leave expiry open.
#[must_use]
pub fn says(message: wire::HostMessage, today: &str) -> Option<HostSays<Parcel>> {
    Some(match message {
        wire::HostMessage::Hello { protocols, host: _ } => HostSays::Hello { protocols },
        wire::HostMessage::Devices { service, devices } => HostSays::Devices {
            service: match service {
                wire::ServiceState::Up => ServiceState::Up,
                wire::ServiceState::Down => ServiceState::Down,
                wire::ServiceState::Denied => ServiceState::Denied,
            },
            devices: devices
                .into_iter()
                .filter_map(super::device::report)
                .collect(),
        },
        wire::HostMessage::Accepted { id } => HostSays::Accepted { work: id },
        wire::HostMessage::Progress { id, step, card } => HostSays::Progress {
            work: id,
            step: step_of(step),
            card: card.map(|card| task::CardFacts {
                expired: Some(has_expired(&card, today)),
                municipality_code: card.municipality_code,
                expires_on: card.expires_on,
            }),
        },
        wire::HostMessage::Ask { id, ask, question } => {
            let (secret, tries_left) = match question {
                wire::Question::Pin { tries_left } => (SecretKind::Pin, tries_left),
                wire::Question::PinOnDevice { tries_left } => (SecretKind::PinOnDevice, tries_left),
                wire::Question::VerificationNumberB { tries_left } => {
                    (SecretKind::VerificationNumberB, tries_left)
                }
            };
            HostSays::Ask {
                work: id,
                ask,
                secret,
                tries_left,
            }
        }
        wire::HostMessage::Pong { n } => HostSays::Pong { n },
        wire::HostMessage::Item { .. }
        | wire::HostMessage::Part { .. }
        | wire::HostMessage::Finished { .. } => return None,
    })
}

/// Takes out devices that a vendor's host offers under a name that is not its own, so that it can neither
/// stand for a device of somebody else nor shut one out.
#[must_use]
pub fn only_own(message: wire::HostMessage, vendor: Option<&str>) -> wire::HostMessage {
    match (message, vendor) {
        (
            wire::HostMessage::Devices {
                service,
                mut devices,
            },
            Some(vendor),
        ) => {
            devices.retain(|device| {
                let rest = device.id.strip_prefix(vendor);
                let own = rest.is_some_and(|rest| rest.starts_with(':') && rest.len() > 1);
                if !own {
                    tracing::warn!(
                        driver = vendor,
                        device = device.id,
                        "a device is ignored: its id does not begin with the name of its driver"
                    );
                }
                own
            });
            wire::HostMessage::Devices { service, devices }
        }
        (message, _) => message,
    }
}

const fn step_of(step: wire::Step) -> task::Step {
    match step {
        wire::Step::WaitingForCard => task::Step::WaitingForCard,
        wire::Step::Identifying => task::Step::Identifying,
        wire::Step::Reading => task::Step::Reading,
        wire::Step::Verifying => task::Step::Verifying,
        wire::Step::WaitingForCode => task::Step::WaitingForCode,
        wire::Step::Showing => task::Step::Showing,
        wire::Step::Signing => task::Step::Signing,
        wire::Step::Printing => task::Step::Printing,
        wire::Step::WaitingForPaper => task::Step::WaitingForPaper,
        wire::Step::Scanning => task::Step::Scanning,
        wire::Step::Processing => task::Step::Processing,
        wire::Step::Announcing => task::Step::Announcing,
        wire::Step::Typing => task::Step::Typing,
        wire::Step::Writing => task::Step::Writing,
        wire::Step::WaitingForReceipt => task::Step::WaitingForReceipt,
    }
}

/// The end of a job that failed.
#[must_use]
pub fn failed(work: u64, fault: &wire::HostFault) -> HostSays<Parcel> {
    let code = FaultCode::from_code(&fault.code).unwrap_or(FaultCode::HostUnusable);
    tracing::info!(
        work,
        fault = code.as_str(),
        detail = fault.detail,
        "a job failed at its host"
    );
    HostSays::Failed {
        work,
        fault: task::Fault {
            code,
            tries_left: fault.tries_left,
        },
        about: fault.about.clone(),
    }
}

/// A product that comes without documents; no result for one that needs them.
#[must_use]
pub fn product_of(
    product: wire::Product,
    today: &str,
) -> (Option<task::Verdict>, Option<api::JobResult>) {
    match product {
        wire::Product::Card { card } => {
            let (card, serial) = card_of(card, today);
            (None, Some(api::JobResult::Card { card, serial }))
        }
        wire::Product::Reading { reading } => {
            let (card, serial) = card_of(reading.card, today);
            let (verdict, authenticity) = authenticity(reading.authenticity);
            let result = api::JobResult::Reading {
                card,
                serial,
                attributes: reading.attributes.map(attributes),
                individual_number: reading.individual_number.as_ref().map(text),
                authenticity,
                notices: reading.notices.into_iter().map(notice).collect(),
            };
            (Some(verdict), Some(result))
        }
        product @ (wire::Product::Scans { .. }
        | wire::Product::Signature { .. }
        | wire::Product::Calibration { .. }
        | wire::Product::Ticket { .. }
        | wire::Product::Tickets { .. }
        | wire::Product::Pages { .. }
        | wire::Product::Document { .. }
        | wire::Product::Typed { .. }
        | wire::Product::HandedOver { .. }) => (None, super::product::plain(product)),
    }
}

fn text(text: &wire::SecretText) -> SecretText {
    SecretText::new(text.expose().to_owned())
}

fn card_of(card: wire::CardFacts, today: &str) -> (api::CardFacts, SecretText) {
    let serial = text(&card.serial);
    let facts = api::CardFacts {
        expired: has_expired(&card, today),
        municipality_code: card.municipality_code,
        expires_on: card.expires_on,
    };
    (facts, serial)
}

/// Dates of this form compare as text. A card is valid to the end of its last day.
fn has_expired(card: &wire::CardFacts, today: &str) -> bool {
    card.expired
        .unwrap_or_else(|| card.expires_on.as_str() < today)
}

fn attributes(read: wire::Attributes) -> api::Attributes {
    api::Attributes {
        name: text(&read.name),
        address: text(&read.address),
        birth_date: text(&read.birth_date),
        sex: text(&read.sex),
    }
}

fn authenticity(found: wire::Authenticity) -> (task::Verdict, api::Authenticity) {
    let (core, verdict) = match found.verdict {
        wire::Verdict::Genuine => (task::Verdict::Genuine, api::Verdict::Genuine),
        wire::Verdict::NotVerified => (task::Verdict::NotVerified, api::Verdict::NotVerified),
        wire::Verdict::Forged => (task::Verdict::Forged, api::Verdict::Forged),
    };
    (
        core,
        api::Authenticity {
            verdict,
            reason: found.reason,
            anchor: found.anchor,
        },
    )
}

fn notice(notice: wire::TextNotice) -> api::TextNotice {
    api::TextNotice {
        field: match notice.field {
            wire::AttributeName::Name => api::AttributeName::Name,
            wire::AttributeName::Address => api::AttributeName::Address,
        },
        position: notice.position,
        kind: match notice.kind {
            wire::NoticeKind::OutsideJisX0213 => api::NoticeKind::OutsideJisX0213,
            wire::NoticeKind::PrivateUse => api::NoticeKind::PrivateUse,
            wire::NoticeKind::VariationSequence => api::NoticeKind::VariationSequence,
            wire::NoticeKind::Damaged => api::NoticeKind::Damaged,
        },
    }
}

#[cfg(test)]
mod tests {
    use agent_core::event::ServiceState;

    use super::*;

    const TODAY: &str = "2026-11-21";

    fn heard(line: &str) -> HostSays<Parcel> {
        says(host_protocol::decode(line.as_bytes()).unwrap(), TODAY).unwrap()
    }

    fn told(said: HostCommand<Parcel>) -> String {
        let line = host_protocol::encode(&command(said, None).unwrap().message).unwrap();
        String::from_utf8(line.to_vec()).unwrap()
    }

    #[test]
    fn an_entry_on_the_device_is_asked_for_and_permitted_without_any_value() {
        let line =
            r#"{"type":"ask","id":7,"ask":1,"question":{"kind":"pinOnDevice","triesLeft":3}}"#;
        let HostSays::Ask {
            work: 7,
            ask: 1,
            secret: SecretKind::PinOnDevice,
            tries_left: 3,
        } = heard(line)
        else {
            panic!("{line}")
        };
        let answer = HostAnswer::EnterOnDevice {
            last_try_allowed: true,
        };
        assert_eq!(
            told(HostCommand::Answer {
                work: 7,
                ask: 1,
                answer
            }),
            "{\"type\":\"answer\",\"id\":7,\"ask\":1,\"answer\":\
             {\"kind\":\"enterOnDevice\",\"lastTryAllowed\":true}}\n"
        );
    }

    #[test]
    fn a_vendors_host_offers_devices_of_its_own_name_only() {
        let device = |id: &str| {
            format!(r#"{{"id":"{id}","class":"codeScanner","name":"a","state":"ready"}}"#)
        };
        let ids = [
            "acme:1",
            "acme",
            "acme:",
            "acmes:1",
            "codeScanner:1",
            ":1",
            "",
        ];
        let list = ids.map(device).join(",");
        let line = format!(r#"{{"type":"devices","service":"up","devices":[{list}]}}"#);
        let kept = |vendor| {
            let message = host_protocol::decode(line.as_bytes()).unwrap();
            let wire::HostMessage::Devices { devices, .. } = only_own(message, vendor) else {
                panic!("{line}")
            };
            let ids = devices.into_iter().map(|device| device.id);
            ids.collect::<Vec<String>>()
        };
        assert_eq!(kept(Some("acme")), ["acme:1"]);
        assert_eq!(kept(None), ids);
    }

    #[test]
    fn a_service_that_refuses_stays_one_that_refuses() {
        for (word, state) in [
            ("up", ServiceState::Up),
            ("down", ServiceState::Down),
            ("denied", ServiceState::Denied),
        ] {
            let line = format!(r#"{{"type":"devices","service":"{word}","devices":[]}}"#);
            let HostSays::Devices { service, .. } = heard(&line) else {
                panic!("{line}")
            };
            assert_eq!(service, state);
        }
    }
}
