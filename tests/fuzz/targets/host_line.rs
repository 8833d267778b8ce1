//! libFuzzer's entry to the target `host-line`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::host_protocol::host_line(input));
