//! Tells by the first bytes what a file is, where symphonia would search a megabyte for something that looks like a frame
//! and might find it by chance.

use super::AudioError;

/// Bytes at the start of a file that [`check`] wants to see.
pub(super) const HEAD: usize = 4096;

/// Formats that are recognised and not decoded: where the magic number starts, the number, the name.
const UNSUPPORTED: [(usize, &[u8], &str); 23] = [
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"TTA1", "True Audio"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"),
    (0, b"OFR ", "OptimFROG"),
    (0, b"#!AMR", "AMR speech"),
    (0, b"ADIF", "AAC in ADIF"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
    (0, b".RMF", "RealMedia"),
    (8, b"AVI ", "AVI video"),
    (0, b"\0\0\x01\xba", "MPEG program stream"),
    (0, b"\0\0\x01\xb3", "MPEG video"),
    (8, b"8SVX", "Amiga 8SVX"),
    (0, b"Creative Voice File", "Creative Voice"),
    (0, b"NIST_1A", "NIST SPHERE"),
    (0, b"ajkg", "Shorten"),
    (0, b"TTA2", "True Audio"),
    (0, b"FLV\x01", "Flash video"),
    (0, b"TWIN", "TwinVQ"),
    (28, b"Speex   ", "Ogg Speex"),
];

/// Content that is no sound at all.
const OTHER: [(&[u8], &str); 9] = [
    (b"MThd", "a MIDI file (rename it to .mid)"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x7fELF", "a program"),
];

/// Refuses what cannot be decoded, given the first [`HEAD`] bytes (fewer when the file is shorter).
pub(super) fn check(head: &[u8]) -> Result<(), AudioError> {
    if head.is_empty() {
        return Err(AudioError::Empty);
    }
    if let Some((.., name)) = UNSUPPORTED.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|h| h.starts_with(magic))) {
        return Err(AudioError::Unsupported(format!("{name} audio")));
    }
    if is_transport_stream(head) {
        return Err(AudioError::Unsupported("an MPEG transport stream".into()));
    }
    if let Some((_, name)) = OTHER.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(AudioError::NotAudio(name));
    }
    if is_text(head) {
        return Err(AudioError::NotAudio("text"));
    }
    Ok(())
}

/// Packets of 188 bytes, each beginning with the same one (ISO/IEC 13818-1, 2.4.3.2); on Blu-ray discs a time of 4 bytes stands before each.
fn is_transport_stream(head: &[u8]) -> bool {
    [(0, 188), (4, 192)].into_iter().any(|(from, size)| (0..4).all(|packet| head.get(from + packet * size) == Some(&0x47)))
}

/// UTF-8 without control characters; the last character may be cut by the end of `head`.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default(),
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_sound() {
        assert!(is_text("lyrics: é\n".as_bytes()));
        assert!(is_text(&"é".as_bytes()[..1].iter().chain(b"").copied().fold(b"abc".to_vec(), |mut v, b| (v.push(b), v).1)));
        assert!(!is_text(b"RIFF\x24\x00\x00\x00WAVE"));
        assert!(!is_text(b"ID3\x03\x00"));
        assert!(!is_text(b"\xff\xfb\x90\x64"));
    }

    #[test]
    fn known_formats_are_named() {
        assert!(matches!(check(b"wvpk1234"), Err(AudioError::Unsupported(s)) if s.contains("WavPack")));
        assert!(matches!(check(b"MThd\0\0\0\x06"), Err(AudioError::NotAudio(s)) if s.contains("MIDI")));
        assert!(matches!(check(b""), Err(AudioError::Empty)));
        assert!(check(b"fLaC\0\0\0\x22").is_ok());
        let packet = [&[0x47, 0x40, 0x11, 0x10][..], &[0xff; 184]].concat();
        assert!(matches!(check(&packet.repeat(5)), Err(AudioError::Unsupported(s)) if s.contains("transport stream")));
        let timed = [&[0, 0, 0, 1][..], &packet].concat();
        assert!(matches!(check(&timed.repeat(5)), Err(AudioError::Unsupported(s)) if s.contains("transport stream")));
    }
}
