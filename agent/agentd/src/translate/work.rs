//! What a page asks of a device, as the core and the host protocol say it.
//!
//! Invariant: a document is named by a page and numbered for a host; the numbers follow the order in which
//! the documents are listed.

use agent_api::document as api_document;
use agent_api::item as api_item;
use agent_api::job::{Credential, Field, Task};
use agent_api::secret::SecretText;
use agent_api::signature::{Export, Surface};
use agent_api::ticket as api_ticket;
use agent_core::ids::DocumentId;
use agent_core::task;
use host_protocol as wire;

use crate::parcel::Assignment;

/// A task in the three forms in which it is needed.
#[derive(Debug)]
pub struct Divided {
    /// For the core.
    pub task: task::Task,
    /// For the driver host; `None` where the core's form says it all.
    pub assignment: Option<Assignment>,
    /// The documents that it uses up.
    pub documents: Vec<DocumentId>,
}

impl Divided {
    /// A card reader's task, of which the core's form says all.
    const fn of_card(task: task::Task) -> Self {
        Self {
            task,
            assignment: None,
            documents: Vec::new(),
        }
    }
}

/// What of a task cannot be done, whatever device it goes to; `None` where nothing is wrong.
#[must_use]
pub fn wrong_part(task: &Task) -> Option<&'static str> {
    let Task::CaptureSignature { order } = task else {
        return None;
    };
    let wants_place = order.exports.contains(&Export::Pdf);
    // Found out later, it would cost the citizen a second signature.
    (wants_place && order.place.is_none()).then_some("place")
}

/// Divides a task.
#[must_use]
pub fn divide(task: Task) -> Divided {
    let mut documents = Documents::default();
    let mut signing = None;
    let (core, wire) = match task {
        Task::IdentifyCard {} => return Divided::of_card(task::Task::IdentifyCard),
        Task::ReadMyNumberCard { fields, credential } => {
            return Divided::of_card(task::Task::ReadMyNumberCard {
                fields: fields.into_iter().map(field).collect(),
                credential: credential_of(credential),
            });
        }
        Task::ScanCodes {} => (task::Task::ScanCodes, wire::Task::ScanCodes {}),
        Task::CaptureSignature { order } => {
            let core = task::Task::CaptureSignature {
                surface: surface_of(order.surface),
                visit: order.visit.clone(),
            };
            let wire = wire::Task::CaptureSignature {
                order: wire::SignOrder {
                    document: documents.attach(order.document.clone()),
                    every_page: order.every_page,
                },
            };
            signing = Some(order);
            (core, wire)
        }
        Task::CalibrateTablet { surface } => {
            let surface = surface_of(surface);
            let core = task::Task::CalibrateTablet { surface };
            (core, wire::Task::CalibrateTablet {})
        }
        Task::PrintTicket {
            ticket,
            content,
            reissue,
        } => (
            task::Task::PrintTicket {
                ticket: ticket.clone(),
                reissue,
            },
            wire::Task::PrintTicket {
                ticket,
                content: content
                    .into_iter()
                    .map(|element| ticket_element(element, &mut documents))
                    .collect(),
                reissue,
            },
        ),
        Task::ListTickets {} => (task::Task::ListTickets, wire::Task::ListTickets {}),
        Task::SettleTicket { ticket, came_out } => (
            task::Task::SettleTicket {
                ticket: ticket.clone(),
            },
            wire::Task::SettleTicket { ticket, came_out },
        ),
        Task::PrintDocument {
            document,
            copies,
            duplex,
        } => (
            task::Task::PrintDocument,
            wire::Task::PrintDocument {
                document: documents.attach(document),
                copies,
                duplex,
            },
        ),
        Task::ScanDocument { order } => (
            task::Task::ScanDocument,
            wire::Task::ScanDocument {
                order: scan_order(&order),
            },
        ),
        Task::TypeText { form, values } => (
            task::Task::TypeText { form: form.clone() },
            wire::Task::TypeText {
                form,
                values: named(values),
            },
        ),
        Task::HandOver { template, values } => (
            task::Task::HandOver {
                template: template.clone(),
            },
            wire::Task::HandOver {
                template,
                values: named(values),
            },
        ),
    };
    Divided {
        task: core,
        assignment: Some(Assignment {
            task: wire,
            signing,
        }),
        documents: documents.0,
    }
}

/// Says what the attachments of a task are, once the documents are at hand.
pub fn describe_attachments(task: &mut wire::Task, contents: &[crate::parcel::Content]) {
    let describe = |attachment: &mut wire::Attachment| {
        let place = attachment.attachment.checked_sub(1);
        let content = place
            .and_then(|place| usize::try_from(place).ok())
            .and_then(|place| contents.get(place));
        if let Some(content) = content {
            attachment.media_type.clone_from(&content.media_type);
            attachment.length = u64::try_from(content.bytes.len()).unwrap_or(u64::MAX);
        }
    };
    match task {
        wire::Task::CaptureSignature { order } => describe(&mut order.document),
        wire::Task::PrintDocument { document, .. } => describe(document),
        wire::Task::PrintTicket { content, .. } => {
            for element in content {
                if let wire::TicketElement::Picture { picture } = element {
                    describe(picture);
                }
            }
        }
        wire::Task::IdentifyCard {}
        | wire::Task::ReadMyNumberCard { .. }
        | wire::Task::ScanCodes {}
        | wire::Task::CalibrateTablet {}
        | wire::Task::ListTickets {}
        | wire::Task::SettleTicket { .. }
        | wire::Task::ScanDocument { .. }
        | wire::Task::TypeText { .. }
        | wire::Task::HandOver { .. } => {}
    }
}

/// What a citizen did with a document that is shown.
#[must_use]
pub fn act(act: api_item::Act) -> wire::Act {
    match act {
        api_item::Act::Shown { page } => wire::Act::Shown { page },
        api_item::Act::Turn { page } => wire::Act::Turn { page },
        api_item::Act::Ink { samples } => wire::Act::Ink {
            samples: samples.into_iter().map(ink_sample).collect(),
        },
        api_item::Act::Redo {} => wire::Act::Redo {},
        api_item::Act::Confirm {} => wire::Act::Confirm {},
        api_item::Act::Decline {} => wire::Act::Decline {},
    }
}

const fn ink_sample(sample: api_item::InkSample) -> wire::InkSample {
    let api_item::InkSample(at, x, y, pressure, tilt_x, tilt_y, flags) = sample;
    wire::InkSample(at, x, y, pressure, tilt_x, tilt_y, flags)
}

const fn surface_of(surface: Surface) -> task::Surface {
    match surface {
        Surface::CitizenScreen => task::Surface::CitizenScreen,
        Surface::Application => task::Surface::Application,
    }
}

const fn field(field: Field) -> task::Field {
    match field {
        Field::FourAttributes => task::Field::FourAttributes,
        Field::IndividualNumber => task::Field::IndividualNumber,
    }
}

const fn credential_of(credential: Credential) -> task::Credential {
    match credential {
        Credential::PinOnScreen => task::Credential::PinOnScreen { shuffled: false },
        Credential::PinOnScreenShuffled => task::Credential::PinOnScreen { shuffled: true },
        Credential::PinByApi => task::Credential::PinByApi,
        Credential::PinOnDevice => task::Credential::PinOnDevice,
        Credential::VerificationNumberB => task::Credential::VerificationNumberB,
    }
}

/// The documents of one task, in the order in which they are numbered.
#[derive(Default)]
struct Documents(Vec<DocumentId>);

impl Documents {
    fn attach(&mut self, id: String) -> wire::Attachment {
        self.0.push(DocumentId::new(id));
        wire::Attachment {
            attachment: u32::try_from(self.0.len()).unwrap_or(u32::MAX),
            media_type: String::new(),
            length: 0,
        }
    }
}

fn ticket_element(
    element: api_ticket::TicketElement,
    documents: &mut Documents,
) -> wire::TicketElement {
    match element {
        api_ticket::TicketElement::Text {
            text,
            size,
            bold,
            align,
        } => wire::TicketElement::Text {
            text: secret(&text),
            size,
            bold,
            align: match align {
                api_ticket::Align::Left => wire::Align::Left,
                api_ticket::Align::Centre => wire::Align::Centre,
                api_ticket::Align::Right => wire::Align::Right,
            },
        },
        api_ticket::TicketElement::Number { text } => wire::TicketElement::Number {
            text: secret(&text),
        },
        api_ticket::TicketElement::Rule {} => wire::TicketElement::Rule {},
        api_ticket::TicketElement::Space { height } => wire::TicketElement::Space { height },
        api_ticket::TicketElement::Qr { text, module } => wire::TicketElement::Qr {
            text: secret(&text),
            module,
        },
        api_ticket::TicketElement::Picture { document } => wire::TicketElement::Picture {
            picture: documents.attach(document),
        },
    }
}

const fn scan_order(order: &api_document::DocumentScan) -> wire::ScanOrder {
    wire::ScanOrder {
        source: match order.source {
            api_document::Source::Flatbed => wire::Source::Flatbed,
            api_document::Source::Feeder => wire::Source::Feeder,
            api_document::Source::FeederDuplex => wire::Source::FeederDuplex,
        },
        resolution: order.resolution,
        colour: match order.colour {
            api_document::Colour::BlackAndWhite => wire::Colour::BlackAndWhite,
            api_document::Colour::Grey => wire::Colour::Grey,
            api_document::Colour::Colour => wire::Colour::Colour,
        },
        area: order.area,
        max_pages: order.max_pages,
        straighten: order.straighten,
        drop_blank: order.drop_blank,
        format: match order.format {
            api_document::DocumentFormat::PdfA => wire::DocumentFormat::PdfA,
            api_document::DocumentFormat::Tiff => wire::DocumentFormat::Tiff,
            api_document::DocumentFormat::Png => wire::DocumentFormat::Png,
        },
    }
}

fn named(values: agent_api::desk::Named<SecretText>) -> wire::Named<wire::SecretText> {
    values
        .into_iter()
        .map(|(name, value)| (name, secret(&value)))
        .collect()
}

fn secret(text: &SecretText) -> wire::SecretText {
    wire::SecretText::new(text.expose().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_for_a_document_without_a_place_is_refused_before_it_is_given() {
        let order = |exports: &str, place: &str| {
            let text = format!(
                r#"{{"kind":"captureSignature","order":{{"document":"d","surface":"citizenScreen","exports":[{exports}]{place}}}}}"#
            );
            serde_json::from_str::<Task>(&text).unwrap()
        };
        assert_eq!(wrong_part(&order("\"png\",\"pdf\"", "")), Some("place"));
        let place = r#","place":{"page":1,"area":[0,0,600,200]}"#;
        assert_eq!(wrong_part(&order("\"pdf\"", place)), None);
        assert_eq!(wrong_part(&order("\"png\"", "")), None);
    }
}
