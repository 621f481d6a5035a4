//! How people sing what they know: what becomes of intervals, key, tempo and notes, measured on hums that are aligned with
//! their songs. The same measures on simulated hums tell how true the model of the hum is.

mod statistics;

use qbh_models::contour::voiced_fraction;
use qbh_models::{Note, median};

use crate::search::align::{Aligner, Buffers};
use crate::search::place::lay;
use crate::search::sequence::PitchSequence;

pub use statistics::statistics;

/// Standard deviations of a normal distribution per median absolute deviation.
const MAD: f32 = 1.4826;
/// Fewest notes of a hum that is measured.
const FEWEST: usize = 6;
/// Intervals from this size on, in semitones, tell by how much a hum's are too narrow or too wide.
const INTERVAL: f32 = 1.5;

/// A note of a song, and what was sung of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SungNote {
    /// Seconds in the hum.
    at: f32,
    /// Seconds in the song.
    onset: f32,
    /// MIDI pitch as written.
    written: f32,
    /// What was sung, in the octave nearest to the hum's key.
    sung: f32,
    /// Whether it was sung in another octave.
    folded: bool,
}

/// What became of the notes of one song in one hum.
#[derive(Debug, Clone, PartialEq)]
pub struct SungHum {
    /// Who sang it, as far as it is known.
    singer: String,
    notes: Vec<SungNote>,
    omitted: usize,
    tempo: f32,
    /// Voiced share of the hum, from its first voice to its last.
    voiced: f32,
    /// Steps of 100 ms from voice to voice, by how far the pitch moves: bounds in [`statistics::MOVES`].
    moves: [usize; statistics::MOVES.len()],
}

impl SungHum {
    /// Aligns a hum (MIDI pitch per 100 ms, 0 = unvoiced) with a song, given as contour and notes; `None` where too little
    /// of it aligns.
    pub fn measure(singer: &str, hum: &[f32], song: &[f32], notes: &[Note]) -> Option<SungHum> {
        let (hummed, contour) = (PitchSequence::new(hum), PitchSequence::new(song));
        let found = Aligner::new(&hummed.class).align(&contour.class, &mut Buffers::default());
        let placed = lay(&hummed, &contour, &found)?;
        let near = |seconds: f32| hummed.step.partition_point(|&step| (step as f32) * 0.1 <= seconds + 0.01).max(1) - 1;
        let (mut sung, mut omitted) = (Vec::new(), 0);
        for note in notes.iter().filter(|n| n.onset >= placed.song_start && n.offset() <= placed.song_end) {
            let within = placed.path.iter().filter(|(_, at)| (note.onset - 0.05..note.offset() - 0.05).contains(at));
            let times: Vec<f32> = within.map(|(at, _)| *at).collect();
            let mut pitches: Vec<f32> = times.iter().map(|&at| hummed.pitch[near(at)]).collect();
            let Some(pitch) = median(&mut pitches, f32::total_cmp) else {
                omitted += 1;
                continue;
            };
            let octaves = ((pitch - note.pitch - placed.key_shift) / 12.0).round();
            let (written, sung_at) = (note.pitch, pitch - 12.0 * octaves);
            sung.push(SungNote { at: times[0], onset: note.onset, written, sung: sung_at, folded: octaves != 0.0 });
        }
        let first = hum.iter().position(|p| *p > 0.0)?;
        let last = hum.iter().rposition(|p| *p > 0.0)?;
        let mut moves = [0; statistics::MOVES.len()];
        for two in hum.windows(2).filter(|two| two[0] > 0.0 && two[1] > 0.0) {
            moves[statistics::MOVES.partition_point(|&(bound, _)| bound <= (two[1] - two[0]).abs()).saturating_sub(1)] += 1;
        }
        (sung.len() >= FEWEST).then(|| SungHum {
            singer: singer.to_string(),
            notes: sung,
            omitted,
            tempo: placed.tempo_ratio,
            voiced: voiced_fraction(&hum[first..=last]),
            moves,
        })
    }

    /// Pitch against what is written, note by note.
    fn off(&self) -> Vec<f32> {
        self.notes.iter().map(|n| n.sung - n.written).collect()
    }

    /// Pitch against what is written and against the steady drift of the key, note by note; and that drift, semitones in ten seconds.
    fn detrended(&self) -> (Vec<f32>, f32) {
        let (off, count) = (self.off(), self.notes.len() as f32);
        let (at, mean) = (self.notes.iter().map(|n| n.at).sum::<f32>() / count, off.iter().sum::<f32>() / count);
        let spread: f32 = self.notes.iter().map(|n| (n.at - at).powi(2)).sum();
        let slope = self.notes.iter().zip(&off).map(|(n, o)| (n.at - at) * (o - mean)).sum::<f32>() / spread.max(1e-6);
        (self.notes.iter().zip(&off).map(|(n, o)| o - mean - slope * (n.at - at)).collect(), 10.0 * slope)
    }

    /// Intervals: written, sung.
    fn intervals(&self) -> impl Iterator<Item = (f32, f32)> + '_ {
        self.notes.windows(2).map(|two| (two[1].written - two[0].written, two[1].sung - two[0].sung))
    }

    /// Size of the sung intervals over the written ones, by least absolute deviations; `None` without intervals.
    fn size(&self) -> Option<f32> {
        let mut ratios: Vec<(f32, f32)> =
            self.intervals().filter(|(w, _)| w.abs() >= INTERVAL).map(|(w, s)| (s / w, w.abs())).collect();
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let half = 0.5 * ratios.iter().map(|r| r.1).sum::<f32>();
        let mut sum = 0.0;
        ratios
            .iter()
            .find(|r| {
                sum += r.1;
                sum >= half
            })
            .map(|r| r.0)
    }

    /// Unevenness of time: deviation of the logarithm of the sung distance of onsets over the written one.
    fn unevenness(&self) -> f32 {
        let pairs = self.notes.windows(2).filter(|two| two[1].at > two[0].at);
        deviation(pairs.map(|two| ((two[1].at - two[0].at) / (two[1].onset - two[0].onset)).ln()).collect())
    }
}

/// Robust standard deviation.
fn deviation(mut values: Vec<f32>) -> f32 {
    let Some(middle) = median(&mut values, f32::total_cmp) else { return 0.0 };
    let mut apart: Vec<f32> = values.iter().map(|x| (x - middle).abs()).collect();
    MAD * median(&mut apart, f32::total_cmp).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::Contour;
    use std::collections::BTreeMap;

    const TUNE: [f32; 20] =
        [60.0, 64.0, 62.0, 67.0, 65.0, 69.0, 60.0, 59.0, 62.0, 71.0, 72.0, 65.0, 60.0, 67.0, 64.0, 62.0, 66.0, 61.0, 58.0, 70.0];

    fn notes(pace: f32, pitch: impl Fn(f32) -> f32) -> Vec<Note> {
        let note = |(i, &p): (usize, &f32)| Note { onset: i as f32 * pace, duration: pace, pitch: pitch(p) };
        TUNE.iter().enumerate().map(note).collect()
    }

    #[test]
    fn narrow_intervals_key_and_tempo_are_measured() {
        let song = notes(0.6, |p| p);
        let hum = notes(0.4, |p| 50.0 + 0.9 * (p - 60.0));
        let contour = |notes: &[Note]| Contour::from_notes(notes).pitch;
        let sung = SungHum::measure("anna", &contour(&hum), &contour(&song), &song).unwrap();
        let rows: BTreeMap<String, f32> = statistics(&[sung], 1).into_iter().collect();
        assert!((rows["fourth, fifth: sung size (median share)"] - 0.9).abs() < 0.02, "{rows:?}");
        assert!((rows["tempo over the song's (median)"] - 1.5).abs() < 0.15, "{rows:?}");
        assert!(rows["notes left out (share)"] < 0.01 && rows["notes"] >= 18.0, "{rows:?}");
    }

    #[test]
    fn singers_differ_where_their_hums_are_alike() {
        let hum = |singer: &str, error: f32| {
            let note = |(i, &written): (usize, &f32)| {
                let off = if i % 2 == 0 { error } else { -error };
                SungNote { at: i as f32, onset: i as f32, written, sung: written + off, folded: false }
            };
            let notes = TUNE.iter().enumerate().map(note).collect();
            SungHum { singer: singer.into(), notes, omitted: 0, tempo: 1.0, voiced: 1.0, moves: [1; 6] }
        };
        let share = |hums: &[SungHum]| statistics(hums, hums.len()).last().unwrap().1;
        assert!(share(&[hum("a", 0.1), hum("a", 0.11), hum("b", 0.5), hum("b", 0.52)]) > 0.9);
        assert!(share(&[hum("a", 0.1), hum("a", 0.5), hum("b", 0.1), hum("b", 0.5)]) < 0.1);
    }
}
