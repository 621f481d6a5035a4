#![no_main]
#[path = "../targets.rs"]
#[allow(dead_code)]
mod targets;

// Panics of the decoders are caught, and become errors: only those that are not end the run.
libfuzzer_sys::fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |data: &[u8]| targets::audio(data));
