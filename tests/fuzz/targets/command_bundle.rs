//! libFuzzer's entry to the target `command-bundle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::ordered::command_bundle(input));
