//! The edit list of MP4 files (ISO/IEC 14496-12, 8.6.6): where in the decoded track the music begins. What lies before is the
//! encoder's delay, some 45 ms with AAC; symphonia reads the list but does not follow it.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// Boxes looked at on one level; sound files have some dozens, damaged ones may claim anything.
const MAX_BOXES: usize = 4096;

/// No encoder is later than this, seconds: a longer cut is an edit by a person, and what it hides may be music.
const MAX_DELAY: f64 = 1.0;

/// Seconds at the beginning of a track that its edit list leaves out; 0 where there is none, or none that makes sense.
pub(super) fn delay(mut file: impl Read + Seek, track: u32) -> f64 {
    let found = seconds(&mut file, track).filter(|delay| (0.0..=MAX_DELAY).contains(delay));
    found.unwrap_or(0.0)
}

fn seconds(file: &mut (impl Read + Seek), track: u32) -> Option<f64> {
    let end = file.seek(SeekFrom::End(0)).ok()?;
    let moov = child(file, 0..end, b"moov")?;
    let trak = children(file, moov).into_iter().filter(|(name, _)| name == b"trak").find_map(|(_, trak)| {
        let header = child(file, trak.clone(), b"tkhd")?;
        // Times are 4 bytes wide in version 0 of a box, 8 in version 1.
        let wide = version(file, &header)? == 1;
        (number(file, header.start + if wide { 20 } else { 12 }, 4)? == u64::from(track)).then_some(trak)
    })?;
    let mdia = child(file, trak.clone(), b"mdia")?;
    let header = child(file, mdia, b"mdhd")?;
    let wide = version(file, &header)? == 1;
    let ticks_per_second = number(file, header.start + if wide { 20 } else { 12 }, 4)?;

    let edts = child(file, trak, b"edts")?;
    let list = child(file, edts, b"elst")?;
    let wide = version(file, &list)? == 1;
    let width: u8 = if wide { 8 } else { 4 };
    let (entries, size) = (number(file, list.start + 4, 4)?, u64::from(width) * 2 + 4);
    (0..entries.min(16)).find_map(|entry| {
        let ticks = number(file, list.start + 8 + entry * size + u64::from(width), width)?;
        // An empty edit, -1, delays the track: no sample is left out.
        let empty = if wide { u64::MAX } else { u64::from(u32::MAX) };
        (ticks != empty && ticks_per_second > 0).then(|| ticks as f64 / ticks_per_second as f64)
    })
}

/// The payload of the first box of that name.
fn child(file: &mut (impl Read + Seek), within: Range<u64>, name: &[u8; 4]) -> Option<Range<u64>> {
    children(file, within).into_iter().find(|(found, _)| found == name).map(|(_, payload)| payload)
}

/// Names and payloads of the boxes in a stretch of the file.
fn children(file: &mut (impl Read + Seek), within: Range<u64>) -> Vec<([u8; 4], Range<u64>)> {
    let mut boxes = Vec::new();
    let mut at = within.start;
    while boxes.len() < MAX_BOXES && at + 8 <= within.end {
        let (Some(size), Some(name)) = (number(file, at, 4), number(file, at + 4, 4)) else { break };
        let (size, header) = match size {
            0 => (within.end - at, 8),
            1 => (number(file, at + 8, 8).unwrap_or(0), 16),
            size => (size, 8),
        };
        let Some(end) = at.checked_add(size).filter(|&end| size >= header && end <= within.end) else { break };
        boxes.push(((name as u32).to_be_bytes(), at + header..end));
        at = end;
    }
    boxes
}

fn version(file: &mut (impl Read + Seek), payload: &Range<u64>) -> Option<u64> {
    number(file, payload.start, 1)
}

/// A big-endian number of `width` bytes, at most 8.
fn number(file: &mut (impl Read + Seek), at: u64, width: u8) -> Option<u64> {
    let mut bytes = [0; 8];
    let bytes = &mut bytes[..usize::from(width)];
    file.seek(SeekFrom::Start(at)).ok()?;
    file.read_exact(bytes).ok()?;
    Some(bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn mp4() -> Vec<u8> {
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/audio/tone.m4a")).unwrap()
    }

    #[test]
    fn the_encoder_tells_its_delay() {
        let delay = delay(Cursor::new(mp4()), 1);
        assert!((0.02..0.1).contains(&delay), "{delay}");
        assert_eq!(super::delay(Cursor::new(mp4()), 9), 0.0);
        assert_eq!(super::delay(Cursor::new(b"no boxes".to_vec()), 1), 0.0);
    }

    proptest! {
        #[test]
        fn damage_is_no_trouble(at in 0usize..7000, byte: u8, cut in 0usize..8000) {
            let mut bytes = mp4();
            bytes.truncate(cut);
            if let Some(b) = bytes.get_mut(at) {
                *b = byte;
            }
            let delay = delay(Cursor::new(bytes), 1);
            prop_assert!((0.0..=MAX_DELAY).contains(&delay));
        }
    }
}
