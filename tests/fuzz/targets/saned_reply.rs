//! libFuzzer's entry to the target `saned-reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::scanned_pages::saned_reply(input));
