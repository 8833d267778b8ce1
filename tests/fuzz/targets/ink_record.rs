//! libFuzzer's entry to the target `ink-record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::signatures::ink_record(input));
