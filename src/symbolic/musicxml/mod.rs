//! MusicXML 4.0: partwise or timewise, plain or compressed (.mxl).
//!
//! The melody is chosen among the voices of all parts ([`choose`](super::choose)), by lyrics, the names of the parts and what they play; of chords the
//! top note counts. Grace and cue notes are left out. Repeats, endings, D.C., D.S., Fine and Coda are followed. External DTDs are not fetched; a file that declares entities is refused.

mod container;
mod measure;

use super::choose;
use super::score::{Bar, Signs, Written, order, perform};
use super::tempo::TempoMap;
use super::{MAX_BARS, MAX_NOTES, Melody, NOTATION_QPM, Span, SymbolicError, check_count, text, to_notes};
use measure::{Measure, PartReader};
use roxmltree::{Document, Node, ParsingOptions};

const MUSICXML: &str = "MusicXML";
/// Most text, unpacked, and most XML nodes: a symphony stays below.
const MAX_XML_BYTES: u64 = 64 << 20;
const MAX_XML_NODES: u32 = 4_000_000;
/// Most attributes of an element, and most namespaces: the XML reader's time grows with their square.
const MAX_ATTRIBUTES: usize = 100;
const MAX_PARTS: usize = 500;
/// Most voices of all parts.
const MAX_VOICES: usize = 300;

struct Part<'a> {
    id: &'a str,
    name: String,
    measures: Vec<Measure<'a>>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Melody, SymbolicError> {
    let unpacked;
    let bytes = if bytes.starts_with(b"PK\x03\x04") {
        unpacked = container::score(bytes)?;
        &unpacked[..]
    } else {
        bytes
    };
    if bytes.len() as u64 > MAX_XML_BYTES {
        return Err(too_large("the score"));
    }
    let xml = text::decode(bytes);
    let document = parse_xml(&xml)?;
    let root = document.root_element();
    let parts = match root.tag_name().name() {
        "score-partwise" | "score-timewise" => read_parts(root)?,
        other => {
            let reason = format!("the root element is <{other}>, not <score-partwise> or <score-timewise>");
            return Err(SymbolicError::malformed(MUSICXML, "line 1", reason));
        }
    };
    let (spans, part) = melody(&parts)?;
    if spans.is_empty() {
        return Err(SymbolicError::no_notes(MUSICXML, format!("its {} parts hold no pitched notes", parts.len())));
    }
    let title = child_text(root, "work", "work-title").or_else(|| text::tag(text_of(root, "movement-title")?));
    let mut creators = child(root, "identification").into_iter().flat_map(|i| i.children());
    let composer = creators.find(|n| n.has_tag_name("creator") && n.attribute("type") == Some("composer"));
    let artist = composer.and_then(|n| text::tag(n.text()?));
    let notes = to_notes(MUSICXML, spans)?;
    Ok(Melody { id: None, title, artist, part, notes })
}

fn parse_xml(xml: &str) -> Result<Document<'_>, SymbolicError> {
    // Most real files carry a DOCTYPE, which is harmless as long as it declares no entities.
    if let Some(at) = xml.find("<!ENTITY") {
        let line = xml[..at].lines().count();
        return Err(SymbolicError::malformed(MUSICXML, format!("line {line}"), "entity declarations are refused"));
    }
    let attributes = |tag: &str| tag.bytes().filter(|b| *b == b'=').count();
    if xml.split('<').any(|tag| attributes(tag) > MAX_ATTRIBUTES) || xml.matches("xmlns").count() > MAX_ATTRIBUTES {
        return Err(too_large("the number of attributes or namespaces"));
    }
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_XML_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(xml, options).map_err(|e| match e {
        roxmltree::Error::NodesLimitReached => too_large("the number of XML nodes"),
        other => SymbolicError::malformed(MUSICXML, format!("line {}", other.pos().row), other.to_string()),
    })
}

fn too_large(what: &str) -> SymbolicError {
    let limit = format!(
        "{} MiB of XML, {MAX_XML_NODES} nodes, {MAX_ATTRIBUTES} attributes, {MAX_PARTS} parts, {MAX_VOICES} voices",
        MAX_XML_BYTES >> 20
    );
    SymbolicError::TooLarge { what: what.to_string(), limit }
}

/// All parts, whichever way the score is nested: `part > measure` or `measure > part`.
fn read_parts<'a>(root: Node<'a, 'a>) -> Result<Vec<Part<'a>>, SymbolicError> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for definition in child(root, "part-list").into_iter().flat_map(|l| l.children()) {
        if definition.has_tag_name("score-part") {
            let name = ["part-name", "part-abbreviation"].map(|tag| text_of(definition, tag).unwrap_or_default()).join(" ");
            parts.push(Part { id: definition.attribute("id").unwrap_or_default(), name, measures: Vec::new() });
        }
    }
    let mut readers: Vec<PartReader> = parts.iter().map(|_| PartReader::default()).collect();
    let mut total = 0;
    for outer in root.children().filter(|n| n.has_tag_name("part") || n.has_tag_name("measure")) {
        for inner in outer.children().filter(|n| n.has_tag_name("part") || n.has_tag_name("measure")) {
            let (part, measure) = if outer.has_tag_name("part") { (outer, inner) } else { (inner, outer) };
            let id = part.attribute("id").unwrap_or_default();
            // Parts that the list forgot are read all the same.
            let index = parts.iter().position(|p| p.id == id).unwrap_or_else(|| {
                parts.push(Part { id, name: String::new(), measures: Vec::new() });
                readers.push(PartReader::default());
                parts.len() - 1
            });
            if parts.len() > MAX_PARTS {
                return Err(too_large("the number of parts"));
            }
            let number = measure.attribute("number").unwrap_or("?");
            let read = readers[index]
                .measure(inner)
                .map_err(|reason| SymbolicError::malformed(MUSICXML, format!("part {id:?}, measure {number}"), reason))?;
            total += read.notes.len();
            check_count(total)?;
            parts[index].measures.push(read);
        }
    }
    Ok(parts)
}

/// The notes of the melody in seconds, and which voice of which part it is.
fn melody(parts: &[Part]) -> Result<(Vec<Span>, Option<String>), SymbolicError> {
    let count = parts.iter().map(|p| p.measures.len()).max().unwrap_or(0);
    // A measure lasts as long as the fullest part makes it, and its signs stand in any part.
    let mut frame: Vec<Bar> = Vec::with_capacity(count);
    for i in 0..count {
        let mut bar = Bar::default();
        for measure in parts.iter().filter_map(|p| p.measures.get(i)) {
            bar.length = bar.length.max(measure.length);
            bar.tempi.extend(&measure.tempi);
            bar.signs.merge(measure.signs.clone());
        }
        frame.push(bar);
    }
    part_codas(&mut frame);
    let order = order(frame.iter().map(|bar| &bar.signs), MAX_BARS);
    let mut voices = Vec::new();
    let mut total = 0;
    for part in parts {
        for voice in voices_of(part)? {
            if voices.len() >= MAX_VOICES {
                return Err(too_large("the number of voices"));
            }
            let mut lyrics = 0;
            for (bar, measure) in frame.iter_mut().zip(&part.measures) {
                let notes = measure.notes.iter().filter(|n| n.voice == voice);
                lyrics += notes.clone().filter(|n| n.sung).count();
                bar.notes.clear();
                bar.notes.extend(notes.map(|n| Written {
                    start: n.span.start,
                    length: n.span.end - n.span.start,
                    pitch: n.span.pitch,
                    continues: n.tied_to_previous,
                }));
            }
            frame.iter_mut().skip(part.measures.len()).for_each(|bar| bar.notes.clear());
            let (spans, tempi) = perform(&frame, &order, MAX_NOTES + 1);
            total += spans.len();
            check_count(total)?;
            let map = TempoMap::new(NOTATION_QPM, tempi);
            let notes: Vec<Span> = spans.iter().map(|s| map.span(s)).collect();
            voices.push(choose::Part {
                name: part.name.trim().to_string(),
                lyrics: lyrics > 0,
                notes,
                ..choose::Part::default()
            });
        }
    }
    Ok(choose::melody(voices, &[]))
}

/// A sign of the coda is where to leave, the next one where the coda begins: unless words say where to leave.
fn part_codas(bars: &mut [Bar]) {
    let jumps_to_coda = bars.iter().any(|bar| bar.signs.jump.is_some_and(|jump| jump.al_coda));
    let leaves = bars.iter().any(|bar| bar.signs.to_coda);
    let codas = bars.iter().filter(|bar| bar.signs.coda).count();
    if jumps_to_coda || leaves || codas < 2 {
        return;
    }
    if let Some(Signs { coda, to_coda, .. }) = bars.iter_mut().map(|bar| &mut bar.signs).find(|signs| signs.coda) {
        (*coda, *to_coda) = (false, true);
    }
}

/// The voices of a part, in the order in which they come in.
fn voices_of<'a>(part: &Part<'a>) -> Result<Vec<&'a str>, SymbolicError> {
    let mut voices: Vec<&str> = Vec::new();
    for note in part.measures.iter().flat_map(|measure| &measure.notes) {
        if !voices.contains(&note.voice) {
            voices.push(note.voice);
            if voices.len() > MAX_VOICES {
                return Err(too_large("the number of voices"));
            }
        }
    }
    Ok(voices)
}

fn child<'a>(node: Node<'a, 'a>, tag: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|n| n.has_tag_name(tag))
}

fn text_of<'a>(node: Node<'a, 'a>, tag: &str) -> Option<&'a str> {
    child(node, tag)?.text().map(str::trim)
}

fn number<T: std::str::FromStr>(node: Node, tag: &str) -> Option<T> {
    text_of_any(node, tag)?.parse().ok()
}

/// [`text_of`] for nodes that live shorter than the document.
fn text_of_any<'a>(node: Node<'a, '_>, tag: &str) -> Option<&'a str> {
    node.children().find(|n| n.has_tag_name(tag))?.text().map(str::trim)
}

fn child_text(root: Node, outer: &str, inner: &str) -> Option<String> {
    let outer = root.children().find(|n| n.has_tag_name(outer))?;
    text::tag(text_of_any(outer, inner)?)
}
