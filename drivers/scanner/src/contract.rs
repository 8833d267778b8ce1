//! What every [`CodeScanner`] must do, whatever is behind it.
//!
//! A bench shows codes to a scanner; the suite looks at what comes out. It is run on links in memory here,
//! and on simulators and hardware by those who have them.

use std::time::Duration;

use device_api::Patience;

use crate::fault::ScannerError;
use crate::scan::{CodeScanner, Scan};

/// A scanner with somebody who holds codes in front of it.
pub trait Bench {
    /// The scanner.
    fn scanner(&mut self) -> &mut dyn CodeScanner;

    /// Has the scanner read a code with this identifier and content.
    fn show(&mut self, identifier: &str, content: &[u8]);

    /// Has the scanner read such a code only in part, and fall silent.
    fn show_half(&mut self, identifier: &str, content: &[u8]);

    /// Unplugs it.
    fn unplug(&mut self);

    /// Patience for so long, by the clock that the scanner has.
    fn patience(&self, span: Duration) -> Patience;

    /// The longest content that it passes on.
    fn longest(&self) -> usize;

    /// Whether any byte may stand in the content, or only what a keyboard can type.
    fn takes_binary(&self) -> bool;
}

/// Runs every rule on a bench of its own.
///
/// # Panics
/// Where a rule is broken.
pub fn check<B: Bench>(mut bench: impl FnMut() -> B) {
    a_code_arrives_byte_for_byte(&mut bench());
    codes_come_one_by_one_in_their_order(&mut bench());
    nothing_to_read_is_a_timeout_and_does_no_harm(&mut bench());
    stopping_ends_the_wait_and_does_no_harm(&mut bench());
    half_a_code_is_an_error_and_no_code(&mut bench());
    a_code_that_is_too_long_is_an_error_and_does_no_harm(&mut bench());
    one_that_has_left_is_gone_for_ever(&mut bench());
    no_code_is_shown_in_debug(&mut bench());
    what_is_forgotten_does_not_come(&mut bench());
}

const SOON: Duration = Duration::from_secs(5);

fn read<B: Bench>(bench: &mut B) -> Result<Scan, ScannerError> {
    let patience = bench.patience(SOON);
    bench.scanner().next(&patience)
}

fn expect<B: Bench>(bench: &mut B, identifier: &str, content: &[u8]) {
    let found = read(bench);
    let Ok(scan) = found else {
        assert!(found.is_ok(), "no code: {found:?}");
        return;
    };
    assert_eq!(scan.bytes.bytes(), content);
    assert_eq!(
        scan.aim.map(crate::AimId::as_text).as_deref(),
        Some(identifier)
    );
    assert_eq!(scan.parts, 1);
}

fn a_code_arrives_byte_for_byte<B: Bench>(bench: &mut B) {
    let mut contents = vec![b"12345".to_vec(), b"] \\000026 [a-Z] ~".to_vec()];
    if bench.takes_binary() {
        contents.push("山田 太郎".into());
        contents.push((0..=255).collect());
    }
    contents.push(b"x".repeat(bench.longest()));
    for content in contents {
        bench.show("]Q1", &content);
        expect(bench, "]Q1", &content);
    }
}

fn codes_come_one_by_one_in_their_order<B: Bench>(bench: &mut B) {
    for content in ["first", "second", "third"] {
        bench.show("]C0", content.as_bytes());
    }
    for content in ["first", "second", "third"] {
        expect(bench, "]C0", content.as_bytes());
    }
}

fn nothing_to_read_is_a_timeout_and_does_no_harm<B: Bench>(bench: &mut B) {
    let patience = bench.patience(Duration::from_millis(100));
    let found = bench.scanner().next(&patience);
    assert!(matches!(found, Err(ScannerError::TimedOut)), "{found:?}");
    bench.show("]Q1", b"after");
    expect(bench, "]Q1", b"after");
}

fn stopping_ends_the_wait_and_does_no_harm<B: Bench>(bench: &mut B) {
    let patience = bench.patience(SOON);
    patience.stop();
    let found = bench.scanner().next(&patience);
    assert!(matches!(found, Err(ScannerError::Cancelled)), "{found:?}");
    bench.show("]Q1", b"after");
    expect(bench, "]Q1", b"after");
}

fn half_a_code_is_an_error_and_no_code<B: Bench>(bench: &mut B) {
    bench.show_half("]Q1", &b"half".repeat(40));
    let found = read(bench);
    assert!(matches!(found, Err(ScannerError::Garbled(_))), "{found:?}");
    bench.show("]Q1", b"after");
    expect(bench, "]Q1", b"after");
}

fn a_code_that_is_too_long_is_an_error_and_does_no_harm<B: Bench>(bench: &mut B) {
    let content = b"x".repeat(bench.longest() + 100);
    bench.show("]Q1", &content);
    let found = read(bench);
    assert!(
        matches!(found, Err(ScannerError::TooLong { .. })),
        "{found:?}"
    );
    bench.show("]Q1", b"after");
    expect(bench, "]Q1", b"after");
}

fn what_is_forgotten_does_not_come<B: Bench>(bench: &mut B) {
    assert!(!bench.scanner().forget(), "there was nothing to forget");
    // The first of two parts: not a code yet.
    bench.show("]Q1", b"MSA:010200:first");
    let patience = bench.patience(Duration::from_millis(100));
    let found = bench.scanner().next(&patience);
    assert!(matches!(found, Err(ScannerError::TimedOut)), "{found:?}");
    assert!(bench.scanner().forget(), "the part was to be forgotten");
    bench.show("]Q1", b"after");
    expect(bench, "]Q1", b"after");
}

fn one_that_has_left_is_gone_for_ever<B: Bench>(bench: &mut B) {
    bench.unplug();
    for _ in 0..2 {
        let found = read(bench);
        assert!(matches!(found, Err(ScannerError::Gone)), "{found:?}");
    }
}

fn no_code_is_shown_in_debug<B: Bench>(bench: &mut B) {
    bench.show("]Q1", b"SECRETSECRET");
    let found = read(bench);
    let shown = format!("{found:?} {:?}", bench.scanner());
    assert!(found.is_ok() && !shown.contains("SECRET"), "{shown}");
    // Nor as numbers.
    assert!(!shown.contains("83, 69, 67"), "{shown}");
}
