//! Synthesis of training audio and of human hums.

pub mod hum;
