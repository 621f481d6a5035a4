//! What is sung between and on the notes: vowels by their formants, consonants by how they sound.

use super::tract::Shape;
use crate::random::Draw;

/// First three formants of an average man's vowels, Hz (after Peterson and Barney, JASA 24, 1952; /e o y @/ added).
pub const VOWELS: [[f32; 3]; 14] = [
    [270.0, 2290.0, 3010.0],
    [390.0, 1990.0, 2550.0],
    [400.0, 2150.0, 2650.0],
    [530.0, 1840.0, 2480.0],
    [660.0, 1720.0, 2410.0],
    [730.0, 1090.0, 2440.0],
    [640.0, 1190.0, 2390.0],
    [570.0, 840.0, 2410.0],
    [450.0, 800.0, 2500.0],
    [440.0, 1020.0, 2240.0],
    [300.0, 870.0, 2240.0],
    [490.0, 1350.0, 1690.0],
    [285.0, 1850.0, 2250.0],
    [500.0, 1500.0, 2500.0],
];

/// Diphthongs as (from, to) rows of [`VOWELS`].
pub const DIPHTHONGS: [(usize, usize); 6] = [(5, 1), (2, 0), (8, 10), (5, 10), (7, 1), (3, 0)];

/// Nasal murmur of a closed mouth: formants of an average man, Hz.
pub const MURMUR: [f32; 3] = [260.0, 1100.0, 2450.0];

/// How a consonant is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Consonant {
    /// None: the vowel follows on.
    None,
    /// s, sh, f, h, th: noise.
    Fricative {
        /// Centre of the noise, Hz.
        centre: f32,
        /// Its half width, Hz.
        width: f32,
        /// Its amplitude beside the vowel's.
        level: f32,
    },
    /// p, t, k: silence, then a burst.
    Stop {
        /// Centre of the burst, Hz.
        centre: f32,
        /// Breath after the burst, amplitude.
        aspiration: f32,
    },
    /// m, n, ng: voiced through the nose.
    Nasal,
    /// l, r, w, y: voiced, formants glide from a place of their own.
    Glide {
        /// Row of the three formants it comes from, Hz.
        from: [f32; 3],
    },
    /// b, d, g, v, z: voiced but muffled, some with noise.
    Voiced {
        /// Amplitude of the noise.
        noise: f32,
        /// Centre of the noise, Hz.
        centre: f32,
    },
    /// The glottis shuts: silence.
    Glottal,
    /// What a speaker said before or after a voiced run.
    Spoken {
        /// Which of the speaker's runs.
        run: usize,
        /// Length in seconds, 0 when there is none.
        length: f32,
    },
}

impl Consonant {
    /// Draws one as singers use them.
    pub fn draw(draw: &mut Draw) -> Consonant {
        match draw.weighted(&[0.12, 0.27, 0.22, 0.14, 0.12, 0.17, 0.05]) {
            0 => Consonant::None,
            1 => {
                let (centre, width) = draw.pick(&[
                    (6300.0, 1500.0),
                    (5400.0, 1500.0),
                    (3200.0, 1300.0),
                    (5000.0, 4000.0),
                    (1500.0, 1200.0),
                    (4500.0, 3500.0),
                ]);
                Consonant::Fricative {
                    centre: centre * draw.range(0.85, 1.15),
                    width: width * draw.range(0.7, 1.3),
                    level: draw.log_range(0.04, 0.6),
                }
            }
            2 => Consonant::Stop {
                centre: draw.pick(&[900.0, 1800.0, 3800.0]) * draw.range(0.8, 1.2),
                aspiration: draw.range(0.0, 0.35),
            },
            3 => Consonant::Nasal,
            4 => Consonant::Glide {
                from: draw.pick(&[
                    [360.0, 1100.0, 2600.0],
                    [330.0, 1200.0, 1600.0],
                    [300.0, 650.0, 2200.0],
                    [260.0, 2200.0, 3000.0],
                ]),
            },
            5 => Consonant::Voiced {
                noise: if draw.chance(0.5) { draw.log_range(0.01, 0.15) } else { 0.0 },
                centre: draw.range(2500.0, 6500.0),
            },
            _ => Consonant::Glottal,
        }
    }

    /// Whether the voice stops sounding.
    pub fn unvoiced(self) -> bool {
        match self {
            Consonant::Fricative { .. } | Consonant::Stop { .. } | Consonant::Glottal => true,
            Consonant::Spoken { length, .. } => length > 0.0,
            _ => false,
        }
    }

    /// Length in seconds.
    pub fn duration(self, draw: &mut Draw) -> f32 {
        match self {
            Consonant::None => 0.0,
            Consonant::Fricative { .. } => draw.log_range(0.05, 0.2),
            Consonant::Stop { .. } => draw.log_range(0.04, 0.17),
            Consonant::Nasal => draw.log_range(0.04, 0.15),
            Consonant::Glide { .. } => draw.log_range(0.04, 0.12),
            Consonant::Voiced { .. } => draw.log_range(0.03, 0.11),
            Consonant::Glottal => draw.log_range(0.02, 0.12),
            Consonant::Spoken { length, .. } => length,
        }
    }
}

/// A vowel as one singer makes it: formants scaled to the tract, with the singer's own deviations; the first formant
/// follows f0 upwards, as singers open their mouths on high notes (Sundberg, 1975).
pub fn shape(formants: [f32; 3], scale: f32, nasality: f32, f0: f32) -> Shape {
    let mut scaled = formants.map(|f| f * scale);
    if f0 > 0.0 {
        scaled[0] = scaled[0].max(1.02 * f0);
        scaled[1] = scaled[1].max(scaled[0] + 250.0);
        scaled[2] = scaled[2].max(scaled[1] + 350.0);
    }
    let widths = [50.0 + 0.07 * scaled[0], 45.0 + 0.04 * scaled[1], 60.0 + 0.045 * scaled[2]];
    Shape { formants: scaled, widths, nasality }
}
