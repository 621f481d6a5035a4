//! Texts of scores.

pub(super) use crate::encoding::decode;

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
    fn tags_are_one_clean_line() {
        assert_eq!(tag(" a\0 b\r\n c "), Some("a b c".to_string()));
        assert_eq!(tag(" - \t"), None);
    }
}
