//! The stretches of a piece between its bar lines and labels, and their order.

use crate::symbolic::MAX_BARS;
use crate::symbolic::score::{Signs, order};

/// Most labels in an expansion list.
const MOST: usize = 1000;

/// Where a piece is cut, in lines of the file.
#[derive(Default)]
pub(super) struct Sections {
    /// The line after which each stretch but the first begins, ascending.
    cuts: Vec<usize>,
    /// The signs of each stretch.
    signs: Vec<Signs>,
    /// Labels, and the stretch that each begins with.
    labels: Vec<(String, usize)>,
    /// The order of labels, where it is told; the list without a name counts, else the first.
    expansion: Option<Vec<String>>,
    named: bool,
}

impl Sections {
    /// A line of interpretations: `*>A` labels what follows, `*>[A,A,B]` and `*>norep[A,B]` tell the order of labels.
    pub fn interpret(&mut self, line: usize, tokens: &[&str]) {
        let Some(text) = tokens.iter().find_map(|token| token.strip_prefix("*>")) else { return };
        match text.split_once('[') {
            None => {
                self.cut(line);
                let name: String = text.chars().take(100).collect();
                self.labels.push((name, self.signs.len() - 1));
            }
            Some((name, list)) => {
                if self.expansion.is_none() || self.named && name.is_empty() {
                    let list = list.trim_end_matches(']').split(',').take(MOST);
                    self.expansion = Some(list.map(|label| label.trim().chars().take(100).collect()).collect());
                    self.named = !name.is_empty();
                }
            }
        }
    }

    /// A bar line, with repeat signs on the sides where colons stand: `=:|!|:`.
    pub fn bar_line(&mut self, line: usize, token: &str) {
        self.cut(line);
        let signs = token.trim_start_matches(|c: char| c == '=' || c.is_ascii_alphanumeric());
        let at = self.signs.len() - 1;
        if signs.starts_with(':') {
            self.signs[at - 1].repeat_end = Some(0);
        }
        if signs.ends_with(':') {
            self.signs[at].repeat_start = true;
        }
    }

    fn cut(&mut self, line: usize) {
        if self.signs.is_empty() {
            self.signs.push(Signs::default());
        }
        self.cuts.push(line);
        self.signs.push(Signs::default());
    }

    /// The signs of the stretches.
    pub fn stretches(&self) -> impl Iterator<Item = &Signs> {
        static WHOLE: Signs = Signs::NONE;
        let whole = self.signs.is_empty().then_some(&WHOLE);
        self.signs.iter().chain(whole)
    }

    /// The stretch that a line is in.
    pub fn stretch_of(&self, line: usize) -> usize {
        self.cuts.partition_point(|cut| *cut < line)
    }

    /// The order in which the stretches are played.
    pub fn order(&self) -> Vec<usize> {
        let all = || order(self.stretches(), MAX_BARS);
        let Some(expansion) = &self.expansion else { return all() };
        let end_of = |label: usize| self.labels.get(label + 1).map_or(self.signs.len(), |(_, next)| *next);
        // What stands before the first label is played first.
        let mut played: Vec<usize> = self.labels.first().map(|(_, start)| 0..*start).into_iter().flatten().collect();
        let before = played.len();
        for label in expansion {
            if let Some(at) = self.labels.iter().position(|(name, _)| name == label) {
                played.extend((self.labels[at].1..end_of(at)).take(MAX_BARS.saturating_sub(played.len())));
            }
        }
        if played.len() == before { all() } else { played }
    }
}
