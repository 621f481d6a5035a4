//! MusicXML 4.0: partwise or timewise, plain or compressed (.mxl).
//!
//! The melody is the part whose name says so, else the first part that plays; of it the voice that plays first (in a piano
//! part the upper staff's), and of chords the top note. Grace and cue notes are left out. Repeats are not followed: the
//! music stands as it is written. External DTDs are not fetched; a file that declares entities is refused.

mod container;
mod measure;

use super::names::{Role, role};
use super::skyline;
use super::tempo::TempoMap;
use super::{Melody, NOTATION_QPM, SymbolicError, check_count, text, to_notes};
use measure::{Measure, PartReader};
use roxmltree::{Document, Node, ParsingOptions};

const MUSICXML: &str = "MusicXML";
/// Most text, unpacked, and most XML nodes: a symphony stays below.
const MAX_XML_BYTES: u64 = 64 << 20;
const MAX_XML_NODES: u32 = 4_000_000;
/// Most attributes of an element, and most namespaces: the XML reader's time grows with their square.
const MAX_ATTRIBUTES: usize = 100;
const MAX_PARTS: usize = 500;

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
    let melody = choose_part(&parts)
        .ok_or_else(|| SymbolicError::no_notes(MUSICXML, format!("its {} parts hold no pitched notes", parts.len())))?;
    let title = child_text(root, "work", "work-title").or_else(|| text::tag(text_of(root, "movement-title")?));
    let mut creators = child(root, "identification").into_iter().flat_map(|i| i.children());
    let composer = creators.find(|n| n.has_tag_name("creator") && n.attribute("type") == Some("composer"));
    let artist = composer.and_then(|n| text::tag(n.text()?));
    let notes = to_notes(MUSICXML, in_seconds(melody, &parts))?;
    Ok(Melody { id: None, title, artist, notes })
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
    let limit =
        format!("{} MiB of XML, {MAX_XML_NODES} nodes, {MAX_ATTRIBUTES} attributes, {MAX_PARTS} parts", MAX_XML_BYTES >> 20);
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

fn choose_part<'p, 'a>(parts: &'p [Part<'a>]) -> Option<&'p Part<'a>> {
    let playing = || parts.iter().filter(|p| p.measures.iter().any(|m| !m.notes.is_empty()));
    playing().find(|p| role(&p.name) == Role::Melody).or_else(|| playing().next())
}

/// The chosen part's first voice, in seconds. A measure lasts as long as the fullest part makes it.
fn in_seconds(melody: &Part, parts: &[Part]) -> Vec<super::Span> {
    let count = parts.iter().map(|p| p.measures.len()).max().unwrap_or(0);
    let mut starts = Vec::with_capacity(count);
    let mut now = 0.0;
    for i in 0..count {
        starts.push(now);
        now += parts.iter().filter_map(|p| p.measures.get(i)).map(|m| m.length).fold(0.0, f64::max);
    }
    let tempi = parts.iter().flat_map(|p| p.measures.iter().zip(&starts));
    let tempi = tempi.flat_map(|(m, start)| m.tempi.iter().map(move |(at, qpm)| (start + at, *qpm))).collect();
    let map = TempoMap::new(NOTATION_QPM, tempi);
    let voice = melody.measures.iter().find_map(|m| m.notes.first()).map(|n| n.voice);
    let mut spans: Vec<super::Span> = Vec::new();
    for (measure, start) in melody.measures.iter().zip(&starts) {
        for note in measure.notes.iter().filter(|n| Some(n.voice) == voice) {
            let (from, to) = (start + note.span.start, start + note.span.end);
            // A tied note continues the last one of its pitch, within a few notes of a chord.
            let before = spans.iter_mut().rev().take(16).find(|s| s.pitch == note.span.pitch && (s.end - from).abs() < 1e-6);
            match before {
                Some(before) if note.tied_to_previous => before.end = to,
                _ => spans.push(super::Span { start: from, end: to, pitch: note.span.pitch }),
            }
        }
    }
    skyline(spans.iter().map(|s| map.span(s)).collect())
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
