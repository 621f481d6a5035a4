//! No bytes make a reader panic, hang or give impossible notes.

use crate::symbolic::{Format, MAX_SECONDS, SymbolicError, parse};
use proptest::prelude::*;

const ABC: &[u8] = b"X:1\nM:6/8\nL:1/8\nP:A(A2)3\nQ:3/8=60\nK:Am ^f\nV:1\n|:(3A>Bc [CEG]/2- [CEG]|1 {d}^f'3/2 z_B,:|2 \"Am\"!p!Z2 &A|]\nP:A\n!D.C.![K:G][V:1] G::A||\nw:la\n\nX:2\nK:C\nC";
const KERN: &[u8] = b"!!!OTL: a\n**kern\t**kern\n*>[A,A]\t*>[A,A]\n*>A\t*>A\n*MM60\t*I\"Voice\n*^\t*\n4C\t[8.e 4g]\t4cc#\n*v\t*v\t*\n=1\t=1\n2r\t8.dd-L]\n*x\t*x\n3%2c\t00d_\n*-\t*-\n";
const XML: &[u8] = br#"<?xml version="1.0"?><!DOCTYPE score-partwise><score-partwise><part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list><part id="P1"><measure number="1"><attributes><divisions>2</divisions><transpose><chromatic>-2</chromatic></transpose></attributes><direction><sound tempo="90"/></direction><barline location="left"><repeat direction="forward"/><ending number="1" type="start"/></barline><direction><direction-type><words>D.C. al Coda</words></direction-type></direction><note><pitch><step>C</step><alter>1</alter><octave>4</octave></pitch><duration>3</duration><tie type="start"/></note><backup><duration>2</duration></backup><forward><duration>1</duration></forward><note><chord/><rest/><duration>1</duration></note><barline location="right"><repeat direction="backward" times="3"/></barline></measure></part></score-partwise>"#;
const JSON: &[u8] =
    b"{\"id\":\"a\",\"unit\":\"quarter\",\"group\":3,\"notes\":[[1.0,2.0,60.0],[3.5,0.5,62.0]]}\n{\"notes\":[[0,1e2,61]]}\n";
const MIDI: &[u8] = b"MThd\0\0\0\x06\0\x01\0\x02\0\x60MTrk\0\0\0\x13\0\xff\x51\x03\x07\xa1\x20\0\xff\x03\x04Song\0\xff\x2f\0MTrk\0\0\0\x1c\0\xc0\x05\0\x90\x3c\x40\x60\x3c\0\0\x3e\x40\x83\x60\x80\x3e\0\0\xff\x05\x02la\0\xff\x2f\0";

const CHART: &[u8] = b"#TITLE:a\n#BPM:150,5\n#GAP:100\n#RELATIVE:YES\nP1\n: 0 5 0 La\n* 5 5 -2 la\nF 10 5 0 x\n- 18 20\n: 2 10 -5 lo\nP2\n: 3 4 5 z\nE\n";
const LIST: &[u8] = b"onset,offset,pitch\n0.5,1.0,C4\n1.0,1.5,62\n";
const EVENTS: &[u8] =
    b"0, 0, Header, 1, 2, 480\n1, 0, Tempo, 500000\n2, 480, Note_on_c, 0, 60, 81\n2, 960, Note_off_c, 0, 60, 0\n";

const FORMATS: [(Format, &[u8]); 8] = [
    (Format::Midi, MIDI),
    (Format::MusicXml, XML),
    (Format::Abc, ABC),
    (Format::Kern, KERN),
    (Format::JsonLines, JSON),
    (Format::UltraStar, CHART),
    (Format::NoteList, LIST),
    (Format::NoteList, EVENTS),
];

fn check(format: Format, bytes: &[u8]) {
    match parse(format, bytes) {
        Ok(melodies) => {
            assert!(!melodies.is_empty());
            for note in melodies.iter().flat_map(|m| &m.notes) {
                assert!(note.onset >= 0.0 && note.duration >= 0.0 && f64::from(note.offset()) <= MAX_SECONDS + 1.0);
                assert!((0.0..=140.0).contains(&note.pitch));
            }
            for melody in &melodies {
                assert!(!melody.notes.is_empty() && melody.notes.is_sorted_by(|a, b| a.onset <= b.onset));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.remedy().is_empty()),
    }
}

#[test]
fn the_seeds_are_music() {
    for (format, bytes) in FORMATS {
        parse(format, bytes).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for (format, _) in FORMATS {
            check(format, &bytes);
        }
        check(Format::Midi, &[b"MThd\0\0\0\x06\0\x01\0\x01", &bytes[..]].concat());
        check(Format::Midi, &[&MIDI[..41], &bytes[..]].concat());
        check(Format::MusicXml, &[b"PK\x03\x04", &bytes[..]].concat());
        check(Format::JsonLines, &[b"\x1f\x8b\x08\0", &bytes[..]].concat());
    }

    #[test]
    fn random_notation(text in "[A-Ga-gz0-9/,'^_=|:<>()\\[\\]{}&!\"+~ .%\n-]{0,200}") {
        check(Format::Abc, format!("X:1\nK:C\n{text}").as_bytes());
        check(Format::Kern, format!("**kern\n{text}").as_bytes());
    }

    #[test]
    fn mutated_files(which in 0..8usize, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..12)) {
        let (format, seed) = FORMATS[which];
        let mut bytes = seed.to_vec();
        for (at, byte, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => { let tail = bytes[at..].to_vec(); bytes.extend(tail); }
            }
        }
        check(format, &bytes);
    }
}

/// Small files that stand for much: each is refused with what was too much.
#[test]
fn what_is_too_long_is_refused() {
    let refused = |format, bytes: &[u8]| assert!(matches!(parse(format, bytes), Err(SymbolicError::TooLarge { .. })));
    refused(Format::Abc, &[&b"X:1\nK:C\n"[..], b"CZ9999C\n"].concat());
    refused(Format::Abc, "X:1\nK:C\nCZ9999C\n\n".repeat(4000).as_bytes());
    refused(Format::Abc, "X:1\nP:((((A9)9)9)9)9\nK:C\nP:A\n|::::::::CDEFGABc::::::::|\n\n".repeat(500).as_bytes());
    refused(Format::JsonLines, "{\"notes\":[[0,1,60],[42000,1,60]]}\n".repeat(1000).as_bytes());
    refused(Format::JsonLines, "{\"notes\":[[0,1,60],[200,1,60]]}\n".repeat(1000).as_bytes());
    refused(Format::UltraStar, b"#TITLE:a\n#BPM:10\n: 0 1 0 a\n: 99999 1 0 a\n");
    refused(Format::NoteList, b"0 1 60\n99999 99999.5 60\n");
    let bars =
        "<measure number=\"1\"><barline><repeat direction=\"backward\" times=\"1000000\"/></barline></measure>".repeat(1000);
    let part = format!("<score-partwise><part id=\"P\">{bars}</part></score-partwise>");
    assert!(parse(Format::MusicXml, part.as_bytes()).is_err());
}

/// Files made to take long or much memory: each ends at once. Sizes are such that squared time would be minutes.
#[test]
fn hostile_files_end_soon() {
    let n = 300_000;
    let begun = std::time::Instant::now();
    let attributes: String = (0..n).map(|i| format!(" a{i}=''")).collect();
    let namespaces: String = (0..n / 4).map(|i| format!("<a xmlns:a{i}='u{i}'>")).collect();
    for xml in [format!("<x{attributes}/>"), namespaces, "<a>".repeat(n), "<part id='a'/>".repeat(n)] {
        check(Format::MusicXml, format!("<score-partwise>{xml}").as_bytes());
    }
    let parts: String = (0..n).map(|i| format!("<part id='{i}'><measure/></part>")).collect();
    check(Format::MusicXml, format!("<score-partwise>{parts}</score-partwise>").as_bytes());
    check(Format::MusicXml, "PK\x03\x04PK\x05\x06".repeat(n).as_bytes());
    for music in ["[K:", "[", "{", "!", "\"", "|:C", ":|", "[1C:|", "(9:1:9999", "C-", "C>", "V:a\n", "[V:1]C", "C\n\n", "Z9999"]
    {
        check(Format::Abc, format!("X:1\nK:C\n{}", music.repeat(n)).as_bytes());
    }
    let header = "Q:1/4=100\n".repeat(n / 10);
    check(Format::Abc, format!("{header}\n{}", "X:1\nK:C\nC\n\n".repeat(n / 10)).as_bytes());
    check(Format::Kern, format!("**kern{}", "\t**kern".repeat(n)).as_bytes());
    check(Format::Kern, format!("**kern\n{}", "*+\n*\t*-\n".repeat(n)).as_bytes());
    check(Format::Kern, format!("**kern\n{}", "4c\n".repeat(n)).as_bytes());
    check(Format::JsonLines, "\n".repeat(n).as_bytes());
    check(Format::JsonLines, "{\"notes\":[[0,1,60]]}\n".repeat(n).as_bytes());
    check(Format::JsonLines, "[".repeat(n).as_bytes());
    let body = [0x00, 0x90, 60, 1, 0x00, 61, 1].repeat(n);
    let length = (body.len() as u32).to_be_bytes();
    check(Format::Midi, &[b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk", &length[..], &body].concat());
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}
