//! A picture of a recording: its spectrum as the `harmonic` network sees it, with a pitch track drawn in.

use qbh_models::extractor::harmonic::front_end;
use qbh_models::pitch::hz_to_midi;

use super::PlotError;

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
/// line at every C, a tick at every second, and `f0` (Hz per 10 ms, 0 = unvoiced) in red. Less than a frame of samples is one white column.
///
/// # Errors
/// [`PlotError`], which only a fault of the program causes.
pub fn spectrogram_png(samples: &[f32], f0: &[f32]) -> Result<Vec<u8>, PlotError> {
    let spectra = front_end(samples);
    let frames = (spectra.len() / (2 * BANDS)).min(LONGEST);
    let (width, height) = (frames.max(1) * FRAME, BANDS * BAND);
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

/// An 8-bit RGB image, rows from top to bottom.
fn png(width: usize, height: usize, pixels: &[[u8; 3]]) -> Result<Vec<u8>, PlotError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(pixels.as_flattened())?;
        writer.finish()
    });
    written.map_err(|error| PlotError(error.to_string()))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Width, height and pixels, as a reader of PNG sees them.
    fn read(picture: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        (info.width as usize, info.height as usize, pixels)
    }

    #[test]
    fn a_tone_is_dark_where_its_pitch_is_red() {
        // A4 for one second: band (69 - 24) * 3 = 135.
        let tone: Vec<f32> = (0..16_000).map(|n| 0.3 * (std::f32::consts::TAU * 440.0 * n as f32 / 16e3).sin()).collect();
        let picture = |f0: f32| {
            let (width, height, pixels) = read(&spectrogram_png(&tone, &[f0; 100]).unwrap());
            assert_eq!((width, height, pixels.len()), (100, 568, 568 * 300));
            let at = move |band: usize| {
                let start = (567 - 2 * band) * 300 + 50 * 3;
                [pixels[start], pixels[start + 1], pixels[start + 2]]
            };
            [at(135), at(200)]
        };
        let [dark, light] = picture(0.0);
        assert!(dark[0] < 100 && light[0] > 150, "{dark:?} {light:?}");
        assert_eq!(picture(440.0)[0], [230, 20, 20]);
        let (width, height, pixels) = read(&spectrogram_png(&[], &[]).unwrap());
        assert_eq!((width, height), (2, 568));
        assert!(pixels.iter().all(|&p| p == 255) || front_end(&[]).len() >= 2 * BANDS);
    }
}
