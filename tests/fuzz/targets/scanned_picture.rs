//! libFuzzer's entry to the target `scanned-picture`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::scanned_pages::scanned_picture(input));
