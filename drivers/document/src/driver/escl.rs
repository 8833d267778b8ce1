//! Scanners that speak eSCL.
//!
//! | step | answer | then |
//! |---|---|---|
//! | `POST ScanJobs` | 201 and a place | pages are fetched |
//! | | 503 | asked again after a pause, as the specification says |
//! | `GET NextDocument` | 200 and a page | the next one, from the feeder |
//! | | 503 | asked again after a pause |
//! | | 404, 410 | the end, unless the status tells of a fault |
//! | `DELETE` of the job | anything | free again; sent unless the job came to its end |

use std::time::Duration;

use device_api::{Deadline, Moment, Patience};
use zeroize::Zeroizing;

use super::http::{Ask, Client};
use super::{Pages, RawPage, produce};
use crate::ScanError;
use crate::connection::{check, pause};
use crate::image::coded::{Coding, decode_jpeg, decode_png};
use crate::quirks::{ESCL_FORMATS, escl_mode};
use crate::scanner::{
    Capabilities, ColourMode, DocumentScanner, FeederStatus, PageSize, Progress, Resolutions,
    ScanRequest, Scanned, Source, SourceCapabilities, Status,
};
use crate::wire::escl::{
    AdfState, Caps, DOCUMENT, InputCaps, InputSource, JobSettings, JobState, ScannerState,
    ScannerStatus, UNITS_PER_INCH, parse_capabilities, parse_status, settings,
};
use crate::wire::http::{Head, Method, Url, job_path};

/// The most bytes of one page as it comes, compressed.
const PAGE: usize = 256 * 1024 * 1024;

/// How long ending a job may take, when nobody has patience any more.
const FAREWELL: Duration = Duration::from_secs(2);

/// How much smaller than the page the glass may be, in 1/300 inch: 2 millimetres.
const TOLERANCE: u32 = 24;

/// A scanner that speaks eSCL. Between two scans nothing is open.
#[derive(Debug)]
pub(super) struct EsclScanner {
    client: Client,
    caps: Caps,
    capabilities: Capabilities,
}

impl EsclScanner {
    pub(super) fn open(
        url: Url,
        silence: Duration,
        patience: &Patience,
    ) -> Result<Self, ScanError> {
        const ATTEMPTED: &str = "asking what the scanner can do";
        let client = Client { url, silence };
        let body = fetch(&client, "ScannerCapabilities", ATTEMPTED, patience)?;
        let caps =
            parse_capabilities(&body).map_err(|source| ScanError::of_wire(source, ATTEMPTED))?;
        let capabilities = capabilities(&caps);
        Ok(Self {
            client,
            caps,
            capabilities,
        })
    }

    fn input(&self, source: Source) -> Option<&InputCaps> {
        match source {
            Source::Flatbed => self.caps.platen.as_ref(),
            Source::Feeder => self.caps.adf.as_ref(),
            Source::FeederDuplex => self.caps.adf_duplex.as_ref(),
        }
    }

    /// The body of the job, or what of it the scanner does not offer.
    fn job(&self, request: &ScanRequest) -> Result<String, ScanError> {
        let refused = |what| ScanError::Settings { what };
        let input = self
            .input(request.source)
            .ok_or_else(|| refused("source"))?;
        let mode = escl_mode(request.colour);
        if !input.modes.iter().any(|one| one == mode) {
            return Err(refused("colour"));
        }
        if !input.offers(request.resolution) {
            return Err(refused("resolution"));
        }
        let format = ESCL_FORMATS
            .into_iter()
            .find(|format| input.formats.iter().any(|one| one == format))
            .ok_or_else(|| refused("format"))?;
        let (width, height) = (units(request.page.width), units(request.page.height));
        if width > input.width.1 + TOLERANCE
            || height > input.height.1 + TOLERANCE
            || width < input.width.0
            || height < input.height.0
        {
            return Err(refused("page size"));
        }
        Ok(settings(&JobSettings {
            version: &self.caps.version,
            source: match request.source {
                Source::Flatbed => InputSource::Platen,
                Source::Feeder => InputSource::Feeder { duplex: false },
                Source::FeederDuplex => InputSource::Feeder { duplex: true },
            },
            width: width.min(input.width.1),
            height: height.min(input.height.1),
            mode,
            format,
            resolution: request.resolution,
        }))
    }
}

impl DocumentScanner for EsclScanner {
    fn scan(
        &mut self,
        request: &ScanRequest,
        on_progress: &mut dyn FnMut(Progress),
        patience: &Patience,
    ) -> Result<Scanned, ScanError> {
        let body = self.job(request)?;
        let feeder = request.source != Source::Flatbed;
        let path = begin(&self.client, &body, feeder, patience)?;
        let mut pages = EsclPages {
            client: &self.client,
            path,
            feeder,
            patience,
            ended: false,
        };
        let outcome = produce(&mut pages, request, on_progress, patience);
        pages.end();
        outcome
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn status(&mut self, patience: &Patience) -> Result<Status, ScanError> {
        let status = status(&self.client, patience)?;
        Ok(Status {
            ready: status.state == ScannerState::Idle,
            feeder: status.adf.map(|adf| match adf {
                AdfState::Processing | AdfState::Loaded => FeederStatus::Loaded,
                AdfState::Empty => FeederStatus::Empty,
                AdfState::Jam => FeederStatus::Jammed,
                AdfState::HatchOpen => FeederStatus::CoverOpen,
                AdfState::Fault => FeederStatus::Failed,
            }),
        })
    }
}

const ASKING_WHY: &str = "asking why there are no more pages";

/// The pages of a job.
struct EsclPages<'a> {
    client: &'a Client,
    path: String,
    feeder: bool,
    patience: &'a Patience,
    ended: bool,
}

impl Pages for EsclPages<'_> {
    fn next(
        &mut self,
        number: u32,
        on_part: &mut dyn FnMut(u16),
    ) -> Result<Option<RawPage>, ScanError> {
        const ATTEMPTED: &str = "fetching a page";
        let path = format!("{}/NextDocument", self.path);
        let ask = Ask {
            method: Method::Get,
            path: &path,
            body: "",
            limit: PAGE,
            attempted: ATTEMPTED,
        };
        let (head, body) = until_ready(self.client, ask, self.patience, on_part)?;
        match head.status {
            200 => decode(body).map(Some),
            404 | 410 => {
                self.ended = true;
                self.end_of_paper(number).map(|()| None)
            }
            status => {
                let refused = refusal(status, ATTEMPTED);
                self.end_by_refusal(number, (status, refused))
                    .map(|()| None)
            }
        }
    }
}

impl EsclPages<'_> {
    /// A jam ends the pages just as an empty feeder does; only the status tells them apart.
    fn end_of_paper(&self, number: u32) -> Result<(), ScanError> {
        let before = number - 1;
        let status = match status(self.client, self.patience) {
            // Without a status, pages that came are all that is known.
            Err(ScanError::Failed { .. }) if before > 0 => return Ok(()),
            other => other?,
        };
        match self.verdict(&status, (404, before)) {
            Some(verdict) => verdict,
            None if before > 0 => Ok(()),
            None if self.feeder => Err(ScanError::NoPaper),
            None => Err(failed(404)),
        }
    }

    /// AirSane answers 409 where others have 404: the feeder is empty, after pages. Any other refusal can be
    /// of a page that the feeder has drawn in already, so an empty feeder does not make the document whole.
    fn end_by_refusal(
        &self,
        number: u32,
        (code, refused): (u16, ScanError),
    ) -> Result<(), ScanError> {
        check(self.patience, ASKING_WHY)?;
        let Ok(status) = status(self.client, self.patience) else {
            return Err(refused);
        };
        match self.verdict(&status, (code, number - 1)) {
            Some(Err(fault)) => Err(fault),
            Some(Ok(())) if code == 409 => Ok(()),
            Some(Ok(())) | None => Err(refused),
        }
    }

    /// What the status says of the end of the pages; `None` where it says nothing of it.
    ///
    /// The job comes before the feeder: a job that was ended after the last sheet was drawn in leaves an empty
    /// feeder too. A fault of the feeder says more than that the job was aborted, since it is the reason.
    fn verdict(
        &self,
        status: &ScannerStatus,
        (code, before): (u16, u32),
    ) -> Option<Result<(), ScanError>> {
        let job = status.jobs.iter().find(|(path, _)| *path == self.path);
        let job = job.map(|(_, state)| *state);
        if job == Some(JobState::Canceled) {
            return Some(Err(ScanError::EndedThere { pages: before }));
        }
        let aborted = job == Some(JobState::Aborted);
        match fault(status, before).filter(|_| self.feeder) {
            Some(ScanError::NoPaper) if before > 0 && !aborted => Some(Ok(())),
            Some(ScanError::NoPaper) if before > 0 => Some(Err(failed(code))),
            Some(fault) => Some(Err(fault)),
            None => aborted.then(|| Err(failed(code))),
        }
    }

    /// Ends the job, also where the patience has ended: a scanner that keeps a job keeps its lamp on and
    /// refuses the next one.
    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let clock = self.patience.clock();
        let patience = Patience::new(
            std::sync::Arc::clone(clock),
            Deadline::at(clock.now().plus(FAREWELL)),
        );
        let ask = Ask {
            method: Method::Delete,
            path: &self.path,
            body: "",
            limit: DOCUMENT,
            attempted: "ending the job",
        };
        if let Err(error) = self.client.ask(ask, &patience, &mut |_| {}) {
            // The document is whole or lost already, and the scanner ends the job by itself in time.
            tracing::debug!(fault = error.fault().as_str(), "the job could not be ended");
        }
    }
}

/// Begins a job and gives its path.
fn begin(
    client: &Client,
    body: &str,
    feeder: bool,
    patience: &Patience,
) -> Result<String, ScanError> {
    const ATTEMPTED: &str = "beginning the job";
    let path = format!("{}/ScanJobs", client.url.path);
    let ask = Ask {
        method: Method::Post,
        path: &path,
        body,
        limit: DOCUMENT,
        attempted: ATTEMPTED,
    };
    let outcome = until_ready(client, ask, patience, &mut |_| {});
    let (head, _) = match outcome {
        Err(busy @ ScanError::Busy { .. }) => {
            return Err(explain(client, feeder, busy, patience));
        }
        other => other?,
    };
    match (head.status, head.location) {
        (201, Some(location)) => {
            job_path(&location).map_err(|source| ScanError::of_wire(source, ATTEMPTED))
        }
        (400 | 409, _) => {
            let refused = ScanError::Settings {
                what: "combination",
            };
            Err(explain(client, feeder, refused, patience))
        }
        (status, _) => {
            let refused = refusal(status, ATTEMPTED);
            Err(explain(client, feeder, refused, patience))
        }
    }
}

/// Asks, and asks again while the answer is 503, which means "not yet" in eSCL.
///
/// It is the protocol's way of waiting, not a repetition of something that failed; it ends when the
/// scanner has said nothing else for as long as it may be silent.
fn until_ready(
    client: &Client,
    ask: Ask<'_>,
    patience: &Patience,
    on_part: &mut dyn FnMut(u16),
) -> Result<(Head, Zeroizing<Vec<u8>>), ScanError> {
    let since: Moment = patience.clock().now();
    loop {
        let (head, body) = client.ask(ask, patience, on_part)?;
        if head.status != 503 {
            return Ok((head, body));
        }
        if patience.clock().now().since(since) >= client.silence {
            return Err(ScanError::Busy {
                attempted: ask.attempted,
            });
        }
        let seconds = head.retry_after.unwrap_or(1).clamp(1, 10);
        let span = Duration::from_secs(seconds).min(client.silence);
        pause(patience, span, ask.attempted)?;
    }
}

/// A job that ended without a reason.
const fn failed(code: u16) -> ScanError {
    ScanError::Failed {
        attempted: ASKING_WHY,
        code: code as u32,
    }
}

/// What a refusal means that says nothing of paper.
const fn refusal(status: u16, attempted: &'static str) -> ScanError {
    match status {
        401 | 403 => ScanError::Denied { attempted },
        status => ScanError::Failed {
            attempted,
            code: status as u32,
        },
    }
}

/// Why no job began, by the scanner's status, else what was known before.
fn explain(client: &Client, feeder: bool, otherwise: ScanError, patience: &Patience) -> ScanError {
    if let Err(stopped) = check(patience, "asking what is wrong") {
        return stopped;
    }
    match status(client, patience) {
        Ok(status) if feeder => fault(&status, 0).unwrap_or(otherwise),
        Ok(_) | Err(_) => otherwise,
    }
}

/// The fault that a status shows.
fn fault(status: &ScannerStatus, before: u32) -> Option<ScanError> {
    match status.adf? {
        AdfState::Jam => Some(ScanError::Jam { pages: before }),
        AdfState::HatchOpen => Some(ScanError::CoverOpen { pages: before }),
        AdfState::Empty => Some(ScanError::NoPaper),
        AdfState::Fault => Some(ScanError::Failed {
            attempted: "feeding paper",
            code: 0,
        }),
        AdfState::Processing | AdfState::Loaded => None,
    }
}

fn status(client: &Client, patience: &Patience) -> Result<ScannerStatus, ScanError> {
    const ATTEMPTED: &str = "asking how the scanner is";
    let body = fetch(client, "ScannerStatus", ATTEMPTED, patience)?;
    parse_status(&body).map_err(|source| ScanError::of_wire(source, ATTEMPTED))
}

fn fetch(
    client: &Client,
    what: &str,
    attempted: &'static str,
    patience: &Patience,
) -> Result<Zeroizing<Vec<u8>>, ScanError> {
    let path = format!("{}/{what}", client.url.path);
    let ask = Ask {
        method: Method::Get,
        path: &path,
        body: "",
        limit: DOCUMENT,
        attempted,
    };
    let (head, body) = until_ready(client, ask, patience, &mut |_| {})?;
    match head.status {
        200 => Ok(body),
        status => Err(refusal(status, attempted)),
    }
}

fn decode(body: Zeroizing<Vec<u8>>) -> Result<RawPage, ScanError> {
    let damaged = |what| ScanError::Picture { what };
    match Coding::of(&body) {
        Some(Coding::Jpeg) => match decode_jpeg(&body) {
            Ok(picture) => Ok(RawPage::Jpeg(body, picture)),
            Err(_damage) => Err(damaged("JPEG")),
        },
        Some(Coding::Png) => decode_png(&body)
            .map(RawPage::Picture)
            .map_err(|_damage| damaged("PNG")),
        None => Err(damaged("a format that was not asked for")),
    }
}

fn capabilities(caps: &Caps) -> Capabilities {
    let sources = [
        (Source::Flatbed, &caps.platen),
        (Source::Feeder, &caps.adf),
        (Source::FeederDuplex, &caps.adf_duplex),
    ];
    let all = [ColourMode::Bilevel, ColourMode::Gray, ColourMode::Colour];
    Capabilities {
        model: caps.model.clone(),
        sources: sources
            .into_iter()
            .filter_map(|(source, input)| Some((source, input.as_ref()?)))
            .map(|(source, input)| SourceCapabilities {
                source,
                colours: all
                    .into_iter()
                    .filter(|colour| input.modes.iter().any(|mode| mode == escl_mode(*colour)))
                    .collect(),
                resolutions: match input.range {
                    Some((min, max, step)) if input.resolutions.is_empty() => {
                        Resolutions::Range { min, max, step }
                    }
                    Some(_) | None => Resolutions::Listed(input.resolutions.clone()),
                },
                largest: Some(PageSize {
                    width: tenths(input.width.1),
                    height: tenths(input.height.1),
                }),
            })
            .collect(),
    }
}

/// From tenths of a millimetre to 1/300 inch.
fn units(tenths: u32) -> u32 {
    let units = (u64::from(tenths) * u64::from(UNITS_PER_INCH) + 127) / 254;
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// From 1/300 inch to tenths of a millimetre.
fn tenths(units: u32) -> u32 {
    u32::try_from(u64::from(units) * 254 / u64::from(UNITS_PER_INCH)).unwrap_or(u32::MAX)
}
