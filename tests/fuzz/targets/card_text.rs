//! libFuzzer's entry to the target `card-text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::card_data::card_text(input));
