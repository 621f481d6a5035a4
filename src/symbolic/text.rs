//! Bytes to text, whatever the encoding.

/// UTF-8 or UTF-16 by its byte order mark, else UTF-8 if it is valid, else Latin-1 (never fails).
pub(super) fn decode(bytes: &[u8]) -> String {
    let utf16 = |from: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|c| from([c[0], c[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            match std::str::from_utf8(bytes) {
                Ok(text) => text.to_string(),
                Err(_) => bytes.iter().map(|&b| b as char).collect(),
            }
        }
    }
}

const LONGEST_TAG: usize = 200;

/// A tag as shown to people: one line, no control characters, at most 200 characters; `None` if nothing is left.
pub(super) fn tag(raw: &str) -> Option<String> {
    let mut text = String::new();
    for word in raw.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        let space = if text.is_empty() { "" } else { " " };
        text.extend(space.chars().chain(word.chars()).take(LONGEST_TAG));
        if text.len() > 4 * LONGEST_TAG {
            break;
        }
    }
    let text: String = text.chars().take(LONGEST_TAG).collect();
    text.chars().any(char::is_alphanumeric).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(decode("é".as_bytes()), "é");
        assert_eq!(decode(b"\xef\xbb\xbfa"), "a");
        assert_eq!(decode(b"\xe9"), "é");
        assert_eq!(decode(b"\xff\xfea\0"), "a");
        assert_eq!(decode(b"\xfe\xff\0a"), "a");
    }

    #[test]
    fn tags_are_one_clean_line() {
        assert_eq!(tag(" a\0 b\r\n c "), Some("a b c".to_string()));
        assert_eq!(tag(" - \t"), None);
    }
}
