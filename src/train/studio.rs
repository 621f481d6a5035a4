//! What the studio works with, from files.

use std::path::{Path, PathBuf};

use qbh_synthesis::accompaniment::soundfont::SoundFont;
use qbh_synthesis::melody::MelodySource;
use qbh_synthesis::studio::StudioConfig;
use qbh_synthesis::voice::speech::SpeechBank;

use super::{PassedOver, TrainError, speech};

/// Opens melodies (JSON lines; without any, they are composed on the fly), SoundFonts (without any, built-in instruments play)
/// and a folder of recorded speech (without one, voices are modelled by formants). Speech is analysed on rayon's current pool.
///
/// # Errors
/// Files that cannot be read or are not what they should be.
pub fn open(
    melodies: &[PathBuf],
    soundfonts: &[PathBuf],
    speech: Option<&Path>,
    passed_over: &PassedOver,
) -> Result<StudioConfig, TrainError> {
    Ok(StudioConfig {
        melodies: if melodies.is_empty() { MelodySource::generated() } else { MelodySource::open(melodies)? },
        soundfonts: soundfonts.iter().map(|path| SoundFont::open(path)).collect::<Result<_, _>>()?,
        speech: speech.map_or(Ok(SpeechBank::default()), |folder| speech::load(folder, passed_over))?,
    })
}
