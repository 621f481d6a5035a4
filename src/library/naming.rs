//! What people call a song, and how they type it.

use std::path::Path;

use qbh_index::Song;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text as far as it matters when people type it: without accents, case, punctuation, and however its letters are composed.
pub fn plain(text: &str) -> String {
    let letters = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let mut plain = String::with_capacity(text.len());
    for c in letters {
        match c {
            'ß' => plain.push_str("ss"),
            'ø' => plain.push('o'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            // An apostrophe binds, other marks part.
            '\'' | '\u{2019}' => {}
            c if c.is_alphanumeric() => plain.push(c),
            _ if !plain.ends_with(' ') => plain.push(' '),
            _ => {}
        }
    }
    plain.trim().to_owned()
}

/// What to call a song: its title, else its name within its file, else the name of the file.
pub fn title(song: &Song) -> String {
    let member = song.key.strip_prefix(&song.file).and_then(|rest| rest.strip_prefix('#'));
    let stem = || Path::new(&song.file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    song.tags.title.clone().or_else(|| member.map(str::to_owned)).unwrap_or_else(stem)
}

/// Whether all words of `wanted` are somewhere in title, artist, album or key.
pub fn holds_words(song: &Song, wanted: &str) -> bool {
    let tags = [&song.tags.title, &song.tags.artist, &song.tags.album].map(|tag| tag.as_deref().unwrap_or_default());
    let text = plain(&[&tags[..], &[&song.key]].concat().join(" "));
    plain(wanted).split(' ').all(|word| text.contains(word))
}
