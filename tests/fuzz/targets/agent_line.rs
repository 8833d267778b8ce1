//! libFuzzer's entry to the target `agent-line`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::host_protocol::agent_line(input));
