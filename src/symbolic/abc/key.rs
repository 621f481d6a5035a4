//! Key signatures.

/// Alteration in semitones of the letters C D E F G A B.
pub(super) type Signature = [i8; 7];

/// Position of a note letter (either case) in a [`Signature`].
pub(super) fn letter_index(letter: u8) -> Option<usize> {
    b"CDEFGAB".iter().position(|l| *l == letter.to_ascii_uppercase())
}

/// The signature of a `K:` field: tonic, accidental, mode, then explicit accidentals (`K:D Phr ^f`, `K:Am exp _b`);
/// `None` if the field tells no key (`K:clef=bass`).
pub(super) fn signature(value: &str) -> Option<Signature> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let first = *words.first()?;
    if first.eq_ignore_ascii_case("none") || first == "HP" {
        return Some([0; 7]);
    }
    if first == "Hp" {
        return Some([1, 0, 0, 1, 0, 0, 0]);
    }
    let explicit = || words.iter().filter(|w| w.starts_with(['^', '_', '=']));
    let mut signature = [0; 7];
    if !first.starts_with(['^', '_', '=']) {
        let (fifths, after_tonic) = tonic(first)?;
        // The mode may stand apart: "K:A minor".
        let mode = if after_tonic.is_empty() { words.get(1).copied().unwrap_or("") } else { after_tonic };
        match mode_fifths(mode) {
            _ if mode.eq_ignore_ascii_case("exp") || words.contains(&"exp") => {}
            Some(shift) => signature = from_fifths(fifths + shift),
            // "K:G clef=treble", "K:D ^c": no mode, major.
            None if after_tonic.is_empty() => signature = from_fifths(fifths),
            None => return None,
        }
    }
    for word in explicit() {
        // Several may be written together: "^f_b".
        let mut alter = 0;
        for byte in word.bytes() {
            match (byte, letter_index(byte)) {
                (b'^', _) => alter += 1,
                (b'_', _) => alter -= 1,
                (_, Some(letter)) => signature[letter] = std::mem::take(&mut alter),
                _ => alter = 0,
            }
        }
    }
    Some(signature)
}

/// Fifths above C of the major key on a tonic, and what follows it: `Bbmin` gives (-2, "min").
fn tonic(word: &str) -> Option<(i32, &str)> {
    let letter = *word.as_bytes().first()?;
    let fifths = match letter {
        b'F' => -1,
        b'C' => 0,
        b'G' => 1,
        b'D' => 2,
        b'A' => 3,
        b'E' => 4,
        b'B' => 5,
        _ => return None,
    };
    match word.as_bytes().get(1) {
        Some(b'#') => Some((fifths + 7, &word[2..])),
        Some(b'b') => Some((fifths - 7, &word[2..])),
        _ => Some((fifths, &word[1..])),
    }
}

/// Fifths a mode lies below major; its first three letters count.
fn mode_fifths(mode: &str) -> Option<i32> {
    let start: String = mode.to_lowercase().chars().take(3).collect();
    Some(match start.as_str() {
        "" | "maj" | "ion" => 0,
        "m" | "min" | "aeo" => -3,
        "mix" => -1,
        "dor" => -2,
        "phr" => -4,
        "lyd" => 1,
        "loc" => -5,
        _ => return None,
    })
}

fn from_fifths(fifths: i32) -> Signature {
    // Sharps come in the order F C G D A E B, flats in the reverse.
    const ORDER: [usize; 7] = [3, 0, 4, 1, 5, 2, 6];
    let mut signature = [0; 7];
    for i in 0..fifths.unsigned_abs().min(14) as usize {
        if fifths > 0 {
            signature[ORDER[i % 7]] += 1;
        } else {
            signature[ORDER[6 - i % 7]] -= 1;
        }
    }
    signature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        assert_eq!(signature("C"), Some([0; 7]));
        assert_eq!(signature("G"), Some([0, 0, 0, 1, 0, 0, 0]));
        assert_eq!(signature("Em"), signature("G"));
        assert_eq!(signature("A minor clef=treble"), signature("C"));
        assert_eq!(signature("Bb"), Some([0, 0, -1, 0, 0, 0, -1]));
        assert_eq!(signature("F#min"), signature("A"));
        assert_eq!(signature("ADor"), signature("G"));
        assert_eq!(signature("D Mixolydian"), signature("G"));
        assert_eq!(signature("D Phr ^f"), Some([0, 0, -1, 1, 0, 0, -1]));
        assert_eq!(signature("D exp _b"), Some([0, 0, 0, 0, 0, 0, -1]));
        assert_eq!(signature("^f^c"), Some([1, 0, 0, 1, 0, 0, 0]));
        assert_eq!(signature("Hp"), Some([1, 0, 0, 1, 0, 0, 0]));
        assert_eq!(signature("none"), Some([0; 7]));
        assert_eq!(signature("clef=bass"), None);
        assert_eq!(signature("G clef=bass"), signature("G"));
        assert_eq!(signature(""), None);
    }
}
