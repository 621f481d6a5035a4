//! What the name of a track, part or voice says about its role.

/// The role a name stands for, from least to most likely the melody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Bass, chords, backing: the name says that it is not the melody.
    Accompaniment,
    /// The name says nothing.
    Unknown,
    /// Lead, solo, soprano, right hand: often the melody.
    Leading,
    /// Melody, vocals, voice: the name says that it is the melody.
    Melody,
}

/// Beginnings of words (lower case) that tell the melody.
const MELODY: [&str; 16] = [
    "melod",
    "mélod",
    "мелод",
    "vocal",
    "voice",
    "vox",
    "voz",
    "voix",
    "voce",
    "вокал",
    "gesang",
    "stimme",
    "sing",
    "sang",
    "canto",
    "karaoke",
];
/// The same in scripts that do not part words; found anywhere in the name.
const MELODY_ANYWHERE: [&str; 10] =
    ["旋律", "メロディ", "ボーカル", "ヴォーカル", "主唱", "人声", "人聲", "歌", "멜로디", "보컬"];
const LEADING: [&str; 14] = [
    "lead", "solo", "sopran", "theme", "thema", "right", "rh", "treble", "upper", "cantus", "superius", "discant", "descant",
    "tune",
];
const ACCOMPANIMENT: [&str; 27] = [
    "bass", "bajo", "drum", "perc", "kick", "snare", "chord", "akkord", "accomp", "acomp", "begleit", "back", "bgv", "harm",
    "choir", "chorus", "choeur", "coro", "chor", "ooh", "aah", "ahh", "pad", "left", "lh", "rhythm", "counter",
];

/// Role told by a name in any case; words of accompaniment weigh more than words of melody ("backing vocals").
pub(super) fn role(name: &str) -> Role {
    let name = name.to_lowercase();
    let any_word_starts =
        |list: &[&str]| name.split(|c: char| !c.is_alphabetic()).any(|word| list.iter().any(|prefix| word.starts_with(prefix)));
    if any_word_starts(&ACCOMPANIMENT) {
        Role::Accompaniment
    } else if any_word_starts(&MELODY) || MELODY_ANYWHERE.iter().any(|word| name.contains(word)) {
        Role::Melody
    } else if any_word_starts(&LEADING) {
        Role::Leading
    } else {
        Role::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_roles() {
        for name in ["MELODY", "Lead Vocals", "Mélodie", "melodía", "Voice 1", "主旋律", "Singstimme"] {
            assert_eq!(role(name), Role::Melody, "{name}");
        }
        for name in ["Bass", "Backing Vocals", "Choir Aahs", "Vocal harmony", "Rhythm Guitar", "voice oohs"] {
            assert_eq!(role(name), Role::Accompaniment, "{name}");
        }
        assert_eq!(role("Lead Guitar"), Role::Leading);
        assert_eq!(role("Piano"), Role::Unknown);
        assert_eq!(role(""), Role::Unknown);
    }
}
