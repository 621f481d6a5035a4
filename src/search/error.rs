//! Why a search came to nothing.

use qbh_models::ModelError;

/// Why a search came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The hum has no pitch.
    #[error("no voice was heard in the hum; hum, sing or whistle closer to the microphone")]
    NoVoice,
    /// The hum is too short to tell songs apart.
    #[error("only {heard:.1} s of melody were heard; hum at least {needed:.1} s, better 8 to 12 s")]
    TooShort {
        /// Seconds with a pitch.
        heard: f32,
        /// Seconds needed.
        needed: f32,
    },
    /// There is nothing to search.
    #[error("the index holds no song; run `qbh index` on your music first")]
    EmptyIndex,
    /// Songs are to be proposed by a graph, and the searcher was given none.
    #[error("the search was opened without an HNSW graph; open one, or search exactly")]
    NoGraph,
    /// The index failed.
    #[error(transparent)]
    Index(#[from] qbh_index::Error),
    /// The embedder or the reranker failed.
    #[error(transparent)]
    Model(#[from] ModelError),
}
