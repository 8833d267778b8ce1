//! The contract of document scanners, on the real server.

use document::contract::{Bench, all};
use document::{ColourMode, DocumentScanner, ScanRequest};

use crate::server::Saned;
use crate::{open, request};

struct SanedBench(Saned);

impl Bench for SanedBench {
    fn loaded(&mut self) -> Box<dyn DocumentScanner> {
        open(&self.0, &[("test-picture", "Grid")])
    }

    /// The feeder of the backend is never empty at first.
    fn empty(&mut self) -> Option<Box<dyn DocumentScanner>> {
        let options = [("read-return-value", "SANE_STATUS_NO_DOCS")];
        Some(open(&self.0, &options))
    }

    fn slow(&mut self) -> Box<dyn DocumentScanner> {
        // 200 milliseconds for each buffer of 64 kilobytes, or less.
        let options = [
            ("read-delay", "yes"),
            ("read-delay-duration", "200000"),
            ("read-limit", "yes"),
            ("read-limit-size", "100"),
        ];
        open(&self.0, &options)
    }

    fn pages(&self) -> u32 {
        10
    }

    fn request(&self) -> ScanRequest {
        request(ColourMode::Colour, 100)
    }
}

#[test]
fn the_contract_holds_over_saned() {
    all(&mut SanedBench(Saned::start()));
}
