//! Sound files that commands write.

use anyhow::{Context as _, Result};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::path::Path;

/// Writes mono 16-bit sound.
pub fn write_wav(path: &Path, samples: &[f32], rate: u32) -> Result<()> {
    let write = || -> Result<(), hound::Error> {
        let spec = WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let mut writer = WavWriter::create(path, spec)?;
        for &sample in samples {
            writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16)?;
        }
        writer.finalize()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
