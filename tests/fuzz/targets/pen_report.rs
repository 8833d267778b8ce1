//! libFuzzer's entry to the target `pen-report`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::pens::pen_report(input));
