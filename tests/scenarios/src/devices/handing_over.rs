//! Files for other systems are whole, once, and acknowledged.

use std::collections::BTreeMap;
use std::fs;

use agent_api::device::DeviceState;
use agent_api::job::{JobResult, Task};
use agent_api::secret::SecretText;
use anyhow::{Context as _, bail, ensure};
use harness::Counter;

use super::page::Page;

/// Every scene.
///
/// # Errors
/// The first thing that was not as it should be.
pub fn scenes(counter: &Counter) -> anyhow::Result<()> {
    let mut page = Page::open(counter)?;
    page.wait_for_device("handover", DeviceState::Ready)?;
    written_whole(counter, &mut page).context("written whole")?;
    refused(&mut page).context("refused")
}

fn order(name: &str) -> Task {
    let values = BTreeMap::from([
        ("name".to_owned(), SecretText::new(name.to_owned())),
        ("procedure".to_owned(), SecretText::new("転入届".to_owned())),
    ]);
    Task::HandOver {
        template: "certificates".to_owned(),
        values,
    }
}

fn written_whole(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let held = page.take("handover")?;
    let job = page.start(&held, order("山田　太郎"), 20_000)?;
    let JobResult::HandedOver { file } = page.result(&job)? else {
        bail!("no file")
    };
    let [outgoing, _acknowledgements] = counter.handover_folders();
    let bytes = fs::read(outgoing.join(&file.file))?;
    // 氏名 in CP932: 8E 81 96 BC (JIS X 0208 rows 27 and 44).
    ensure!(bytes.starts_with(b"\x8e\x81\x96\xbc"), "{bytes:x?}");
    ensure!(bytes.ends_with(b"\r\n") && file.sequence == 1, "{file:?}");
    page.release(&held)
}

/// A character that the receiver cannot take is named, and nothing is written.
fn refused(page: &mut Page) -> anyhow::Result<()> {
    let held = page.take("handover")?;
    let job = page.start(&held, order("𠮷田　花子"), 20_000)?;
    let ended = page.wait_for_end(&job)?;
    let error = ended.error.context("it was written")?;
    ensure!(error.code == "HND-UNMAPPABLE", "{}", error.code);
    let detail = error.detail.unwrap_or_default();
    ensure!(
        detail.contains("U+20BB7") && detail.contains("name"),
        "{detail}"
    );
    page.release(&held)
}
