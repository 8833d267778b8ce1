//! libFuzzer's entry to the target `config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::local_api::config(input));
