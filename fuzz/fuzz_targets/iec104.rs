#![no_main]
#[path = "../../tests/fuzzing/mod.rs"]
mod fuzzing;
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::session::check(&parsers::iec104::DISSECTOR, data));
