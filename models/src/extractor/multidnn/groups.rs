//! Overlapping groups of frames, each heard by the LSTMs on its own, vote on every frame.

use tch::Tensor;

use super::opinions;
use crate::ModelError;
use crate::extractor::grid::Frame;

/// Frames in a group: 1.5 s.
pub const GROUP: usize = 64;

/// Frames from one group to the next. The public code takes 1, which costs 16 times as much.
const STRIDE: usize = 16;

/// Groups that hear a frame, but for the ends of a recording.
pub(super) const VOTES: usize = GROUP / STRIDE;

/// Groups that go through the LSTMs together.
const BATCH: i64 = 32;

/// Frames out of `(frames, features)`; `heads` maps groups `(n, 64, features)` to logits.
pub(super) fn vote(features: &Tensor, heads: impl Fn(&Tensor) -> (Tensor, Tensor)) -> Result<Vec<Frame>, ModelError> {
    let frames = features.size()[0] as usize;
    let padded = features.f_constant_pad_nd([0, 0, 0, GROUP.saturating_sub(frames) as i64])?;
    let starts = starts(frames);
    let groups: Vec<Tensor> = starts.iter().map(|&start| padded.narrow(0, start as i64, GROUP as i64)).collect();
    let mut ballots = vec![Vec::with_capacity(VOTES + 1); frames.max(GROUP)];
    let mut voted = starts.iter();
    for batch in Tensor::f_stack(&groups, 0)?.f_split(BATCH, 0)? {
        for (group, &start) in opinions(&heads(&batch))?.chunks(GROUP).zip(&mut voted) {
            group.iter().enumerate().for_each(|(i, &opinion)| ballots[start + i].push(opinion));
        }
    }
    ballots.truncate(frames);
    Ok(ballots.iter().map(|ballot| count(ballot)).collect())
}

/// Where the groups begin; the last one ends with the recording.
fn starts(frames: usize) -> Vec<usize> {
    let last = frames.saturating_sub(GROUP);
    let mut starts: Vec<usize> = (0..last).step_by(STRIDE).collect();
    starts.push(last);
    starts
}

/// Unvoiced when at least half of the votes say so; else the median of the pitches of those that do not. (Of an unvoiced frame
/// all pitches count: for the guess.)
fn count(ballot: &[Frame]) -> Frame {
    let voiced = 2 * ballot.iter().filter(|vote| vote.voiced).count() > ballot.len();
    let mut midi: Vec<f32> = ballot.iter().filter(|vote| vote.voiced || !voiced).map(|vote| vote.midi).collect();
    midi.sort_unstable_by(f32::total_cmp);
    let middle = midi.len() / 2;
    let median = if midi.len().is_multiple_of(2) && middle > 0 { 0.5 * (midi[middle - 1] + midi[middle]) } else { midi[middle] };
    let probability = ballot.iter().map(|vote| vote.probability).sum::<f32>() / ballot.len() as f32;
    Frame { midi: median, voiced, probability }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn every_frame_is_voted_on_by_what_is_heard_there() {
        for frames in [1usize, 63, 64, 65, 80, 200] {
            // The feature of a frame is its number; the heads turn it into that class, voiced from frame 10 on.
            let features = Tensor::arange(frames as i64, (Kind::Float, Device::Cpu)).unsqueeze(1);
            let classes = Tensor::arange(540, (Kind::Float, Device::Cpu));
            let heads = |x: &Tensor| {
                let pitch = -(&classes - x).abs();
                let voiced: Tensor = (x - 9.5) * 10.0;
                (pitch, Tensor::cat(&[voiced.zeros_like(), voiced], -1))
            };
            let got = vote(&features, heads).unwrap();
            assert_eq!(got.len(), frames);
            for (i, frame) in got.iter().enumerate() {
                assert_eq!(
                    (frame.midi, frame.voiced),
                    (super::super::classes::midi_of(i as i64), i >= 10),
                    "frame {i} of {frames}"
                );
            }
        }
    }

    #[test]
    fn ties_are_unvoiced_and_the_median_is_of_those_who_hear_a_voice() {
        let vote = |midi, voiced| Frame { midi, voiced, probability: f32::from(voiced) };
        assert!(!count(&[vote(60.0, true), vote(61.0, false)]).voiced);
        let won = count(&[vote(60.0, true), vote(61.0, true), vote(80.0, false), vote(62.0, true)]);
        assert_eq!(won, Frame { midi: 61.0, voiced: true, probability: 0.75 });
    }
}
