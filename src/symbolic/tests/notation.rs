use super::{complaint, melody, notes};
use crate::symbolic::Format::{Abc, JsonLines, Kern, MusicXml};
use crate::symbolic::{is_symbolic, parse};
use std::io::Write;
use std::path::Path;

const DOCTYPE: &str = r#"<?xml version="1.0"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">"#;

fn note(step: &str, octave: u8, duration: u32, more: &str) -> String {
    format!(
        "<note>{}<pitch><step>{step}</step><octave>{octave}</octave></pitch><duration>{duration}</duration>{}</note>",
        if more.contains("<chord/>") { "<chord/>" } else { "" },
        more.replace("<chord/>", "")
    )
}

/// A clarinet in B flat (sounds a tone lower) with chords, backup, ties, a grace note and a tempo change.
fn clarinet() -> String {
    let first = [
        "<attributes><divisions>2</divisions><transpose><chromatic>-2</chromatic></transpose></attributes>".to_string(),
        r#"<direction><direction-type><metronome><beat-unit>quarter</beat-unit><per-minute>60</per-minute></metronome>
           </direction-type></direction>"#
            .to_string(),
        "<note><grace/><pitch><step>B</step><octave>5</octave></pitch></note>".to_string(),
        note("C", 5, 2, ""),
        note("E", 5, 2, "<chord/>"),
        "<note><rest/><duration>2</duration></note>".to_string(),
        note("D", 5, 4, r#"<tie type="start"/>"#),
        "<backup><duration>8</duration></backup>".to_string(),
        note("G", 6, 8, "<voice>2</voice>"),
    ];
    let second = [
        note("D", 5, 2, r#"<tie type="stop"/>"#),
        r#"<direction><sound tempo="120"/></direction>"#.to_string(),
        "<note><pitch><step>F</step><alter>1</alter><octave>5</octave></pitch><duration>2</duration></note>".to_string(),
    ];
    format!(
        r#"{DOCTYPE}<score-partwise><work><work-title>A  Tune</work-title></work>
        <identification><creator type="composer">Somebody</creator></identification>
        <part-list><score-part id="P1"><part-name>Clarinet</part-name></score-part></part-list>
        <part id="P1"><measure number="1">{}</measure><measure number="2">{}</measure></part></score-partwise>"#,
        first.join(""),
        second.join("")
    )
}

const CLARINET: [(f64, f64, f64); 3] = [(0.0, 1.0, 74.0), (2.0, 3.0, 72.0), (5.0, 0.5, 76.0)];

#[test]
fn musicxml() {
    let found = melody(MusicXml, clarinet().as_bytes());
    assert_eq!((found.title.as_deref(), found.artist.as_deref()), (Some("A Tune"), Some("Somebody")));
    assert_eq!(notes(MusicXml, clarinet().as_bytes()), CLARINET);
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(clarinet().encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(notes(MusicXml, &utf16), CLARINET);
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn compressed_musicxml() {
    let container = br#"<container><rootfiles><rootfile full-path="in/score.xml"/></rootfiles></container>"#;
    let score = clarinet();
    let files: [(&str, &[u8]); 3] =
        [("other.xml", b"<x/>"), ("META-INF/container.xml", container), ("in/score.xml", score.as_bytes())];
    assert_eq!(notes(MusicXml, &zipped(&files)), CLARINET);
    assert_eq!(notes(MusicXml, &zipped(&[("score.musicxml", score.as_bytes())])), CLARINET);
    assert!(complaint(MusicXml, &zipped(&[("readme.txt", b"")])).contains("no score"));
    assert!(complaint(MusicXml, &zipped(&files[..2])).contains("in/score.xml"));
    assert!(complaint(MusicXml, b"PK\x03\x04").contains("zip"));
}

#[test]
fn a_zip_bomb_is_refused() {
    let bomb = zipped(&[("score.xml", &vec![b' '; 65 << 20])]);
    assert!(bomb.len() < 1 << 20);
    assert!(complaint(MusicXml, &bomb).contains("over the limit"));
}

#[test]
fn timewise_musicxml_takes_the_part_named_voice() {
    let part = |id: &str, step: &str| format!(r#"<part id="{id}">{}</part>"#, note(step, 4, 1, ""));
    let list = r#"<part-list><score-part id="P1"><part-name>Piano</part-name></score-part>
        <score-part id="P2"><part-name>Voice</part-name></score-part></part-list>"#;
    let measure = |n: u8, a: &str, b: &str| format!(r#"<measure number="{n}">{}{}</measure>"#, part("P1", a), part("P2", b));
    let score = format!("<score-timewise>{list}{}{}</score-timewise>", measure(1, "C", "E"), measure(2, "D", "G"));
    assert_eq!(notes(MusicXml, score.as_bytes()), [(0.0, 0.6, 64.0), (0.6, 0.6, 67.0)]);
}

#[test]
fn musicxml_complaints() {
    assert!(complaint(MusicXml, b"<html/>").contains("<html>"));
    assert!(complaint(MusicXml, b"{}").contains("line 1"));
    assert!(complaint(MusicXml, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").contains("entity"));
    let score = |measure: &str| {
        format!(r#"<score-partwise><part id="P1"><measure number="7">{measure}</measure></part></score-partwise>"#)
    };
    let zero = score("<attributes><divisions>0</divisions></attributes>");
    assert_eq!(
        complaint(MusicXml, zero.as_bytes()),
        r#"MusicXML: part "P1", measure 7: <divisions> is "0", not a positive number"#
    );
    assert!(complaint(MusicXml, score(&note("C", 4, 1_000_000_000, "")).as_bytes()).contains("minutes for so many notes"));
    assert!(complaint(MusicXml, score("<note><duration>NaN</duration></note>").as_bytes()).contains("NaN"));
    assert!(complaint(MusicXml, score("").as_bytes()).contains("no pitched notes"));
    let deep = format!("<score-partwise>{}", "<part>".repeat(200_000));
    complaint(MusicXml, deep.as_bytes());
}

#[test]
fn abc_lengths_accidentals_and_ornaments() {
    // K:D: F and C are sharp. Quarter = 60, unit 1/4: one second per unit.
    let tune = "X:1\nT:Test\nC:Trad.\nM:4/4\nL:1/4\nQ:1/4=60\nK:D\n\
        F =F F|F {g}\"Am\"!trill!c' z/ C,2|[DAd]2 A- A|\\\n^c/>d/ (3efg e3/2-e/2 % end\nw: la la\n";
    let expected = [
        (0.0, 1.0, 66.0),
        (1.0, 1.0, 65.0),
        (2.0, 1.0, 65.0),
        (3.0, 1.0, 66.0),
        (4.0, 1.0, 85.0),
        (5.5, 2.0, 49.0),
        (7.5, 2.0, 74.0),
        (9.5, 2.0, 69.0),
        (11.5, 0.75, 73.0),
        (12.25, 0.25, 74.0),
        (12.5, 0.667, 76.0),
        (13.167, 0.667, 78.0),
        (13.833, 0.667, 79.0),
        (14.5, 2.0, 76.0),
    ];
    assert_eq!(notes(Abc, tune.as_bytes()), expected);
    let found = melody(Abc, tune.as_bytes());
    let tags = [found.id, found.title, found.artist].map(Option::unwrap);
    assert_eq!(tags, ["1", "Test", "Trad."]);
}

#[test]
fn abc_defaults_repeats_voices_and_inline_fields() {
    // 6/8: unit 1/8; no tempo: 100 quarters per minute, 0.3 s per eighth. A tie holds its accidental across the bar.
    let tune = "X:1\nM:6/8\nK:C\nV:1\nV:2\n[V:1] |:C ^F-|F [1 E:|[2 [K:G]F|]\nV:2\nC,6\nV:1\n[L:1/4]G & c4 |A\n";
    let expected = [
        (0.0, 0.3, 60.0),
        (0.3, 0.6, 66.0),
        (0.9, 0.3, 64.0),
        (1.2, 0.3, 60.0),
        (1.5, 0.6, 66.0),
        (2.1, 0.3, 66.0),
        (2.4, 0.6, 67.0),
        (3.0, 0.6, 69.0),
    ];
    assert_eq!(notes(Abc, tune.as_bytes()), expected);
}

#[test]
fn abc_books() {
    let book = "%abc-2.1\nL:1/4\nR:reel\n\nX:1\nT:One\nH:some\n+:history\n% remark\nK:C\nC\n% remark\n%%begintext\nAbc\n%%endtext\nD\n+:more\n\nfree text\n\nX:2\nT:Empty\nK:C\nz4\n\nX:30\nT:Three\nK:C\nE\n";
    let melodies = parse(Abc, book.as_bytes()).unwrap();
    let ids: Vec<_> = melodies.iter().map(|m| (m.id.as_deref().unwrap(), m.notes.len(), m.notes[0].duration)).collect();
    assert_eq!(ids, [("1", 2, 0.6), ("30", 1, 0.6)]);
    assert_eq!(notes(Abc, b"T:no number\nL:1/4\nK:C\nC"), [(0.0, 0.6, 60.0)]);
    assert!(complaint(Abc, b"hello\n").contains("X: line"));
    assert!(complaint(Abc, b"X:1\nK:C\nz\n").contains("no notes"));
    assert!(complaint(Abc, "X:1\nM:9999/1\nK:C\nZ9999 C\n".as_bytes()).contains("hours"));
}

#[test]
fn kern() {
    let score = "!!!OTL: Song\n!!!COM: Composer\n**kern\t**kern\t**dynam\n*MM60\t*MM60\t*\n*^\t*\t*\n4C\t4E\t4cc#\tf\n\
        *v\t*v\t*\t*\n=1\t=1\t=1\n!\t!\t!\n2r\t8.dd-L\t.\n.\t16ee\t.\n.\tggq\t.\n.\t[4a 4f]\t.\n4D\t8a]\t.\n.\t8r\t.\n.\t12BB\t.\n\
        *-\t*-\t*-\n";
    let expected = [(0.0, 1.0, 73.0), (1.0, 0.75, 73.0), (1.75, 0.25, 76.0), (2.0, 1.5, 69.0), (4.0, 0.333, 47.0)];
    assert_eq!(notes(Kern, score.as_bytes()), expected);
    let found = melody(Kern, score.as_bytes());
    assert_eq!((found.title.as_deref(), found.artist.as_deref()), (Some("Song"), Some("Composer")));
    let named = "**kern\t**kern\n*I\"Voice\t*I\"Violin\n4c\t4ccc\n0d\t1%2e\n*-\t*-\n";
    assert_eq!(notes(Kern, named.as_bytes()), [(0.0, 0.6, 60.0), (0.6, 4.8, 62.0)]);
}

#[test]
fn kern_complaints() {
    assert!(complaint(Kern, b"4c\n").contains("line 1"));
    assert!(complaint(Kern, b"**kern\n4c\t4d\n").contains("line 2: 2 columns where 1 spines"));
    assert!(complaint(Kern, b"**dynam\nf\n*-\n").contains("no **kern spine"));
    assert!(complaint(Kern, b"**kern\n4r\n*-\n").contains("no notes"));
    assert!(complaint(Kern, b"**kern\n99999999999c\n*-\n").contains("cannot be read"));
    assert!(complaint(Kern, b"**kern\n1%4000000000c\n*-\n").contains("hours"));
}

#[test]
fn json_lines() {
    let lines = "{\"id\":\"a\",\"unit\":\"quarter\",\"group\":3,\"notes\":[[1.0,2.0,60.0]]}\n\n{\"song\":\"b\",\"notes\":[[0.5,0.25,61.5]]}";
    let melodies = parse(JsonLines, lines.as_bytes()).unwrap();
    assert_eq!(melodies[0].id.as_deref(), Some("a"));
    assert_eq!((melodies[0].notes[0].onset, melodies[0].notes[0].duration), (0.6, 1.2));
    assert_eq!((melodies[1].id.as_deref(), melodies[1].notes[0].pitch), (Some("b"), 61.5));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(lines.as_bytes()).unwrap();
    assert_eq!(parse(JsonLines, &packer.finish().unwrap()).unwrap(), melodies);
    assert!(complaint(JsonLines, b"{\"notes\":[[0,1,60]]}\n{\"notes\":[[0,1]]}").contains("line 2"));
    assert!(complaint(JsonLines, b"{\"notes\":[[0,1,60],[1,1,999]]}").contains("note 2"));
    assert!(complaint(JsonLines, b"{\"notes\":[]}").contains("line 1"));
    assert!(complaint(JsonLines, b"{\"unit\":\"bar\",\"notes\":[[0,1,60]]}").contains("`bar`"));
    assert!(complaint(JsonLines, b"{\"notes\":[[1e9,1e9,60]]}").contains("hours"));
    assert!(complaint(JsonLines, b"").contains("no line"));
}

#[test]
fn extensions() {
    for name in ["a.mid", "a.MIDI", "a.kar", "a.musicxml", "a.xml", "a.mxl", "a.abc", "a.krn", "a.jsonl", "a.b.jsonl.gz"] {
        assert!(is_symbolic(Path::new(name)), "{name}");
    }
    for name in ["a.mp3", "a", ".abc/x", "a.gz", ""] {
        assert!(!is_symbolic(Path::new(name)), "{name}");
    }
}
