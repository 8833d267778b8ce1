//! libFuzzer's entry to the target `printer-http`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::target::printing::printer_http(input));
