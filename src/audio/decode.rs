//! From packets to mono samples at the recording's own rate: track and codec are symphonia's business.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_OPUS};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::well_known::{FORMAT_ID_ISOMP4, FORMAT_ID_MP3};
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::units::Duration;

use super::AudioError;
use super::container::{self, Opened, Source};
use super::mix::Mixer;
use super::tags::{self, Tags};

/// The sample rates that recordings have, Hz. Outside of them a header is wrong, and believing it would cost memory.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Damage to the container that is stepped over before the rest of the file is given up.
const MAX_CONTAINER_ERRORS: u32 = 100;

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
    /// Channels that lie one after the other in the one that the reader offers.
    interleaved: usize,
    mixer: Mixer,
    /// Seconds at the beginning that are not to be heard.
    delay: f64,
    /// Seconds after that which are.
    rest: f64,
    frames: u64,
    damaged: u64,
    /// Whether the file does not say where it ends.
    endless: bool,
    /// What else is wrong with it.
    remark: Option<String>,
    last_error: Option<String>,
    /// The tags that symphonia does not read.
    texts: Tags,
}

impl Decoder {
    /// Recognises the container by its content and picks the track: the one marked as default, else the first that can be decoded.
    pub(super) fn open(source: Source) -> Result<Self, AudioError> {
        let plan = guard(|| container::plan(source))?;
        let mut refusal = AudioError::NoAudioTrack;
        for (place, way) in plan.ways.iter().enumerate() {
            let opened = guard(|| {
                let opened = container::open(source, way)?;
                let chosen = choose_track(opened.format.as_ref())?;
                Ok((opened, chosen))
            });
            match opened {
                Ok((Opened { format, interleaved }, Chosen { track, codec, delay })) => {
                    return Ok(Decoder {
                        format,
                        codec,
                        track,
                        interleaved,
                        mixer: Mixer::default(),
                        delay,
                        rest: f64::INFINITY,
                        frames: 0,
                        damaged: 0,
                        endless: plan.endless,
                        remark: plan.cut.then(|| "the file ends too early".to_owned()),
                        last_error: None,
                        texts: plan.texts.tags(),
                    });
                }
                // What no way leads to is told of the first.
                Err(error) if place == 0 => refusal = error,
                Err(_) => {}
            }
            if !matches!(refusal, AudioError::Damaged(_) | AudioError::Unsupported(_) | AudioError::NotAudio(_)) {
                break;
            }
        }
        Err(refusal)
    }

    /// The track number, if the container is an MP4 file.
    pub(super) fn mp4_track(&self) -> Option<u32> {
        (self.format.format_info().format == FORMAT_ID_ISOMP4).then_some(self.track)
    }

    /// Leaves out `delay` seconds at the beginning, and what lies more than `seconds` after that.
    pub(super) fn keep(&mut self, delay: f64, seconds: f64) {
        (self.delay, self.rest) = (delay, seconds);
    }

    /// Title, artist and album as far as the container has told them by now.
    pub(super) fn tags(&mut self) -> Tags {
        self.texts.clone().or(tags::collect(self.format.metadata(), self.track))
    }

    /// What a person should know about a recording that was not whole.
    pub(super) fn remark(&self) -> Option<String> {
        let packets = (self.damaged > 0).then(|| format!("{} damaged packets were left out", self.damaged));
        let parts: Vec<String> = self.remark.iter().cloned().chain(packets).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
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
                    let Chosen { track, codec, delay } = choose_track(self.format.as_ref())?;
                    (self.track, self.codec, self.delay) = (track, codec, delay);
                    continue;
                }
                Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                    if !self.endless {
                        self.remark.get_or_insert_with(|| "the file ends too early".into());
                    }
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
            if self.codec.codec_params().codec == CODEC_ID_OPUS {
                // Counted in `delay`.
                packet.trim_start = Duration::ZERO;
            }
            match self.codec.decode(&packet) {
                Ok(audio) if audio.frames() == 0 => continue,
                Ok(audio) => {
                    let rate = audio.spec().rate();
                    if !SAMPLE_RATES.contains(&rate) {
                        return Err(AudioError::SampleRate(rate));
                    }
                    self.mixer.mix(&audio, self.interleaved, mono);
                    self.frames += mono.len() as u64;
                    let samples = |seconds: f64| (seconds * f64::from(rate)).round() as usize;
                    let early = samples(self.delay).min(mono.len());
                    mono.drain(..early);
                    self.delay -= early as f64 / f64::from(rate);
                    // As players do: the frame in which the music ends is heard to its end.
                    if self.rest <= 0.0 {
                        mono.clear();
                    }
                    self.rest -= mono.len() as f64 / f64::from(rate);
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
            0 => {
                let last = self.last_error.as_ref().or(self.remark.as_ref()).cloned();
                Err(AudioError::NothingDecoded { damaged: self.damaged, last })
            }
            _ => Ok(None),
        }
    }
}

/// Symphonia has assertions that some damaged headers fail; they are damage like any other.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(AudioError::Damaged("its structure makes no sense".into())))
}

/// The track that is heard.
struct Chosen {
    track: u32,
    codec: Box<dyn AudioDecoder>,
    /// Seconds at its beginning that the codec asks to leave out.
    delay: f64,
}

fn choose_track(format: &dyn FormatReader) -> Result<Chosen, AudioError> {
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
        let delay = if params.codec == CODEC_ID_OPUS { take_pre_skip(&mut params.extra_data) } else { 0.0 };
        match CODECS.make_audio_decoder(&params, &AudioDecoderOptions::default()) {
            Ok(codec) => return Ok(Chosen { track: track.id, codec, delay }),
            Err(e) => refusal = AudioError::Unsupported(format!("the audio codec in this {} file ({e})", container(format))),
        }
    }
    Err(refusal)
}

/// The seconds that an Opus stream asks to leave out at its beginning (RFC 7845, 4.2), taken out of its header: the decoder would only leave out what
/// lies in the first packet.
fn take_pre_skip(header: &mut Option<Box<[u8]>>) -> f64 {
    let Some([b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', _, _, low, high, ..]) = header.as_deref_mut() else { return 0.0 };
    let samples = u16::from_le_bytes([std::mem::take(low), std::mem::take(high)]);
    f64::from(samples) / 48_000.0
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
