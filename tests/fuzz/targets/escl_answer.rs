//! libFuzzer's entry to the target `escl-answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::scanned_pages::escl_answer(input));
