//! Code scanners: each code goes to the page that waits for it, one at a time, or is counted as stray.
//!
//! Invariants: the scanner is read from the beginning and always, so that what is scanned while nobody
//! waits reaches nobody; a code is under way until the agent says that it was received; what was scanned
//! meanwhile waits behind it, and what nobody received by the end is counted; no part of a message in
//! several codes outlasts the time in which one page waits, or in which none does.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use device_api::{Clock, DeviceClass, FaultCode, Patience, Secret};
use host_protocol::settings::{
    CodeScanner as Settings, CodeScanners, Connection, Keymap, PreApplications, Suffix,
};
use host_protocol::{
    DeviceState, Gs1Element, HostFault, Item, PreApplication, Product, Scan, ScanCount,
    SecretBytes, SecretText, Step, Task, TextRule,
};
use link::serial::SerialSettings;
use scanner::preapplication::{CounterKey, FormKey, PreApplicationKeys};
use scanner::{CodeScanner, HidSelector, KeyboardSelector, ScannerError, ScannerSettings};

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

/// The counter of codes that nobody waited for.
const STRAY: &str = "strayScans";

/// The scanners that the settings name.
pub(super) fn open(settings: serde_json::Value, tools: &Tools) -> Result<Vec<Station>, String> {
    let settings: CodeScanners =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let keys = settings.pre_applications.as_ref().map(keys).transpose()?;
    let keys = keys.map(Arc::new);
    let one = |scanner: Settings| {
        let mut wanted = driver_settings(&scanner)?;
        wanted.pre_application.clone_from(&keys);
        let on_change = Arc::clone(&tools.on_change);
        let sheet = Arc::new(Sheet::new(
            DeviceClass::CodeScanner,
            &scanner.name,
            on_change,
        ));
        let (clock, seen) = (Arc::clone(&tools.clock), Arc::clone(&sheet));
        Ok(Station {
            sheet,
            post: Box::new(move || {
                Box::new(AtScanner {
                    settings: wanted.clone(),
                    clock: Arc::clone(&clock),
                    sheet: Arc::clone(&seen),
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
            under_way: None,
            waiting: VecDeque::new(),
            delivered: 0,
        };
        let ended = loop {
            page.hand_on();
            match self.next(&page.patience()) {
                Ok(scan) => page.add(told(scan)),
                Err(ScannerError::TimedOut | ScannerError::Cancelled) => {
                    if let Err(stop) = job.patience.check() {
                        break stop;
                    }
                }
                Err(error) if error.is_about_a_code() => page.add(refused(&error)),
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

/// The page that waits for codes.
struct Page<'a> {
    job: &'a Job,
    /// The number of the code that is on its way.
    under_way: Option<u32>,
    waiting: VecDeque<Scan>,
    delivered: u32,
}

impl Page<'_> {
    /// Sends the next code, where the last one was received.
    fn hand_on(&mut self) {
        if self.under_way.is_some_and(|n| self.job.was_received(n)) {
            self.under_way = None;
            self.delivered = self.delivered.saturating_add(1);
        }
        if self.under_way.is_none()
            && let Some(scan) = self.waiting.pop_front()
        {
            let scan = Box::new(scan);
            self.under_way = Some(self.job.item(Item::Scan { scan }));
        }
    }

    /// The oldest gives way: what is newest is what the person holds in their hand.
    fn add(&mut self, scan: Scan) {
        if self.waiting.len() >= MAX_WAITING {
            tracing::warn!(
                job = self.job.id,
                "codes are scanned faster than the page takes them"
            );
            self.waiting.pop_front();
        }
        self.waiting.push_back(scan);
    }

    /// Patience until the job ends, or until the code that is on its way was received.
    fn patience(&self) -> Patience {
        self.under_way
            .map_or_else(|| self.job.patience.clone(), |n| self.job.until_received(n))
    }

    fn count(&self) -> ScanCount {
        let waiting = self.waiting.len() + usize::from(self.under_way.is_some());
        ScanCount {
            delivered: self.delivered,
            undelivered: u32::try_from(waiting).unwrap_or(u32::MAX),
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
fn refused(error: &ScannerError) -> Scan {
    Scan {
        bytes: SecretBytes::new(Vec::new()),
        symbology: None,
        text: None,
        rule: TextRule::Binary,
        certain: false,
        gs1: Vec::new(),
        parts: 1,
        pre_application: None,
        fault: Some(error.fault().as_str().to_owned()),
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

fn driver_settings(scanner: &Settings) -> Result<ScannerSettings, String> {
    let wrong = |what: &str| format!("scanner {}: {what}", scanner.name);
    let address = |text: &str| {
        text.parse::<SocketAddr>()
            .map_err(|_error| wrong("not an address such as 192.168.10.7:4001"))
    };
    let connection = match &scanner.connection {
        Connection::Serial(line) => {
            scanner::Connection::Serial(SerialSettings::new(&line.path, line.baud))
        }
        Connection::Tcp(text) => scanner::Connection::Tcp(address(text)?),
        Connection::Usb {
            vendor,
            product,
            serial,
        } => scanner::Connection::Hid(HidSelector {
            vendor: *vendor,
            product: *product,
            serial: serial.clone(),
        }),
        Connection::Keyboard(path) => {
            scanner::Connection::Keyboard(KeyboardSelector::Path(path.into()))
        }
        Connection::Simulated(text) => scanner::Connection::HidStream(address(text)?),
    };
    let mut settings = ScannerSettings::new(connection);
    settings.framing.aim = scanner.aim;
    if let Some(suffix) = scanner.suffix {
        settings.framing.suffix = match suffix {
            Suffix::Nothing => scanner::Suffix::Nothing,
            Suffix::Cr => scanner::Suffix::Cr,
            Suffix::CrLf => scanner::Suffix::CrLf,
            Suffix::Tab => scanner::Suffix::Tab,
            Suffix::Etx => scanner::Suffix::Etx,
            Suffix::EtxLrc => scanner::Suffix::EtxLrc,
        };
    }
    settings.keymap = match scanner.keymap {
        Keymap::Us => scanner::Keymap::Us,
        Keymap::Jis => scanner::Keymap::Jis,
    };
    settings.duplicates = Duration::from_millis(u64::from(scanner.duplicate_window_ms));
    Ok(settings)
}

fn keys(settings: &PreApplications) -> Result<PreApplicationKeys, String> {
    let form = |key: &host_protocol::settings::FormKey| {
        let public = key_bytes(&key.public_key)
            .ok_or_else(|| format!("form key {}: not 64 hexadecimal digits", key.id))?;
        Ok(FormKey { id: key.id, public })
    };
    let counter = |key: &host_protocol::settings::CounterKey| {
        let private = key_bytes(key.private_key.expose())
            .ok_or_else(|| format!("counter key {}: not 64 hexadecimal digits", key.id))?;
        Ok(CounterKey {
            id: key.id,
            private: Secret::new(private.to_vec()),
        })
    };
    Ok(PreApplicationKeys {
        municipality: settings.municipality,
        forms: settings
            .forms
            .iter()
            .map(form)
            .collect::<Result<_, String>>()?,
        counters: settings
            .counters
            .iter()
            .map(counter)
            .collect::<Result<_, String>>()?,
    })
}

fn key_bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}
