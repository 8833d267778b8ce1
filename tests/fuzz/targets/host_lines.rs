//! libFuzzer's entry to the target `host-lines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::hearing::host_lines(input));
