//! Voices made of recorded speech: what a speaker's vocal tract does is taken from recordings, what is sung from the notes.
//!
//! A vocoder in two halves. Analysis: [`pitch`] finds f0, [`spectrum`] the envelope and the share of noise of every 5 ms,
//! [`runs`] the syllables, and a [`Speaker`] keeps them. Singing: [`recite`] lays the next syllables of a recording over the
//! notes, and [`response`] tells the renderer how the tract of one frame answers, warped and coloured for the singer.

mod bank;
pub mod pitch;
pub mod recite;
pub mod response;
pub mod runs;
mod speaker;
pub mod spectrum;
#[cfg(test)]
pub(super) mod tests;

pub use bank::SpeechBank;
pub use speaker::Speaker;
