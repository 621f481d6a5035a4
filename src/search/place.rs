//! Places a hum in a song: from the path of an alignment to position, key, tempo.

use qbh_models::median;

use super::align::{Aligner, EIGHTHS, part};
use super::answer::Placement;
use super::rank::RankedSong;
use super::sequence::PitchSequence;
use super::trim::TrimmedHum;

/// Where a hum lies in a ranked song, at the likeliest of its places; `None` when nothing matches there.
pub fn place(hum: &TrimmedHum, ranked: &RankedSong) -> Option<Placement> {
    let best = ranked.places.first()?;
    let sequence = hum.reading(best.passage.slowed).sequence;
    let mut placement = lay(sequence, &part(&ranked.song.contour, best.passage), best.alignment.shift)?;
    // The silence before the hum was cut off.
    placement.hum_start += hum.offset;
    placement.hum_end += hum.offset;
    placement.path.iter_mut().for_each(|(in_hum, _)| *in_hum += hum.offset);
    Some(placement)
}

/// Lays one sequence on the other along the best path at `shift` (see [`super::align::Alignment::shift`]); `None` when nothing matches.
pub fn lay(hum: &PitchSequence, song: &PitchSequence, shift: u16) -> Option<Placement> {
    let path = Aligner::new(&hum.class).path(&song.class, shift);
    let (&(hum_first, song_first), &(hum_last, song_last)) = (path.first()?, path.last()?);
    let differences: Vec<f32> = path.iter().map(|&(i, j)| hum.pitch[i] - song.pitch[j]).collect();
    // By frames, not by times: what was cut out of long rests is no tempo.
    let lasts = |sequence: &PitchSequence, first: usize, last: usize| sequence.duration(last - first + 1);
    Some(Placement {
        song_start: song.start(song_first),
        song_end: song.end(song_last),
        hum_start: hum.start(hum_first),
        hum_end: hum.end(hum_last),
        key_shift: key_shift(&differences, -f32::from(shift) / EIGHTHS),
        tempo_ratio: lasts(song, song_first, song_last) / lasts(hum, hum_first, hum_last),
        path: path.iter().map(|&(i, j)| (hum.start(i), song.start(j))).collect(),
    })
}

/// The shift that most pitch differences (hum minus song, semitones) agree on. Within the octave it is the median around the key
/// `near` that the alignment found; the octave is the median of the frames' octaves, so that octave errors of a minority of
/// frames do no harm.
fn key_shift(differences: &[f32], near: f32) -> f32 {
    let mut residuals: Vec<f32> = differences.iter().map(|d| (d - near + 6.0).rem_euclid(12.0) - 6.0).collect();
    let fine = near + middle(&mut residuals);
    let mut octaves: Vec<f32> = differences.iter().map(|d| ((d - fine) / 12.0).round()).collect();
    fine + 12.0 * middle(&mut octaves)
}

/// The median; 0 of nothing.
fn middle(values: &mut [f32]) -> f32 {
    median(values, f32::total_cmp).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::align::Buffers;

    fn placed(hum: &[f32], song: &[f32]) -> Placement {
        let (hum, song) = (PitchSequence::new(hum), PitchSequence::new(song));
        let found = Aligner::new(&hum.class).align(&song.class, &mut Buffers::default());
        lay(&hum, &song, found.shift).unwrap()
    }

    fn tune(notes: &[u8], steps: usize) -> Vec<f32> {
        notes.iter().flat_map(|&n| vec![f32::from(n); steps]).collect()
    }

    const TUNE: [u8; 24] = [60, 64, 62, 67, 65, 69, 60, 59, 62, 71, 72, 65, 60, 67, 64, 62, 66, 61, 58, 60, 70, 69, 67, 72];

    #[test]
    fn position_key_and_tempo() {
        let song = tune(&TUNE, 6);
        // Notes 5..15, an octave and 2.3 semitones below, a fifth faster, after a second of silence.
        let mut hum = vec![0.0; 10];
        hum.extend(tune(&TUNE[5..15], 5).iter().map(|p| p - 14.3));
        let placement = placed(&hum, &song);
        assert!((placement.song_start - 3.0).abs() < 0.41 && (placement.song_end - 9.0).abs() < 0.41, "{placement:?}");
        assert!((placement.hum_start - 1.0).abs() < 0.21 && (placement.hum_end - 6.0).abs() < 0.21, "{placement:?}");
        assert!((placement.key_shift + 14.3).abs() < 0.01, "{}", placement.key_shift);
        assert!((placement.tempo_ratio - 1.2).abs() < 0.08, "{}", placement.tempo_ratio);
    }

    #[test]
    fn a_hum_slowed_down_is_where_and_as_fast_as_it_was() {
        let song = PitchSequence::new(&tune(&TUNE, 6));
        // Notes 5..15, half as long as in the song; laid on it at two thirds of their speed.
        let contour = qbh_models::Contour::from_steps(tune(&TUNE[5..15], 3));
        let hum = PitchSequence::slowed(&contour.slowed);
        let found = Aligner::new(&hum.class).align(&song.class, &mut Buffers::default());
        let placement = lay(&hum, &song, found.shift).unwrap();
        assert!((placement.song_start - 3.0).abs() < 0.41 && (placement.song_end - 9.0).abs() < 0.41, "{placement:?}");
        assert!(placement.hum_start < 0.21 && (placement.hum_end - 3.0).abs() < 0.21, "{placement:?}");
        assert!((placement.tempo_ratio - 2.0).abs() < 0.2, "{}", placement.tempo_ratio);
        assert!(placement.path.iter().all(|&(hum, _)| hum < 3.0), "{placement:?}");
    }

    #[test]
    fn octave_errors_of_a_few_frames_do_not_move_the_key() {
        let song = tune(&TUNE, 6);
        let mut hum: Vec<f32> = tune(&TUNE[..12], 6).iter().map(|p| p + 3.0).collect();
        hum[20..40].iter_mut().for_each(|p| *p += 12.0);
        assert!((placed(&hum, &song).key_shift - 3.0).abs() < 0.01);
    }

    #[test]
    fn rests_that_were_cut_are_no_tempo() {
        let mut song = tune(&TUNE[..8], 6);
        song.extend([0.0; 80]);
        song.extend(tune(&TUNE[8..], 6));
        let mut hum = tune(&TUNE[..8], 6);
        hum.extend([0.0; 20]);
        hum.extend(tune(&TUNE[8..], 6));
        let placement = placed(&hum, &song);
        assert!((placement.tempo_ratio - 1.0).abs() < 0.01, "{}", placement.tempo_ratio);
        assert!((placement.song_end - 22.4).abs() < 0.01, "{}", placement.song_end);
    }
}
