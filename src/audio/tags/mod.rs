//! Title, artist and album, as ID3, Vorbis comments, MP4 atoms, RIFF lists and their like tell them: as symphonia reads them, and where its reading is
//! not what was meant, our own ([`texts`]).

pub(super) mod id3;
mod texts;

pub(super) use texts::Texts;

use symphonia::core::meta::well_known::METADATA_ID_ID3V1;
use symphonia::core::meta::{Metadata, MetadataRevision, RawValue, StandardTag, Tag};

use crate::encoding;

/// Longer texts are cut: nobody's title, and the index keeps every one.
const MAX_CHARS: usize = 300;

/// What a file says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// Name of the song.
    pub title: Option<String>,
    /// Who plays or sings it; several are joined with a comma.
    pub artist: Option<String>,
    /// The album it is on.
    pub album: Option<String>,
}

impl Tags {
    /// These, and those of `other` that are missing.
    pub(super) fn or(self, other: Tags) -> Tags {
        Tags { title: self.title.or(other.title), artist: self.artist.or(other.artist), album: self.album.or(other.album) }
    }

    /// Texts that were read as Latin-1 and are UTF-8 in truth; or, where anything was read as Latin-1, in some other older encoding.
    fn mended(self, latin1: bool) -> Tags {
        let all: Vec<Vec<u8>> = [&self.title, &self.artist, &self.album]
            .into_iter()
            .flatten()
            .filter_map(|text| encoding::latin1_bytes(text))
            .collect();
        let guess = encoding::guess(&all.join(&b'\n'));
        let mend = |text: Option<String>| {
            let text = text?;
            match encoding::latin1_bytes(&text) {
                Some(bytes) if latin1 || std::str::from_utf8(&bytes).is_ok() => clean(&encoding::decode_as(&bytes, guess)),
                _ => Some(text),
            }
        };
        Tags { title: mend(self.title), artist: mend(self.artist), album: mend(self.album) }
    }
}

/// Reads (and uses up) the metadata log. Of several tag formats in one file the later in the log wins, field by field:
/// those at the end of a file (ID3v1, cut to 30 characters) come first in it.
pub(super) fn collect(mut metadata: Metadata<'_>, track: u32) -> Tags {
    let mut tags = Tags::default();
    loop {
        if let Some(revision) = metadata.current() {
            let newer = read(revision, track).mended(revision.info.metadata == METADATA_ID_ID3V1);
            tags.title = newer.title.or(tags.title);
            tags.artist = newer.artist.or(tags.artist);
            tags.album = newer.album.or(tags.album);
        }
        if metadata.pop().is_none() {
            return tags;
        }
    }
}

fn read(revision: &MetadataRevision, track: u32) -> Tags {
    let of_track = revision.per_track.iter().filter(|t| t.track_id == u64::from(track)).flat_map(|t| &t.metadata.tags);
    let all: Vec<&Tag> = revision.media.tags.iter().chain(of_track).collect();
    // All texts of one kind, each once.
    let texts = |pick: fn(&Tag) -> Option<&str>| -> Option<String> {
        let mut found: Vec<String> = Vec::new();
        for text in all.iter().filter_map(|t| pick(t)).filter_map(clean) {
            if !found.contains(&text) {
                found.push(text);
            }
        }
        (!found.is_empty()).then(|| found.join(", "))
    };
    Tags {
        title: texts(|t| match &t.std {
            Some(StandardTag::TrackTitle(s) | StandardTag::MovieTitle(s)) => Some(s),
            _ => unmapped(t, "TITLE"),
        }),
        artist: texts(|t| if let Some(StandardTag::Artist(s)) = &t.std { Some(s) } else { None })
            .or_else(|| texts(|t| if let Some(StandardTag::AlbumArtist(s)) = &t.std { Some(s) } else { None }))
            .or_else(|| texts(|t| if let Some(StandardTag::Performer(s)) = &t.std { Some(s) } else { None }))
            .or_else(|| texts(|t| if let Some(StandardTag::Composer(s)) = &t.std { Some(s) } else { None })),
        album: texts(|t| if let Some(StandardTag::Album(s)) = &t.std { Some(s) } else { unmapped(t, "ALBUM") }),
    }
}

/// The text of a tag that symphonia passes on without knowing its meaning, as `KEY` or `LEVEL@KEY`: Matroska files have them.
fn unmapped<'a>(tag: &'a Tag, key: &str) -> Option<&'a str> {
    match &tag.raw.value {
        RawValue::String(s)
            if tag.std.is_none() && tag.raw.key.rsplit('@').next().is_some_and(|k| k.eq_ignore_ascii_case(key)) =>
        {
            Some(s)
        }
        _ => None,
    }
}

/// Text without control characters and surrounding blanks; `None` when nothing is left.
fn clean(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cleaned() {
        assert_eq!(clean(" Séculaire\0\n "), Some("Séculaire".into()));
        assert_eq!(clean("\0 "), None);
        assert_eq!(clean(&"x".repeat(1000)).map(|s| s.len()), Some(MAX_CHARS));
    }
}
