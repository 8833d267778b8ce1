//! libFuzzer's entry to the target `inkml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::signatures::inkml(input));
