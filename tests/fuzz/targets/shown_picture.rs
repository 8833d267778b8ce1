//! libFuzzer's entry to the target `shown-picture`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::pens::shown_picture(input));
