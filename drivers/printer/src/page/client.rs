//! The client: one request after the other, and what they mean for the job.
//!
//! Invariant: once the document may have left, the result is printed, cancelled, or doubt; and it is doubt where
//! the printer stopped or the time ran out, unless the server says that no sheet came out.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use device_api::{Deadline, FaultCode, Patience, Stop};

use super::http::{self, HttpError};
use super::ipp::{Attribute, Message, Operation, Tag, Value};
use super::{
    JobState, POLL, PageError, PageOptions, PagePrinter, PageProgress, PageSettings, PageStatus,
    PagesPrinted, Sides, reasons,
};

/// How long cancelling may take when the patience is over.
const CANCELLING: Duration = Duration::from_secs(2);

/// A printer behind IPP.
#[derive(Debug)]
pub struct IppPrinter {
    settings: PageSettings,
    next_request: i32,
}

impl IppPrinter {
    /// A printer; nothing is sent before it is needed.
    #[must_use]
    pub const fn new(settings: PageSettings) -> Self {
        Self {
            settings,
            next_request: 1,
        }
    }

    /// Sends the document, as one request or two; the job's number.
    fn submit(
        &mut self,
        pdf: &[u8],
        options: &PageOptions,
        (split, patience): (bool, &Patience),
    ) -> Result<i32, PageError> {
        if !split {
            let request = self.request(Operation::PrintJob, job_template(options, true));
            let answer = self.exchange("print", &request, (pdf, patience));
            // The document may have arrived although the answer did not.
            let answer = answer.map_err(|error| {
                let lost = matches!(
                    error,
                    PageError::Unreachable { .. } | PageError::Garbled { .. }
                );
                if lost {
                    PageError::Unsure { job: None }
                } else {
                    error
                }
            })?;
            return answer
                .integer(Tag::Job, "job-id")
                .ok_or(PageError::Unsure { job: None });
        }
        let request = self.request(Operation::CreateJob, job_template(options, false));
        let answer = self.exchange("create a job", &request, (&[], patience))?;
        let job = answer.integer(Tag::Job, "job-id");
        let job = job.ok_or(PageError::Garbled {
            attempted: "create a job",
        })?;
        let mut request = self.about_job(Operation::SendDocument, job);
        request.add(
            Tag::Operation,
            Attribute::mime("document-format", "application/pdf"),
        );
        request.add(Tag::Operation, Attribute::boolean("last-document", true));
        match self.exchange("send the document", &request, (pdf, patience)) {
            Ok(_) => Ok(job),
            Err(PageError::Unreachable {
                source: HttpError::Stopped(stop),
                ..
            }) => Err(self.cancel(job, PageError::Stopped(stop), patience)),
            // The answer was lost; the job's own state tells whether the document was.
            Err(PageError::Unreachable { .. } | PageError::Garbled { .. }) => {
                match self.job(job, patience) {
                    Ok(_) => Ok(job),
                    Err(_) => Err(PageError::Unsure { job: Some(job) }),
                }
            }
            Err(error) => Err(self.cancel(job, error, patience)),
        }
    }

    /// Asks until the job has ended.
    fn follow(
        &mut self,
        job: i32,
        on_progress: &mut dyn FnMut(PageProgress),
        patience: &Patience,
    ) -> Result<PageProgress, PageError> {
        let mut last = None;
        loop {
            let progress = match self.job(job, patience) {
                Ok(progress) => progress,
                Err(PageError::Unreachable {
                    source: HttpError::Stopped(stop),
                    ..
                }) => {
                    return Err(self.cancel(job, PageError::Stopped(stop), patience));
                }
                Err(_) => return Err(PageError::Unsure { job: Some(job) }),
            };
            if last != Some(progress) {
                on_progress(progress);
                last = Some(progress);
            }
            match progress.state {
                JobState::Completed => return Ok(progress),
                JobState::Cancelled | JobState::Aborted => {
                    return Err(match progress.sheets {
                        Some(0) | None => PageError::Ended {
                            state: progress.state,
                        },
                        Some(_) => PageError::Unsure { job: Some(job) },
                    });
                }
                JobState::Pending | JobState::Held | JobState::Processing | JobState::Stopped => {}
            }
            self.still_prints(job, progress.state, patience)?;
            if let Err(stop) = pause(POLL, patience) {
                return Err(self.cancel(job, PageError::Stopped(stop), patience));
            }
        }
    }

    /// Cancels the job of a printer that stopped: nothing is left to come out later.
    fn still_prints(
        &mut self,
        job: i32,
        state: JobState,
        patience: &Patience,
    ) -> Result<(), PageError> {
        let Ok(status) = self.status(patience) else {
            return Ok(());
        };
        match status.fault {
            Some(fault) => {
                let blocked = PageError::Blocked {
                    fault,
                    reasons: status.reasons,
                };
                Err(self.cancel(job, blocked, patience))
            }
            None if state == JobState::Stopped => {
                let fault = FaultCode::PrinterOffline;
                Err(self.cancel(
                    job,
                    PageError::Blocked {
                        fault,
                        reasons: status.reasons,
                    },
                    patience,
                ))
            }
            None => Ok(()),
        }
    }

    /// Cancels a job; `why` where that worked, and doubt where it did not, or where sheets may have come out and
    /// `why` would say that none did.
    fn cancel(&mut self, job: i32, why: PageError, patience: &Patience) -> PageError {
        let clock = Arc::clone(patience.clock());
        let deadline = Deadline::at(clock.now().plus(CANCELLING));
        // The work's own patience may be over; this short one is not stopped with it.
        let short = Patience::new(clock, deadline);
        let request = self.about_job(Operation::CancelJob, job);
        let cancelled = self.exchange("cancel the job", &request, (&[], &short));
        let cancelled = cancelled.is_ok();
        // Asked after it, since a sheet may have come out until then.
        let left = self.job(job, &short).ok();
        let ended = left.is_some_and(|progress| {
            // Too late to cancel, or somebody did it before.
            matches!(progress.state, JobState::Cancelled | JobState::Aborted)
        });
        let none = left.and_then(|progress| progress.sheets) == Some(0);
        let says_none = matches!(
            why,
            PageError::Blocked { .. } | PageError::Stopped(Stop::Deadline)
        );
        tracing::info!(job, cancelled, ended, none, "cancelled a page job");
        if (cancelled || ended) && (none || !says_none) {
            why
        } else {
            PageError::Unsure { job: Some(job) }
        }
    }

    fn job(&mut self, job: i32, patience: &Patience) -> Result<PageProgress, PageError> {
        const ASKING: &str = "tell the job's state";
        let mut request = self.about_job(Operation::GetJobAttributes, job);
        let wanted = [
            "job-state",
            "job-media-sheets-completed",
            "job-impressions-completed",
        ];
        request.add(
            Tag::Operation,
            Attribute::keywords("requested-attributes", &wanted),
        );
        let answer = self.exchange(ASKING, &request, (&[], patience))?;
        let state = answer.integer(Tag::Job, "job-state").and_then(JobState::of);
        let state = state.ok_or(PageError::Garbled { attempted: ASKING })?;
        let sheets = answer
            .integer(Tag::Job, "job-media-sheets-completed")
            .or_else(|| answer.integer(Tag::Job, "job-impressions-completed"))
            .and_then(|sheets| u32::try_from(sheets).ok());
        Ok(PageProgress { job, state, sheets })
    }

    fn request(&mut self, operation: Operation, attributes: Vec<(Tag, Attribute)>) -> Message {
        let number = self.next_request;
        self.next_request = self.next_request.wrapping_add(1).max(1);
        let mut request = Message::request(operation, number);
        let uri = format!("ipp://{}{}", self.settings.address, self.settings.path);
        request.add(Tag::Operation, Attribute::uri("printer-uri", &uri));
        request.add(
            Tag::Operation,
            Attribute::name("requesting-user-name", &self.settings.user),
        );
        for (group, attribute) in attributes {
            request.add(group, attribute);
        }
        request
    }

    fn about_job(&mut self, operation: Operation, job: i32) -> Message {
        // The job's number stands right behind the printer (RFC 8011, 4.1.5).
        let mut request = self.request(operation, Vec::new());
        request.insert(Tag::Operation, 3, Attribute::integer("job-id", job));
        request
    }

    fn exchange(
        &self,
        attempted: &'static str,
        request: &Message,
        (document, patience): (&[u8], &Patience),
    ) -> Result<Message, PageError> {
        let head = request.encode();
        let answer = http::post(
            &self.settings.address,
            &self.settings.path,
            &[&head, document],
            patience,
        );
        let answer = answer.map_err(|source| PageError::Unreachable { attempted, source })?;
        let answer = Message::decode(&answer)
            .ok()
            .ok_or(PageError::Garbled { attempted })?;
        if answer.code >= 0x0100 {
            return Err(PageError::Refused {
                attempted,
                status: answer.code,
            });
        }
        Ok(answer)
    }
}

impl PagePrinter for IppPrinter {
    fn print(
        &mut self,
        pdf: &[u8],
        options: &PageOptions,
        on_progress: &mut dyn FnMut(PageProgress),
        patience: &Patience,
    ) -> Result<PagesPrinted, PageError> {
        if !pdf.starts_with(b"%PDF-") {
            return Err(PageError::NotPdf);
        }
        let status = self.status(patience)?;
        if !status.takes_pdf {
            return Err(PageError::NoPdf);
        }
        let fault = status
            .fault
            .or_else(|| (!status.accepting).then_some(FaultCode::PrinterOffline));
        if let Some(fault) = fault {
            return Err(PageError::Blocked {
                fault,
                reasons: status.reasons,
            });
        }
        let job = self.submit(pdf, options, (status.create_job, patience))?;
        let progress = self.follow(job, on_progress, patience)?;
        Ok(PagesPrinted {
            job,
            sheets: progress.sheets,
            warnings: status.warnings,
        })
    }

    fn status(&mut self, patience: &Patience) -> Result<PageStatus, PageError> {
        let wanted = [
            "printer-state",
            "printer-state-reasons",
            "printer-is-accepting-jobs",
            "document-format-supported",
            "operations-supported",
        ];
        let wanted = Attribute::keywords("requested-attributes", &wanted);
        let request = self.request(
            Operation::GetPrinterAttributes,
            vec![(Tag::Operation, wanted)],
        );
        let answer = self.exchange("tell its state", &request, (&[], patience))?;
        let reasons: Vec<String> = answer
            .texts(Tag::Printer, "printer-state-reasons")
            .into_iter()
            .filter(|reason| reason != "none")
            .collect();
        let stopped = answer.integer(Tag::Printer, "printer-state") == Some(5);
        let (fault, warnings) = reasons::judge(&reasons, stopped);
        let operations = answer.values(Tag::Printer, "operations-supported");
        let offers =
            |operation: Operation| operations.contains(&Value::Number(i32::from(operation.code())));
        Ok(PageStatus {
            accepting: answer.values(Tag::Printer, "printer-is-accepting-jobs")
                != [Value::Boolean(false)],
            fault,
            warnings,
            takes_pdf: answer
                .texts(Tag::Printer, "document-format-supported")
                .iter()
                .any(|format| format == "application/pdf"),
            create_job: offers(Operation::CreateJob) && offers(Operation::SendDocument),
            reasons,
        })
    }
}

fn job_template(options: &PageOptions, with_format: bool) -> Vec<(Tag, Attribute)> {
    // Never the document's own name: it can be of a citizen.
    let mut attributes = vec![(Tag::Operation, Attribute::name("job-name", "form"))];
    if with_format {
        attributes.push((
            Tag::Operation,
            Attribute::mime("document-format", "application/pdf"),
        ));
    }
    let sides = match options.sides {
        Sides::One => "one-sided",
        Sides::TwoLongEdge => "two-sided-long-edge",
        Sides::TwoShortEdge => "two-sided-short-edge",
    };
    attributes.push((
        Tag::Job,
        Attribute::integer("copies", i32::from(options.copies.max(1))),
    ));
    attributes.push((Tag::Job, Attribute::keywords("sides", &[sides])));
    if let Some(media) = &options.media {
        attributes.push((Tag::Job, Attribute::keywords("media", &[media])));
    }
    attributes
}

/// Waits for a span, or until the work is stopped.
fn pause(span: Duration, patience: &Patience) -> Result<(), Stop> {
    let bell: Arc<(Mutex<()>, Condvar)> = Arc::default();
    let ring = Arc::clone(&bell);
    let _waker = patience.when_stopped(move || {
        drop(ring.0.lock().unwrap_or_else(PoisonError::into_inner));
        ring.1.notify_all();
    });
    let quiet = bell.0.lock().unwrap_or_else(PoisonError::into_inner);
    patience.check()?;
    let left = patience.deadline().remaining(patience.clock().now());
    let span = span.min(left.unwrap_or_default());
    drop(
        bell.1
            .wait_timeout(quiet, span)
            .unwrap_or_else(PoisonError::into_inner),
    );
    patience.check()
}
