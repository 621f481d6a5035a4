//! Real voices beside what accompanied them, mixed live like the stems of the [`bank`](super::bank).

use super::bank::{Cut, StemBank, store};
use super::effects::biquad::Biquad;
use super::effects::dynamics::compress;
use super::effects::reverb::Reverb;
use super::mixing::{Mode, mix_at};
use super::random::Draw;
use super::{Example, LABEL_HOP, SAMPLE_RATE, level};

/// Largest change of speed and pitch: four semitones down or up, for there are few real voices.
const SPEED: (f32, f32) = (0.8, 1.26);
/// Range of the voice's level over the accompaniment's, dB.
const BALANCE: (f32, f32) = (-9.0, 11.0);
/// How often a voice is with its own backing, another song's, the bank's accompaniments or alone; and a backing without a voice.
const MIXES: [f32; 5] = [0.38, 0.12, 0.22, 0.18, 0.1];
/// How often a voice alone is hummed: with its mouth closed, as it were.
const HUMMED: f32 = 0.3;

/// One recording: the voice alone, what accompanied it (empty for a voice recorded alone), both mono at 16 kHz and in time with
/// each other, and the f0 of the voice in Hz per 10 ms, 0 = unvoiced.
#[derive(Debug, Clone, Default)]
pub struct Track {
    /// The voice.
    pub voice: Vec<f32>,
    /// The accompaniment, at any level.
    pub backing: Vec<f32>,
    /// f0 of the voice.
    pub f0: Vec<f32>,
}

/// Recordings kept in memory (64 kB per second).
#[derive(Debug, Default)]
pub struct Multitracks {
    pieces: Vec<Piece>,
    /// How often each voice is drawn: as it is long.
    lengths: Vec<f32>,
    /// Those with a backing.
    backed: Vec<usize>,
}

/// A [`Track`] at an active level of 0.1.
#[derive(Debug)]
struct Piece {
    voice: Vec<i16>,
    backing: Vec<i16>,
    f0: Vec<f32>,
}

impl Multitracks {
    /// Keeps a recording.
    pub fn add(&mut self, mut track: Track) {
        level::normalise(&mut track.voice, 0.1);
        level::normalise(&mut track.backing, 0.1);
        if !track.backing.is_empty() {
            self.backed.push(self.pieces.len());
        }
        self.lengths.push(track.voice.len() as f32);
        self.pieces.push(Piece { voice: store(track.voice), backing: store(track.backing), f0: track.f0 });
    }

    /// Number of recordings.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Seconds of voices.
    pub fn seconds(&self) -> f32 {
        self.lengths.iter().sum::<f32>() / SAMPLE_RATE as f32
    }

    /// Mixes `seconds` of a voice, treated as singers and producers do, with its own backing or another, or with none; or of a
    /// backing alone. Every frame's label is believed, however faint the voice: it was made by hand. Equal seeds, recordings
    /// and banks give equal crops. Where there is no recording it is silent.
    pub fn crop(&self, bank: &StemBank, seed: u64, seconds: f32) -> Example {
        let draw = &mut Draw::stream(seed, 7);
        let samples = (seconds * SAMPLE_RATE as f32) as usize;
        let silence = || vec![0.0; samples];
        if self.is_empty() {
            return Example { mix: silence(), ..Example::default() };
        }
        let piece = &self.pieces[draw.weighted(&self.lengths)];
        let cut = Cut::draw(piece.voice.len(), samples, SPEED, draw);
        let choice = draw.weighted(&MIXES);
        let accompaniment = match choice {
            0 if !piece.backing.is_empty() => Some(cut.samples(&piece.backing)),
            0 | 1 | 4 => self.backing(samples, draw),
            2 => bank.accompaniment(samples, draw),
            _ => None,
        };
        let mode = match (choice, &accompaniment) {
            (4, Some(_)) => Mode::Instrumental,
            (_, Some(_)) => Mode::Song,
            (_, None) => Mode::Voice,
        };
        let mut voice = cut.samples(&piece.voice);
        if mode != Mode::Instrumental {
            treat(&mut voice, mode, draw);
        }
        let mut example = mix_at(mode, BALANCE, voice, accompaniment.unwrap_or_else(silence), cut.labels(&piece.f0), draw);
        example.weight = vec![1.0; samples.div_ceil(LABEL_HOP)];
        example
    }

    /// Some recording's backing.
    fn backing(&self, samples: usize, draw: &mut Draw) -> Option<Vec<f32>> {
        let piece = &self.pieces[(!self.backed.is_empty()).then(|| draw.pick(&self.backed))?];
        Some(Cut::draw(piece.backing.len(), samples, SPEED, draw).samples(&piece.backing))
    }
}

/// What a microphone, a producer and a room do to a voice; and a closed mouth to one alone.
fn treat(voice: &mut [f32], mode: Mode, draw: &mut Draw) {
    if mode == Mode::Voice && draw.chance(HUMMED) {
        let corner = draw.log_range(350.0, 1500.0);
        Biquad::low_pass(corner, 0.54).run(voice);
        Biquad::low_pass(corner, 1.3).run(voice);
    }
    if mode == Mode::Song && draw.chance(0.4) {
        compress(voice, draw.range(0.1, 0.6));
    }
    if draw.chance(0.4) {
        Biquad::high_pass(draw.range(60.0, 180.0), 0.7).run(voice);
    }
    if draw.chance(0.5) {
        Biquad::high_shelf(draw.range(1500.0, 5000.0), draw.range(-10.0, 10.0), 0.7).run(voice);
    }
    if draw.chance(0.5) {
        Biquad::peak(draw.log_range(200.0, 3500.0), draw.range(-8.0, 8.0), draw.range(0.5, 2.0)).run(voice);
    }
    if draw.chance(0.4) {
        Reverb::draw(draw).run(voice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::active_rms;
    use crate::studio::{Studio, StudioConfig};

    fn tone(hz: f32, seconds: usize) -> Vec<f32> {
        (0..seconds * SAMPLE_RATE).map(|n| 0.02 * (std::f32::consts::TAU * hz * n as f32 / SAMPLE_RATE as f32).sin()).collect()
    }

    /// A voice on 300 Hz that pauses in the middle, over a tone of 100 Hz; and a voice without a backing.
    fn multitracks() -> Multitracks {
        let mut tracks = Multitracks::default();
        let mut voice = tone(300.0, 9);
        voice[3 * SAMPLE_RATE..6 * SAMPLE_RATE].fill(0.0);
        let mut f0 = vec![300.0; 900];
        f0[300..600].fill(0.0);
        tracks.add(Track { voice, backing: tone(100.0, 9), f0 });
        tracks.add(Track { voice: tone(400.0, 5), backing: Vec::new(), f0: vec![400.0; 500] });
        tracks
    }

    #[test]
    fn crops_repeat_and_cover_all_mixes() {
        let (tracks, bank) = (multitracks(), StemBank::render(&Studio::new(StudioConfig::default()), 3, 2, 6.0));
        assert!(tracks.len() == 2 && tracks.seconds() == 14.0);
        let mut seen = [0; 3];
        for seed in 0..60 {
            let crop = tracks.crop(&bank, seed, 4.0);
            assert!(crop.mix.len() == 4 * SAMPLE_RATE && crop.pitch.len() == 400 && crop.weight == [1.0; 400]);
            assert!(crop.mix.iter().all(|x| x.is_finite() && x.abs() <= 1.0));
            let (sung, accompanied) = (active_rms(&crop.voice) > 0.01, active_rms(&crop.accompaniment) > 0.06);
            seen[if !sung { 0 } else { 1 + usize::from(accompanied) }] += 1;
        }
        assert!(seen.iter().all(|&n| n > 3), "{seen:?}");
        assert_eq!(tracks.crop(&bank, 7, 2.0).mix, tracks.crop(&bank, 7, 2.0).mix);
        assert_ne!(tracks.crop(&bank, 7, 2.0).mix, tracks.crop(&bank, 8, 2.0).mix);
        assert!(Multitracks::default().crop(&bank, 1, 1.0).mix.iter().all(|x| *x == 0.0));
    }

    #[test]
    fn labels_go_with_the_sound() {
        let (tracks, bank) = (multitracks(), StemBank::default());
        for seed in 0..40 {
            let crop = tracks.crop(&bank, seed, 3.0);
            let pitches: Vec<f32> = crop.pitch.f0.iter().copied().filter(|f| *f > 0.0).collect();
            for second in 0..3 {
                let frames = &crop.pitch.f0[second * 100..second * 100 + 100];
                if frames.iter().all(|f| *f > 0.0) {
                    let part = &crop.voice[second * SAMPLE_RATE..(second + 1) * SAMPLE_RATE];
                    let crossings = part.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count() as f32;
                    assert!((crossings - frames[50]).abs() < 4.0, "{crossings} Hz labelled {}", frames[50]);
                }
            }
            assert!(pitches.iter().all(|f| (0.79 * 300.0..1.27 * 400.0).contains(f)));
        }
    }
}
