//! A hum that was sent from elsewhere: bytes of whatever form, of limited length.

use std::path::Path;
use std::time::Instant;

use qbh_models::extractor::Extractor;

use super::{Heard, ListenError, hummed, is_midi, pitch, score};
use crate::audio;
use crate::pitchfile::{self, PitchFormat};
use crate::symbolic::Format;

/// Listens to what a file called `name` holds: a score or a pitch file if the name says so or the bytes begin as MIDI, else a recording of
/// at most `longest` seconds.
///
/// # Errors
/// As [`super::listen`]; [`ListenError::TooLong`], found before more than that is decoded.
pub fn listen_bytes(bytes: Vec<u8>, name: &Path, longest: f64, extractor: &dyn Extractor) -> Result<Heard, ListenError> {
    let start = Instant::now();
    let named = Format::of(name);
    if let Some(format) = if is_midi(&bytes) { Some(Format::Midi) } else { named } {
        return score(format, &bytes, start);
    }
    if let Some(format) = PitchFormat::of(name) {
        return pitch(pitchfile::parse(format, &bytes)?, start);
    }
    let mut stream = audio::open_bytes(bytes, extractor.sample_rate())?;
    let most = (longest * f64::from(extractor.sample_rate())) as usize;
    let mut samples = Vec::new();
    stream.read(most + 1, &mut samples)?;
    if samples.len() > most {
        return Err(ListenError::TooLong { most: longest });
    }
    Ok(Heard { remark: stream.remark(), ..hummed(&samples, extractor, start)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::AudioError;
    use qbh_models::Device;
    use qbh_models::extractor::{self, DEFAULT_EXTRACTOR};

    fn wav(seconds: usize) -> Vec<u8> {
        let spec =
            hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        (0..8000 * seconds).for_each(|n| writer.write_sample(((n / 20 % 2) * 8000) as i16).unwrap());
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn what_is_longer_than_a_hum_is_refused() {
        let extractor = extractor::open(DEFAULT_EXTRACTOR, Device::Cpu).unwrap();
        let listen = |bytes, name: &str| listen_bytes(bytes, Path::new(name), 5.0, &*extractor);
        assert!(matches!(listen(wav(6), ""), Err(ListenError::TooLong { .. })));
        assert!(!matches!(listen(wav(5), ""), Err(ListenError::TooLong { .. })));
        assert!(matches!(listen(b"some text".to_vec(), ""), Err(ListenError::Audio(AudioError::NotAudio(_)))));
        let rows: String = (0..300).map(|i| format!("{:.2} 220\n", 0.01 * f64::from(i))).collect();
        assert_eq!(listen(rows.into_bytes(), "hum.txt").unwrap().pieces.len(), 1);
    }
}
