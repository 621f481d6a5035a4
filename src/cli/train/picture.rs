//! A picture of a recording: its spectrum as the `harmonic` network sees it, with a pitch track drawn in.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use qbh_models::extractor::harmonic::front_end;
use qbh_models::pitch::hz_to_midi;
use std::io::Write;

/// Bands of the front end, from MIDI 24 (C1, 33 Hz) up, a third of a semitone apart.
const BANDS: usize = 284;
const FIRST_MIDI: f32 = 24.0;
const PER_SEMITONE: f32 = 3.0;
/// What silence is, and what is drawn black.
const RANGE: (f32, f32) = (-std::f32::consts::LN_10, 0.7);
/// Pixels per band and per 20 ms.
const BAND: usize = 2;
const FRAME: usize = 2;
/// Longest stretch drawn, in frames of 20 ms: half a minute.
const LONGEST: usize = 1500;

/// A PNG of at most the first half minute of 16 kHz `samples`: 100 pixels a second, six pixels a semitone from C1 at the bottom; a
/// line at every C, a tick at every second, and `f0` (Hz per 10 ms, 0 = unvoiced) in red.
pub fn spectrogram_png(samples: &[f32], f0: &[f32]) -> std::io::Result<Vec<u8>> {
    let spectra = front_end(samples);
    let frames = (spectra.len() / (2 * BANDS)).min(LONGEST);
    let (width, height) = (frames * FRAME, BANDS * BAND);
    let mut pixels = vec![[255u8; 3]; width * height];
    for (x, column) in spectra.chunks_exact(2 * BANDS).take(frames).enumerate() {
        let line = |band: usize| band.is_multiple_of(36);
        let second = x.is_multiple_of(50);
        let voice = f0.get(2 * x).filter(|f| **f > 0.0).map(|&f| (hz_to_midi(f) - FIRST_MIDI) * PER_SEMITONE);
        for y in 0..height {
            let from_bottom = height - 1 - y;
            let band = from_bottom / BAND;
            let loud = ((column[band] - RANGE.0) / (RANGE.1 - RANGE.0)).clamp(0.0, 1.0);
            let grey = 255 - (255.0 * loud) as u8;
            let sung = voice.is_some_and(|v| (v * BAND as f32 - from_bottom as f32 + 0.5).abs() < 1.5);
            let mark = (line(band) && from_bottom.is_multiple_of(BAND)) || (second && from_bottom < 8);
            let pixel = match (sung, mark) {
                (true, _) => [230, 20, 20],
                (_, true) => [grey.min(90), grey.min(150), 230],
                _ => [grey; 3],
            };
            pixels[y * width + x * FRAME..][..FRAME].fill(pixel);
        }
    }
    png(width, height, &pixels)
}

/// An 8-bit RGB image as PNG (ISO/IEC 15948), rows from top to bottom.
fn png(width: usize, height: usize, pixels: &[[u8; 3]]) -> std::io::Result<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks(width.max(1)) {
        packed.write_all(&[0])?; // no filter
        packed.write_all(row.as_flattened())?;
    }
    let mut header = Vec::from((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    header.extend([8, 2, 0, 0, 0]); // 8 bits, RGB, the only compression and filter methods, not interlaced
    let mut out = Vec::from(*b"\x89PNG\r\n\x1a\n");
    for (kind, data) in [(b"IHDR", header), (b"IDAT", packed.finish()?), (b"IEND", Vec::new())] {
        let mut check = flate2::Crc::new();
        check.update(kind);
        check.update(&data);
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(kind);
        out.extend(data);
        out.extend(check.sum().to_be_bytes());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Width, height and pixels, as a reader of PNG sees them.
    fn read(png: &[u8]) -> (usize, usize, Vec<u8>) {
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(&png[..16], b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR");
        let data = 33;
        assert_eq!(&png[data + 4..data + 8], b"IDAT");
        let mut pixels = Vec::new();
        flate2::read::ZlibDecoder::new(&png[data + 8..data + 8 + number(data)]).read_to_end(&mut pixels).unwrap();
        (number(16), number(20), pixels)
    }

    #[test]
    fn a_tone_is_dark_where_its_pitch_is_red() {
        // A4 for one second: band (69 - 24) * 3 = 135.
        let tone: Vec<f32> = (0..16_000).map(|n| 0.3 * (std::f32::consts::TAU * 440.0 * n as f32 / 16e3).sin()).collect();
        let picture = |f0: f32| {
            let (width, height, pixels) = read(&spectrogram_png(&tone, &[f0; 100]).unwrap());
            assert_eq!((width, height, pixels.len()), (100, 568, 568 * 301));
            let at = move |band: usize| {
                let start = (567 - 2 * band) * 301 + 1 + 50 * 3;
                [pixels[start], pixels[start + 1], pixels[start + 2]]
            };
            [at(135), at(200)]
        };
        let [dark, light] = picture(0.0);
        assert!(dark[0] < 100 && light[0] > 150, "{dark:?} {light:?}");
        assert_eq!(picture(440.0)[0], [230, 20, 20]);
        assert!(read(&spectrogram_png(&[], &[]).unwrap()).2.len() <= 568);
    }
}
