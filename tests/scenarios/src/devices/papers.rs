//! What stands on the paper of a ticket, as programs read it that share nothing with this product.
//!
//! The simulated printer draws what its interpreter of ESC/POS made of the bytes on the wire; `zbarimg` and,
//! where there is a Python with it, zxing-cpp read the QR code of the picture.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use agent_api::job::{JobResult, Task};
use agent_api::secret::SecretText;
use agent_api::ticket::{Align, Confidence, TicketElement, TicketState};
use anyhow::{Context as _, bail, ensure};

use super::rig::Rig;

/// What codes on tickets say: a number, an address of a page, Japanese.
const SAID: [&str; 3] = [
    "A-0012",
    "https://madoguchi.city.example.jp/q/8KQ2M4?n=12",
    "受付番号12番 住民票",
];

/// A Python that has zxing-cpp and Pillow, where somebody has made it.
const PYTHON: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/python/bin/python"
);

const READ_BY_ZXING: &str = "import sys, zxingcpp\nfrom PIL import Image\n\
    found = zxingcpp.read_barcodes(Image.open(sys.argv[1]))\n\
    sys.stdout.buffer.write('\\n'.join(code.text for code in found).encode())\n";

/// Prints tickets and has their codes read.
///
/// # Errors
/// The first paper that does not say what was ordered.
pub fn papers() -> anyhow::Result<String> {
    let rig = Rig::start()?;
    let mut page = rig.page()?;
    let held = page.take("ticketPrinter")?;
    let python = Some(Path::new(PYTHON)).filter(|python| python.is_file());
    let folder = tempfile::tempdir()?;
    for (number, said) in (1..).zip(SAID) {
        let ticket = format!("paper-{number}");
        let job = page.start(&held, order(&ticket, said), 30_000)?;
        let JobResult::Ticket { ticket: printed } = page.result(&job)? else {
            bail!("no ticket")
        };
        ensure!(printed.state == TicketState::Printed, "{printed:?}");
        ensure!(
            printed.confidence == Some(Confidence::Confirmed),
            "{printed:?}"
        );
        let file = folder.path().join(format!("{number}.png"));
        fs::write(&file, paper(&rig, number)?)?;
        ensure!(read_by_zbar(&file)? == said, "zbar reads something else");
        if let Some(python) = python {
            let read = read_by_zxing(python, &file)?;
            ensure!(read == said, "zxing-cpp reads something else");
        }
    }
    page.release(&held)?;
    drop(page);
    rig.stop()?;
    Ok(format!(
        "{} tickets read by zbar{}",
        SAID.len(),
        if python.is_some() {
            " and zxing-cpp"
        } else {
            ""
        }
    ))
}

/// A ticket with a code.
#[must_use]
pub fn order(ticket: &str, said: &str) -> Task {
    let text = |text: &str| SecretText::new(text.to_owned());
    Task::PrintTicket {
        ticket: ticket.to_owned(),
        reissue: false,
        content: vec![
            TicketElement::Text {
                text: text("市民課　住民票の写し"),
                size: 40,
                bold: false,
                align: Align::Centre,
            },
            TicketElement::Number { text: text("12") },
            TicketElement::Rule {},
            TicketElement::Qr {
                text: text(said),
                module: 5,
            },
            TicketElement::Space { height: 20 },
        ],
    }
}

/// The picture of a paper that has been cut off, counted from 1.
fn paper(rig: &Rig, number: u64) -> anyhow::Result<Vec<u8>> {
    let printer = rig.printer()?;
    let patience = Duration::from_secs(10);
    let view = printer.wait_for(|view| view.papers >= number, patience);
    ensure!(view.papers == number, "{} papers", view.papers);
    printer.paper_png(number).context("the paper is gone")
}

fn read_by_zbar(file: &Path) -> anyhow::Result<String> {
    let mut command = Command::new("zbarimg");
    // Without this, zbar guesses the character set of bytes by how they look.
    command.args(["--quiet", "--raw", "--oneshot", "-Sbinary"]);
    said_by(command.arg(file))
}

fn read_by_zxing(python: &Path, file: &Path) -> anyhow::Result<String> {
    let mut command = Command::new(python);
    said_by(command.args(["-c", READ_BY_ZXING]).arg(file))
}

fn said_by(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {error}");
    let text = String::from_utf8(output.stdout)?;
    Ok(text.trim_end_matches('\n').to_owned())
}
