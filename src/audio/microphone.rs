//! Recording from the default microphone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{FromSample, I24, Sample, SampleFormat, SizedSample, Stream, SupportedStreamConfig, U24};

use super::AudioError;

/// What the audio thread and the recording one share.
#[derive(Default)]
struct Take {
    samples: Vec<f32>,
    error: Option<String>,
}

/// Records `seconds` from the default input device. Returns mono samples (the mean of the channels) and their rate in Hz.
/// Blocks until the recording is done; a microphone that delivers nothing is an error.
pub fn record(seconds: f64) -> Result<(Vec<f32>, u32), AudioError> {
    let device = cpal::default_host().default_input_device().ok_or_else(|| AudioError::Microphone("none found".into()))?;
    let config = device.default_input_config().map_err(refused)?;
    let rate = config.sample_rate();
    let wanted = (seconds * f64::from(rate)).ceil() as usize;
    let take = Arc::new(Mutex::new(Take { samples: Vec::with_capacity(wanted), error: None }));
    let stream = match config.sample_format() {
        SampleFormat::I8 => capture::<i8>(&device, config, &take),
        SampleFormat::I16 => capture::<i16>(&device, config, &take),
        SampleFormat::I24 => capture::<I24>(&device, config, &take),
        SampleFormat::I32 => capture::<i32>(&device, config, &take),
        SampleFormat::U8 => capture::<u8>(&device, config, &take),
        SampleFormat::U16 => capture::<u16>(&device, config, &take),
        SampleFormat::U24 => capture::<U24>(&device, config, &take),
        SampleFormat::U32 => capture::<u32>(&device, config, &take),
        SampleFormat::F32 => capture::<f32>(&device, config, &take),
        SampleFormat::F64 => capture::<f64>(&device, config, &take),
        other => return Err(AudioError::Microphone(format!("it delivers {other} samples, which cannot be used"))),
    }?;
    stream.play().map_err(refused)?;
    // The device may start late: wait for the samples, not for the clock, but not for ever.
    let patience = Duration::from_secs_f64(seconds + 5.0);
    let step = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    loop {
        let now = take.lock().unwrap_or_else(PoisonError::into_inner);
        if now.samples.len() >= wanted || now.error.is_some() || waited >= patience {
            break;
        }
        drop(now);
        std::thread::sleep(step);
        waited += step;
    }
    drop(stream);
    let mut take = std::mem::take(&mut *take.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(error) = take.error {
        return Err(AudioError::Microphone(error));
    }
    if take.samples.is_empty() {
        return Err(AudioError::Microphone("it delivered no sound".into()));
    }
    take.samples.truncate(wanted);
    Ok((take.samples, rate))
}

fn capture<T>(device: &cpal::Device, config: SupportedStreamConfig, take: &Arc<Mutex<Take>>) -> Result<Stream, AudioError>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels()).max(1);
    let (on_data, on_error) = (Arc::clone(take), Arc::clone(take));
    device
        .build_input_stream(
            config.into(),
            move |data: &[T], _: &_| {
                let mut take = on_data.lock().unwrap_or_else(PoisonError::into_inner);
                let mean = |frame: &[T]| frame.iter().map(|&s| f32::from_sample(s)).sum::<f32>() / channels as f32;
                take.samples.extend(data.chunks_exact(channels).map(mean));
            },
            move |error| match error.kind() {
                // A gap in the recording or another route to the same sound: the recording goes on.
                cpal::ErrorKind::Xrun | cpal::ErrorKind::DeviceChanged | cpal::ErrorKind::RealtimeDenied => {
                    tracing::debug!("microphone: {error}");
                }
                _ => on_error.lock().unwrap_or_else(PoisonError::into_inner).error = Some(error.to_string()),
            },
            None,
        )
        .map_err(refused)
}

fn refused(error: cpal::Error) -> AudioError {
    AudioError::Microphone(error.to_string())
}
