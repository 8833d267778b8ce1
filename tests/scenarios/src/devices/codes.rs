//! Codes of an independent encoder reach the page byte for byte.
//!
//! The codes were drawn by zint and read by zxing-cpp, which share nothing with this product
//! (`drivers/scanner/tests/data/codes.py` and `parts.py`): what a scanner transmits for each of them is sent
//! by a simulated scanner and goes through the link, the driver, its host and the agent to a page, and what
//! the page gets is held against the bytes that zint was given.
//!
//! | scanner | end of a code | codes that it cannot carry |
//! |---|---|---|
//! | on a line | CR | those that contain CR |
//! | on a line | a pause | none |
//! | HID point of sale | the report's own length | none |

use std::path::Path;
use std::time::Duration;

use agent_api::device::DeviceState;
use agent_api::item::Item;
use agent_api::job::{Job, JobResult, Step, Task};
use agent_api::lease::LeaseRequest;
use agent_api::scan::{Scan, TextRule};
use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Counter, Heard, Options, Patience};
use serde_json::json;
use sim_peripherals::{CodeScanner, Interface, ScannerSettings, Suffix, Symbology};
use toml::Table;

use super::page::{Held, Page};
use super::rig::{on_a_line, tcp};

const CODES: &str = include_str!("../../../../drivers/scanner/tests/data/codes.tsv");
const PARTS: &str = include_str!("../../../../drivers/scanner/tests/data/parts.tsv");

/// Longer than all codes of one scanner take.
const WATCH_MS: u32 = 120_000;
/// Stands before the content of what a scanner transmits: `]`, a letter, a modifier.
const IDENTIFIER: usize = 3;
/// The scanner that tells the end of a code by nothing else.
const WITH_PAUSE: &str = "codeScanner:pause";
/// Longer than the pause that ends a code, which is half a second.
const PAUSE: Duration = Duration::from_millis(800);
/// A pre-application, for which these counters have no key, is none of the codes that arrive.
const PRE_APPLICATION: &[u8] = b"MPA1:";

/// One code, or several that belong together.
struct Sample {
    /// How it was made.
    made: String,
    /// What the scanner transmits, one after the other.
    transmitted: Vec<Vec<u8>>,
    /// What was encoded.
    content: Vec<u8>,
    /// The text, where it is one.
    text: Option<String>,
    /// How many codes there are.
    parts: u32,
}

/// Shows every code to every kind of scanner.
///
/// # Errors
/// The first code that did not arrive as it was encoded.
pub fn codes() -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let [with_cr, with_pause] = ["cr", "pause"].map(|name| folder.path().join(name));
    let scanners = [
        ("cr", CodeScanner::start(on_a_line(&with_cr, Suffix::Cr))?),
        (
            "pause",
            CodeScanner::start(on_a_line(&with_pause, Suffix::None))?,
        ),
        (
            "hid",
            CodeScanner::start(ScannerSettings {
                interface: Interface::HidPos,
                ..ScannerSettings::default()
            })?,
        ),
    ];
    let [_, _, (_, hid)] = &scanners;
    let agent = configuration(&with_cr, &with_pause, &tcp(&hid.address())?)?;
    let counter = Counter::start(&Options {
        slots: 1,
        agent,
        ..Options::default()
    })?;
    let samples = samples()?;
    let mut said = Vec::new();
    for (name, scanner) in &scanners {
        let id = format!("codeScanner:{name}");
        let carried = samples
            .iter()
            .filter(|sample| *name != "cr" || sample.is_without_cr());
        let arrived = arrive(&counter, &id, scanner, carried).context(id)?;
        said.push(format!("{name} {arrived}"));
    }
    counter.stop()?;
    Ok(format!(
        "of {} codes of zint arrived byte for byte: {}",
        samples.len(),
        said.join(", ")
    ))
}

fn configuration(with_cr: &Path, with_pause: &Path, hid: &str) -> anyhow::Result<Table> {
    // The same code is shown again at once where a message consists of equal parts.
    let window = 0;
    Table::try_from(json!({ "code_scanner": [
        {
            "name": "cr", "duplicate_window_ms": window,
            "connection": { "serial": { "path": with_cr } },
        },
        {
            "name": "pause", "duplicate_window_ms": window, "suffix": "nothing",
            "connection": { "serial": { "path": with_pause } },
        },
        {
            "name": "hid", "duplicate_window_ms": window,
            "connection": { "simulated": hid },
        },
    ] }))
    .context("the scanners' configuration")
}

/// How many codes arrived at the page.
fn arrive<'a>(
    counter: &Counter,
    device: &str,
    scanner: &CodeScanner,
    samples: impl Iterator<Item = &'a Sample>,
) -> anyhow::Result<usize> {
    let mut page = Page::open(counter)?;
    let held = take(&mut page, device)?;
    let job = page.start(&held, Task::ScanCodes {}, WATCH_MS)?;
    // Only from here on a code is for this page.
    page.wait_for_step(&job, Step::WaitingForCode)?;
    let mut arrived = 0;
    for sample in samples {
        for (part, transmitted) in sample.transmitted.iter().enumerate() {
            if part > 0 && device == WITH_PAUSE {
                pause(&mut page)?;
            }
            show(scanner, transmitted)?;
        }
        let (n, scan) = next(&mut page, &job).with_context(|| sample.made.clone())?;
        sample.must_be(&scan)?;
        page.events.received(&job.id, n)?;
        arrived += 1;
    }
    page.door.cancel(&job.id)?;
    let JobResult::Scans { delivered, .. } = page.result(&job)? else {
        bail!("no count of codes")
    };
    ensure!(
        usize::try_from(delivered)? == arrived,
        "{delivered} counted"
    );
    page.release(&held)?;
    Ok(arrived)
}

fn take(page: &mut Page, device: &str) -> anyhow::Result<Held> {
    let patience = Patience::seconds(30);
    loop {
        let devices = page.door.devices()?.devices;
        let mut devices = devices.iter();
        if devices.any(|seen| seen.id == device && seen.state == DeviceState::Ready) {
            break;
        }
        page.events
            .next(patience)
            .with_context(|| format!("{device} did not become ready"))?;
    }
    let lease = page.door.lease(&LeaseRequest {
        device: device.to_owned(),
        ttl_ms: 120_000,
        session: Some(page.events.session().to_owned()),
    })?;
    Ok(Held {
        fence: lease.fence.context("the device is taken")?,
        lease: lease.id,
        device: device.to_owned(),
    })
}

/// Lets a pause pass in which no code may come.
fn pause(page: &mut Page) -> anyhow::Result<()> {
    let patience = Patience::of(PAUSE);
    while let Ok(heard) = page.events.hear(patience) {
        ensure!(
            matches!(heard, Heard::Event(_)),
            "a part alone reached the page"
        );
    }
    Ok(())
}

fn show(scanner: &CodeScanner, transmitted: &[u8]) -> anyhow::Result<()> {
    let (identifier, content) = transmitted
        .split_at_checked(IDENTIFIER)
        .context("no identifier")?;
    let symbology = Symbology::Aim(String::from_utf8(identifier.to_vec())?);
    let scanned = scanner.scan(content, &symbology)?;
    ensure!(scanned.sent > 0, "nothing left the scanner");
    Ok(())
}

fn next(page: &mut Page, job: &Job) -> anyhow::Result<(u32, Scan)> {
    match page.item(job)? {
        (n, Item::Scan { scan }) => Ok((n, *scan)),
        (n, other) => bail!("item {n} is no code: {other:?}"),
    }
}

impl Sample {
    fn is_without_cr(&self) -> bool {
        !self.transmitted.iter().any(|part| part.contains(&b'\r'))
    }

    fn must_be(&self, scan: &Scan) -> anyhow::Result<()> {
        let made = &self.made;
        ensure!(scan.fault.is_none(), "{made}: {:?}", scan.fault);
        ensure!(
            STANDARD.decode(scan.bytes.expose())? == self.content,
            "{made}: other bytes arrived"
        );
        let text = scan.text.as_ref().map(|text| text.expose());
        ensure!(text == self.text.as_deref(), "{made}: another text");
        let binary = scan.rule == TextRule::Binary;
        ensure!(binary == self.text.is_none(), "{made}: {:?}", scan.rule);
        ensure!(scan.parts == self.parts, "{made}: {} parts", scan.parts);
        let identifier = self
            .transmitted
            .first()
            .and_then(|sent| sent.get(..IDENTIFIER));
        ensure!(
            scan.symbology.as_deref().map(str::as_bytes) == identifier,
            "{made}: {:?}",
            scan.symbology
        );
        Ok(())
    }
}

fn samples() -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for line in CODES.lines() {
        let mut fields = line.split('\t');
        let mut field = || fields.next().context("a line with fewer fields");
        let (made, transmitted, content, text) = (field()?, field()?, field()?, field()?);
        samples.push(Sample {
            made: made.to_owned(),
            transmitted: vec![bytes(transmitted)?],
            content: bytes(content)?,
            text: (text != "-").then(|| text.to_owned()),
            parts: 1,
        });
    }
    for (number, line) in PARTS.lines().enumerate() {
        let fields = line.split('\t').map(bytes);
        let mut fields = fields.collect::<anyhow::Result<Vec<_>>>()?;
        let content = fields.remove(0);
        if content.starts_with(PRE_APPLICATION) {
            continue;
        }
        // Nobody shows the parts in their order.
        fields.reverse();
        samples.push(Sample {
            made: format!("message {number} in {} codes", fields.len()),
            parts: u32::try_from(fields.len())?,
            text: text_of(&content),
            transmitted: fields,
            content,
        });
    }
    Ok(samples)
}

/// What the messages of `parts.tsv` are as text: the name in CP932, UTF-8, or nothing.
fn text_of(content: &[u8]) -> Option<String> {
    const NAME: &str = "山田 太郎 御坊市薗350番地";
    // 山 in CP932 (JIS X 0208 row 27).
    if content.starts_with(&[0x8E, 0x52]) {
        return Some(NAME.to_owned());
    }
    String::from_utf8(content.to_vec()).ok()
}

fn bytes(hexadecimal: &str) -> anyhow::Result<Vec<u8>> {
    let (pairs, rest) = hexadecimal.as_bytes().as_chunks::<2>();
    ensure!(rest.is_empty(), "half a byte");
    let byte = |pair: &[u8; 2]| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
    pairs.iter().map(byte).collect()
}
