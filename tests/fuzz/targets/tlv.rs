//! libFuzzer's entry to the target `tlv`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::card_data::tlv(input));
