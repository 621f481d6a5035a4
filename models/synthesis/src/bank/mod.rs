//! A bank of stems, rendered once and mixed live: every crop is new, at little cost.

mod cut;
mod file;

use rayon::prelude::*;

pub(super) use self::cut::{Cut, store};
use super::mixing::{Mode, mix};
use super::random::Draw;
use super::studio::{Stems, Studio};
use super::{Example, SAMPLE_RATE, level};

/// Largest change of speed and pitch: +-15 %.
const SPEED: (f32, f32) = (0.87, 1.15);
/// How often a crop's accompaniment is a recording, where there are some.
const RECORDED: f32 = 0.5;
/// How often a voice alone is one that was recorded alone, rather than taken from a song: hums and whistles are solos.
const SOLO: f32 = 0.7;

/// One piece.
#[derive(Debug)]
struct Piece {
    voice: Vec<i16>,
    accompaniment: Vec<i16>,
    f0: Vec<f32>,
}

/// Pieces kept in memory (64 kB per second).
#[derive(Debug, Default)]
pub struct StemBank {
    pieces: Vec<Piece>,
    /// Those with accompaniment of the studio.
    songs: Vec<usize>,
    /// Those that are recordings of instruments.
    recordings: Vec<usize>,
    /// Those with a voice.
    voices: Vec<usize>,
    /// Those with a voice and nothing else.
    solos: Vec<usize>,
}

impl StemBank {
    /// Renders `count` pieces of `seconds` each on rayon's current pool. The seeds are `seed`, `seed + 1` and so on: two
    /// calls whose ranges do not overlap give different pieces.
    pub fn render(studio: &Studio, seed: u64, count: usize, seconds: f32) -> Self {
        let pieces = (0..count as u64).into_par_iter().map(|i| Piece::new(studio.stems(seed + i, seconds)));
        let mut bank = StemBank::default();
        bank.take(pieces.collect());
        bank
    }

    /// Adds recordings of instruments (16 kHz, mono, any level) in which nobody sings: half of the accompaniments come from
    /// them then, with voices that know nothing of them.
    pub fn accompany(&mut self, recordings: Vec<Vec<f32>>) {
        let pieces = recordings.into_par_iter().map(|mut accompaniment| {
            level::normalise(&mut accompaniment, 0.1);
            Piece::new(Stems { accompaniment, ..Stems::default() })
        });
        self.take(pieces.collect());
    }

    /// A stretch of some accompaniment, if there is one: half of them recordings, where there are both.
    pub(super) fn accompaniment(&self, samples: usize, draw: &mut Draw) -> Option<Vec<f32>> {
        let pools = [&self.songs, &self.recordings];
        let pool = match pools.map(|pool| pool.is_empty()) {
            [true, true] => return None,
            [songless, recordless] => pools[usize::from(!recordless && (songless || draw.chance(RECORDED)))],
        };
        let source = &self.pieces[draw.pick(pool)].accompaniment;
        Some(Cut::draw(source.len(), samples, SPEED, draw).samples(source))
    }

    fn take(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            let index = self.pieces.len();
            if piece.voice.is_empty() {
                self.recordings.push(index);
            } else if !piece.accompaniment.is_empty() {
                self.songs.push(index);
            }
            if piece.f0.iter().any(|f| *f > 0.0) {
                self.voices.push(index);
                if piece.accompaniment.is_empty() {
                    self.solos.push(index);
                }
            }
            self.pieces.push(piece);
        }
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Seconds of stems held.
    pub fn seconds(&self) -> f32 {
        self.pieces.iter().map(|p| p.voice.len().max(p.accompaniment.len()) as f32 / SAMPLE_RATE as f32).sum()
    }

    /// Mixes `seconds` from random places: a song (without recordings, half of them voice and accompaniment of one piece, in
    /// harmony), a voice, or an instrumental. Equal seeds and banks give equal crops. `seconds` should be well below a piece's length; beyond
    /// its end there is silence. An empty bank gives silence.
    pub fn crop(&self, seed: u64, seconds: f32) -> Example {
        let draw = &mut Draw::stream(seed, 4);
        let samples = (seconds * SAMPLE_RATE as f32) as usize;
        let silence = || vec![0.0; samples];
        let unaccompanied = self.songs.is_empty() && self.recordings.is_empty();
        let mode = match (Mode::draw(draw), unaccompanied, self.voices.is_empty()) {
            (_, true, true) => return mix(Mode::Voice, silence(), silence(), Vec::new(), draw),
            (_, true, false) => Mode::Voice,
            (_, false, true) => Mode::Instrumental,
            (mode, false, false) => mode,
        };
        let mut accompaniment = silence();
        let mut place = None;
        if mode != Mode::Voice {
            let recorded = !self.recordings.is_empty() && (self.songs.is_empty() || draw.chance(RECORDED));
            let song = draw.pick(if recorded { &self.recordings } else { &self.songs });
            let cut = Cut::draw(self.pieces[song].accompaniment.len(), samples, SPEED, draw);
            accompaniment = cut.samples(&self.pieces[song].accompaniment);
            if !recorded && draw.chance(0.5) && self.pieces[song].f0.iter().any(|f| *f > 0.0) {
                place = Some((song, cut));
            }
        }
        if mode == Mode::Instrumental {
            return mix(mode, silence(), accompaniment, Vec::new(), draw);
        }
        let (index, cut) = place.unwrap_or_else(|| self.voice_place(mode, samples, draw));
        let piece = &self.pieces[index];
        mix(mode, cut.samples(&piece.voice), accompaniment, cut.labels(&piece.f0), draw)
    }

    /// A place where somebody sings, if three attempts find one. Voices over an accompaniment come from songs.
    fn voice_place(&self, mode: Mode, samples: usize, draw: &mut Draw) -> (usize, Cut) {
        let alone = mode == Mode::Voice && !self.solos.is_empty() && draw.chance(SOLO);
        let mut attempt = || {
            let index = draw.pick(if alone { &self.solos } else { &self.voices });
            (index, Cut::draw(self.pieces[index].voice.len(), samples, SPEED, draw))
        };
        let mut place = attempt();
        for _ in 0..3 {
            let labels = place.1.labels(&self.pieces[place.0].f0);
            let sung = labels.iter().filter(|f| **f > 0.0).count() * 8 > labels.len();
            if sung && (mode == Mode::Voice || self.songs.is_empty() || !self.pieces[place.0].accompaniment.is_empty()) {
                break;
            }
            place = attempt();
        }
        place
    }
}

impl Piece {
    fn new(stems: Stems) -> Self {
        Piece { voice: store(stems.voice), accompaniment: store(stems.accompaniment), f0: stems.f0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::active_rms;
    use crate::studio::StudioConfig;

    #[test]
    fn crops_repeat_differ_and_cover_all_modes() {
        let bank = StemBank::render(&Studio::new(StudioConfig::default()), 100, 6, 12.0);
        assert!(bank.len() == 6 && (bank.seconds() - 72.0).abs() < 0.1);
        let (mut voiced, mut unvoiced) = (0, 0);
        for seed in 0..60 {
            let crop = bank.crop(seed, 2.0);
            assert!(crop.mix.len() == 2 * SAMPLE_RATE && crop.pitch.len() == 200);
            assert!(crop.mix.iter().all(|x| x.is_finite() && x.abs() <= 1.0));
            assert!(crop.mix.iter().any(|x| *x != 0.0));
            if crop.pitch.f0.iter().any(|f| *f > 0.0) { voiced += 1 } else { unvoiced += 1 }
        }
        assert!(voiced > 30 && unvoiced > 3, "{voiced} {unvoiced}");
        assert_eq!(bank.crop(7, 2.0).mix, bank.crop(7, 2.0).mix);
        assert_ne!(bank.crop(7, 2.0).mix, bank.crop(8, 2.0).mix);
        assert!(StemBank::default().crop(1, 1.0).pitch.f0.iter().all(|f| *f == 0.0));
    }

    #[test]
    fn the_number_of_threads_does_not_enter_the_bank() {
        let crop = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let bank = pool.install(|| StemBank::render(&Studio::new(StudioConfig::default()), 9, 4, 4.0));
            (0..8).map(|seed| bank.crop(seed, 1.0).mix).collect::<Vec<_>>()
        };
        assert!(crop(1) == crop(3));
    }

    #[test]
    fn recordings_accompany_half_of_the_songs() {
        let mut bank = StemBank::render(&Studio::new(StudioConfig::default()), 7, 4, 6.0);
        let tone = (0..6 * SAMPLE_RATE).map(|n| 0.01 * (n as f32 * 0.02).sin()).collect();
        bank.accompany(vec![tone]);
        assert_eq!(bank.len(), 5);
        // The tone is all below 100 Hz: it crosses zero hardly ever.
        let crossings = |x: &[f32]| x.windows(2).filter(|w| (w[0] < 0.0) != (w[1] < 0.0)).count();
        let crops: Vec<Example> = (0..80).map(|seed| bank.crop(seed, 1.0)).collect();
        let songs: Vec<&Example> = crops.iter().filter(|c| active_rms(&c.accompaniment) > 0.02).collect();
        let recorded = songs.iter().filter(|c| crossings(&c.accompaniment) < 130).count();
        assert!(recorded * 4 > songs.len() && recorded * 4 < songs.len() * 3, "{recorded} of {}", songs.len());
    }
}
