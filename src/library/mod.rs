//! The library: which files are music ([`walk`]), whether they have changed ([`identity`]), what tune they hold ([`listen`]).

mod error;
pub mod identity;
pub mod listen;
pub mod walk;

pub use error::{FileError, ListenError};
