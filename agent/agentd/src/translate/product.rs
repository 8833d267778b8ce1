//! What comes of the devices that are no card readers, as pages get it.

use agent_api::desk as api_desk;
use agent_api::document as api_document;
use agent_api::item as api_item;
use agent_api::job::JobResult;
use agent_api::scan as api_scan;
use agent_api::secret::SecretText;
use agent_api::signature as api_signature;
use agent_api::ticket as api_ticket;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use host_protocol as wire;

/// A product that needs nothing but words; `None` for cards, signatures and documents.
#[must_use]
pub fn plain(product: wire::Product) -> Option<JobResult> {
    Some(match product {
        wire::Product::Card { .. }
        | wire::Product::Reading { .. }
        | wire::Product::Signature { .. }
        | wire::Product::Document { .. } => return None,
        wire::Product::Scans { count } => JobResult::Scans {
            delivered: count.delivered,
            undelivered: count.undelivered,
        },
        wire::Product::Calibration { calibration } => JobResult::Calibration {
            calibration: api_signature::Calibration {
                x: calibration.x,
                y: calibration.y,
                worst_error: calibration.worst_error,
            },
        },
        wire::Product::Ticket { ticket } => JobResult::Ticket {
            ticket: printed(ticket),
        },
        wire::Product::Tickets { tickets } => JobResult::Tickets {
            tickets: tickets.into_iter().map(unknown).collect(),
        },
        wire::Product::Pages { printed } => JobResult::Pages { printed },
        wire::Product::Typed { typed } => JobResult::Typed { steps: typed.steps },
        wire::Product::HandedOver { file } => JobResult::HandedOver {
            file: handed_over(file),
        },
    })
}

/// What is known of the pages of a document.
#[must_use]
pub fn page_facts(pages: Vec<wire::PageFacts>) -> Vec<api_document::PageFacts> {
    let one = |page: wire::PageFacts| api_document::PageFacts {
        width: page.width,
        height: page.height,
        turned: page.turned,
        blank: page.blank,
    };
    pages.into_iter().map(one).collect()
}

/// A scanned code.
#[must_use]
pub fn scan(scan: wire::Scan) -> api_scan::Scan {
    api_scan::Scan {
        bytes: base64(&scan.bytes),
        symbology: scan.symbology,
        text: scan.text.as_ref().map(text),
        rule: match scan.rule {
            wire::TextRule::Eci => api_scan::TextRule::Eci,
            wire::TextRule::Ascii => api_scan::TextRule::Ascii,
            wire::TextRule::Utf8 => api_scan::TextRule::Utf8,
            wire::TextRule::ShiftJis => api_scan::TextRule::ShiftJis,
            wire::TextRule::Binary => api_scan::TextRule::Binary,
        },
        certain: scan.certain,
        gs1: scan
            .gs1
            .into_iter()
            .map(|element| api_scan::Gs1Element {
                value: text(&element.value),
                ai: element.ai,
            })
            .collect(),
        parts: scan.parts,
        pre_application: scan.pre_application.map(|form| api_scan::PreApplication {
            fields: form
                .fields
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            id: form.id,
            procedure: form.procedure,
            key: form.key,
            issued_at: form.issued_at,
        }),
        fault: scan.fault,
    }
}

/// What a pen did.
#[must_use]
pub fn ink(samples: Vec<wire::InkSample>) -> Vec<api_item::InkSample> {
    let one = |sample: wire::InkSample| {
        let wire::InkSample(at, x, y, pressure, tilt_x, tilt_y, flags) = sample;
        api_item::InkSample(at, x, y, pressure, tilt_x, tilt_y, flags)
    };
    samples.into_iter().map(one).collect()
}

/// A page that is to be shown, with its picture.
#[must_use]
pub fn to_show(page: &wire::ToShow, picture: &[u8]) -> api_item::ToShow {
    api_item::ToShow {
        page: page.page,
        pages: page.pages,
        picture: SecretText::new(STANDARD.encode(picture)),
        area: page
            .area
            .map(|area| [area.x, area.y, area.width, area.height]),
        ink_area: page.ink_area,
    }
}

fn printed(ticket: wire::PrintedTicket) -> api_ticket::PrintedTicket {
    api_ticket::PrintedTicket {
        ticket: ticket.ticket,
        state: match ticket.state {
            wire::TicketState::Printed => api_ticket::TicketState::Printed,
            wire::TicketState::Unknown => api_ticket::TicketState::Unknown,
        },
        confidence: ticket.confidence.map(|confidence| match confidence {
            wire::Confidence::Confirmed => api_ticket::Confidence::Confirmed,
            wire::Confidence::Presumed => api_ticket::Confidence::Presumed,
        }),
        papers: ticket.papers,
    }
}

fn unknown(ticket: wire::StoredTicket) -> api_ticket::UnknownTicket {
    api_ticket::UnknownTicket {
        ticket: ticket.ticket,
        reason: match ticket.reason {
            wire::UnknownReason::NeverSent => api_ticket::UnknownReason::NeverSent,
            wire::UnknownReason::Interrupted => api_ticket::UnknownReason::Interrupted,
            wire::UnknownReason::Silent => api_ticket::UnknownReason::Silent,
            wire::UnknownReason::PrinterError => api_ticket::UnknownReason::PrinterError,
        },
        ordered_at: ticket.ordered_at,
    }
}

fn handed_over(file: wire::HandedOver) -> api_desk::HandedOver {
    let notice = |notice: wire::CharacterNotice| api_desk::CharacterNotice {
        field: notice.field,
        position: notice.position,
        code_point: notice.code_point,
    };
    api_desk::HandedOver {
        file: file.file,
        sequence: file.sequence,
        notices: file.notices.into_iter().map(notice).collect(),
        taken: file.taken,
    }
}

fn base64(bytes: &wire::SecretBytes) -> SecretText {
    SecretText::new(STANDARD.encode(bytes.expose()))
}

fn text(text: &wire::SecretText) -> SecretText {
    SecretText::new(text.expose().to_owned())
}
