//! libFuzzer's entry to the target `http`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::connection::http(input));
