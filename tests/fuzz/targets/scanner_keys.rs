//! libFuzzer's entry to the target `scanner-keys`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::scanned_codes::scanner_keys(input));
