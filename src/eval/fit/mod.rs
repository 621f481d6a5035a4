//! The fit of ranking and confidence: what `qbh eval fit` does.
//!
//! Hums are searched in libraries of many sizes ([`trials`]); the weights of the ranking are those that make the right song the likeliest choice among
//! the candidates ([`ranking`]), and a logistic model tells from the ranking whether its first song is right ([`confidence`]). Sets of hums are
//! of different kinds, and each is held out in turn: a weight that suits one kind only shows.

mod confidence;
mod ranking;
mod trials;

pub use confidence::{ConfidenceFit, HeldOut, fit_confidence};
pub use ranking::{RankingFit, RankingScores, SetRanking, fit_ranking};
pub use trials::{FitSet, Trials, hums_of_charts, hums_of_manifest, hums_of_melodies, search_all, transcribed_hums};
