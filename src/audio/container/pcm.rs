//! Uncompressed sound: a demuxer of samples that lie one after the other, whatever file they lie in. Its channels are interleaved and more than a codec
//! can name, so that it offers all of them as one ([`Pcm::channels`] tells how many they are).

use std::io::{Read, Seek, SeekFrom};

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known as codec;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::well_known::FORMAT_ID_WAVE;
use symphonia::core::formats::{FormatInfo, FormatReader, MediaInfo, SeekMode, SeekTo, SeekedTo, Track};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::{Metadata, MetadataLog};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

/// Frames in a packet, and bytes that it has at most, unless a frame has more.
const FRAMES: u64 = 4096;
const PACKET: u64 = 1 << 20;

/// No recording has more channels.
const MOST_CHANNELS: u32 = 1024;

/// How a sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::audio) enum Coding {
    /// Whole numbers, two's complement.
    Signed,
    /// Whole numbers around half of their range: 8 bits in WAV files.
    Unsigned,
    /// IEEE 754.
    Float,
    /// G.711, A-law.
    ALaw,
    /// G.711, mu-law.
    MuLaw,
}

/// Where uncompressed sound lies in a file, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::audio) struct Pcm {
    pub coding: Coding,
    /// Bytes of a sample, padding included.
    pub width: u32,
    pub big_endian: bool,
    pub channels: u32,
    /// Hz.
    pub rate: u32,
    /// The first byte.
    pub start: u64,
    /// How many bytes there are.
    pub len: u64,
}

impl Pcm {
    /// The codec of one sample; `None` if nobody writes such samples.
    fn codec(&self) -> Option<AudioCodecId> {
        let either = |little, big| Some(if self.big_endian { big } else { little });
        match (self.coding, self.width) {
            (Coding::Unsigned, 1) => Some(codec::CODEC_ID_PCM_U8),
            (Coding::Signed, 1) => Some(codec::CODEC_ID_PCM_S8),
            (Coding::Signed, 2) => either(codec::CODEC_ID_PCM_S16LE, codec::CODEC_ID_PCM_S16BE),
            (Coding::Signed, 3) => either(codec::CODEC_ID_PCM_S24LE, codec::CODEC_ID_PCM_S24BE),
            (Coding::Signed, 4) => either(codec::CODEC_ID_PCM_S32LE, codec::CODEC_ID_PCM_S32BE),
            (Coding::Float, 4) => either(codec::CODEC_ID_PCM_F32LE, codec::CODEC_ID_PCM_F32BE),
            (Coding::Float, 8) => either(codec::CODEC_ID_PCM_F64LE, codec::CODEC_ID_PCM_F64BE),
            (Coding::ALaw, 1) => Some(codec::CODEC_ID_PCM_ALAW),
            (Coding::MuLaw, 1) => Some(codec::CODEC_ID_PCM_MULAW),
            _ => None,
        }
    }

    /// Whether it can be read.
    pub fn is_known(&self) -> bool {
        self.codec().is_some() && (1..=MOST_CHANNELS).contains(&self.channels) && self.rate > 0
    }
}

const INFO: FormatInfo =
    FormatInfo { format: FORMAT_ID_WAVE, short_name: "pcm", long_name: "uncompressed sound, whatever the file around it" };

/// Reads the samples of a file as packets.
pub(super) struct PcmReader {
    source: Box<dyn MediaSource>,
    frame: u64,
    left: u64,
    frames: u64,
    tracks: [Track; 1],
    info: MediaInfo,
    metadata: MetadataLog,
}

impl PcmReader {
    /// `None` if the sound is of a kind that is not known.
    pub fn open(mut source: Box<dyn MediaSource>, pcm: &Pcm) -> std::io::Result<Option<Self>> {
        let Some(codec) = pcm.codec().filter(|_| pcm.is_known()) else { return Ok(None) };
        source.seek(SeekFrom::Start(pcm.start))?;
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(codec)
            .with_sample_rate(pcm.rate)
            .with_channels(Channels::Positioned(Position::FRONT_LEFT))
            .with_max_frames_per_packet(FRAMES * u64::from(pcm.channels));
        if matches!(pcm.coding, Coding::Signed | Coding::Unsigned) {
            params.with_bits_per_sample(8 * pcm.width).with_bits_per_coded_sample(8 * pcm.width);
        }
        let mut track = Track::new(0);
        track.with_codec_params(CodecParameters::Audio(params));
        let info = MediaInfo::from_track(&track);
        let frame = u64::from(pcm.width) * u64::from(pcm.channels);
        Ok(Some(PcmReader { source, frame, left: pcm.len, frames: 0, tracks: [track], info, metadata: MetadataLog::default() }))
    }
}

impl FormatReader for PcmReader {
    fn format_info(&self) -> &FormatInfo {
        &INFO
    }

    fn media_info(&self) -> &MediaInfo {
        &self.info
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    fn seek(&mut self, _mode: SeekMode, _to: SeekTo) -> Result<SeekedTo> {
        Err(Error::SeekError(SeekErrorKind::Unseekable))
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// A frame that is cut by the end of the file is left out.
    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let mut bytes = Vec::new();
        let packet = FRAMES.min(PACKET / self.frame).max(1) * self.frame;
        self.source.by_ref().take(self.left.min(packet)).read_to_end(&mut bytes)?;
        self.left -= (bytes.len() as u64).min(self.left);
        let frames = bytes.len() as u64 / self.frame;
        bytes.truncate((frames * self.frame) as usize);
        if frames == 0 {
            return Ok(None);
        }
        let begin = self.frames;
        self.frames += frames;
        Ok(Some(Packet::new(0, Timestamp::from(begin as i64), Duration::from(frames), bytes)))
    }

    fn into_inner<'s>(self: Box<Self>) -> MediaSourceStream<'s>
    where
        Self: 's,
    {
        MediaSourceStream::new(self.source, Default::default())
    }
}
