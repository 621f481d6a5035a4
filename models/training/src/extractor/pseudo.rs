//! Unlabelled music with the labels of a teacher: the noisy student of Kum et al. (ISMIR 2020, arXiv 2008.06358, section 2).

use std::sync::Mutex;

use qbh_models::extractor::Extractor;
use qbh_models::resample::resample;
use qbh_models::{ModelError, PitchTrack};
use qbh_synthesis::effects::six_augmentations;
use qbh_synthesis::random::Draw;
use qbh_synthesis::{Example, LABEL_HOP, SAMPLE_RATE};

/// Least share of a crop that is voiced, by the teacher's word; below it, there may be no voice at all.
const LEAST_VOICED: f32 = 0.1;

/// Attempts at finding such a crop.
const ATTEMPTS: usize = 30;

/// Who hears the augmented recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// Nobody: teacher and student hear it as it is.
    Basic,
    /// Both.
    NoisyTeacherStudent,
    /// The student only.
    NoisyStudent,
}

/// Recordings in memory, with what the teacher heard in them.
pub struct Unlabelled {
    songs: Vec<Song>,
    setup: Setup,
    confidence: f32,
    /// Those that are not at work; they label crops where the teacher hears noise too.
    teachers: Mutex<Vec<Box<dyn Extractor>>>,
}

/// One recording; 10 ms frames.
struct Song {
    samples: Vec<i16>,
    labels: Labels,
}

/// What a teacher says.
#[derive(Debug, Clone, Default, PartialEq)]
struct Labels {
    f0: Vec<f32>,
    /// 1 where the teacher is sure enough, else 0.
    weight: Vec<f32>,
}

impl Labels {
    /// The teacher's decision of each frame counts if the probability of it is at least `confidence`.
    fn new(track: PitchTrack, confidence: f32) -> Self {
        let certainty = |(f0, p): (&f32, &f32)| if *f0 > 0.0 { *p } else { 1.0 - *p };
        let frames = track.f0.iter().zip(&track.voicing);
        let weight = frames.map(|frame| if certainty(frame) >= confidence { 1.0 } else { 0.0 }).collect();
        Labels { f0: track.f0, weight }
    }

    /// Share of frames that are surely voiced.
    fn voiced(&self, from: usize, to: usize) -> f32 {
        let to = to.min(self.f0.len());
        let sung = (from..to).filter(|&i| self.f0[i] > 0.0 && self.weight[i] > 0.0).count();
        sung as f32 / (to.saturating_sub(from)).max(1) as f32
    }

    fn part(&self, from: usize, to: usize) -> Labels {
        let to = to.min(self.f0.len());
        Labels { f0: self.f0[from..to].to_vec(), weight: self.weight[from..to].to_vec() }
    }
}

impl Unlabelled {
    /// No recordings yet. `threads` crops can be made at a time.
    pub fn new(teacher: &dyn Extractor, setup: Setup, confidence: f32, threads: usize) -> Self {
        Unlabelled {
            songs: Vec::new(),
            setup,
            confidence,
            teachers: Mutex::new((0..threads.max(1)).map(|_| teacher.fork()).collect()),
        }
    }

    /// Keeps a recording (16 kHz, mono) that the teacher has labelled; says no where it hears too little of a voice.
    pub fn add(&mut self, samples: &[f32], heard: PitchTrack) -> bool {
        let labels = Labels::new(heard, self.confidence);
        let worth = labels.voiced(0, labels.f0.len()) >= LEAST_VOICED;
        if worth {
            let samples = samples.iter().map(|s| (s.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16).collect();
            self.songs.push(Song { samples, labels });
        }
        worth
    }

    /// Number of recordings kept.
    pub fn len(&self) -> usize {
        self.songs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.songs.is_empty()
    }

    /// Seconds of recordings kept.
    pub fn seconds(&self) -> f64 {
        self.songs.iter().map(|s| s.samples.len()).sum::<usize>() as f64 / SAMPLE_RATE as f64
    }

    /// `seconds` from a random place, long recordings more often, in which the teacher surely hears a voice, with its labels;
    /// augmented as the set-up says. Equal seeds give equal crops. Without recordings it is silence.
    pub fn crop(&self, seed: u64, seconds: f32) -> Example {
        let draw = &mut Draw::stream(seed, 6);
        let samples = (seconds * SAMPLE_RATE as f32) as usize;
        let frames = samples.div_ceil(LABEL_HOP);
        let Some((song, start)) = self.place(frames, draw) else {
            return Example { mix: vec![0.0; samples], ..Example::default() };
        };
        let song = &self.songs[song];
        let from = start * LABEL_HOP;
        let cut = &song.samples[from..(from + samples).min(song.samples.len())];
        let mut mix: Vec<f32> = cut.iter().map(|s| f32::from(*s) / f32::from(i16::MAX)).collect();
        mix.resize(samples, 0.0);
        let mut labels = song.labels.part(start, start + frames);
        if self.setup != Setup::Basic {
            six_augmentations(&mut mix, draw);
        }
        // A teacher that cannot listen leaves the labels of the clean recording.
        if let (Setup::NoisyTeacherStudent, Ok(heard)) = (self.setup, self.ask(&mix)) {
            labels = Labels::new(heard, self.confidence);
        }
        Example { mix, pitch: PitchTrack::from_f0(labels.f0), weight: labels.weight, ..Example::default() }
    }

    /// A recording and a frame in it.
    fn place(&self, frames: usize, draw: &mut Draw) -> Option<(usize, usize)> {
        let lengths: Vec<f32> = self.songs.iter().map(|s| s.labels.f0.len() as f32).collect();
        let mut place = None;
        for _ in 0..if self.is_empty() { 0 } else { ATTEMPTS } {
            let song = draw.weighted(&lengths);
            let labels = &self.songs[song].labels;
            let start = draw.index(labels.f0.len().saturating_sub(frames) + 1);
            place = Some((song, start));
            if labels.voiced(start, start + frames) >= LEAST_VOICED {
                break;
            }
        }
        place
    }

    /// What a teacher hears in 16 kHz samples.
    fn ask(&self, samples: &[f32]) -> Result<PitchTrack, ModelError> {
        let at_work = || ModelError::Training("more crops are made at a time than there are teachers".into());
        let teacher = self.teachers.lock().ok().and_then(|mut idle| idle.pop()).ok_or_else(at_work)?;
        let heard = resample(samples, SAMPLE_RATE as u32, teacher.sample_rate()).and_then(|samples| teacher.extract(&samples));
        if let Ok(mut idle) = self.teachers.lock() {
            idle.push(teacher);
        }
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qbh_models::Device;
    use qbh_models::extractor;

    /// A minute: 30 s of a voice that the teacher is sure of, 10 s that it is not, 20 s of nothing.
    fn unlabelled(setup: Setup) -> Unlabelled {
        let teacher = extractor::open(extractor::DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
        let mut unlabelled = Unlabelled::new(&*teacher, setup, 0.8, 2);
        let samples: Vec<f32> = (0..60 * SAMPLE_RATE).map(|n| 0.1 * (n as f32 * 0.1).sin()).collect();
        let mut track = PitchTrack::from_f0(vec![0.0; 6000]);
        track.f0[..4000].fill(254.6);
        track.voicing[..3000].fill(0.95);
        track.voicing[3000..4000].fill(0.6);
        track.voicing[4000..].fill(0.1);
        assert!(!unlabelled.add(&samples, PitchTrack::from_f0(vec![0.0; 6000])), "nobody sings");
        assert!(unlabelled.add(&samples, track));
        unlabelled
    }

    #[test]
    fn crops_hold_a_voice_and_doubtful_frames_do_not_count() {
        let unlabelled = unlabelled(Setup::Basic);
        assert_eq!((unlabelled.len(), unlabelled.seconds()), (1, 60.0));
        let mut doubtful = 0;
        for seed in 0..40 {
            let crop = unlabelled.crop(seed, 5.0);
            assert_eq!((crop.mix.len(), crop.pitch.len(), crop.weight.len()), (5 * SAMPLE_RATE, 500, 500));
            let sure = crop.pitch.f0.iter().zip(&crop.weight).filter(|(f, w)| **f > 0.0 && **w == 1.0).count();
            assert!(sure >= 50, "{sure} frames of voice in crop {seed}");
            doubtful += crop.weight.iter().filter(|w| **w == 0.0).count();
        }
        assert!(doubtful > 100);
        assert_eq!(unlabelled.crop(3, 5.0).mix, unlabelled.crop(3, 5.0).mix);
        assert_ne!(unlabelled.crop(3, 5.0).mix, unlabelled.crop(4, 5.0).mix);
    }

    #[test]
    fn set_ups_differ_in_who_hears_the_noise() {
        let crop = |setup| unlabelled(setup).crop(11, 5.0);
        let (basic, student, both) = (crop(Setup::Basic), crop(Setup::NoisyStudent), crop(Setup::NoisyTeacherStudent));
        assert!(basic.mix != student.mix && student.mix == both.mix);
        assert!(basic.pitch == student.pitch && basic.pitch != both.pitch);
        assert_eq!(both.pitch.len(), 500);
    }
}
