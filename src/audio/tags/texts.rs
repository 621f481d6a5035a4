//! What a file says about itself where symphonia does not read it, or not as it is meant: bytes in whatever encoding.

use super::{Tags, clean, id3};
use crate::encoding;

/// Texts kept of one kind, and bytes of each.
const MOST: usize = 32;
const LONGEST: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Title,
    Artist,
    Album,
}

/// Text as it is written.
#[derive(Debug, Clone)]
enum Written {
    /// In an encoding that is known.
    Known(String),
    /// Declared to be Latin-1, or not declared: what people's computers wrote.
    Guessed(Vec<u8>),
}

/// Titles, artists and albums, in the order in which they were found.
#[derive(Debug, Clone, Default)]
pub(in crate::audio) struct Texts(Vec<(Kind, Written)>);

impl Texts {
    fn add(&mut self, kind: Kind, text: Written) {
        if self.0.iter().filter(|(known, _)| *known == kind).count() < MOST {
            self.0.push((kind, text));
        }
    }

    fn guessed(&mut self, kind: Kind, bytes: &[u8]) {
        self.add(kind, Written::Guessed(bytes[..bytes.len().min(LONGEST)].to_vec()));
    }

    /// Adds those of another place in the file.
    pub fn append(&mut self, other: Texts) {
        other.0.into_iter().for_each(|(kind, text)| self.add(kind, text));
    }

    /// A title, in an encoding that nobody told.
    pub fn title(&mut self, bytes: &[u8]) {
        self.guessed(Kind::Title, bytes);
    }

    /// An artist, likewise.
    pub fn artist(&mut self, bytes: &[u8]) {
        self.guessed(Kind::Artist, bytes);
    }

    /// A text under a name that people read: `TITLE`, `artist`.
    pub fn keyed(&mut self, key: &str, value: &[u8]) {
        let kind = match key.to_ascii_lowercase().as_str() {
            "title" => Kind::Title,
            "artist" => Kind::Artist,
            "album" => Kind::Album,
            _ => return,
        };
        self.guessed(kind, value);
    }

    /// What a `LIST` of kind `INFO` holds, in a RIFF file.
    pub fn info(&mut self, list: &[u8]) {
        let mut rest = list;
        while let Some((header, after)) = rest.split_first_chunk::<8>() {
            let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
            let value = &after[..size.min(after.len())];
            match &header[..4] {
                b"INAM" => self.guessed(Kind::Title, value),
                b"IART" => self.guessed(Kind::Artist, value),
                b"IPRD" => self.guessed(Kind::Album, value),
                _ => {}
            }
            rest = after.get(size.saturating_add(size % 2)..).unwrap_or_default();
        }
    }

    /// A Vorbis comment, as in FLAC: UTF-8, or said to be.
    pub fn comments(&mut self, block: &[u8]) {
        fn sized(rest: &mut &[u8]) -> Option<Vec<u8>> {
            let (size, after) = rest.split_first_chunk::<4>()?;
            let value = after.get(..u32::from_le_bytes(*size) as usize)?;
            *rest = &after[value.len()..];
            Some(value.to_vec())
        }
        let mut rest = block;
        if sized(&mut rest).is_none() || rest.len() < 4 {
            return;
        }
        rest = &rest[4..];
        while let Some(comment) = sized(&mut rest) {
            if let Some(at) = comment.iter().position(|byte| *byte == b'=') {
                self.keyed(&String::from_utf8_lossy(&comment[..at]), &comment[at + 1..]);
            }
        }
    }

    /// The text frames of an ID3v2 tag, from its header on.
    pub fn id3(&mut self, tag: &[u8]) {
        for (name, encoding, text) in id3::frames(tag) {
            let kind = match &name[..] {
                b"TIT2" | b"TT2" => Kind::Title,
                b"TPE1" | b"TP1" => Kind::Artist,
                b"TALB" | b"TAL" => Kind::Album,
                _ => continue,
            };
            let text = &text[..text.len().min(LONGEST)];
            // Several values are parted by zeros.
            match encoding {
                1 | 2 => {
                    let decoded = encoding::utf16(text, encoding == 2);
                    decoded.split('\0').for_each(|value| self.add(kind, Written::Known(value.to_owned())));
                }
                _ => text.split(|byte| *byte == 0).for_each(|value| self.guessed(kind, value)),
            }
        }
    }

    /// The same as tags: each text once, several joined by a comma. What is in no known encoding is taken to be in one of them, all of it in the same.
    pub fn tags(&self) -> Tags {
        let unknown: Vec<&[u8]> =
            self.0.iter().filter_map(|(_, text)| if let Written::Guessed(b) = text { Some(&b[..]) } else { None }).collect();
        let guess = encoding::guess(&unknown.join(&b'\n'));
        let joined = |kind: Kind| -> Option<String> {
            let mut found: Vec<String> = Vec::new();
            for text in self.0.iter().filter(|(known, _)| *known == kind).filter_map(|(_, text)| match text {
                Written::Known(text) => clean(text),
                Written::Guessed(bytes) => clean(&encoding::decode_as(bytes, guess)),
            }) {
                if !found.contains(&text) {
                    found.push(text);
                }
            }
            (!found.is_empty()).then(|| found.join(", "))
        };
        Tags { title: joined(Kind::Title), artist: joined(Kind::Artist), album: joined(Kind::Album) }
    }
}
