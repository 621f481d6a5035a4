//! From the times of a file to frames every 10 ms.

use super::{MAX_SECONDS, PitchFileError, Samples};
use qbh_models::pitch::PITCH_HOP;
use qbh_models::{PitchTrack, median};

/// Rows further apart (median, seconds) are no pitch track.
const SPARSEST: f64 = 0.25;
/// A frame this close to a sample (seconds) takes it as it is.
const SAME: f64 = 1e-4;

/// Brings what a file says to a track of 10 ms frames.
///
/// Voicing is that of the nearest sample, f0 is interpolated (on the log scale) between voiced samples only, as
/// `mir_eval.melody` does, and guesses between guesses. Where the file has no row near a frame (files that leave out unvoiced
/// frames), it is unvoiced.
///
/// # Errors
/// No frame, more than half a day of them, or frames so far apart that they are notes.
pub fn to_track(samples: &Samples) -> Result<PitchTrack, PitchFileError> {
    let Samples { times, f0, voicing } = samples;
    let Some(&last) = times.last() else {
        return Err(PitchFileError::Empty);
    };
    if last > MAX_SECONDS {
        let what = format!("a track of {:.0} hours", last / 3600.0);
        return Err(PitchFileError::TooLarge { what, limit: format!("{:.0} hours", MAX_SECONDS / 3600.0) });
    }
    let hop = median_hop(times);
    if hop > SPARSEST {
        return Err(PitchFileError::Notes { reason: format!("its rows are {hop:.2} s apart (median)") });
    }
    let reach = hop.max(PITCH_HOP);
    let frames = (last / PITCH_HOP).round() as usize + 1;
    let mut track = PitchTrack::from_f0(vec![0.0; frames]);
    let mut next = 0;
    for frame in 0..frames {
        let time = frame as f64 * PITCH_HOP;
        while times.get(next).is_some_and(|t| *t < time) {
            next += 1;
        }
        // The samples on both sides, the nearer first; half way between them the earlier holds.
        let before = next.checked_sub(1).unwrap_or(next);
        let after = next.min(times.len() - 1);
        let distance = |i: usize| (times[i] - time).abs();
        let (near, far) = if distance(before) <= distance(after) + SAME { (before, after) } else { (after, before) };
        if distance(near) > reach {
            continue;
        }
        track.voicing[frame] = voicing.as_ref().map_or(f32::from(u8::from(f0[near] > 0.0)), |v| v[near] as f32);
        if f0[near] != 0.0 {
            let gap = distance(near) + distance(far);
            let alike = f0[far] * f0[near] > 0.0;
            let blend = distance(near) > SAME && alike && gap <= 2.0 * reach && near != far;
            let ratio = if blend { (f0[far] / f0[near]).powf(distance(near) / gap) } else { 1.0 };
            let hz = (f0[near] * ratio) as f32;
            track.f0[frame] = hz.max(0.0);
            track.guess[frame] = hz.abs();
        }
    }
    Ok(track)
}

/// Median distance of successive times; 0 for a single one.
fn median_hop(times: &[f64]) -> f64 {
    let mut hops: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    median(&mut hops, f64::total_cmp).unwrap_or(0.0)
}
