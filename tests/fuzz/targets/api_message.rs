//! libFuzzer's entry to the target `api-message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::local_api::api_message(input));
