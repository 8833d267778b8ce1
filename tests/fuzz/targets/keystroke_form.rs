//! libFuzzer's entry to the target `keystroke-form`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::written_by_hand::form(input));
