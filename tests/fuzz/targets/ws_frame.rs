//! libFuzzer's entry to the target `ws-frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::connection::ws_frame(input));
