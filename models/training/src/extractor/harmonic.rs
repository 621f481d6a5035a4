//! Targets and loss of `harmonic`.

use std::collections::BTreeMap;

use tch::nn::VarStore;
use tch::{Kind, Reduction, Tensor};

use super::scores::FrameScores;
use super::student::{Crop, Listener, Student};
use crate::adamw::AdamWConfig;
use crate::schedule::Schedule;
use crate::settings::Settings;
use qbh_models::ModelError;
use qbh_models::extractor::harmonic::{
    ARCHITECTURE, BANDS, BINS, BINS_PER_SEMITONE, FLOOR, FrontEnd, HOP, HarmonicNet, LOWEST_MIDI, SPECTRA, Size,
};
use qbh_models::pitch::hz_to_midi;
use qbh_synthesis::level::from_db;
use qbh_synthesis::random::Draw;

/// Frames (20 ms) per crop: 5.12 s.
const FRAMES: usize = 256;

/// Width of the pitch target, in bins of a third of a semitone.
const SIGMA: f64 = 0.8;

/// Weight of the voicing loss.
const VOICING_WEIGHT: f64 = 1.5;

/// Weight of the frames of a short gap in the voicing loss.
const GAP_WEIGHT: f32 = 2.0;

/// Longest gap that counts as short, in frames: 0.8 s.
const LONGEST_GAP: usize = 40;

/// From which probability on a frame is reported as voiced: what serves development recordings best.
const VOICING_THRESHOLD: &str = "0.45";

/// The network in training.
pub(crate) struct HarmonicStudent {
    vs: VarStore,
    net: HarmonicNet,
    size: Size,
    kind: Kind,
}

impl HarmonicStudent {
    /// With fresh weights.
    pub(crate) fn new(size: Size, settings: &Settings) -> Self {
        let vs = VarStore::new(settings.device);
        let net = HarmonicNet::new(&vs.root(), size);
        HarmonicStudent { vs, net, size, kind: settings.kind() }
    }
}

impl Student for HarmonicStudent {
    fn architecture(&self) -> &'static str {
        ARCHITECTURE
    }

    fn variables(&self) -> &VarStore {
        &self.vs
    }

    fn listener(&self) -> Box<dyn Listener> {
        Box::new(HarmonicListener { front_end: FrontEnd::new() })
    }

    fn schedule(&self) -> Schedule {
        Schedule { peak: 3e-3, warmup: 60, floor: 0.005 }
    }

    fn optimiser(&self) -> AdamWConfig {
        AdamWConfig { beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 1e-3 }
    }

    fn loss(&self, batch: &[Crop]) -> (Tensor, FrameScores) {
        let device = self.vs.device();
        let shape = [batch.len() as i64, FRAMES as i64];
        let tensor = |values: Vec<f32>| Tensor::from_slice(&values).to_device(device);
        let x = tensor(batch.iter().flat_map(|c| c.features.iter().copied()).collect());
        let x = x.view([shape[0], shape[1], SPECTRA as i64, BANDS as i64]).to_kind(self.kind);
        let targets = Targets {
            bin: tensor(batch.iter().flat_map(|c| c.f0.iter().map(|&f| bin_of(f))).collect()).view(shape),
            voiced: tensor(batch.iter().flat_map(|c| c.f0.iter().map(|&f| f32::from(f > 0.0))).collect()).view(shape),
            weight: tensor(batch.iter().flat_map(|c| c.weight.iter().copied()).collect()).view(shape),
            gaps: tensor(batch.iter().flat_map(|c| gap_weights(&c.f0)).collect()).view(shape),
        };
        let (pitch, voicing) = self.net.forward_t(&x, true);
        targets.loss(&pitch, &voicing)
    }

    fn constants(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }

    fn metadata(&self) -> BTreeMap<String, String> {
        let entries = [("size", self.size.name()), ("voicing_threshold", VOICING_THRESHOLD)];
        entries.map(|(key, value)| (key.to_string(), value.to_string())).into()
    }
}

/// Fractional pitch bin of a frame; far outside where it is unvoiced.
fn bin_of(f0: f32) -> f32 {
    if f0 > 0.0 { (hz_to_midi(f0) - LOWEST_MIDI) * BINS_PER_SEMITONE } else { -1000.0 }
}

/// Weight of each frame in the voicing loss: short gaps between sung frames count more, for they are few and hard.
fn gap_weights(f0: &[f32]) -> Vec<f32> {
    let mut weights = vec![1.0; f0.len()];
    let mut gap = None;
    for (t, &f) in f0.iter().enumerate() {
        match (f > 0.0, gap) {
            (false, None) if t > 0 && f0[t - 1] > 0.0 => gap = Some(t),
            (true, Some(start)) => {
                if t - start <= LONGEST_GAP {
                    weights[start..t].fill(GAP_WEIGHT);
                }
                gap = None;
            }
            _ => {}
        }
    }
    weights
}

/// What is true about a batch; all `(crops, frames)`.
struct Targets {
    /// Fractional pitch bin; outside of the bins where there is none.
    bin: Tensor,
    /// 1 where the voice sings.
    voiced: Tensor,
    /// How much a frame counts.
    weight: Tensor,
    /// How much more it counts for the voicing.
    gaps: Tensor,
}

impl Targets {
    /// Cross-entropy with Gaussian targets on voiced frames, plus binary cross-entropy of the voicing.
    fn loss(&self, pitch: &Tensor, voicing: &Tensor) -> (Tensor, FrameScores) {
        let bins = Tensor::arange(BINS as i64, (Kind::Float, pitch.device()));
        let in_range = self.bin.ge(-0.5).logical_and(&self.bin.lt(BINS as f64 - 0.5)).to_kind(Kind::Float) * &self.weight;
        let count = in_range.sum(Kind::Float) + 1.0;
        let distance = bins - self.bin.unsqueeze(-1);
        let target = (-distance.square() / (2.0 * SIGMA * SIGMA)).softmax(-1, Kind::Float);
        let cross = -(target * pitch.log_softmax(-1, Kind::Float)).sum_dim_intlist([-1i64].as_slice(), false, Kind::Float);
        let pitch_loss = (cross * &in_range).sum(Kind::Float) / &count;
        let voicing_loss = voicing.binary_cross_entropy_with_logits(
            &self.voiced,
            Some(&self.weight * &self.gaps),
            None::<Tensor>,
            Reduction::Mean,
        );
        let hit = (pitch.argmax(-1, false) - &self.bin).abs().lt(1.5).to_kind(Kind::Float);
        let agree = voicing.gt(0.0).eq_tensor(&self.voiced.gt(0.5)).to_kind(Kind::Float);
        let scores = FrameScores {
            pitch_loss: pitch_loss.double_value(&[]),
            voicing_loss: voicing_loss.double_value(&[]),
            pitch_accuracy: ((hit * in_range).sum(Kind::Float) / count).double_value(&[]),
            voicing_accuracy: agree.mean(Kind::Float).double_value(&[]),
        };
        (pitch_loss + voicing_loss * VOICING_WEIGHT, scores)
    }
}

/// The front end of `harmonic`, with what is cheapest done to spectra.
struct HarmonicListener {
    front_end: FrontEnd,
}

impl Listener for HarmonicListener {
    fn samples(&self) -> usize {
        FRAMES * HOP
    }

    fn frames(&self) -> usize {
        FRAMES
    }

    fn label_step(&self) -> f64 {
        2.0
    }

    fn listen(&self, samples: &[f32], draw: &mut Draw) -> Result<Vec<f32>, ModelError> {
        let mut spectra = self.front_end.spectra(samples, FRAMES);
        // The level of a crop is normalised over the crop, that of a song over the song: so the level is no sure thing.
        let mut curve = [0.25 * from_db(draw.range(-6.0, 5.0)).ln(); BANDS];
        if draw.chance(0.7) {
            bend(&mut curve, draw);
        }
        for row in spectra.chunks_exact_mut(BANDS) {
            for (value, offset) in row.iter_mut().zip(&curve) {
                // Silence stays silence.
                *value = if *value > FLOOR + 1e-3 { (*value + offset).max(FLOOR) } else { *value };
            }
        }
        Ok(spectra)
    }
}

/// Adds a smooth random equalisation, some dB wide, over all bands.
fn bend(curve: &mut [f32; BANDS], draw: &mut Draw) {
    for octaves in [16.0, 8.0, 4.0, 2.0] {
        let (depth, phase) = (0.06 * draw.normal(), draw.range(0.0, std::f32::consts::TAU));
        let step = std::f32::consts::TAU / (octaves * 36.0);
        curve.iter_mut().enumerate().for_each(|(band, value)| *value += depth * (phase + step * band as f32).cos());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn short_gaps_weigh_more_than_long_ones_and_edges() {
        let mut f0 = vec![220.0; 200];
        f0[..5].fill(0.0);
        f0[50..60].fill(0.0);
        f0[100..150].fill(0.0);
        f0[190..].fill(0.0);
        let weights = gap_weights(&f0);
        assert!(weights[50..60].iter().all(|&w| w == GAP_WEIGHT));
        assert_eq!(weights.iter().filter(|&&w| w != 1.0).count(), 10);
    }

    #[test]
    fn the_loss_is_least_for_the_truth() {
        let bin = Tensor::from_slice(&[60.3f32, -1000.0]).view([1, 2]);
        let voiced = Tensor::from_slice(&[1.0f32, 0.0]).view([1, 2]);
        let targets = Targets { bin, weight: voiced.ones_like(), gaps: voiced.ones_like(), voiced };
        let peak = |at: f64| -(Tensor::arange(BINS as i64, (Kind::Float, Device::Cpu)) - at).square().view([1, 1, -1]) / 1.28;
        let pitch = |at: f64| Tensor::cat(&[peak(at), peak(100.0)], 1);
        let sure = Tensor::from_slice(&[9.0f32, -9.0]).view([1, 2]);
        let (right, scores) = targets.loss(&pitch(60.3), &sure);
        let (wrong, _) = targets.loss(&pitch(63.0), &sure);
        let (deaf, _) = targets.loss(&pitch(60.3), &-&sure);
        assert!(right.double_value(&[]) < wrong.double_value(&[]));
        assert!(right.double_value(&[]) < deaf.double_value(&[]));
        assert_eq!(scores.voicing_accuracy, 1.0);
    }
}
