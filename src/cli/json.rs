//! What all JSON output shares (docs/json.md).

use anyhow::Result;
use qbh_index::Song;
use serde::Serialize;
use std::io::Write;

/// The fields by which any JSON tells of a song.
#[derive(Serialize)]
pub struct JsonSong<'a> {
    song: &'a str,
    file: &'a str,
    title: Option<&'a str>,
    artist: Option<&'a str>,
    album: Option<&'a str>,
    duration: Option<f64>,
}

impl<'a> From<&'a Song> for JsonSong<'a> {
    fn from(song: &'a Song) -> Self {
        JsonSong {
            song: &song.key,
            file: &song.file,
            title: song.tags.title.as_deref(),
            artist: song.tags.artist.as_deref(),
            album: song.tags.album.as_deref(),
            duration: song.tags.duration,
        }
    }
}

/// Writes one value as one line.
pub fn write_line(json: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    // As an I/O error, so that a reader who has left is recognised.
    serde_json::to_writer(&mut *out, json).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
