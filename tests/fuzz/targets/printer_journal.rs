//! libFuzzer's entry to the target `printer-journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::printing::printer_journal(input));
