//! What every [`DocumentScanner`] must do, whatever stands behind it.
//!
//! A bench lends scanners to the suite: one with paper on the glass and in the feeder, one whose feeder is
//! empty, one that is slow. [`all`] runs everything; it panics where a rule is broken, so it belongs in
//! tests only.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use device_api::{Clock, Deadline, FaultCode, Patience, SystemClock};

use crate::{DocumentScanner, Format, Progress, ScanRequest, Scanned, Source};

/// What the suite needs to be lent.
pub trait Bench {
    /// A scanner with a page on the glass and with at least [`Bench::pages`] sheets in its feeder.
    fn loaded(&mut self) -> Box<dyn DocumentScanner>;

    /// A scanner whose feeder is empty; `None` where that cannot be arranged.
    fn empty(&mut self) -> Option<Box<dyn DocumentScanner>>;

    /// A scanner that needs at least ten seconds for a page.
    fn slow(&mut self) -> Box<dyn DocumentScanner>;

    /// How many sheets the feeder of [`Bench::loaded`] has.
    fn pages(&self) -> u32;

    /// A request that the scanners offer, for the glass.
    fn request(&self) -> ScanRequest;
}

/// Runs the whole suite.
pub fn all(bench: &mut impl Bench) {
    the_glass_gives_one_page(bench);
    the_feeder_gives_its_pages_or_as_many_as_wanted(bench);
    an_empty_feeder_is_no_paper(bench);
    what_is_not_offered_is_refused(bench);
    a_slow_scan_can_be_ended(bench);
    a_deadline_that_has_passed_ends_a_scan_at_once(bench);
}

fn the_glass_gives_one_page(bench: &mut impl Bench) {
    let mut scanner = bench.loaded();
    let request = bench.request();
    for format in [Format::PdfA, Format::Tiff, Format::Png] {
        let request = ScanRequest {
            format,
            ..request.clone()
        };
        let scanned = finished(scanner.as_mut(), &request);
        assert_eq!((scanned.pages.len(), scanned.files.len()), (1, 1));
        assert_eq!(scanned.media_type, format.media_type());
        // Neither document nor hash shows when it is written down.
        let shown = format!("{scanned:?}");
        assert!(shown.len() < 1000 && !shown.contains("picture"), "{shown}");
    }
}

fn the_feeder_gives_its_pages_or_as_many_as_wanted(bench: &mut impl Bench) {
    let mut scanner = bench.loaded();
    let request = ScanRequest {
        source: Source::Feeder,
        format: Format::Png,
        max_pages: 2,
        ..bench.request()
    };
    let two = finished(scanner.as_mut(), &request);
    assert_eq!(two.pages.len(), 2, "as many as wanted");
    let all = ScanRequest {
        max_pages: 1000,
        ..request
    };
    let expected = usize::try_from(bench.pages()).unwrap_or(usize::MAX);
    let pages = finished(bench.loaded().as_mut(), &all).pages.len();
    assert_eq!(pages, expected, "until it is empty");
}

fn an_empty_feeder_is_no_paper(bench: &mut impl Bench) {
    let Some(mut scanner) = bench.empty() else {
        return;
    };
    let request = ScanRequest {
        source: Source::Feeder,
        ..bench.request()
    };
    let fault = fault(scanner.as_mut(), &request, &minute());
    assert_eq!(fault, Some(FaultCode::DocumentNoPaper));
}

fn what_is_not_offered_is_refused(bench: &mut impl Bench) {
    let mut scanner = bench.loaded();
    let request = ScanRequest {
        resolution: 54_321,
        ..bench.request()
    };
    let fault = fault(scanner.as_mut(), &request, &minute());
    assert_eq!(fault, Some(FaultCode::DocumentSettings));
    // And it still scans.
    finished(scanner.as_mut(), &bench.request());
}

fn a_slow_scan_can_be_ended(bench: &mut impl Bench) {
    let mut scanner = bench.slow();
    let patience = minute();
    let switch = patience.clone();
    let (begun, first) = mpsc::channel();
    let stopper = thread::spawn(move || {
        if first.recv().is_ok() {
            switch.stop();
        }
    });
    let clock = SystemClock::new();
    let request = bench.request();
    let outcome = scanner.scan(
        &request,
        &mut |_| begun.send(()).unwrap_or_default(),
        &patience,
    );
    let fault = outcome.err().map(|error| error.fault());
    assert_eq!(fault, Some(FaultCode::JobCancelled));
    assert!(
        clock.now().since_origin() < Duration::from_secs(8),
        "ended at once"
    );
    assert!(stopper.join().is_ok());
}

fn a_deadline_that_has_passed_ends_a_scan_at_once(bench: &mut impl Bench) {
    let mut scanner = bench.loaded();
    let request = bench.request();
    let fault = fault(scanner.as_mut(), &request, &patience(Duration::ZERO));
    assert_eq!(fault, Some(FaultCode::JobDeadline));
}

/// Scans, and looks at what is told on the way.
fn finished(scanner: &mut dyn DocumentScanner, request: &ScanRequest) -> Scanned {
    let mut told: Vec<Progress> = Vec::new();
    let outcome = scanner.scan(request, &mut |progress| told.push(progress), &minute());
    let fault = outcome.as_ref().err().map(|error| error.fault());
    assert_eq!(fault, None, "the scan succeeds");
    let key = |progress: &Progress| (progress.page, progress.per_mille.unwrap_or(0));
    assert!(told.is_sorted_by_key(key), "progress goes forward");
    let scanned = outcome.unwrap_or_else(|_| Scanned {
        pages: Vec::new(),
        files: Vec::new(),
        media_type: "",
    });
    let ends = told
        .iter()
        .filter(|one| one.per_mille == Some(1000))
        .count();
    assert_eq!(ends, scanned.pages.len(), "each page ends once");
    scanned
}

fn fault(
    scanner: &mut dyn DocumentScanner,
    request: &ScanRequest,
    patience: &Patience,
) -> Option<FaultCode> {
    let outcome = scanner.scan(request, &mut |_| {}, patience);
    outcome.err().map(|error| error.fault())
}

fn minute() -> Patience {
    patience(Duration::from_secs(60))
}

fn patience(span: Duration) -> Patience {
    let clock = SystemClock::new();
    let deadline = Deadline::at(clock.now().plus(span));
    Patience::new(Arc::new(clock), deadline)
}
