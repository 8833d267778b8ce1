//! libFuzzer's entry to the target `command-journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::ordered::command_journal(input));
