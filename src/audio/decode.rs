//! From bytes to mono samples at the recording's own rate: container, track and codec are symphonia's business.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{FORMAT_ID_ISOMP4, FORMAT_ID_MP3};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::Duration;

use super::AudioError;
use super::tags::{self, Tags};

/// The sample rates that recordings have, Hz. Outside of them a header is wrong, and believing it would cost memory.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Damage to the container that is stepped over before the rest of the file is given up.
const MAX_CONTAINER_ERRORS: u32 = 100;

/// No recording is louder than this (full scale is 1); floating-point files can hold anything.
const MAX_SAMPLE: f32 = 1e6;

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut registry = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut registry);
    registry.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    registry
});

/// Decodes one audio track of a source, packet by packet.
pub(super) struct Decoder {
    format: Box<dyn FormatReader>,
    codec: Box<dyn AudioDecoder>,
    track: u32,
    planes: Vec<Vec<f32>>,
    /// Seconds at the beginning that are not to be heard.
    delay: f64,
    frames: u64,
    damaged: u64,
    last_error: Option<String>,
}

impl Decoder {
    /// Recognises the container by its content and picks the track: the one marked as default, else the first that can be decoded.
    pub(super) fn open(source: Box<dyn MediaSource>) -> Result<Self, AudioError> {
        let stream = MediaSourceStream::new(source, Default::default());
        let (format, track, codec) = guard(|| {
            let format = symphonia::default::get_probe()
                .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
                .map_err(opening_error)?;
            let (track, codec) = choose_track(format.as_ref())?;
            Ok((format, track, codec))
        })?;
        Ok(Decoder { format, codec, track, planes: Vec::new(), delay: 0.0, frames: 0, damaged: 0, last_error: None })
    }

    /// The track number, if the container is an MP4 file.
    pub(super) fn mp4_track(&self) -> Option<u32> {
        (self.format.format_info().format == FORMAT_ID_ISOMP4).then_some(self.track)
    }

    /// Leaves out so many seconds at the beginning.
    pub(super) fn skip_delay(&mut self, seconds: f64) {
        self.delay = seconds;
    }

    /// Title, artist and album as far as the container has told them by now.
    pub(super) fn tags(&mut self) -> Tags {
        tags::collect(self.format.metadata(), self.track)
    }

    /// Packets that could not be decoded and were left out.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Replaces `mono` by the next samples (the mean of all channels) and returns their rate in Hz; `None` at the end.
    /// A truncated or damaged file ends where nothing more can be read; only a file without any sample is an error.
    pub(super) fn next(&mut self, mono: &mut Vec<f32>) -> Result<Option<u32>, AudioError> {
        mono.clear();
        match guard(|| self.advance(mono)) {
            Err(AudioError::Damaged(reason)) => {
                self.skip(reason);
                self.end()
            }
            result => result,
        }
    }

    fn advance(&mut self, mono: &mut Vec<f32>) -> Result<Option<u32>, AudioError> {
        let mut container_errors = 0;
        loop {
            let mut packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return self.end(),
                // A chained stream begins anew, perhaps in another codec.
                Err(Error::ResetRequired) => {
                    (self.track, self.codec) = choose_track(self.format.as_ref())?;
                    continue;
                }
                Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                    self.last_error.get_or_insert_with(|| "the file ends too early".into());
                    return self.end();
                }
                Err(Error::IoError(e)) => return Err(e.into()),
                Err(e @ Error::DecodeError(_)) if container_errors < MAX_CONTAINER_ERRORS => {
                    container_errors += 1;
                    self.skip(e.to_string());
                    continue;
                }
                Err(e) => {
                    self.skip(e.to_string());
                    return self.end();
                }
            };
            if packet.track_id != self.track {
                continue;
            }
            // The first frame of an MP3 tells its length, and what is beyond is cut off as padding. Joined files have the first
            // frame of their first part: frames that only begin after its end are music.
            if packet.trim_end > packet.dur && self.format.format_info().format == FORMAT_ID_MP3 {
                packet.trim_end = Duration::ZERO;
            }
            match self.codec.decode(&packet) {
                Ok(audio) if audio.frames() == 0 => continue,
                Ok(audio) => {
                    let rate = audio.spec().rate();
                    if !SAMPLE_RATES.contains(&rate) {
                        return Err(AudioError::SampleRate(rate));
                    }
                    mix(&audio, &mut self.planes, mono);
                    self.frames += mono.len() as u64;
                    let early = ((self.delay * f64::from(rate)).round() as usize).min(mono.len());
                    mono.drain(..early);
                    self.delay -= early as f64 / f64::from(rate);
                    return Ok(Some(rate));
                }
                Err(Error::ResetRequired) => self.codec.reset(),
                Err(e) => self.skip(e.to_string()),
            }
        }
    }

    fn skip(&mut self, error: String) {
        tracing::debug!("skipped a damaged packet: {error}");
        self.damaged += 1;
        self.last_error = Some(error);
    }

    fn end(&self) -> Result<Option<u32>, AudioError> {
        match self.frames {
            0 => Err(AudioError::NothingDecoded { damaged: self.damaged, last: self.last_error.clone() }),
            _ => Ok(None),
        }
    }
}

/// Symphonia has assertions that some damaged headers fail; they are damage like any other.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(AudioError::Damaged("its structure makes no sense".into())))
}

/// The mean of all channels. Samples that are no number become silence.
fn mix(audio: &GenericAudioBufferRef<'_>, planes: &mut Vec<Vec<f32>>, mono: &mut Vec<f32>) {
    audio.copy_to_vecs_planar(planes);
    let Some((first, rest)) = planes.split_first() else { return };
    mono.extend_from_slice(first);
    for plane in rest {
        mono.iter_mut().zip(plane).for_each(|(m, s)| *m += s);
    }
    let gain = 1.0 / (1 + rest.len()) as f32;
    for m in mono {
        *m = if m.is_finite() { (*m * gain).clamp(-MAX_SAMPLE, MAX_SAMPLE) } else { 0.0 };
    }
}

fn choose_track(format: &dyn FormatReader) -> Result<(u32, Box<dyn AudioDecoder>), AudioError> {
    let default = format.default_track(TrackType::Audio).map(|t| t.id);
    let mut tracks: Vec<&Track> = format.tracks().iter().collect();
    tracks.sort_by_key(|t| Some(t.id) != default);
    let mut refusal = AudioError::NoAudioTrack;
    for track in tracks {
        let Some(CodecParameters::Audio(params)) = &track.codec_params else { continue };
        if let Some(rate) = params.sample_rate.filter(|rate| !SAMPLE_RATES.contains(rate)) {
            refusal = AudioError::SampleRate(rate);
            continue;
        }
        let mut params = params.clone();
        if let Some(core) = params.extra_data.as_deref().filter(|_| params.codec == CODEC_ID_AAC).and_then(low_complexity_core) {
            params.extra_data = Some(core);
        }
        match CODECS.make_audio_decoder(&params, &AudioDecoderOptions::default()) {
            Ok(codec) => return Ok((track.id, codec)),
            Err(e) => refusal = AudioError::Unsupported(format!("the audio codec in this {} file ({e})", container(format))),
        }
    }
    Err(refusal)
}

/// The configuration of the AAC-LC stream inside an HE-AAC one: object type (5 bits), frequency index (4), channels (4);
/// ISO/IEC 14496-3, 1.6.2.1. What is lost without the extensions lies above a quarter of the rate, beyond any sung pitch.
/// `None` when it is no HE-AAC.
fn low_complexity_core(config: &[u8]) -> Option<Box<[u8]>> {
    const LC: u16 = 2;
    const SBR: u16 = 5;
    const PARAMETRIC_STEREO: u16 = 29;
    let bits = u16::from_be_bytes([*config.first()?, *config.get(1)?]);
    let (object, frequency, channels) = (bits >> 11, (bits >> 7) & 15, (bits >> 3) & 15);
    // Index 15 announces a frequency in full, which no encoder of HE-AAC writes.
    (matches!(object, SBR | PARAMETRIC_STEREO) && frequency != 15)
        .then(|| Box::from((LC << 11 | frequency << 7 | channels << 3).to_be_bytes()))
}

fn container(format: &dyn FormatReader) -> &'static str {
    format.format_info().short_name
}

pub(super) fn opening_error(error: Error) -> AudioError {
    match error {
        Error::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => AudioError::Damaged("the file ends too early".into()),
        Error::IoError(e) => AudioError::Io(e),
        Error::Unsupported(what) if what.starts_with("core (probe)") => AudioError::NotAudio("no audio format that is known"),
        Error::Unsupported(what) => AudioError::Unsupported(format!("this kind of file ({what})")),
        other => AudioError::Damaged(other.to_string()),
    }
}
