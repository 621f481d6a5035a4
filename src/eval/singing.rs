//! How people sing what they know: what becomes of intervals, key, tempo and notes, measured on hums that are aligned with
//! their songs. The same measures on simulated hums tell how true the model of the hum is.

use std::collections::BTreeMap;

use qbh_models::Note;
use qbh_models::median;

use crate::search::align::{Aligner, Buffers};
use crate::search::place::lay;
use crate::search::sequence::PitchSequence;

/// Bounds of the classes of intervals, semitones: repeated notes, steps, thirds, fourths and fifths, larger ones.
const CLASSES: [(f32, f32, &str); 5] = [
    (0.0, 0.5, "repeated note"),
    (0.5, 2.5, "second"),
    (2.5, 4.5, "third"),
    (4.5, 7.5, "fourth, fifth"),
    (7.5, 24.0, "sixth and more"),
];
/// Standard deviations of a normal distribution per median absolute deviation.
const MAD: f32 = 1.4826;
/// Fewest notes of a hum that is measured.
const FEWEST: usize = 6;

/// A note of a song, and what was sung of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SungNote {
    /// Seconds in the hum.
    at: f32,
    /// MIDI pitch as written.
    written: f32,
    /// What was sung, in the octave nearest to the hum's key.
    sung: f32,
}

/// What became of the notes of one song in one hum.
#[derive(Debug, Clone, PartialEq)]
pub struct SungHum {
    /// Who sang it, as far as it is known.
    singer: String,
    notes: Vec<SungNote>,
    omitted: usize,
    tempo: f32,
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
            let off = pitch - note.pitch - placed.key_shift;
            sung.push(SungNote { at: times[0], written: note.pitch, sung: pitch - 12.0 * (off / 12.0).round() });
        }
        let singer = singer.to_string();
        (sung.len() >= FEWEST).then_some(SungHum { singer, notes: sung, omitted, tempo: placed.tempo_ratio })
    }

    /// Pitch against what is written, note by note.
    fn off(&self) -> Vec<f32> {
        self.notes.iter().map(|n| n.sung - n.written).collect()
    }

    /// Semitones that the key moves in ten seconds, and the scatter of the notes around it.
    fn drift_and_error(&self) -> (f32, f32) {
        let (off, count) = (self.off(), self.notes.len() as f32);
        let (at, mean) = (self.notes.iter().map(|n| n.at).sum::<f32>() / count, off.iter().sum::<f32>() / count);
        let spread: f32 = self.notes.iter().map(|n| (n.at - at).powi(2)).sum();
        let slope = self.notes.iter().zip(&off).map(|(n, o)| (n.at - at) * (o - mean)).sum::<f32>() / spread.max(1e-6);
        (10.0 * slope, deviation(self.notes.iter().zip(&off).map(|(n, o)| o - slope * n.at).collect()))
    }
}

/// Robust standard deviation.
fn deviation(mut values: Vec<f32>) -> f32 {
    let Some(middle) = median(&mut values, f32::total_cmp) else { return 0.0 };
    let mut apart: Vec<f32> = values.iter().map(|x| (x - middle).abs()).collect();
    MAD * median(&mut apart, f32::total_cmp).unwrap_or(0.0)
}

/// Measures of many hums by name, in a fixed order.
pub fn statistics(hums: &[SungHum]) -> Vec<(String, f32)> {
    let mut rows = vec![
        ("hums".to_string(), hums.len() as f32),
        ("notes".to_string(), hums.iter().map(|h| h.notes.len()).sum::<usize>() as f32),
    ];
    let intervals: Vec<(f32, f32)> = hums
        .iter()
        .flat_map(|h| h.notes.windows(2).map(|two| (two[1].written - two[0].written, two[1].sung - two[0].sung)))
        .collect();
    for (low, high, name) in CLASSES {
        let of: Vec<&(f32, f32)> = intervals.iter().filter(|(written, _)| (low..high).contains(&written.abs())).collect();
        let mut ratios: Vec<f32> = of.iter().map(|(written, sung)| sung / written).collect();
        if low > 0.0 {
            rows.push((format!("{name}: sung size (median share)"), median(&mut ratios, f32::total_cmp).unwrap_or(f32::NAN)));
        }
        rows.push((format!("{name}: error, semitones (deviation)"), deviation(of.iter().map(|(w, s)| s - w).collect())));
        let wrong = of.iter().filter(|(written, sung)| (sung - written).abs() > 1.0).count() as f32 / of.len().max(1) as f32;
        rows.push((format!("{name}: off by more than a semitone (share)"), wrong));
    }
    let (drifts, errors): (Vec<f32>, Vec<f32>) = hums.iter().map(SungHum::drift_and_error).unzip();
    rows.push(("drift of the key, semitones in 10 s (deviation)".into(), deviation(drifts)));
    for (share, name) in [(0.1, "best tenth"), (0.5, "median"), (0.9, "worst tenth")] {
        rows.push((format!("error of notes in a hum, semitones ({name})"), quantile(&errors, share)));
    }
    let tempi: Vec<f32> = hums.iter().map(|h| h.tempo.ln()).collect();
    rows.push(("tempo over the song's (median)".into(), quantile(&tempi, 0.5).exp()));
    rows.push(("tempo, logarithm (deviation)".into(), deviation(tempi)));
    let (omitted, all) = hums.iter().fold((0, 0), |(o, a), h| (o + h.omitted, a + h.omitted + h.notes.len()));
    rows.push(("notes left out (share)".into(), omitted as f32 / all.max(1) as f32));
    rows.push(("error of notes: share of its variance that is the singer's".into(), between_singers(hums, &errors)));
    rows
}

fn quantile(values: &[f32], share: f32) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    sorted.get((share * sorted.len() as f32) as usize).copied().unwrap_or(f32::NAN)
}

/// Intraclass correlation (Fisher's, one-way analysis of variance) of the logarithm of each hum's error: 0 where a singer's
/// hums are no more alike than anybody's, 1 where all of a singer's are equally good. NaN with one singer only.
fn between_singers(hums: &[SungHum], errors: &[f32]) -> f32 {
    let mut singers: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
    for (hum, error) in hums.iter().zip(errors) {
        singers.entry(&hum.singer).or_default().push(error.max(0.01).ln());
    }
    let (count, groups) = (hums.len() as f32, singers.len() as f32);
    if groups < 2.0 || count <= groups {
        return f32::NAN;
    }
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    let all = mean(&singers.values().flatten().copied().collect::<Vec<_>>());
    let between = singers.values().map(|v| v.len() as f32 * (mean(v) - all).powi(2)).sum::<f32>() / (groups - 1.0);
    let within = singers.values().map(|v| v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f32>()).sum::<f32>() / (count - groups);
    let size = (count - singers.values().map(|v| (v.len() as f32).powi(2)).sum::<f32>() / count) / (groups - 1.0);
    (between - within) / (between + (size - 1.0) * within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::Contour;

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
        let rows: BTreeMap<String, f32> = statistics(&[sung]).into_iter().collect();
        assert!((rows["fourth, fifth: sung size (median share)"] - 0.9).abs() < 0.02, "{rows:?}");
        assert!((rows["tempo over the song's (median)"] - 1.5).abs() < 0.15, "{rows:?}");
        assert!(rows["notes left out (share)"] < 0.01 && rows["notes"] >= 18.0, "{rows:?}");
    }

    #[test]
    fn singers_differ_where_their_hums_are_alike() {
        let hum = |singer: &str, error: f32| {
            let note = |(i, &written): (usize, &f32)| {
                let off = if i % 2 == 0 { error } else { -error };
                SungNote { at: i as f32, written, sung: written + off }
            };
            let notes = TUNE.iter().enumerate().map(note).collect();
            SungHum { singer: singer.into(), notes, omitted: 0, tempo: 1.0 }
        };
        let share = |hums: &[SungHum]| statistics(hums).last().unwrap().1;
        assert!(share(&[hum("a", 0.1), hum("a", 0.11), hum("b", 0.5), hum("b", 0.52)]) > 0.9);
        assert!(share(&[hum("a", 0.1), hum("a", 0.5), hum("b", 0.1), hum("b", 0.5)]) < 0.1);
    }
}
