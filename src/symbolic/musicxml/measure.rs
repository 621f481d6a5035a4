//! The notes of one measure of one part.

use super::{number, text_of_any};
use crate::symbolic::Span;
use crate::symbolic::score::{Jump, Signs};
use crate::symbolic::tempo::plausible_qpm;
use roxmltree::Node;

/// A measure as read; times in quarter notes from its start.
pub(super) struct Measure<'a> {
    pub length: f64,
    pub notes: Vec<ScoreNote<'a>>,
    /// (position, quarter notes per minute)
    pub tempi: Vec<(f64, f64)>,
    pub signs: Signs,
}

pub(super) struct ScoreNote<'a> {
    pub span: Span,
    pub voice: &'a str,
    pub tied_to_previous: bool,
    /// Whether words are written under it.
    pub sung: bool,
}

/// What a part carries from measure to measure.
pub(super) struct PartReader {
    /// Duration units per quarter note.
    divisions: f64,
    /// Semitones from written to sounding pitch.
    transposition: f64,
    /// The ending that the measure is in.
    ending: Vec<u8>,
}

impl Default for PartReader {
    fn default() -> Self {
        PartReader { divisions: 1.0, transposition: 0.0, ending: Vec::new() }
    }
}

impl PartReader {
    /// Reads the `<measure>` (partwise) or `<part>` (timewise) element that holds the notes.
    pub fn measure<'a>(&mut self, element: Node<'a, 'a>) -> Result<Measure<'a>, String> {
        let signs = Signs { ending: self.ending.clone(), ..Signs::default() };
        let mut measure = Measure { length: 0.0, notes: Vec::new(), tempi: Vec::new(), signs };
        // Where the next note begins, and where the last one did (chord notes share it).
        let (mut now, mut onset) = (0.0f64, 0.0f64);
        for node in element.children().filter(Node::is_element) {
            match node.tag_name().name() {
                "attributes" => self.attributes(node)?,
                "backup" => now = (now - self.duration(node)?).max(0.0),
                "forward" => now += self.duration(node)?,
                "direction" => {
                    let offset: f64 = number(node, "offset").unwrap_or(0.0);
                    direction_signs(node, &mut measure.signs);
                    measure.tempi.extend(direction_tempo(node).map(|qpm| ((now + offset / self.divisions).max(0.0), qpm)));
                }
                "sound" => {
                    sound_signs(node, &mut measure.signs);
                    measure.tempi.extend(sound_tempo(node).map(|qpm| (now, qpm)));
                }
                "barline" => self.bar_line(node, &mut measure.signs),
                "note" if !has(node, "grace") => {
                    let length = self.duration(node)?;
                    if !has(node, "chord") {
                        onset = now;
                        now += length;
                    }
                    if let Some(pitch) = self.pitch(node).filter(|_| !has(node, "cue")) {
                        let voice = text_of_any(node, "voice").unwrap_or("1");
                        let stop = |n: Node| n.has_tag_name("tie") && n.attribute("type") == Some("stop");
                        let tied_to_previous = node.children().any(stop);
                        let span = Span { start: onset, end: onset + length, pitch };
                        let sung = has(node, "lyric");
                        measure.notes.push(ScoreNote { span, voice, tied_to_previous, sung });
                    }
                }
                _ => {}
            }
            measure.length = measure.length.max(now);
        }
        Ok(measure)
    }

    fn attributes(&mut self, node: Node) -> Result<(), String> {
        if let Some(text) = text_of_any(node, "divisions") {
            self.divisions = text.parse().unwrap_or(0.0);
            if !(self.divisions > 0.0 && self.divisions.is_finite()) {
                return Err(format!("<divisions> is {text:?}, not a positive number"));
            }
        }
        if let Some(transpose) = node.children().find(|n| n.has_tag_name("transpose")) {
            let octaves: f64 = number(transpose, "octave-change").unwrap_or(0.0);
            self.transposition = number(transpose, "chromatic").unwrap_or(0.0) + 12.0 * octaves;
        }
        Ok(())
    }

    /// Repeats and endings.
    fn bar_line(&mut self, node: Node, signs: &mut Signs) {
        if let Some(repeat) = node.children().find(|n| n.has_tag_name("repeat")) {
            if repeat.attribute("direction") == Some("forward") {
                signs.repeat_start = true;
            } else {
                let times = repeat.attribute("times").and_then(|times| times.trim().parse().ok()).unwrap_or(0);
                signs.repeat_end = Some(times);
                signs.after_jump |= repeat.attribute("after-jump") == Some("yes");
            }
        }
        if let Some(ending) = node.children().find(|n| n.has_tag_name("ending")) {
            if ending.attribute("type") == Some("start") {
                self.ending = passes(ending.attribute("number").unwrap_or("1"));
                signs.ending.clone_from(&self.ending);
            } else {
                self.ending.clear();
            }
        }
        // Some write them at the bar line.
        signs.segno |= has(node, "segno");
        signs.coda |= has(node, "coda");
    }

    /// `<duration>` in quarter notes; a note without one has no length.
    fn duration(&self, node: Node) -> Result<f64, String> {
        let Some(text) = text_of_any(node, "duration") else {
            return Ok(0.0);
        };
        match text.parse::<f64>() {
            Ok(units) if units >= 0.0 && units.is_finite() => Ok(units / self.divisions),
            _ => Err(format!("<duration> is {text:?}, not a number")),
        }
    }

    /// Sounding MIDI pitch; `None` for rests and unpitched notes.
    fn pitch(&self, note: Node) -> Option<f64> {
        let pitch = note.children().find(|n| n.has_tag_name("pitch"))?;
        let class = match text_of_any(pitch, "step")? {
            "C" => 0.0,
            "D" => 2.0,
            "E" => 4.0,
            "F" => 5.0,
            "G" => 7.0,
            "A" => 9.0,
            "B" => 11.0,
            _ => return None,
        };
        let octave: f64 = number(pitch, "octave")?;
        let alter: f64 = number(pitch, "alter").unwrap_or(0.0);
        Some(12.0 * (octave + 1.0) + class + alter + self.transposition)
    }
}

fn has(node: Node, tag: &str) -> bool {
    node.children().any(|n| n.has_tag_name(tag))
}

fn sound_tempo(sound: Node) -> Option<f64> {
    sound.attribute("tempo")?.trim().parse().ok().and_then(plausible_qpm)
}

/// The tempo of a `<direction>` in quarter notes per minute: its `<sound>`, else its `<metronome>`.
fn direction_tempo(direction: Node) -> Option<f64> {
    let sound = direction.children().find(|n| n.has_tag_name("sound")).and_then(sound_tempo);
    sound.or_else(|| metronome_tempo(direction.descendants().find(|n| n.has_tag_name("metronome"))?))
}

fn metronome_tempo(metronome: Node) -> Option<f64> {
    let mut beat = match text_of_any(metronome, "beat-unit")? {
        "breve" => 8.0,
        "whole" => 4.0,
        "half" => 2.0,
        "quarter" => 1.0,
        "eighth" => 0.5,
        "16th" => 0.25,
        "32nd" => 0.125,
        _ => return None,
    };
    let dots = metronome.children().filter(|n| n.has_tag_name("beat-unit-dot")).count().min(4) as i32;
    beat *= 2.0 - 0.5f64.powi(dots);
    // "ca. 120" and "100-110" are tempi too: the first number counts.
    let text = text_of_any(metronome, "per-minute")?;
    let number = text.split(|c: char| !c.is_ascii_digit() && c != '.').find(|t| t.starts_with(|c: char| c.is_ascii_digit()))?;
    plausible_qpm(beat * number.parse::<f64>().ok()?)
}

/// The passes of an ending: `1`, `1, 2`, `1-3`.
fn passes(number: &str) -> Vec<u8> {
    let mut passes: Vec<u8> = Vec::new();
    for part in number.split(',').take(16) {
        let mut ends = part.split('-').filter_map(|end| end.trim().trim_end_matches('.').parse::<u8>().ok());
        if let Some(first) = ends.next() {
            passes.extend(first..=ends.next().unwrap_or(first).min(first.saturating_add(16)));
        }
    }
    if passes.is_empty() { vec![1] } else { passes }
}

/// What the signs and words of a `<direction>` say.
fn direction_signs(direction: Node, signs: &mut Signs) {
    for kind in direction.children().filter(|n| n.has_tag_name("direction-type")).flat_map(|n| n.children()) {
        match kind.tag_name().name() {
            "segno" => signs.segno = true,
            "coda" => signs.coda = true,
            "words" => signs.read(kind.text().unwrap_or_default()),
            _ => {}
        }
    }
    if let Some(sound) = direction.children().find(|n| n.has_tag_name("sound")) {
        sound_signs(sound, signs);
    }
}

/// What a `<sound>` says about the way to go on.
fn sound_signs(sound: Node, signs: &mut Signs) {
    let jump = |to_segno| Jump { to_segno, al_coda: false };
    if sound.attribute("dacapo") == Some("yes") {
        signs.jump.get_or_insert(jump(false));
    }
    if sound.has_attribute("dalsegno") {
        signs.jump.get_or_insert(jump(true));
    }
    signs.fine |= sound.has_attribute("fine");
    signs.segno |= sound.has_attribute("segno");
    signs.coda |= sound.has_attribute("coda");
    if sound.has_attribute("tocoda") {
        // The sign of the coda beside it is where to leave.
        signs.to_coda = true;
        signs.coda = false;
    }
}
