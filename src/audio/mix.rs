//! From all channels to one.

use symphonia::core::audio::GenericAudioBufferRef;

/// No recording is louder than this (full scale is 1); floating-point files can hold anything.
const MAX_SAMPLE: f32 = 1e6;

/// Channels cancel where their mean has less than this share of the energy of the loudest (-20 dB), until it has the second one.
const CANCELLED: f64 = 0.01;
const HEARD: f64 = 0.05;

/// Seconds after which what sounded counts by half.
const HALF_LIFE: f64 = 0.5;

/// Makes one channel of several: their mean, or the loudest where they cancel each other, as those of a cable soldered the wrong way do.
#[derive(Default)]
pub(super) struct Mixer {
    planes: Vec<Vec<f32>>,
    interleaved: Vec<f32>,
    /// Energy of the mean, and of each channel, of the last half second or so.
    mean: f64,
    channels: Vec<f64>,
    /// The channel that is heard in place of the mean.
    loudest: Option<usize>,
}

impl Mixer {
    /// Appends the one channel of `audio` to `mono`. Samples that are no number become silence.
    ///
    /// `interleaved` channels lie one after the other in the first channel of `audio`, if more than one.
    pub fn mix(&mut self, audio: &GenericAudioBufferRef<'_>, interleaved: usize, mono: &mut Vec<f32>) {
        audio.copy_to_vecs_planar(&mut self.planes);
        if interleaved > 1 {
            self.part(interleaved);
        }
        let Some((first, rest)) = self.planes.split_first() else { return };
        if rest.is_empty() {
            mono.extend(first.iter().map(|&s| sane(s)));
            return;
        }
        let begin = mono.len();
        mono.extend_from_slice(first);
        let mixed = &mut mono[begin..];
        for plane in rest {
            mixed.iter_mut().zip(plane).for_each(|(m, s)| *m += s);
        }
        let gain = 1.0 / (1 + rest.len()) as f32;
        mixed.iter_mut().for_each(|m| *m = sane(*m * gain));
        self.weigh(mixed, f64::from(audio.spec().rate()));
        if let Some(plane) = self.loudest.and_then(|loudest| self.planes.get(loudest)) {
            mixed.iter_mut().zip(plane).for_each(|(m, s)| *m = sane(*s));
        }
    }

    /// Parts the channels of the first plane.
    fn part(&mut self, channels: usize) {
        let Some(first) = self.planes.first_mut() else { return };
        std::mem::swap(&mut self.interleaved, first);
        self.planes.resize_with(channels, Vec::new);
        for (channel, plane) in self.planes.iter_mut().enumerate() {
            plane.clear();
            plane.extend(self.interleaved.iter().skip(channel).step_by(channels));
        }
    }

    /// Decides whether the channels cancel each other.
    fn weigh(&mut self, mean: &[f32], rate: f64) {
        if self.channels.len() != self.planes.len() {
            *self = Mixer { planes: std::mem::take(&mut self.planes), ..Mixer::default() };
            self.channels = vec![0.0; self.planes.len()];
        }
        let kept = (-(mean.len() as f64) / (HALF_LIFE * rate)).exp2();
        self.mean = kept * self.mean + energy(mean);
        for (known, plane) in self.channels.iter_mut().zip(&self.planes) {
            *known = kept * *known + energy(plane);
        }
        let (loudest, most) =
            self.channels.iter().copied().enumerate().fold((0, 0.0), |best, (i, e)| if e > best.1 { (i, e) } else { best });
        if !(self.mean.is_finite() && self.channels.iter().all(|energy| energy.is_finite())) {
            self.channels.clear();
            self.loudest = None;
        } else if self.mean < CANCELLED * most {
            self.loudest.get_or_insert(loudest);
        } else if self.mean > HEARD * most {
            self.loudest = None;
        }
    }
}

/// Energy of a quarter of the samples: enough to tell what cancels, and a quarter of the time.
fn energy(samples: &[f32]) -> f64 {
    // In lanes, which the compiler makes vectors of.
    let mut lanes = [0.0f32; 8];
    for chunk in samples.chunks_exact(8).step_by(4) {
        lanes.iter_mut().zip(chunk).for_each(|(lane, s)| *lane += s * s);
    }
    f64::from(lanes.iter().sum::<f32>())
}

fn sane(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-MAX_SAMPLE, MAX_SAMPLE) } else { 0.0 }
}
