//! Between the core and a driver host.

use agent_api::job as api;
use agent_api::secret::SecretText;
use agent_core::effect::{HostAnswer, HostCommand};
use agent_core::event::{DeviceReport, DeviceState, HostSays, SecretKind, ServiceState};
use agent_core::{Sealed, task};
use device_api::{DeviceClass, DeviceId, FaultCode};
use host_protocol as wire;

use super::api::millis;

/// A command for a host; `today` is the date in Japan.
#[must_use]
pub fn command(command: HostCommand, today: &str) -> wire::AgentMessage {
    match command {
        HostCommand::Welcome { protocol } => wire::AgentMessage::Welcome { protocol },
        HostCommand::Start {
            work,
            device,
            within,
            task,
        } => wire::AgentMessage::Start {
            id: work,
            device: device.as_str().to_owned(),
            deadline_ms: millis(within),
            task: task_of(task, today),
        },
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
    }
}

fn task_of(task: task::Task, today: &str) -> wire::Task {
    match task {
        task::Task::IdentifyCard => wire::Task::IdentifyCard {},
        task::Task::ReadMyNumberCard { fields, credential } => wire::Task::ReadMyNumberCard {
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
        },
    }
}

/// What a host said; `today` is the date in Japan, for products that leave expiry open.
#[must_use]
pub fn says(message: wire::HostMessage, today: &str) -> HostSays<api::JobResult> {
    match message {
        wire::HostMessage::Hello { protocols, host: _ } => HostSays::Hello { protocols },
        wire::HostMessage::Devices { service, devices } => HostSays::Devices {
            service: match service {
                wire::ServiceState::Up => ServiceState::Up,
                wire::ServiceState::Down => ServiceState::Down,
                wire::ServiceState::Denied => ServiceState::Denied,
            },
            devices: devices.into_iter().filter_map(device).collect(),
        },
        wire::HostMessage::Accepted { id } => HostSays::Accepted { work: id },
        wire::HostMessage::Progress { id, step, card } => HostSays::Progress {
            work: id,
            step: match step {
                wire::Step::WaitingForCard => task::Step::WaitingForCard,
                wire::Step::Identifying => task::Step::Identifying,
                wire::Step::Reading => task::Step::Reading,
                wire::Step::Verifying => task::Step::Verifying,
            },
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
        wire::HostMessage::Finished { id, outcome } => finished(id, outcome, today),
        wire::HostMessage::Pong { n } => HostSays::Pong { n },
    }
}

/// A device of a class that this agent does not know has nobody who could use it.
fn device(device: wire::DeviceDescription) -> Option<DeviceReport> {
    let class = DeviceClass::CardReader;
    if device.class != class.as_str() {
        tracing::warn!(
            class = device.class,
            "a driver host offers a device of an unknown class"
        );
        return None;
    }
    Some(DeviceReport {
        id: DeviceId::new(device.id),
        class,
        name: device.name,
        state: match device.state {
            wire::DeviceState::Empty => DeviceState::Empty,
            wire::DeviceState::CardPresent => DeviceState::CardPresent,
            wire::DeviceState::CardMute => DeviceState::CardMute,
            wire::DeviceState::InUse => DeviceState::InUse,
            wire::DeviceState::Unresponsive => DeviceState::Unresponsive,
        },
        pin_pad: device.pin_pad,
    })
}

fn finished(work: u64, outcome: wire::Outcome, today: &str) -> HostSays<api::JobResult> {
    match outcome {
        wire::Outcome::Done { product } => {
            let (verdict, result) = product_of(*product, today);
            HostSays::Done {
                work,
                verdict,
                result: Sealed::new(result),
            }
        }
        wire::Outcome::Failed { fault } => {
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
            }
        }
    }
}

fn product_of(product: wire::Product, today: &str) -> (Option<task::Verdict>, api::JobResult) {
    match product {
        wire::Product::Card { card } => {
            let (card, serial) = card_of(card, today);
            (None, api::JobResult::Card { card, serial })
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
            (Some(verdict), result)
        }
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

    fn heard(line: &str) -> HostSays<api::JobResult> {
        says(host_protocol::decode(line.as_bytes()).unwrap(), TODAY)
    }

    fn told(said: HostCommand) -> String {
        let line = host_protocol::encode(&command(said, TODAY)).unwrap();
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
