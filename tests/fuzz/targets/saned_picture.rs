//! libFuzzer's entry to the target `saned-picture`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::scanned_pages::saned_picture(input));
