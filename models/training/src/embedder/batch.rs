//! The network inputs of a step.

use super::pairs::PairSource;
use qbh_models::ModelError;
use qbh_models::embedder::Architecture;

/// The inputs of one step: first all hums, then all songs, each `channels x steps` values; and the groups of the pairs.
pub(super) struct Batch {
    /// `2 * pairs * channels * steps` values.
    pub(super) input: Vec<f32>,
    /// One per pair.
    pub(super) groups: Vec<i64>,
}

impl Batch {
    /// Draws the pairs of step `step`: item `i` from the random stream (seed, step, i).
    ///
    /// # Errors
    /// What there is gives no pairs.
    pub(super) fn draw(
        source: &PairSource,
        architecture: Architecture,
        pairs: usize,
        seed: u64,
        step: u64,
    ) -> Result<Self, ModelError> {
        let nothing =
            || ModelError::Training("the melodies or hums are too few, too short or too sparse to draw pairs from".into());
        let (channels, steps) = architecture.input();
        let size = channels * steps;
        let mut input = vec![0.0; 2 * pairs * size];
        let (hums, songs) = input.split_at_mut(pairs * size);
        let mut groups = Vec::with_capacity(pairs);
        for (i, (hum, song)) in hums.chunks_exact_mut(size).zip(songs.chunks_exact_mut(size)).enumerate() {
            let pair = source.draw_item(pairs, seed, step, i).ok_or_else(nothing)?;
            architecture.features(&pair.hum, hum);
            architecture.features(&pair.song, song);
            groups.push(pair.group);
        }
        Ok(Batch { input, groups })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tunes;
    use super::*;

    #[test]
    fn batches_repeat_with_their_key_and_differ_without() {
        let melodies = tunes();
        let source = PairSource::new(&melodies, Architecture::Contextual);
        let draw = |seed, step| Batch::draw(&source, Architecture::Contextual, 4, seed, step).unwrap();
        assert_eq!(draw(1, 7).input, draw(1, 7).input);
        let (a, b, c) = (draw(1, 7), draw(1, 8), draw(2, 7));
        assert_ne!(a.input, b.input);
        assert_ne!(a.input, c.input);
        let size = a.input.len() / 8;
        for i in 1..4 {
            assert_ne!(a.input[..size], a.input[i * size..(i + 1) * size], "items of a batch repeat each other");
        }
    }
}
