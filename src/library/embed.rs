//! What the index stores of a song's contour.

use qbh_index::LevelWindows;
use qbh_models::ModelError;
use qbh_models::embedder::windows::WindowVectors;
use qbh_models::embedder::{Embedder, windows};

/// Embeds the windows of a song (MIDI pitch per 100 ms, 0 = unvoiced), as the index stores them; levels without windows are left out.
///
/// # Errors
/// What the embedder reports.
pub fn embed_song(contour: &[f32], embedder: &dyn Embedder) -> Result<Vec<LevelWindows>, ModelError> {
    let level = |WindowVectors { steps, positions, vectors }| LevelWindows { steps, positions, vectors };
    Ok(windows::embed_song(contour, embedder)?.into_iter().map(level).collect())
}
