//! libFuzzer's entry to the target `signature-container`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::signatures::container(input));
