//! From sound to pitch.

use std::hint::black_box;

use qbh_models::extractor::{self, DEFAULT_EXTRACTOR, Extractor, harmonic, ssl};
use rustfft::{FftPlanner, num_complex::Complex};
use tch::{Device, Kind, Tensor};

use crate::material::Material;
use crate::measure::{median, row, section};

const WINDOW: usize = 2048;
const HOP: usize = 160;

/// Real time over time.
fn times_real_time(run: impl FnMut()) -> f64 {
    Material::SECONDS / median(run)
}

/// Ours do more than a spectrogram: harmonics are gathered.
pub fn front_ends(material: &Material) {
    section("Front ends", "libtorch's spectrogram: Hann 2048, hop 160, 16 kHz, magnitudes");
    let samples = material.sound(16_000);
    let (signal, window) = (Tensor::from_slice(&samples), Tensor::hann_window(WINDOW as i64, (Kind::Float, Device::Cpu)));
    let base = times_real_time(|| {
        let stft = signal.stft_center(
            WINDOW as i64,
            Some(HOP as i64),
            Some(WINDOW as i64),
            Some(&window),
            true,
            "reflect",
            false,
            true,
            true,
            false,
        );
        drop(black_box(stft.abs()));
    });
    row("libtorch", base, "x real time", 1.0);
    let plain = times_real_time(|| drop(black_box(spectrogram(&samples))));
    row("rustfft, frame by frame", plain, "x real time", plain / base);
    let own = times_real_time(|| drop(black_box(harmonic::front_end(&samples))));
    row("harmonic", own, "x real time", own / base);
    let low = material.sound(8_000);
    let own = times_real_time(|| drop(black_box(ssl::front_end(&low))));
    row("ssl", own, "x real time", own / base);
}

fn spectrogram(samples: &[f32]) -> Vec<f32> {
    let fft = FftPlanner::new().plan_fft_forward(WINDOW);
    let turn = std::f32::consts::TAU / WINDOW as f32;
    let window: Vec<f32> = (0..WINDOW).map(|i| 0.5 - 0.5 * (turn * i as f32).cos()).collect();
    let mut out = Vec::new();
    for frame in samples.windows(WINDOW).step_by(HOP) {
        let mut buffer: Vec<Complex<f32>> = frame.iter().zip(&window).map(|(x, w)| Complex::new(x * w, 0.0)).collect();
        fft.process(&mut buffer);
        out.extend(buffer[..=WINDOW / 2].iter().map(|c| c.norm()));
    }
    out
}

/// Front end, network, decoding.
pub fn extractors(material: &Material) {
    section("Extractors: front end, network, decoding", "ssl, the published network");
    let speed = |extractor: &dyn Extractor| {
        let samples = material.sound(extractor.sample_rate());
        times_real_time(|| drop(black_box(extractor.extract(&samples))))
    };
    let published = extractor::untrained(ssl::ARCHITECTURE, Device::Cpu.into()).expect("the architecture is known");
    let base = speed(&*published);
    row("ssl", base, "x real time", 1.0);
    let own = speed(&*extractor::open(DEFAULT_EXTRACTOR, Device::Cpu.into()).expect("the default extractor opens"));
    row(DEFAULT_EXTRACTOR, own, "x real time", own / base);
}
