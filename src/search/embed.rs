//! Embeds a hum: its windows of many lengths, as vectors that are compared with those of songs.

use qbh_index::QueryWindow;
use qbh_models::ModelError;
use qbh_models::embedder::Embedder;
use qbh_models::embedder::windows::{WindowVectors, embed_hum};

use super::trim::TrimmedHum;

/// The windows of a hum, longest first.
///
/// # Errors
/// What the embedder reports.
pub fn embed(hum: &TrimmedHum, embedder: &dyn Embedder) -> Result<Vec<WindowVectors>, ModelError> {
    embed_hum(&hum.contour, embedder)
}

/// The same windows as an index is asked for them, one by one.
pub fn queries(hum: &[WindowVectors]) -> Vec<QueryWindow<'_>> {
    let mut queries = Vec::new();
    for WindowVectors { steps, positions, vectors } in hum {
        let dimension = vectors.len() / positions.len().max(1);
        let windows = positions.iter().zip(vectors.chunks_exact(dimension.max(1)));
        queries.extend(windows.map(|(&position, vector)| QueryWindow { steps: *steps, position, vector }));
    }
    queries
}
