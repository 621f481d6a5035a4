//! What is told of many hums.

use std::collections::BTreeMap;

use qbh_models::median;

use super::{SungHum, deviation};

/// Bounds of the classes of intervals, semitones: repeated notes, steps, thirds, fourths and fifths, larger ones.
const CLASSES: [(f32, f32, &str); 5] = [
    (0.0, 0.5, "repeated note"),
    (0.5, 2.5, "second"),
    (2.5, 4.5, "third"),
    (4.5, 7.5, "fourth, fifth"),
    (7.5, 24.0, "sixth and more"),
];
/// Semitones from which on a step of 100 ms is counted so.
pub(super) const MOVES: [(f32, &str); 6] =
    [(0.0, "below .1"), (0.1, ".1 to .3"), (0.3, ".3 to .7"), (0.7, ".7 to 1.5"), (1.5, "1.5 to 8"), (8.0, "8 and more")];
/// Shares of the hums whose quantiles are told.
const QUANTILES: [(f32, &str); 5] = [(0.05, "5 %"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (0.95, "95 %")];
/// Differences of pitch above this, in semitones, are counted as this.
const LARGEST: f32 = 3.0;
/// A note this far from the hum's own line, in semitones, is a miss.
const MISS: f32 = 1.5;

/// Measures of many hums by name, in a fixed order; `heard` hums were to be measured.
pub fn statistics(hums: &[SungHum], heard: usize) -> Vec<(String, f32)> {
    let mut rows = vec![
        ("hums that can be measured (share)".to_string(), hums.len() as f32 / heard.max(1) as f32),
        ("notes".to_string(), hums.iter().map(|h| h.notes.len()).sum::<usize>() as f32),
    ];
    let intervals: Vec<(f32, f32)> = hums.iter().flat_map(SungHum::intervals).collect();
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
    let (lines, drifts): (Vec<Vec<f32>>, Vec<f32>) = hums.iter().map(SungHum::detrended).unzip();
    let errors: Vec<f32> = lines.iter().map(|line| deviation(line.clone())).collect();
    let sizes: Vec<(f32, f32)> = hums.iter().zip(&errors).filter_map(|(h, e)| Some((h.size()?, *e))).collect();
    quantiles("size of a hum's intervals", &sizes.iter().map(|s| s.0).collect::<Vec<_>>(), &mut rows);
    let worst = quantile(&errors, 0.8);
    let poor: Vec<f32> = sizes.iter().filter(|s| s.1 >= worst).map(|s| s.0).collect();
    rows.push(("size of intervals, worst fifth by error (median)".into(), quantile(&poor, 0.5)));
    quantiles("error of notes in a hum, semitones", &errors, &mut rows);
    for lag in [1, 2, 4, 8] {
        let apart = hums.iter().map(SungHum::off).flat_map(|off| off.windows(lag + 1).map(|w| w[lag] - w[0]).collect::<Vec<_>>());
        rows.push((format!("error against that {lag} notes before, semitones (rms)"), rms(apart)));
    }
    let missed = lines.iter().flatten().filter(|off| off.abs() > MISS).count() as f32;
    let all = hums.iter().map(|h| h.notes.len()).sum::<usize>().max(1) as f32;
    rows.push(("notes that miss by 1.5 semitones (share)".into(), missed / all));
    rows.push((
        "notes in another octave (share)".into(),
        hums.iter().flat_map(|h| &h.notes).filter(|n| n.folded).count() as f32 / all,
    ));
    rows.push(("drift of the key, semitones in 10 s (deviation)".into(), deviation(drifts.clone())));
    rows.push((
        "drift of the key, semitones in 10 s (90 %, up or down)".into(),
        quantile(&drifts.iter().map(|d| d.abs()).collect::<Vec<_>>(), 0.9),
    ));
    quantiles("tempo over the song's", &hums.iter().map(|h| h.tempo).collect::<Vec<_>>(), &mut rows);
    quantiles("unevenness of onsets, logarithm", &hums.iter().map(SungHum::unevenness).collect::<Vec<_>>(), &mut rows);
    let (omitted, all) = hums.iter().fold((0, 0), |(o, a), h| (o + h.omitted, a + h.omitted + h.notes.len()));
    rows.push(("notes left out (share)".into(), omitted as f32 / all.max(1) as f32));
    quantiles("voiced share", &hums.iter().map(|h| h.voiced).collect::<Vec<_>>(), &mut rows);
    let steps: usize = hums.iter().flat_map(|h| h.moves).sum();
    for (class, (_, name)) in MOVES.iter().enumerate() {
        let count: usize = hums.iter().map(|h| h.moves[class]).sum();
        rows.push((format!("steps that move by {name} semitones (share)"), count as f32 / steps.max(1) as f32));
    }
    rows.push(("error of notes: share of its variance that is the singer's".into(), between_singers(hums, &errors)));
    rows
}

fn quantiles(name: &str, values: &[f32], rows: &mut Vec<(String, f32)>) {
    rows.extend(QUANTILES.iter().map(|&(share, label)| (format!("{name} ({label})"), quantile(values, share))));
}

fn quantile(values: &[f32], share: f32) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    sorted.get((share * sorted.len() as f32) as usize).copied().unwrap_or(f32::NAN)
}

fn rms(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), x| (sum + x.abs().min(LARGEST).powi(2), count + 1));
    (sum / count.max(1) as f32).sqrt()
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
