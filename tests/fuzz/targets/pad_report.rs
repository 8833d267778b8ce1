//! libFuzzer's entry to the target `pad-report`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::pens::pad_report(input));
