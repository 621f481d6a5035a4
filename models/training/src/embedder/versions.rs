//! Versions of one tune: where another melody of the same group has what a section of this one holds.

use std::ops::Range;

use qbh_models::Note;

/// Successive intervals that make two places the same.
const INTERVALS: usize = 6;
/// Share of the section that equal places must span.
const SPANNED: f32 = 0.4;
/// Largest difference of tempo, either way.
const TEMPO: f32 = 2.0;

/// The section of `other` that holds the tune of `section` (seconds) of `notes`, at whatever tempo and in whatever key;
/// `None` where no notes tell. Both melodies are in order of time, one note at a time.
pub(super) fn counterpart(notes: &[Note], section: &Range<f32>, other: &[Note]) -> Option<Range<f32>> {
    let first = notes.partition_point(|n| n.onset < section.start);
    let last = notes.partition_point(|n| n.onset < section.end);
    let places: Vec<(f32, f32)> = notes[first..last.max(first)]
        .windows(INTERVALS + 1)
        .flat_map(|a| other.windows(INTERVALS + 1).filter(|b| alike(a, b)).map(|b| (a[0].onset, b[0].onset)))
        .collect();
    // A tune comes back within a melody: of all pairs of places those whose tempo is nearest.
    let (begin, end) = (places.first()?.0, places.last()?.0);
    if end - begin < SPANNED * (section.end - section.start) {
        return None;
    }
    let begins = places.iter().filter(|p| p.0 == begin);
    let pairs = begins.flat_map(|b| places.iter().filter(|e| e.0 == end).map(|e| (b.1, (e.1 - b.1) / (end - begin))));
    let within = pairs.filter(|(_, ratio)| (1.0 / TEMPO..TEMPO).contains(ratio));
    let (there, ratio) = within.min_by(|a, b| a.1.ln().abs().total_cmp(&b.1.ln().abs()))?;
    let from = (there - (begin - section.start) * ratio).max(0.0);
    Some(from..from + (section.end - section.start) * ratio)
}

fn alike(a: &[Note], b: &[Note]) -> bool {
    let key = b[0].pitch - a[0].pitch;
    a.iter().zip(b).all(|(a, b)| (b.pitch - a.pitch - key).abs() < 0.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn melody(seed: u32, count: u32, pace: f32, key: f32) -> Vec<Note> {
        let pitch = |i: u32| 60.0 + key + ((i * i * seed + 5 * i) % 13) as f32;
        (0..count).map(|i| Note { onset: i as f32 * pace, duration: pace, pitch: pitch(i) }).collect()
    }

    #[test]
    fn a_version_in_another_key_and_tempo_is_found() {
        let (own, mut other) = (melody(3, 60, 0.5, 0.0), melody(3, 60, 0.4, 5.0));
        // The other version has an introduction of 4 s and one other note in the middle.
        other.iter_mut().for_each(|n| n.onset += 4.0);
        other[30].pitch += 1.0;
        let found = counterpart(&own, &(10.0..20.0), &other).unwrap();
        assert!((found.start - 12.0).abs() < 0.01 && (found.end - 20.0).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn another_tune_has_no_counterpart() {
        assert_eq!(counterpart(&melody(3, 60, 0.5, 0.0), &(10.0..20.0), &melody(4, 60, 0.5, 0.0)), None);
        assert_eq!(counterpart(&melody(3, 60, 0.5, 0.0), &(100.0..120.0), &melody(3, 60, 0.5, 0.0)), None);
        assert_eq!(counterpart(&[], &(0.0..1.0), &[]), None);
    }
}
