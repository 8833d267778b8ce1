//! The driver keeps the contract, and the contract catches a driver that does not.

use device_api::Patience;

use super::stamp::{Mark, document, name};
use super::world::{Cut, Part, Variant, World};
use super::*;
use crate::driver::{EscPosPrinter, PrintRequest, TicketPrinter};
use crate::ticket::Ticket;

#[test]
fn a_power_cut_at_every_step_keeps_every_rule() {
    // Each way in which printers differ, and two mixtures; all 64 mixtures are `every_cut`.
    let report = every_cut_of([0, 1, 2, 4, 8, 16, 32, 25, 63])
        .unwrap_or_else(|violation| panic!("{violation}"));
    assert!(report.cuts > 1_000, "{report:?}");
    // A test that is run with another figure here tells the rate of unknown.
    assert!(report.unknown * 2 < report.cuts, "{report:?}");
}

#[test]
fn several_power_cuts_and_paper_that_ends_keep_every_rule() {
    let report = run(20_261_121, 1_500).unwrap_or_else(|violation| panic!("{violation}"));
    assert!(report.reissued > 100, "{report:?}");
}

#[test]
fn paper_that_ends_at_any_line_prints_nothing_later() {
    for variant in 0..Variant::COUNT {
        for roll in 0..usize::from(Mark::ROWS) {
            let world = World::new(Variant(variant));
            world.roll(Some(roll));
            let mut driver = world.driver().unwrap();
            let request = PrintRequest {
                ticket: name(1).unwrap(),
                document: document(1),
            };
            let error = driver.print(&request, &world.patience(60)).unwrap_err();
            assert_eq!(error.fault(), device_api::FaultCode::PrinterPaperOut);
            let before: usize = world.papers().iter().map(Vec::len).sum();
            world.roll(None);
            let after: usize = world.papers().iter().map(Vec::len).sum();
            assert_eq!(before, after, "variant {variant}, roll {roll}");
        }
    }
}

struct Memory {
    world: World,
    driver: EscPosPrinter,
}

impl Bench for Memory {
    fn printer(&mut self) -> &mut dyn TicketPrinter {
        &mut self.driver
    }
    fn restart(&mut self) {
        self.driver = self.world.driver().unwrap();
    }
    fn document(&self, number: u8) -> Ticket {
        document(number)
    }
    fn take_paper_out(&mut self) {
        self.world.roll(Some(0));
    }
    fn put_paper_in(&mut self) {
        self.world.roll(None);
    }
    fn papers(&self) -> usize {
        let papers = self.world.papers();
        papers.iter().filter(|paper| !paper.is_empty()).count()
    }
    fn patience(&self) -> Patience {
        self.world.patience(60)
    }
}

#[test]
fn the_driver_keeps_the_suite_with_every_kind_of_printer() {
    for variant in 0..Variant::COUNT {
        let world = World::new(Variant(variant));
        let driver = world.driver().unwrap();
        suite(&mut Memory { world, driver })
            .unwrap_or_else(|broken| panic!("{variant}: {broken:?}"));
    }
}

#[test]
fn the_rig_catches_a_paper_that_was_sent_before_it_was_on_the_disk() {
    let world = World::new(Variant(0));
    let mut driver = world.driver().unwrap();
    let request = PrintRequest {
        ticket: name(1).unwrap(),
        document: document(1),
    };
    driver.print(&request, &world.patience(60)).unwrap();
    assert_eq!(world.broken(), []);
    // The same dots from somebody who keeps no journal.
    let other = World::new(Variant(0));
    other.print_unannounced(1);
    assert_eq!(other.broken().first(), Some(&Rule::IntentFirst));
}

#[test]
fn a_cut_is_seen_by_the_driver_as_a_lost_printer() {
    let world = World::new(Variant(0));
    let mut driver = world.driver().unwrap();
    world.cut_at(Cut {
        step: 3,
        part: Part::None,
    });
    let request = PrintRequest {
        ticket: name(1).unwrap(),
        document: document(1),
    };
    assert!(driver.print(&request, &world.patience(60)).is_err());
    assert!(world.restore());
}
