//! What JSON tells of a song.

use qbh_index::Song;
use qbh_models::contour::{CONTOUR_STEP, voiced_fraction};
use serde::Serialize;

/// The fields by which any JSON tells of a song.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SongJson {
    /// Key of the song: the path of its file, or `PATH#MEMBER` where a file holds several songs.
    song: String,
    /// Path of the file.
    file: String,
    title: Option<String>,
    artist: Option<String>,
    album: Option<String>,
    /// Length, seconds.
    duration: Option<f64>,
}

impl From<&Song> for SongJson {
    fn from(song: &Song) -> Self {
        let Song { key, file, tags, .. } = song;
        SongJson {
            song: key.clone(),
            file: file.clone(),
            title: tags.title.clone(),
            artist: tags.artist.clone(),
            album: tags.album.clone(),
            duration: tags.duration,
        }
    }
}

/// A song of a list: `qbh.song/1`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct ListedJson {
    /// `qbh.song/1`
    schema: &'static str,
    /// Number of the song in its index.
    id: u64,
    #[serde(flatten)]
    song: SongJson,
}

impl From<&Song> for ListedJson {
    fn from(song: &Song) -> Self {
        ListedJson { schema: "qbh.song/1", id: song.id.0, song: song.into() }
    }
}

/// A song with its melody: `qbh.show/1`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct ContourJson {
    /// `qbh.show/1`
    schema: &'static str,
    /// Number of the song in its index.
    id: u64,
    #[serde(flatten)]
    song: SongJson,
    /// Share of the song in which a melody was heard, 0 to 1.
    voiced: f32,
    /// Seconds per step of the melody.
    contour_step: f64,
    /// MIDI pitch per step, 0 where there is no melody.
    contour: Vec<f32>,
}

impl ContourJson {
    /// Of a song and its contour (MIDI pitch per 100 ms, 0 = unvoiced).
    pub fn new(song: &Song, contour: Vec<f32>) -> Self {
        let voiced = voiced_fraction(&contour);
        ContourJson { schema: "qbh.show/1", id: song.id.0, song: song.into(), voiced, contour_step: CONTOUR_STEP, contour }
    }
}
