//! libFuzzer's entry to the target `card-read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::card_read::card_read(input));
