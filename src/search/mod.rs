//! Search: from the contour of a hum to ranked songs.
//!
//! A [`Searcher`] holds what is opened, and sends a hum through these stages, one file each:
//!
//! | stage | takes | gives |
//! |---|---|---|
//! | [`trim`] | the contour of a hum | what sounds of it, at two speeds |
//! | [`embed`] | that | windows of many lengths, as vectors |
//! | [`propose`] | windows | the songs worth scoring: all, or those that a coarse search or a graph proposes |
//! | [`vote`] | windows, these songs | similarities of windows that follow each other in order, added up to votes |
//! | [`standardize`] | votes | what votes unrelated songs get: a null distribution |
//! | [`choose`] | votes, null distribution | candidates: the songs whose votes stand out |
//! | [`fetch`] | candidates | their contours and tags |
//! | [`align`] | contours | how all of each song aligns with the hum |
//! | [`rank`] | alignments | an order by votes and alignment |
//! | [`locate`] | the best songs | the passages that their votes come from, which are aligned and ranked as well |
//! | [`rerank`] | hum and passages side by side | the first songs in a new order, by a network |
//! | [`fold`] | the ranking | the same without copies of one recording, which go with the best of them |
//! | [`calibrate`] | the ranking | how sure each match is |
//! | [`place`] | the ranking | where hum and song belong together in time, key and tempo |
//!
//! [`sequence`] is the form in which alignment sees hum and song. [`duplicates`] finds songs that are there twice.

pub mod align;
mod answer;
pub(crate) mod calibrate;
pub(crate) mod choose;
pub mod duplicates;
pub mod embed;
mod error;
pub(crate) mod fetch;
pub mod fold;
pub(crate) mod locate;
mod options;
pub(crate) mod place;
mod propose;
pub(crate) mod rank;
pub(crate) mod rerank;
mod searcher;
pub mod sequence;
pub(crate) mod standardize;
#[cfg(test)]
mod tests;
pub(crate) mod trim;
pub(crate) mod vote;

pub use answer::{Answer, Match, Placement, Timings};
pub use calibrate::CONFIDENT;
pub use error::SearchError;
pub use options::{SearchMethod, SearchOptions};
pub use searcher::{Searcher, Voted};
