//! Bytes to text, whatever the encoding: files are older than UTF-8, and say nothing, or what is not so.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, SHIFT_JIS, UTF_8};

/// Bytes by which an encoding is guessed.
const TELLING: usize = 64 << 10;

/// Text of a whole file: UTF-8 or UTF-16 by its mark, UTF-16 by its zeros, UTF-8 if it is valid, else in the likeliest of the older encodings.
pub(crate) fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => utf16(bytes, false),
        [first, second, ..] if (*first == 0) != (*second == 0) && looks_like_utf16(bytes) => utf16(bytes, *first == 0),
        _ => decode_as(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), guess(bytes)),
    }
}

/// The likeliest encoding of text that is not UTF-8.
pub(crate) fn guess(bytes: &[u8]) -> &'static Encoding {
    if bytes.is_ascii() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(TELLING)], true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    // Short titles tell the detector little; but nothing else looks like kana.
    if guess != SHIFT_JIS && is_kana(&bytes[..bytes.len().min(TELLING)]) { SHIFT_JIS } else { guess }
}

/// Whether bytes are valid Shift-JIS, most of it kana.
fn is_kana(bytes: &[u8]) -> bool {
    let Some(text) = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes) else { return false };
    let beyond = text.chars().filter(|c| !c.is_ascii()).count();
    2 * text.chars().filter(|c| ('\u{3041}'..='\u{30ff}').contains(c)).count() > beyond
}

/// UTF-8 where it is valid, else the given encoding. Never fails: what has no meaning in it becomes U+FFFD.
pub(crate) fn decode_as(bytes: &[u8], encoding: &'static Encoding) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// UTF-16 by its mark, which each of several texts parted by zeros may have; without one by the order of bytes that gives more Latin letters,
/// and if neither does, as told.
pub(crate) fn utf16(bytes: &[u8], big_endian: bool) -> String {
    let units = |big: bool| {
        let unit =
            move |pair: &[u8]| if big { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from_le_bytes([pair[0], pair[1]]) };
        bytes.chunks_exact(2).map(unit)
    };
    let latin = |big: bool| units(big).filter(|unit| (1..0x100).contains(unit)).count();
    let big = match bytes {
        [0xff, 0xfe, ..] => false,
        [0xfe, 0xff, ..] => true,
        _ if latin(true) != latin(false) => latin(true) > latin(false),
        _ => big_endian,
    };
    let text: Vec<u16> = units(big).filter(|unit| *unit != 0xfeff).collect();
    String::from_utf16_lossy(&text)
}

/// Every second byte of the beginning is 0, as in Latin text.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64)];
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    half >= 2 && (even == 0 && 10 * odd >= 9 * half || odd == 0 && 10 * even >= 9 * half)
}

/// Text that was read as Latin-1, as its bytes; `None` if it cannot have been, or is ASCII.
pub(crate) fn latin1_bytes(text: &str) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.filter(|bytes| !bytes.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_zeros_tell() {
        assert_eq!(decode("é".as_bytes()), "é");
        assert_eq!(decode(b"\xef\xbb\xbfa"), "a");
        assert_eq!(decode(b"\xff\xfea\0"), "a");
        assert_eq!(decode(b"\xfe\xff\0a"), "a");
        assert_eq!(decode(b"X\0:\x001\0\n\0"), "X:1\n");
        assert_eq!(decode(b"\0X\0:\x001\0\n"), "X:1\n");
        assert_eq!(decode(b""), "");
        assert_eq!(utf16(b"T\0o\0n\0y\0", true), "Tony");
        assert_eq!(utf16(b"\0T\0o", false), "To");
        assert_eq!(utf16(b"\xff\xfea\0\0\0\xff\xfeb\0", true), "a\0b");
    }

    #[test]
    fn older_encodings_are_guessed() {
        for (text, label) in [
            ("Подмосковные вечера", "windows-1251"),
            ("上を向いて歩こう", "shift_jis"),
            ("Les Séculaires de Françoise", "windows-1252"),
            ("月亮代表我的心", "gbk"),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let (bytes, ..) = encoding.encode(text);
            assert_eq!(decode(&bytes), text, "{label}");
        }
    }

    #[test]
    fn latin1_can_be_taken_back() {
        assert_eq!(latin1_bytes("CafÃ©").as_deref(), Some("Café".as_bytes()));
        assert_eq!(latin1_bytes("plain"), None);
        assert_eq!(latin1_bytes("Ж"), None);
    }
}
