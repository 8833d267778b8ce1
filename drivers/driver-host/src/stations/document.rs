//! Document scanners: papers become one file, which goes to the agent as an attachment.
//!
//! ```text
//! waitingForPaper --first part of a page--> scanning --last page--> processing --> product
//! ```
//! A scanner on the network tells nothing by itself, so it is asked between two jobs: over eSCL every
//! [`LOOK_AGAIN`], because asking costs it nothing; over SANE only for as long as it is missing or in use,
//! because asking there means to open it, which for that moment shuts out every other program.
//!
//! Invariants: half a document is none; of what stands on pages nothing is logged.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use device_api::{Clock, Deadline, DeviceClass, FaultCode, Patience, Stop};
use document::{
    Capabilities, ColourMode, Connection, DocumentScanner, DocumentSettings, FeederStatus, Format,
    PageSize, Progress, Resolutions, ScanError, ScanRequest, Scanned, ScannedPage, Turn,
};
use host_protocol::settings::{DocumentScanner as Settings, DocumentScanners, ReachedBy};
use host_protocol::{
    Colour, DeviceDescription, DeviceState, DocumentFormat, HostFault, Item, PageFacts, Product,
    ScanOrder, ScannedDocument, Source, Step, Task,
};

use super::{PatientWatch, Sheet, Station, Tools, rest_for, with_causes};
use crate::{
    device::fault,
    floor::{Post, Watch},
    job::Job,
};

/// How long to wait before looking at a scanner again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The same for one that is missing or not ready: whoever has cleared a jam wants to go on.
const LOOK_SOON: Duration = Duration::from_secs(2);

/// How long one look may take. A name that cannot be resolved and a machine that is off say nothing.
const LOOK: Duration = Duration::from_secs(10);

/// The most bytes that a document may have; as many as the agent takes for one job.
const MAX_DOCUMENT: usize = 96 * 1024 * 1024;

/// The resolutions that are told of a scanner which offers a whole range.
const USUAL: [u32; 8] = [75, 100, 150, 200, 240, 300, 400, 600];

/// The scanners that the settings name.
pub(super) fn open(settings: serde_json::Value, tools: &Tools) -> Result<Vec<Station>, String> {
    let settings: DocumentScanners =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let one = |scanner: Settings| {
        let sheet = Arc::new(Sheet::new(
            DeviceClass::DocumentScanner,
            &scanner.name,
            Arc::clone(&tools.on_change),
        ));
        let (clock, seen) = (Arc::clone(&tools.clock), Arc::clone(&sheet));
        let wanted = driver_settings(&scanner);
        Station {
            sheet,
            post: Box::new(move || {
                Box::new(AtScanner {
                    settings: wanted.clone(),
                    clock: Arc::clone(&clock),
                    sheet: Arc::clone(&seen),
                    scanner: None,
                    trouble: None,
                })
            }),
        }
    };
    Ok(settings.scanners.into_iter().map(one).collect())
}

/// Whether a task is one of a document scanner.
pub(super) const fn takes(task: &Task) -> bool {
    matches!(task, Task::ScanDocument { .. })
}

/// The one who works at a scanner.
struct AtScanner {
    settings: DocumentSettings,
    clock: Arc<dyn Clock>,
    sheet: Arc<Sheet>,
    scanner: Option<Box<dyn DocumentScanner>>,
    /// Why it could not be used when it was last asked.
    trouble: Option<FaultCode>,
}

impl Post for AtScanner {
    fn watch(&self) -> Box<dyn Watch> {
        Box::new(PatientWatch)
    }

    fn work(&mut self, job: &Job) -> Result<Product, HostFault> {
        let Task::ScanDocument { order } = &job.task else {
            return Err(fault(
                FaultCode::DeviceUnsupported,
                "not a document to be scanned",
            ));
        };
        let request = request(order)?;
        job.progress(Step::WaitingForPaper, None);
        let scanned = self.scan(&request, job).map_err(|error| {
            self.note(&error);
            told(&error)
        })?;
        job.progress(Step::Processing, None);
        product(&scanned, job)
    }

    fn idle(&mut self, rest: &Patience) {
        while rest.check().is_ok() {
            if self.is_to_be_asked() {
                self.look(rest);
            }
            let shown = self.sheet.shown().map(|seen| seen.state);
            let well = shown == Some(DeviceState::Ready);
            rest_for(rest, if well { LOOK_AGAIN } else { LOOK_SOON });
        }
    }
}

impl AtScanner {
    fn scan(&mut self, request: &ScanRequest, job: &Job) -> Result<Scanned, ScanError> {
        let scanner = self.scanner(&job.patience)?;
        let mut begun = false;
        let mut tell = |progress: Progress| {
            if progress.per_mille.is_some() && !begun {
                begun = true;
                job.progress(Step::Scanning, None);
            }
            if progress.per_mille == Some(1000) {
                job.item(Item::Page {
                    pages: progress.page,
                });
            }
        };
        scanner.scan(request, &mut tell, &job.patience)
    }

    fn scanner(&mut self, patience: &Patience) -> Result<&mut dyn DocumentScanner, ScanError> {
        let scanner = match &mut self.scanner {
            Some(scanner) => scanner,
            unknown @ None => {
                let scanner = document::open(&self.settings, patience)?;
                let found = scanner.capabilities();
                tracing::info!(
                    device = self.sheet.id(),
                    model = found.model,
                    "a scanner is there"
                );
                self.sheet.write(|seen| describe(found, seen));
                self.trouble = None;
                unknown.insert(scanner)
            }
        };
        Ok(&mut **scanner)
    }

    const fn is_to_be_asked(&self) -> bool {
        match self.settings.connection {
            Connection::Escl { .. } => true,
            Connection::Sane { .. } => self.scanner.is_none() || self.trouble.is_some(),
        }
    }

    /// Looks once how the scanner is; a job that comes ends the look.
    fn look(&mut self, rest: &Patience) {
        let until = Deadline::at(self.clock.now().plus(LOOK));
        let patience = rest.no_later_than(until);
        let looked = self
            .scanner(&patience)
            .and_then(|scanner| scanner.status(&patience));
        match looked {
            Ok(status) => {
                let (state, obstacle) = state_of(status);
                self.trouble = (!status.ready).then_some(FaultCode::DeviceBusy);
                self.sheet.write(|seen| {
                    seen.state = state;
                    seen.fault = obstacle.map(|code| code.as_str().to_owned());
                });
            }
            // A machine that is switched off answers no attempt to connect.
            Err(ScanError::Stopped {
                attempted,
                stop: Stop::Deadline,
            }) => self.note(&ScanError::Hung { attempted }),
            Err(error) => self.note(&error),
        }
    }

    /// What an error says of the scanner itself goes on its sheet.
    fn note(&mut self, error: &ScanError) {
        let code = error.fault();
        if matches!(code, FaultCode::JobCancelled | FaultCode::JobDeadline) {
            return;
        }
        let is_away = matches!(code, FaultCode::DeviceGone | FaultCode::DeviceHung);
        let shown = if code == FaultCode::DeviceBusy {
            Some(DeviceState::InUse)
        } else if code == FaultCode::DeviceDenied {
            Some(DeviceState::Denied)
        } else if is_away || self.scanner.is_none() {
            None
        } else {
            // Said of the paper, the order or one conversation.
            return;
        };
        if self.trouble != Some(code) {
            let error = with_causes(error);
            tracing::warn!(error, device = self.sheet.id(), "a scanner cannot be used");
        }
        self.trouble = Some(code);
        if let Some(state) = shown {
            self.sheet.write(|seen| {
                seen.state = state;
                seen.fault = None;
            });
        } else {
            // What it can do is asked anew when it is back, for it may be another one then.
            self.scanner = None;
            self.sheet.gone();
        }
    }
}

fn driver_settings(scanner: &Settings) -> DocumentSettings {
    match &scanner.reached_by {
        ReachedBy::Escl(url) => DocumentSettings::new(Connection::Escl { url: url.clone() }),
        ReachedBy::Sane(sane) => {
            let mut settings = DocumentSettings::new(Connection::Sane {
                address: sane.address.clone(),
                device: sane.device.clone(),
            });
            settings.options = sane.options.clone().into_iter().collect();
            settings
        }
    }
}

/// What the driver is asked for.
fn request(order: &ScanOrder) -> Result<ScanRequest, HostFault> {
    let source = match order.source {
        Source::Flatbed => document::Source::Flatbed,
        Source::Feeder => document::Source::Feeder,
        Source::FeederDuplex => document::Source::FeederDuplex,
    };
    let format = match order.format {
        DocumentFormat::PdfA => Format::PdfA,
        DocumentFormat::Tiff => Format::Tiff,
        DocumentFormat::Png => Format::Png,
    };
    // A PNG file holds one page. To take the first of several and say nothing of the others is no answer.
    if format == Format::Png && source != document::Source::Flatbed && order.max_pages != 1 {
        let refused = fault(FaultCode::DocumentSettings, "a PNG file holds one page");
        return Err(HostFault {
            about: Some("maxPages".to_owned()),
            ..refused
        });
    }
    let [width, height] = order.area;
    Ok(ScanRequest {
        source,
        resolution: order.resolution,
        colour: match order.colour {
            Colour::BlackAndWhite => ColourMode::Bilevel,
            Colour::Grey => ColourMode::Gray,
            Colour::Colour => ColourMode::Colour,
        },
        page: PageSize { width, height },
        max_pages: order.max_pages,
        deskew: order.straighten,
        drop_blank: order.drop_blank,
        turn: Turn::None,
        format,
        max_bytes: MAX_DOCUMENT,
    })
}

fn product(scanned: &Scanned, job: &Job) -> Result<Product, HostFault> {
    let [file] = scanned.files.as_slice() else {
        return Err(fault(
            FaultCode::AgentInternal,
            "the document is not one file",
        ));
    };
    let bytes = file.expose();
    let file = job.attach(bytes, scanned.media_type);
    let (kept, dropped): (Vec<&ScannedPage>, Vec<&ScannedPage>) =
        scanned.pages.iter().partition(|page| page.kept);
    Ok(Product::Document {
        document: ScannedDocument {
            file,
            sha256: sha256(bytes),
            pages: kept.into_iter().map(facts).collect(),
            blank_dropped: u32::try_from(dropped.len()).unwrap_or(u32::MAX),
        },
    })
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut text = String::with_capacity(64);
    for byte in digest.as_ref() {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

const fn facts(page: &ScannedPage) -> PageFacts {
    PageFacts {
        width: page.width,
        height: page.height,
        turned: page.straightened,
        blank: page.blank,
    }
}

fn told(error: &ScanError) -> HostFault {
    let about = if let ScanError::Settings { what } = error {
        Some((*what).to_owned())
    } else {
        None
    };
    HostFault {
        about,
        ..fault(error.fault(), &error.to_string())
    }
}

fn describe(found: &Capabilities, seen: &mut DeviceDescription) {
    seen.state = DeviceState::Ready;
    seen.fault = None;
    seen.make.model.clone_from(&found.model);
    seen.capabilities.sources = found
        .sources
        .iter()
        .map(|one| match one.source {
            document::Source::Flatbed => Source::Flatbed,
            document::Source::Feeder => Source::Feeder,
            document::Source::FeederDuplex => Source::FeederDuplex,
        })
        .collect();
    let mut resolutions: Vec<u32> = found
        .sources
        .iter()
        .flat_map(|one| told_of(&one.resolutions))
        .collect();
    resolutions.sort_unstable();
    resolutions.dedup();
    seen.capabilities.resolutions = resolutions;
}

fn told_of(offered: &Resolutions) -> Vec<u32> {
    match offered {
        Resolutions::Listed(list) => list.clone(),
        range @ Resolutions::Range { .. } => {
            let usual = USUAL.into_iter();
            usual.filter(|one| range.offers(*one)).collect()
        }
    }
}

/// How a scanner is shown. One whose feeder is empty is ready: there is the glass, and paper is put in last.
const fn state_of(status: document::Status) -> (DeviceState, Option<FaultCode>) {
    let obstacle = match status.feeder {
        Some(FeederStatus::Jammed) => Some(FaultCode::DocumentJam),
        Some(FeederStatus::CoverOpen) => Some(FaultCode::DocumentCoverOpen),
        Some(FeederStatus::Failed) => Some(FaultCode::DeviceFailed),
        Some(FeederStatus::Loaded | FeederStatus::Empty) | None => None,
    };
    if obstacle.is_some() {
        (DeviceState::NotReady, obstacle)
    } else if status.ready {
        (DeviceState::Ready, None)
    } else {
        (DeviceState::InUse, None)
    }
}

#[cfg(test)]
mod tests {
    use DeviceState::{InUse, NotReady, Ready};
    use document::{SourceCapabilities, Status};

    use super::*;

    fn order() -> ScanOrder {
        ScanOrder {
            source: Source::Feeder,
            resolution: 300,
            colour: Colour::Grey,
            area: [2100, 2970],
            max_pages: 20,
            straighten: true,
            drop_blank: true,
            format: DocumentFormat::PdfA,
        }
    }

    #[test]
    fn an_order_reaches_the_driver_whole() {
        let asked = request(&order()).unwrap();
        let expected = ScanRequest {
            source: document::Source::Feeder,
            resolution: 300,
            colour: ColourMode::Gray,
            page: PageSize::A4,
            max_pages: 20,
            deskew: true,
            drop_blank: true,
            turn: Turn::None,
            format: Format::PdfA,
            max_bytes: MAX_DOCUMENT,
        };
        assert_eq!(asked, expected);
    }

    #[test]
    fn several_pages_of_png_are_refused_before_any_paper_moves() {
        let png = ScanOrder {
            format: DocumentFormat::Png,
            ..order()
        };
        let refused = request(&png).unwrap_err();
        assert_eq!(refused.code, "DOC-SETTINGS");
        assert_eq!(refused.about.as_deref(), Some("maxPages"));
        for allowed in [
            ScanOrder {
                max_pages: 1,
                ..png.clone()
            },
            ScanOrder {
                source: Source::Flatbed,
                ..png
            },
        ] {
            assert!(request(&allowed).is_ok());
        }
    }

    #[test]
    fn a_scanner_is_shown_as_what_its_feeder_says() {
        let of = |ready, feeder| {
            let (state, fault) = state_of(Status { ready, feeder });
            (state, fault.map(FaultCode::as_str))
        };
        assert_eq!(of(true, None), (Ready, None));
        assert_eq!(of(true, Some(FeederStatus::Empty)), (Ready, None));
        assert_eq!(of(false, Some(FeederStatus::Loaded)), (InUse, None));
        assert_eq!(
            of(true, Some(FeederStatus::Jammed)),
            (NotReady, Some("DOC-JAM"))
        );
        assert_eq!(
            of(false, Some(FeederStatus::CoverOpen)),
            (NotReady, Some("DOC-COVER-OPEN"))
        );
    }

    #[test]
    fn resolutions_of_all_sources_are_told_once_and_a_range_by_its_usual_ones() {
        let found = Capabilities {
            model: "Scanner".to_owned(),
            sources: vec![
                SourceCapabilities {
                    source: document::Source::Flatbed,
                    colours: vec![ColourMode::Gray],
                    resolutions: Resolutions::Range {
                        min: 50,
                        max: 300,
                        step: 50,
                    },
                    largest: None,
                },
                SourceCapabilities {
                    source: document::Source::Feeder,
                    colours: vec![ColourMode::Gray],
                    resolutions: Resolutions::Listed(vec![300, 120]),
                    largest: None,
                },
            ],
        };
        let sheet = Sheet::new(DeviceClass::DocumentScanner, "a", Arc::new(|| {}));
        sheet.write(|seen| describe(&found, seen));
        let shown = sheet.shown().unwrap();
        assert_eq!(shown.capabilities.resolutions, [100, 120, 150, 200, 300]);
        assert_eq!(
            shown.capabilities.sources,
            [Source::Flatbed, Source::Feeder]
        );
        assert_eq!(shown.make.model, "Scanner");
    }
}
