//! Code scanners: each code goes to the page that waits for it, one at a time, or is counted as stray.
//!
//! Invariants: the scanner is read from the beginning and always, so that what is scanned while nobody
//! waits reaches nobody; a code is under way until the agent says that it was received; what was scanned
//! meanwhile waits behind it, and what nobody received by the end is counted; no part of a message in
//! several codes outlasts the time in which one page waits, or in which none does; a pre-application that a
//! page received reaches none again, whichever scanner of this host reads it.

mod settings;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use device_api::{Clock, DeviceClass, FaultCode, Patience};
use host_protocol::settings::{CodeScanner as Settings, CodeScanners};
use host_protocol::{
    DeviceState, Gs1Element, HostFault, Item, PreApplication, Product, Scan, ScanCount,
    SecretBytes, SecretText, Step, Task, TextRule,
};
use scanner::{CodeScanner, HandedOut, Replayed, ScannerError, ScannerSettings, Seen};

use super::{PatientWatch, Sheet, Station, Tools, rest_for};
use crate::{
    device::fault,
    floor::{Post, Watch},
    job::Job,
};

/// How long to wait before looking for a scanner again that was not there.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How many codes wait behind one that is under way.
const MAX_WAITING: usize = 64;

/// How many pre-applications are remembered until they expire: more than a counter is shown while they are
/// valid, and little memory.
const MAX_SEEN: usize = 65_536;

/// The counter of codes that nobody waited for.
const STRAY: &str = "strayScans";

/// The scanners that the settings name.
pub(super) fn open(settings: serde_json::Value, tools: &Tools) -> Result<Vec<Station>, String> {
    let settings: CodeScanners =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let keys = settings.pre_applications.as_ref();
    let keys = keys.map(settings::keys).transpose()?.map(Arc::new);
    let seen = Arc::new(Mutex::new(Seen::new(MAX_SEEN)));
    let one = |scanner: Settings| {
        let mut wanted = settings::driver(&scanner)?;
        wanted.pre_application.clone_from(&keys);
        let on_change = Arc::clone(&tools.on_change);
        let sheet = Arc::new(Sheet::new(
            DeviceClass::CodeScanner,
            &scanner.name,
            on_change,
        ));
        let (clock, at, seen) = (
            Arc::clone(&tools.clock),
            Arc::clone(&sheet),
            Arc::clone(&seen),
        );
        Ok(Station {
            sheet,
            post: Box::new(move || {
                Box::new(AtScanner {
                    settings: wanted.clone(),
                    clock: Arc::clone(&clock),
                    sheet: Arc::clone(&at),
                    seen: Arc::clone(&seen),
                    scanner: None,
                })
            }),
        })
    };
    settings.scanners.into_iter().map(one).collect()
}

/// Whether a task is one of a scanner.
pub(super) const fn takes(task: &Task) -> bool {
    matches!(task, Task::ScanCodes {})
}

/// The one who works at a scanner.
struct AtScanner {
    settings: ScannerSettings,
    clock: Arc<dyn Clock>,
    sheet: Arc<Sheet>,
    seen: Arc<Mutex<Seen>>,
    scanner: Option<Box<dyn CodeScanner>>,
}

impl Post for AtScanner {
    fn watch(&self) -> Box<dyn Watch> {
        Box::new(PatientWatch)
    }

    fn work(&mut self, job: &Job) -> Result<Product, HostFault> {
        // Parts of what was scanned while nobody waited must not become part of what this page gets.
        self.forget();
        job.progress(Step::WaitingForCode, None);
        let mut page = Page {
            job,
            clock: Arc::clone(&self.clock),
            seen: Arc::clone(&self.seen),
            under_way: None,
            waiting: VecDeque::new(),
            delivered: 0,
        };
        let ended = loop {
            page.hand_on();
            match self.next(&page.patience()) {
                Ok(scan) => page.add(Ok(Box::new(scan))),
                Err(ScannerError::TimedOut | ScannerError::Cancelled) => {
                    if let Err(stop) = job.patience.check() {
                        break stop;
                    }
                }
                Err(error) if error.is_about_a_code() => page.add(Err(error.fault())),
                Err(error) => {
                    self.lost(&error);
                    return Err(fault(error.fault(), &error.to_string()));
                }
            }
        };
        page.hand_on();
        self.forget();
        tracing::debug!(?ended, "nobody waits for codes any more");
        Ok(Product::Scans {
            count: page.count(),
        })
    }

    /// What is scanned now reaches nobody, and is counted.
    fn idle(&mut self, rest: &Patience) {
        while rest.check().is_ok() {
            match self.next(rest) {
                Ok(_stray) => self.stray(),
                Err(ScannerError::TimedOut | ScannerError::Cancelled) => {}
                Err(error) if error.is_about_a_code() => {
                    tracing::info!(%error, device = self.sheet.id(), "not a code");
                }
                Err(error) => {
                    self.lost(&error);
                    rest_for(rest, LOOK_AGAIN);
                }
            }
        }
    }
}

impl AtScanner {
    fn next(&mut self, patience: &Patience) -> Result<scanner::Scan, ScannerError> {
        let scanner = match &mut self.scanner {
            Some(scanner) => scanner,
            closed @ None => {
                let opened = scanner::open(&self.settings, Arc::clone(&self.clock))?;
                self.sheet.write(|seen| {
                    seen.state = DeviceState::Ready;
                    seen.counters.entry(STRAY.to_owned()).or_default();
                });
                closed.insert(opened)
            }
        };
        scanner.next(patience)
    }

    /// Counts what reaches nobody.
    fn stray(&self) {
        tracing::info!(
            device = self.sheet.id(),
            "a code was scanned that nobody waited for"
        );
        self.sheet
            .write(|seen| *seen.counters.entry(STRAY.to_owned()).or_default() += 1);
    }

    /// Between two pages: what is not whole yet belongs to neither, and is counted as one code.
    fn forget(&mut self) {
        if self.scanner.as_mut().is_some_and(|open| open.forget()) {
            self.stray();
        }
    }

    fn lost(&mut self, error: &ScannerError) {
        let was_open = self.scanner.take().is_some();
        if was_open {
            tracing::warn!(%error, device = self.sheet.id(), "a scanner was lost");
        }
        let fault = error.fault();
        if fault == FaultCode::DeviceBusy {
            self.sheet.write(|seen| seen.state = DeviceState::InUse);
        } else if fault == FaultCode::DeviceDenied {
            self.sheet.write(|seen| seen.state = DeviceState::Denied);
        } else {
            self.sheet.gone();
        }
    }
}

/// A code, or why it cannot be used.
type Read = Result<Box<scanner::Scan>, FaultCode>;

/// The page that waits for codes.
struct Page<'a> {
    job: &'a Job,
    clock: Arc<dyn Clock>,
    seen: Arc<Mutex<Seen>>,
    under_way: Option<UnderWay>,
    waiting: VecDeque<Read>,
    delivered: u32,
}

/// The code that is on its way.
struct UnderWay {
    n: u32,
    /// The pre-application that it is.
    handed: Option<HandedOut>,
}

impl Page<'_> {
    /// Sends the next code, where the last one was received.
    fn hand_on(&mut self) {
        self.look_at_received();
        if self.under_way.is_none()
            && let Some(read) = self.waiting.pop_front()
        {
            let (scan, handed) = match read.and_then(|scan| Ok((self.note(&scan)?, scan))) {
                Ok((handed, scan)) => (told(*scan), handed),
                Err(fault) => (refused(fault), None),
            };
            let scan = Box::new(scan);
            let n = self.job.item(Item::Scan { scan });
            self.under_way = Some(UnderWay { n, handed });
        }
    }

    fn look_at_received(&mut self) {
        let job = self.job;
        let received = self.under_way.take_if(|at| job.was_received(at.n));
        if received.is_some() {
            self.delivered = self.delivered.saturating_add(1);
        }
    }

    /// Notes that a pre-application is handed out.
    fn note(&self, scan: &scanner::Scan) -> Result<Option<HandedOut>, FaultCode> {
        let Some(form) = &scan.pre_application else {
            return Ok(None);
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let handed = seen.hand_out(form, self.clock.unix_millis());
        handed.map(Some).map_err(Replayed::fault)
    }

    /// The oldest gives way: what is newest is what the person holds in their hand.
    fn add(&mut self, read: Read) {
        if self.waiting.len() >= MAX_WAITING {
            tracing::warn!(
                job = self.job.id,
                "codes are scanned faster than the page takes them"
            );
            self.waiting.pop_front();
        }
        self.waiting.push_back(read);
    }

    /// Patience until the job ends, or until the code that is on its way was received.
    fn patience(&self) -> Patience {
        self.under_way.as_ref().map_or_else(
            || self.job.patience.clone(),
            |at| self.job.until_received(at.n),
        )
    }

    fn count(&self) -> ScanCount {
        let waiting = self.waiting.len() + usize::from(self.under_way.is_some());
        ScanCount {
            delivered: self.delivered,
            undelivered: u32::try_from(waiting).unwrap_or(u32::MAX),
        }
    }
}

/// A pre-application that the page did not receive may be shown again.
impl Drop for Page<'_> {
    fn drop(&mut self) {
        self.look_at_received();
        if let Some(handed) = self.under_way.as_ref().and_then(|at| at.handed) {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.take_back(handed);
        }
    }
}

fn told(scan: scanner::Scan) -> Scan {
    let (text, rule, certain) = match &scan.text {
        Some(found) => (
            Some(SecretText::new(found.text.as_str().to_owned())),
            match found.rule {
                scanner::TextRule::Eci => TextRule::Eci,
                scanner::TextRule::Ascii => TextRule::Ascii,
                scanner::TextRule::Utf8 => TextRule::Utf8,
                scanner::TextRule::Cp932 => TextRule::ShiftJis,
            },
            found.certain,
        ),
        None => (None, TextRule::Binary, true),
    };
    let elements = match scan.gs1 {
        Some(Ok(message)) => message.elements,
        Some(Err(_)) | None => Vec::new(),
    };
    Scan {
        bytes: SecretBytes::new(scan.bytes.bytes().to_vec()),
        symbology: scan
            .aim
            .map(|aim| format!("]{}{}", char::from(aim.code), char::from(aim.modifier))),
        text,
        rule,
        certain,
        gs1: elements
            .into_iter()
            .map(|element| Gs1Element {
                value: SecretText::new(element.value.as_str().to_owned()),
                ai: element.ai,
            })
            .collect(),
        parts: u32::from(scan.parts),
        pre_application: scan.pre_application.map(pre_application),
        fault: None,
    }
}

/// A code that cannot be used reaches the page by its fault alone: nothing of it is believed.
fn refused(fault: FaultCode) -> Scan {
    Scan {
        bytes: SecretBytes::new(Vec::new()),
        symbology: None,
        text: None,
        rule: TextRule::Binary,
        certain: false,
        gs1: Vec::new(),
        parts: 1,
        pre_application: None,
        fault: Some(fault.as_str().to_owned()),
    }
}

fn pre_application(form: scanner::preapplication::PreApplication) -> PreApplication {
    let id = form.id.iter().map(|byte| format!("{byte:02x}")).collect();
    PreApplication {
        id,
        procedure: form.application.procedure.clone(),
        key: form.form_key.to_string(),
        issued_at: u64::from(form.issued),
        fields: form
            .application
            .fields
            .iter()
            .map(|field| {
                let value = SecretText::new(field.value.as_str().to_owned());
                (field.name.clone(), value)
            })
            .collect(),
    }
}
