//! The order in which bars are played: repeats, endings, D.C., D.S., Fine and Coda.

use super::{Jump, Signs};

/// Most times a section is played.
const MAX_PASSES: u32 = 16;

/// The bars of a piece in the order in which they are played; the piece ends before it has more than `most` of them.
///
/// A section is what lies between `|:` (or the beginning, or the end of the section before) and `:|`; it is played twice, or as often as is told, or as
/// its endings are numbered. After D.C. or D.S. sections are played once, with their last ending, up to Fine, or to the sign of the coda, from which the
/// coda follows.
pub(in crate::symbolic) fn order<'a>(signs: impl IntoIterator<Item = &'a Signs>, most: usize) -> Vec<usize> {
    let signs: Vec<&Signs> = signs.into_iter().collect();
    let mut player = Player { at: 0, section: 0, pass: 1, jumped: None, done: false };
    let mut played = Vec::new();
    while player.at < signs.len() && played.len() < most {
        player.play(&signs, &mut played);
    }
    played
}

struct Player {
    at: usize,
    /// Where the section begins, and which time it is played.
    section: usize,
    pass: u32,
    /// The jump after which the player is, up to the coda.
    jumped: Option<Jump>,
    /// Whether the piece's jump was taken.
    done: bool,
}

impl Player {
    fn enter(&mut self, section: usize) {
        (self.section, self.pass) = (section, 1);
    }

    /// Plays, or passes by, the bar at hand.
    fn play(&mut self, signs: &[&Signs], played: &mut Vec<usize>) {
        let at = self.at;
        let here = signs[at];
        self.at += 1;
        if here.repeat_start && at != self.section {
            self.enter(at);
        }
        let ending_before = at > 0 && !signs[at - 1].ending.is_empty();
        if here.ending.is_empty() && ending_before && self.pass > 1 && at != self.section {
            // The last ending was the end of the section.
            self.enter(at);
        }
        if !here.ending.is_empty() && !self.takes(signs, at) {
            return;
        }
        played.push(at);
        if let Some(jump) = self.jumped {
            if here.fine {
                self.at = signs.len();
                return;
            }
            let coda = signs.iter().enumerate().skip(at + 1).find(|(_, other)| other.coda).map(|(place, _)| place);
            if let Some(coda) = coda.filter(|_| here.to_coda || here.coda && jump.al_coda) {
                self.jumped = None;
                self.enter(coda);
                self.at = coda;
                return;
            }
        }
        if here.repeat_end.is_some() && (self.jumped.is_none() || here.after_jump) {
            if self.repeats(signs, at) {
                (self.at, self.pass) = (self.section, self.pass + 1);
                return;
            }
            self.enter(at + 1);
        } else if here.section_end && self.pass > 1 {
            self.enter(at + 1);
        }
        if let Some(jump) = here.jump.filter(|_| !self.done) {
            let to = if jump.to_segno { signs.iter().position(|other| other.segno) } else { Some(0) };
            self.done = true;
            if let Some(to) = to {
                self.jumped = Some(jump);
                self.enter(to);
                self.at = to;
            }
        }
    }

    /// Whether the ending at `at` is played this time.
    fn takes(&self, signs: &[&Signs], at: usize) -> bool {
        if self.jumped.is_some() && !signs[at].after_jump {
            let others = signs[at + 1..].iter().take_while(|next| !next.ending.is_empty() && !next.repeat_start);
            return others.into_iter().all(|next| next.ending == signs[at].ending);
        }
        signs[at].ending.iter().any(|pass| u32::from(*pass) == self.pass)
    }

    /// Whether the section that ends at `at` is played once more.
    fn repeats(&self, signs: &[&Signs], at: usize) -> bool {
        if self.pass >= MAX_PASSES {
            return false;
        }
        let here = signs[at];
        let next = u8::try_from(self.pass + 1).unwrap_or(u8::MAX);
        let others = signs[at + 1..].iter().take_while(|other| !other.ending.is_empty() && !other.repeat_start);
        match here.repeat_end {
            Some(times) if times > 0 && here.ending.is_empty() => self.pass < times,
            _ if here.ending.is_empty() => self.pass < 2,
            // An ending without another after it is played when the section comes to it, and then once more if it is the only one.
            _ => here.ending.contains(&next) || others.into_iter().any(|other| other.ending.contains(&next)) || self.pass == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bars as words: a letter, `|:` before and `:|` after it, `1` or `12` for endings, `S` segno, `C` coda, `T` to coda, `F` fine, `D` da capo, `d`
    /// da capo al coda, `G` dal segno, `g` dal segno al coda.
    fn played(music: &str) -> String {
        let bars: Vec<&str> = music.split(' ').collect();
        let signs: Vec<Signs> = bars
            .iter()
            .map(|bar| {
                let jump = |to_segno, al_coda| Some(Jump { to_segno, al_coda });
                Signs {
                    repeat_start: bar.starts_with("|:"),
                    repeat_end: bar.contains(":|").then(|| if bar.ends_with("x3") { 3 } else { 0 }),
                    ending: bar.trim_end_matches("x3").bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect(),
                    segno: bar.contains('S'),
                    coda: bar.contains('C'),
                    to_coda: bar.contains('T'),
                    fine: bar.contains('F'),
                    jump: match bar.chars().find(|c| "DdGg".contains(*c)) {
                        Some('D') => jump(false, false),
                        Some('d') => jump(false, true),
                        Some('G') => jump(true, false),
                        Some('g') => jump(true, true),
                        _ => None,
                    },
                    ..Signs::default()
                }
            })
            .collect();
        let name = |bar: &str| bar.chars().find(|c| "uvwxyz".contains(*c)).unwrap_or('?');
        order(&signs, 1000).into_iter().map(|at| name(bars[at])).collect()
    }

    #[test]
    fn repeats_and_endings() {
        assert_eq!(played("u |:v w:| x"), "uvwvwx");
        assert_eq!(played("u v:| w x:| y"), "uvuvwxwxy");
        assert_eq!(played("|:u:|x3 v"), "uuuv");
        assert_eq!(played("|:u v1:| w2 x"), "uvuwx");
        assert_eq!(played("|:u v1 w1:| x2 y2 z"), "uvwuxyz");
        assert_eq!(played("|:u v12:| w3 x"), "uvuvuwx");
        assert_eq!(played("|:u v1:| w2:| x"), "uvuwx");
        assert_eq!(played("|:u v1:| w2 |:x:| y"), "uvuwxxy");
        assert_eq!(played("|:u v1:| x"), "uvux");
    }

    #[test]
    fn jumps() {
        assert_eq!(played("u vF w xD"), "uvwxuv");
        assert_eq!(played("u vS w xG y"), "uvwxvwxy");
        assert_eq!(played("u vS wF xG"), "uvwxvw");
        assert_eq!(played("uC v wd xC y"), "uvwuxy");
        assert_eq!(played("uT v wD xC y"), "uvwuxy");
        assert_eq!(played("uS vC wg xC y"), "uvwuvxy");
        assert_eq!(played("|:u v:| wD"), "uvuvwuvw");
        assert_eq!(played("|:u v1:| w2 xF yD"), "uvuwxyuwx");
        assert_eq!(played("|:u:| vd xC"), "uuvuvx");
        assert_eq!(played("uD"), "uu");
        assert_eq!(played("uG"), "u");
    }

    proptest! {
        #[test]
        fn comes_to_an_end(bars in prop::collection::vec("(\\|:)?[u-z][1-3]{0,2}[SCTFDdGg]{0,2}(:\\|)?(x3)?", 1..12)) {
            let played = played(&bars.join(" "));
            prop_assert!(played.len() < 1000);
        }
    }
}
