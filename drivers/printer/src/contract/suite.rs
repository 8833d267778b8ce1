//! What any ticket printer must keep, at any bench.

use device_api::{FaultCode, Patience};

use crate::driver::{PrintRequest, Resolution, Resolved, TicketPrinter};
use crate::fault::{PaperFate, PrintError};
use crate::ticket::{BadTicketId, Ticket, TicketId};

/// A printer with its surroundings.
pub trait Bench {
    /// The printer; the same one each time.
    fn printer(&mut self) -> &mut dyn TicketPrinter;
    /// Ends the driver and begins another over the same journal and printer.
    fn restart(&mut self);
    /// A ticket of this number, different for each.
    fn document(&self, number: u8) -> Ticket;
    /// Takes the paper out.
    fn take_paper_out(&mut self);
    /// Puts a new roll in.
    fn put_paper_in(&mut self);
    /// How many papers with something on them were cut off so far.
    fn papers(&self) -> usize;
    /// Enough patience for one ticket.
    fn patience(&self) -> Patience;
}

/// What is not kept.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Broken {
    what: &'static str,
    /// What the printer said instead.
    #[source]
    error: Option<PrintError>,
}

/// Goes through what a ticket printer must keep.
///
/// # Errors
/// The first thing that is not kept.
pub fn suite(bench: &mut dyn Bench) -> Result<(), Broken> {
    a_ticket_is_one_paper(bench)?;
    a_name_is_used_once(bench)?;
    without_paper_nothing_is_printed_now_or_later(bench)?;
    a_reissue_is_one_paper_for_each_decision(bench)?;
    what_was_printed_is_known_after_a_restart(bench)
}

fn request(bench: &dyn Bench, number: u8) -> Result<PrintRequest, Broken> {
    let bad = |_: BadTicketId| Broken {
        what: "a name of the suite is refused",
        error: None,
    };
    let ticket = TicketId::new(format!("T{number}")).map_err(bad)?;
    Ok(PrintRequest {
        ticket,
        document: bench.document(number),
    })
}

fn a_ticket_is_one_paper(bench: &mut dyn Bench) -> Result<(), Broken> {
    let (request, patience) = (request(bench, 1)?, bench.patience());
    let printed = bench.printer().print(&request, &patience);
    let printed = printed.map_err(because("a ticket is not printed"))?;
    holds(printed.copy == 0, "a first paper counts as a reissue")?;
    holds(bench.papers() == 1, "a ticket is not one paper")?;
    holds(
        bench.printer().unresolved().is_empty(),
        "a printed ticket is in doubt",
    )?;
    let preview = bench.printer().preview(&request.document);
    preview
        .map(drop)
        .map_err(because("a ticket has no preview"))
}

fn a_name_is_used_once(bench: &mut dyn Bench) -> Result<(), Broken> {
    let (request, patience) = (request(bench, 1)?, bench.patience());
    let again = bench.printer().print(&request, &patience);
    let refused = again.is_err_and(|error| error.fault() == FaultCode::PrinterDuplicate);
    holds(refused, "a name is used twice")?;
    holds(bench.papers() == 1, "a refused ticket is a paper")
}

fn without_paper_nothing_is_printed_now_or_later(bench: &mut dyn Bench) -> Result<(), Broken> {
    let request = request(bench, 2)?;
    let before = bench.papers();
    bench.take_paper_out();
    let patience = bench.patience();
    let failed = bench.printer().print(&request, &patience);
    let Err(error) = failed else {
        return holds(false, "a printer without paper prints");
    };
    holds(
        error.fault() == FaultCode::PrinterPaperOut,
        "paper that is out is not told",
    )?;
    holds(
        error.paper() == PaperFate::None,
        "paper that is out leaves doubt",
    )?;
    bench.put_paper_in();
    let patience = bench.patience();
    let status = bench.printer().status(&patience);
    status.map_err(because("a printer with new paper does not answer"))?;
    holds(bench.papers() == before, "a ticket comes out by surprise")?;
    let patience = bench.patience();
    let printed = bench.printer().print(&request, &patience);
    printed.map_err(because("a ticket that was never sent is not printed later"))?;
    holds(
        bench.papers() == before + 1,
        "a ticket that was never sent is not one paper",
    )
}

fn a_reissue_is_one_paper_for_each_decision(bench: &mut dyn Bench) -> Result<(), Broken> {
    let (request, patience) = (request(bench, 1)?, bench.patience());
    let before = bench.papers();
    for copy in 1..=2 {
        let how = Resolution::Reprint(&request.document);
        let resolved = bench.printer().resolve(&request.ticket, how, &patience);
        let resolved = resolved.map_err(because("a reissue is not printed"))?;
        let marked = matches!(resolved, Resolved::Printed(printed) if printed.copy == copy);
        holds(marked, "a reissue has another number")?;
    }
    holds(
        bench.papers() == before + 2,
        "two decisions are not two papers",
    )?;
    let nothing = bench
        .printer()
        .resolve(&request.ticket, Resolution::CameOut, &patience);
    holds(nothing.is_err(), "what is known can be decided")
}

fn what_was_printed_is_known_after_a_restart(bench: &mut dyn Bench) -> Result<(), Broken> {
    let request = request(bench, 1)?;
    bench.restart();
    let patience = bench.patience();
    let again = bench.printer().print(&request, &patience);
    let refused = again.is_err_and(|error| error.fault() == FaultCode::PrinterDuplicate);
    holds(refused, "a restart forgets a ticket")?;
    holds(
        bench.printer().papers(&request.ticket).len() == 3,
        "a restart forgets a paper",
    )
}

fn holds(is: bool, what: &'static str) -> Result<(), Broken> {
    if is {
        Ok(())
    } else {
        Err(Broken { what, error: None })
    }
}

fn because(what: &'static str) -> impl FnOnce(PrintError) -> Broken {
    move |error| Broken {
        what,
        error: Some(error),
    }
}
