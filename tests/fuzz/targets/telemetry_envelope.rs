//! libFuzzer's entry to the target `telemetry-envelope`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::reports::envelope(input));
