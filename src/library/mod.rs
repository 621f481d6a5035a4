//! The library: which files are music ([`walk`]), whether they have changed ([`identity`]), what they sound like
//! ([`sound`]), what tune they hold ([`listen`]), the run over all of them ([`indexer`]), and what people call songs ([`naming`]).

mod embed;
mod error;
pub mod identity;
pub mod indexer;
pub mod listen;
pub mod naming;
pub mod sound;
pub mod walk;

pub use embed::embed_song;
pub use error::{FileError, ListenError};
