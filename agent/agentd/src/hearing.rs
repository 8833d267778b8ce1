//! What driver hosts say, put together with the attachments that came before.
//!
//! Invariants: an attachment is used by the one message that names it; what names an attachment that did
//! not come whole is no message; everything of a job is forgotten when the job ends.

use std::collections::BTreeMap;

use agent_api::item::Item;
use agent_api::job::JobResult;
use agent_core::Sealed;
use agent_core::effect::AuditOrder;
use agent_core::event::{HostSays, ItemKind};
use agent_core::ids::HostRun;
use agent_core::task::Fault;
use device_api::FaultCode;
use host_protocol as wire;
use host_protocol::settings::Mapping;
use zeroize::Zeroizing;

use crate::attachments::Attachments;
use crate::keeping::{self, NameSource};
use crate::parcel::{Assignment, Content, Parcel};
use crate::sealing::{Signing, ToSeal};
use crate::translate;

/// What a message turned out to be.
#[derive(Debug)]
pub enum Heard {
    /// Something for the core.
    Said(HostSays<Parcel>),
    /// A signature that must be sealed first; the core hears of it afterwards.
    ToSeal(Box<ToSeal>),
    /// A tablet was calibrated: to be kept, and for the core.
    Calibrated {
        /// The tablet.
        device: String,
        /// Its map.
        mapping: Mapping,
        /// For the core.
        said: HostSays<Parcel>,
    },
    /// A part of something that will be named later.
    Part,
    /// No message that makes sense here.
    Garbled,
}

/// What is remembered of hosts' jobs between two messages.
#[derive(Debug, Default)]
pub struct Hearing {
    attachments: Attachments,
    signings: BTreeMap<(HostRun, u64), Signing>,
    calibrating: BTreeMap<(HostRun, u64), String>,
    names: NameSource,
}

impl Hearing {
    /// A signature is ordered: keeps what it will be sealed with.
    pub fn begin(&mut self, of: (HostRun, u64), assignment: &Assignment, begun: Begun<'_>) {
        let Some(order) = &assignment.signing else {
            return;
        };
        let Some(document) = begun.contents.first() else {
            return;
        };
        let signing = Signing {
            order: order.clone(),
            audit: begun.order.clone(),
            document: document.clone(),
            begun_at: begun.unix_millis,
        };
        self.signings.insert(of, signing);
    }

    /// A tablet is to be calibrated.
    pub fn begin_calibration(&mut self, of: (HostRun, u64), device: &str) {
        self.calibrating.insert(of, device.to_owned());
    }

    /// The host is gone: nothing more is heard of its jobs.
    pub fn forget_host(&mut self, gone: HostRun) {
        self.attachments.forget_host(gone);
        self.signings.retain(|(run, _), _| *run != gone);
        self.calibrating.retain(|(run, _), _| *run != gone);
    }

    /// Takes in a message; `today` is the date in Japan.
    pub fn hear(&mut self, run: HostRun, message: wire::HostMessage, today: &str) -> Heard {
        match message {
            wire::HostMessage::Part {
                id,
                attachment,
                data,
                last,
            } => {
                let part = (attachment, data.expose(), last);
                if self.attachments.add((run, id), part) {
                    Heard::Part
                } else {
                    Heard::Garbled
                }
            }
            wire::HostMessage::Item { id, n, item } => {
                self.item((run, id), item)
                    .map_or(Heard::Garbled, |(kind, item)| {
                        Heard::Said(HostSays::Item {
                            work: id,
                            n,
                            kind,
                            item: Sealed::new(Parcel::Item(Box::new(item))),
                        })
                    })
            }
            wire::HostMessage::Finished { id, outcome } => {
                let heard = self.finished((run, id), outcome, today);
                self.attachments.forget((run, id));
                self.signings.remove(&(run, id));
                self.calibrating.remove(&(run, id));
                heard
            }
            said @ (wire::HostMessage::Hello { .. }
            | wire::HostMessage::Devices { .. }
            | wire::HostMessage::Accepted { .. }
            | wire::HostMessage::Progress { .. }
            | wire::HostMessage::Ask { .. }
            | wire::HostMessage::Pong { .. }) => {
                translate::host::says(said, today).map_or(Heard::Garbled, Heard::Said)
            }
        }
    }

    fn item(&mut self, of: (HostRun, u64), item: wire::Item) -> Option<(ItemKind, Item)> {
        Some(match item {
            wire::Item::Scan { scan } => {
                let scan = Box::new(translate::product::scan(*scan));
                (ItemKind::Scan, Item::Scan { scan })
            }
            wire::Item::Ink { samples } => {
                let samples = translate::product::ink(samples);
                (ItemKind::Ink, Item::Ink { samples })
            }
            wire::Item::Show { page } => {
                let picture = self.attached(of, &page.picture)?;
                let page = translate::product::to_show(&page, &picture);
                (ItemKind::Show, Item::Show { page })
            }
            wire::Item::Page { pages } => (ItemKind::Page, Item::Page { pages }),
        })
    }

    fn finished(&mut self, of: (HostRun, u64), outcome: wire::Outcome, today: &str) -> Heard {
        let work = of.1;
        let unusable = || {
            Heard::Said(HostSays::Failed {
                work,
                fault: Fault::from(FaultCode::HostUnusable),
                about: None,
            })
        };
        let product = match outcome {
            wire::Outcome::Done { product } => *product,
            wire::Outcome::Failed { fault } => {
                return Heard::Said(translate::host::failed(work, &fault));
            }
        };
        match product {
            wire::Product::Signature { signature } => {
                let samples = self.attached(of, &signature.samples);
                match (self.signings.remove(&of), samples) {
                    (Some(signing), Some(samples)) => Heard::ToSeal(Box::new(ToSeal {
                        of,
                        signing,
                        signature: *signature,
                        samples,
                    })),
                    (Some(_) | None, _) => unusable(),
                }
            }
            wire::Product::Document { document } => self
                .document(of, document)
                .map_or_else(unusable, Heard::Said),
            product @ wire::Product::Calibration { calibration } => {
                let said = done(work, product, today);
                match (self.calibrating.remove(&of), said) {
                    (Some(device), Some(said)) => Heard::Calibrated {
                        device,
                        mapping: Mapping {
                            x: calibration.x,
                            y: calibration.y,
                        },
                        said,
                    },
                    (Some(_) | None, _) => unusable(),
                }
            }
            product @ (wire::Product::Card { .. }
            | wire::Product::Reading { .. }
            | wire::Product::Scans { .. }
            | wire::Product::Ticket { .. }
            | wire::Product::Tickets { .. }
            | wire::Product::Pages { .. }
            | wire::Product::Typed { .. }
            | wire::Product::HandedOver { .. }) => {
                done(work, product, today).map_or_else(unusable, Heard::Said)
            }
        }
    }

    fn document(
        &mut self,
        of: (HostRun, u64),
        document: wire::ScannedDocument,
    ) -> Option<HostSays<Parcel>> {
        let content = Content {
            media_type: document.file.media_type.clone(),
            bytes: self.attached(of, &document.file)?,
        };
        let (kept, new) = keeping::keep("document", content, &self.names)?;
        // A host that counts another digest has lost bytes.
        if kept.sha256 != document.sha256 {
            return None;
        }
        Some(HostSays::Done {
            work: of.1,
            verdict: None,
            evidence: Some(new.facts.sha256),
            result: Sealed::new(Parcel::Result(Box::new(JobResult::Document {
                document: kept,
                pages: translate::product::page_facts(document.pages),
                blank_dropped: document.blank_dropped,
            }))),
            documents: vec![new],
        })
    }

    fn attached(
        &mut self,
        of: (HostRun, u64),
        named: &wire::Attachment,
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.attachments.take(of, (named.attachment, named.length))
    }
}

/// A good end that comes without documents.
fn done(work: u64, product: wire::Product, today: &str) -> Option<HostSays<Parcel>> {
    let (verdict, result) = translate::host::product_of(product, today);
    Some(HostSays::Done {
        work,
        verdict,
        result: Sealed::new(Parcel::Result(Box::new(result?))),
        documents: Vec::new(),
        evidence: None,
    })
}

/// What a job begins with.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    /// For whom and why.
    pub order: &'a AuditOrder,
    /// The documents that it uses up.
    pub contents: &'a [Content],
    /// When, in milliseconds since 1970.
    pub unix_millis: u64,
}
