//! libFuzzer's entry to the target `signed-document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::signatures::signed_document(input));
