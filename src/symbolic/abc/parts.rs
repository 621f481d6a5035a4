//! The order of parts: `ABA`, `A2B`, `A(BC)2`, `((AB)3.C)2`.

/// Most parts in a tune as it is played.
const MOST: usize = 1000;

/// The parts of a `P:` field of a header, one after the other, at most [`MOST`].
pub(super) fn sequence(field: &str) -> Vec<char> {
    // What the brackets that are open hold so far.
    let mut open: Vec<Vec<char>> = vec![Vec::new()];
    let mut chars = field.chars().take(MOST).peekable();
    while let Some(c) = chars.next() {
        let group = match c {
            '(' => {
                open.push(Vec::new());
                continue;
            }
            ')' if open.len() > 1 => open.pop().unwrap_or_default(),
            c if c.is_ascii_alphabetic() => vec![c],
            _ => continue,
        };
        let mut digits = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        let times = digits.parse().unwrap_or(if digits.is_empty() { 1 } else { MOST });
        let Some(whole) = open.last_mut() else { break };
        let left = MOST.saturating_sub(whole.len());
        whole.extend(group.iter().cycle().take(group.len().saturating_mul(times).min(left)));
    }
    // Brackets that were not closed end with the line.
    let mut all = open.concat();
    all.truncate(MOST);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_out() {
        let text = |field: &str| sequence(field).into_iter().collect::<String>();
        assert_eq!(text("ABA"), "ABA");
        assert_eq!(text("A2.B"), "AAB");
        assert_eq!(text("A(BC)2 A"), "ABCBCA");
        assert_eq!(text("((AB)2C)2"), "ABABCABABC");
        assert_eq!(text("(A(B"), "AB");
        assert_eq!(text("A)B"), "AB");
        assert_eq!(text(""), "");
        assert_eq!(text("A99999999999").len(), MOST);
        assert_eq!(text("((((A9)9)9)9)9").len(), MOST);
        assert_eq!(text(&"(".repeat(5000)), "");
    }
}
