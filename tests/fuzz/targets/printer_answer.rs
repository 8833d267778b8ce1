//! libFuzzer's entry to the target `printer-answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::printing::printer_answer(input));
