//! libFuzzer's entry to the target `pre-application`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::scanned_codes::pre_application(input));
