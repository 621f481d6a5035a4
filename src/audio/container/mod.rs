//! From a file to a reader of its packets. Containers are symphonia's business, except where people's files are not as it wants them: uncompressed
//! sound is read as it lies there ([`pcm`]), and what stands in the way of the rest is left out of the file that symphonia sees ([`splice`]).

mod aiff;
mod au;
pub(in crate::audio) mod bytes;
mod caf;
mod flac;
mod id3;
mod matroska;
mod mp4;
mod pcm;
mod riff;
mod splice;

use symphonia::core::formats::FormatOptions;
use symphonia::core::formats::FormatReader;
use symphonia::core::formats::probe::Hint;
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;

use super::AudioError;
use super::error::opening_error;
use super::tags::Texts;
use pcm::{Pcm, PcmReader};
use splice::{Piece, Splice};

/// Opens the file once more.
pub(super) type Source<'a> = &'a dyn Fn() -> std::io::Result<Box<dyn MediaSource>>;

/// A file as it may be read.
pub(super) struct Plan {
    /// The ways, the best first: one that fails leaves it to the next.
    pub ways: Vec<Way>,
    /// What it says about itself where symphonia does not hear it.
    pub texts: Texts,
    /// Whether it ends before what it says it holds.
    pub cut: bool,
    /// Whether it does not say where it ends, as what browsers record.
    pub endless: bool,
}

/// A way to read a file.
#[derive(Debug)]
pub(super) enum Way {
    /// As uncompressed sound.
    Pcm(Pcm),
    /// These pieces of it.
    Pieces(Vec<Piece>),
    /// As it is.
    Whole,
    /// From its beginning: where the end is missing, what tells about it may be too.
    Stream,
    /// Not at all: a codec that nobody reads here.
    Unknown(String),
}

/// A reader of packets.
pub(super) struct Opened {
    pub format: Box<dyn FormatReader>,
    /// Samples of the one channel that the reader offers that belong to one moment: channels of uncompressed sound.
    pub interleaved: usize,
}

/// What a file is, and how it may be read.
pub(super) fn plan(source: Source) -> Result<Plan, AudioError> {
    let mut file = source()?;
    let file = &mut file;
    if let Some(riff) = riff::find(file) {
        let (way, texts, cut) = match riff.content() {
            riff::Content::Pcm(pcm) => (Way::Pcm(pcm), riff.texts, riff.cut),
            riff::Content::Coded(pieces) => (Way::Pieces(pieces), riff.texts, riff.cut),
            riff::Content::Unknown(codec) => {
                (Way::Unknown(format!("the codec {codec:#06x} in this WAV file")), riff.texts, false)
            }
        };
        return Ok(Plan { ways: vec![way], texts, cut, endless: false });
    }
    if let Some(pcm) = au::find(file) {
        return Ok(Plan { ways: vec![Way::Pcm(pcm)], texts: Texts::default(), cut: false, endless: false });
    }
    if let Some((pcm, texts)) = aiff::find(file) {
        return Ok(Plan { ways: vec![Way::Pcm(pcm)], texts, cut: false, endless: false });
    }
    if let Some((content, texts)) = caf::find(file) {
        let way = match content {
            caf::Content::Pcm(pcm) => Way::Pcm(pcm),
            caf::Content::Coded(pieces) => Way::Pieces(pieces),
        };
        return Ok(Plan { ways: vec![way, Way::Whole], texts, cut: false, endless: false });
    }
    if let Some(pieces) = mp4::find(file) {
        return Ok(Plan { ways: vec![Way::Pieces(pieces), Way::Stream], texts: Texts::default(), cut: true, endless: false });
    }
    let (sound, mut texts) = id3::find(file);
    let (title, endless) = matroska::find(file);
    texts.append(title);
    let mut ways = vec![Way::Whole];
    if let Some((pieces, comments)) = flac::find(file, sound) {
        ways.push(Way::Pieces(pieces));
        texts.append(comments);
    } else if sound > 0 {
        // Tags that symphonia stumbles over.
        let end = bytes::length(file).unwrap_or(sound);
        ways.push(Way::Pieces(vec![Piece::File { start: sound.min(end), len: end.saturating_sub(sound) }]));
    }
    ways.push(Way::Stream);
    Ok(Plan { ways, texts, cut: false, endless })
}

/// Opens a file in one way.
pub(super) fn open(source: Source, way: &Way) -> Result<Opened, AudioError> {
    let file = source()?;
    let media: Box<dyn MediaSource> = match way {
        Way::Pcm(pcm) => {
            let reader =
                PcmReader::open(file, pcm)?.ok_or_else(|| AudioError::Unsupported("uncompressed sound of this kind".into()))?;
            return Ok(Opened { format: Box::new(reader), interleaved: pcm.channels as usize });
        }
        Way::Pieces(pieces) => Box::new(Splice::new(file, pieces.clone())),
        Way::Whole => file,
        Way::Stream => Box::new(ReadOnlySource::new(file)),
        Way::Unknown(what) => return Err(AudioError::Unsupported(what.clone())),
    };
    let stream = MediaSourceStream::new(media, Default::default());
    let format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(opening_error)?;
    Ok(Opened { format, interleaved: 1 })
}
