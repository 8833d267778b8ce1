//! libFuzzer's entry to the target `trust-file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::card_data::trust_file(input));
