//! The errors of audio input.

use std::io::ErrorKind;

use symphonia::core::errors::Error;

/// Why no samples could be had. The text is the reason; [`AudioError::remedy`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The system refused to read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Nothing there.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// The content is not sound, whatever the name says.
    #[error("not an audio file: it looks like {0}")]
    NotAudio(&'static str),
    /// Sound in a format that qbh does not decode.
    #[error("{0} cannot be decoded")]
    Unsupported(String),
    /// A container without sound.
    #[error("there is no audio track in the file")]
    NoAudioTrack,
    /// The file is too damaged to be opened.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The file opened, but not one sample came out of it.
    #[error("it holds no sound{}", last.as_ref().map(|last| format!(" that can be decoded ({damaged} damaged packets; {last})")).unwrap_or_default())]
    NothingDecoded {
        /// How many packets were tried and skipped.
        damaged: u64,
        /// What the decoder said last, if there was a packet at all.
        last: Option<String>,
    },
    /// The header claims a sample rate that no recording has.
    #[error("impossible sample rate: {0} Hz")]
    SampleRate(u32),
    /// Standard input delivered more than is kept in memory.
    #[error("more than {} MB on one stream", .0 / 1_000_000)]
    TooLarge(u64),
    /// Recording failed.
    #[error("microphone: {0}")]
    Microphone(String),
}

impl From<qbh_models::ModelError> for AudioError {
    /// All that audio input asks of the models is to resample.
    fn from(error: qbh_models::ModelError) -> Self {
        AudioError::Unsupported(format!("a recording of its sample rate ({error})"))
    }
}

impl AudioError {
    /// What the user can do about it, as an imperative sentence without a full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            AudioError::Io(e) if e.kind() == std::io::ErrorKind::PermissionDenied => "allow yourself to read the file",
            AudioError::Io(_) => "check that the file exists and its disk is healthy",
            AudioError::Empty => "copy or download the file again",
            AudioError::NotAudio(_) => "rename it to what it is, or remove it from the folder",
            AudioError::Unsupported(_) => "convert it, for example: ffmpeg -i FILE -vn -ac 2 FILE.flac",
            AudioError::NoAudioTrack => "remove it from the folder, or give a file with sound",
            AudioError::Damaged(_) | AudioError::NothingDecoded { .. } => {
                "get the file again, or repair it, for example: ffmpeg -i FILE -vn -ac 2 FILE.flac"
            }
            AudioError::SampleRate(_) => "repair the header, or export the recording again at 44100 Hz",
            AudioError::TooLarge(_) => "write the stream to a file and give the file's name",
            AudioError::Microphone(_) => "check that a microphone is plugged in, chosen as default, and free",
        }
    }
}

/// Why a file could not be opened.
pub(super) fn opening_error(error: Error) -> AudioError {
    match error {
        Error::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => AudioError::Damaged("the file ends too early".into()),
        Error::IoError(e) => AudioError::Io(e),
        Error::Unsupported(what) if what.starts_with("core (probe)") => AudioError::NotAudio("no audio format that is known"),
        // The table of an MP4 file stands at its end, unless it was made for the web.
        Error::Unsupported(what) if what.contains("missing moov") => {
            AudioError::Damaged("it ends before the table that tells where its sound is".into())
        }
        Error::Unsupported(what) => AudioError::Unsupported(format!("this kind of file ({what})")),
        other => AudioError::Damaged(other.to_string()),
    }
}
