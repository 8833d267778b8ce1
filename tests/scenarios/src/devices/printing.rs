//! A ticket is on at most one paper that is not marked, and whoever may settle it is told when nobody knows.

use agent_api::device::DeviceState;
use agent_api::job::{JobResult, Task};
use agent_api::secret::SecretText;
use agent_api::ticket::{Align, Confidence, TicketElement, TicketState};
use anyhow::{Context as _, bail, ensure};
use harness::Counter;
use serde_json::{Value, json};

use super::page::{Held, Page};

/// Time for one ticket.
const PRINT_MS: u32 = 30_000;

/// Every scene.
///
/// # Errors
/// The first thing that was not as it should be.
pub fn scenes(counter: &Counter) -> anyhow::Result<()> {
    let mut page = Page::open(counter)?;
    page.wait_for_device("ticketPrinter", DeviceState::Ready)?;
    printed_once(counter, &mut page).context("printed once")?;
    no_paper(counter, &mut page).context("no paper")?;
    nobody_knows(counter, &mut page).context("nobody knows")
}

/// A ticket with a rare name, a number and a code.
#[must_use]
pub fn ticket(name: &str, number: &str) -> Task {
    let text = |text: &str| SecretText::new(text.to_owned());
    Task::PrintTicket {
        ticket: name.to_owned(),
        content: vec![
            TicketElement::Text {
                text: text("𠮷野 髙子 様"),
                size: 40,
                bold: true,
                align: Align::Centre,
            },
            TicketElement::Number { text: text(number) },
            TicketElement::Rule {},
            TicketElement::Qr {
                text: text(&format!("https://city.example/{number}")),
                module: 8,
            },
        ],
        reissue: false,
    }
}

fn reissue(name: &str, number: &str) -> Task {
    let mut task = ticket(name, number);
    if let Task::PrintTicket { reissue, .. } = &mut task {
        *reissue = true;
    }
    task
}

fn papers(counter: &Counter) -> anyhow::Result<usize> {
    let papers: Vec<Value> = counter.control().ask("/devices/printer/papers")?;
    Ok(papers.len())
}

/// The printer confirms the paper; the same ticket again is refused; a reissue is another paper.
fn printed_once(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let held = page.take("ticketPrinter")?;
    let before = papers(counter)?;
    let job = page.start(&held, ticket("t-1", "A-014"), PRINT_MS)?;
    let JobResult::Ticket { ticket: printed } = page.result(&job)? else {
        bail!("no ticket")
    };
    ensure!(printed.state == TicketState::Printed, "{printed:?}");
    ensure!(
        printed.confidence == Some(Confidence::Confirmed),
        "{printed:?}"
    );
    ensure!(papers(counter)? == before + 1);
    let again = page.start(&held, ticket("t-1", "A-014"), PRINT_MS)?;
    let fault = page.fault(&again)?;
    ensure!(fault == "PRN-DUPLICATE", "{fault}");
    ensure!(papers(counter)? == before + 1);
    let more = page.start(&held, reissue("t-1", "A-014"), PRINT_MS)?;
    let JobResult::Ticket { ticket: printed } = page.result(&more)? else {
        bail!("no ticket")
    };
    ensure!(printed.papers == [1, 1], "{printed:?}");
    ensure!(papers(counter)? == before + 2);
    page.release(&held)
}

/// Without paper nothing is printed, now or later by surprise.
fn no_paper(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let before = papers(counter)?;
    counter.control().act("printer", "takePaperOut")?;
    let device = page.wait_for_device("ticketPrinter", DeviceState::NotReady)?;
    ensure!(
        device.health.code.as_deref() == Some("PRN-PAPER-OUT"),
        "{:?}",
        device.health
    );
    let held = page.take("ticketPrinter")?;
    match page.start(&held, ticket("t-2", "A-015"), PRINT_MS) {
        Err(refused) => ensure!(refused.code() == Some("PRN-PAPER-OUT"), "{refused}"),
        Ok(job) => {
            let fault = page.fault(&job)?;
            ensure!(fault == "PRN-PAPER-OUT", "{fault}");
        }
    }
    counter.control().act("printer", "putPaperIn")?;
    page.wait_for_device("ticketPrinter", DeviceState::Ready)?;
    ensure!(
        papers(counter)? == before,
        "something was printed by surprise"
    );
    let job = page.start(&held, ticket("t-2", "A-015"), PRINT_MS)?;
    page.result(&job)?;
    ensure!(papers(counter)? == before + 1);
    page.release(&held)
}

/// The printer falls silent in the middle: the ticket is listed, settled by a person, and reissued marked.
fn nobody_knows(counter: &Counter, page: &mut Page) -> anyhow::Result<()> {
    let held = page.take("ticketPrinter")?;
    let plan = json!({ "seed": 1, "faults": [{ "where": { "byte": 3000 }, "kind": "hang" }] });
    counter.control().device("printer/faults", &plan)?;
    let job = page.start(&held, ticket("t-3", "A-016"), 6_000)?;
    let fault = page.fault(&job)?;
    ensure!(fault == "PRN-UNKNOWN", "{fault}");
    counter.control().act("printer", "switchOff")?;
    counter.control().act("printer", "switchOn")?;
    page.wait_for_device("ticketPrinter", DeviceState::Ready)?;
    ensure!(listed(page, &held)? == ["t-3"], "it is not listed");
    let blind = page.start(&held, ticket("t-3", "A-016"), PRINT_MS)?;
    let fault = page.fault(&blind)?;
    ensure!(
        fault == "PRN-UNKNOWN" || fault == "PRN-DUPLICATE",
        "printed again without asking: {fault}"
    );
    let settle = Task::SettleTicket {
        ticket: "t-3".to_owned(),
        came_out: true,
    };
    let job = page.start(&held, settle, PRINT_MS)?;
    page.result(&job)?;
    ensure!(listed(page, &held)?.is_empty(), "it is still listed");
    page.release(&held)
}

fn listed(page: &mut Page, held: &Held) -> anyhow::Result<Vec<String>> {
    let job = page.start(held, Task::ListTickets {}, PRINT_MS)?;
    let JobResult::Tickets { tickets } = page.result(&job)? else {
        bail!("no list")
    };
    Ok(tickets.into_iter().map(|ticket| ticket.ticket).collect())
}
