//! The JSON that command line and HTTP API share (docs/json.md): its types, not where it is written to.

mod answer;
mod song;

pub use answer::{HumJson, QueryJson};
pub use song::{ContourJson, ListedJson, SongJson};
