//! The edit list of MP4 files (ISO/IEC 14496-12, 8.6.6): where in the decoded track the music begins and ends. What lies before is the
//! encoder's delay, some 45 ms with AAC, and what lies after it fills the last frame; symphonia reads the list but does not follow it.

use std::ops::Range;

use super::container::bytes::{ReadSeek, big, length};

/// Boxes looked at on one level; sound files have some dozens, damaged ones may claim anything.
const MAX_BOXES: usize = 4096;

/// No encoder is later than this, or fills up more, seconds: a longer cut is an edit by a person, and what it hides may be music.
const MAX_CUT: f64 = 1.0;

/// Seconds at the beginning of a track that its edit list leaves out, and seconds after that which it keeps; 0 and infinity where there is none, or
/// none that makes sense.
pub(super) fn edit(mut file: impl ReadSeek, track: u32) -> (f64, f64) {
    let edit = find(&mut file, track).filter(|edit| (0.0..=MAX_CUT).contains(&edit.delay));
    let Some(Edit { delay, kept, all }) = edit else { return (0.0, f64::INFINITY) };
    // The clock of a movie counts milliseconds.
    let is_padding = kept > 0.0 && (-0.01..=MAX_CUT).contains(&(all - delay - kept));
    (delay, if is_padding { kept } else { f64::INFINITY })
}

/// In seconds.
struct Edit {
    delay: f64,
    kept: f64,
    /// What the whole track has.
    all: f64,
}

fn find(file: &mut dyn ReadSeek, track: u32) -> Option<Edit> {
    let end = length(file)?;
    let moov = child(file, 0..end, b"moov")?;
    let movie = child(file, moov.clone(), b"mvhd")?;
    let (ticks_of_movie, _) = ticks_and_duration(file, &movie)?;
    let trak = children(file, moov).into_iter().filter(|(name, _)| name == b"trak").find_map(|(_, trak)| {
        let header = child(file, trak.clone(), b"tkhd")?;
        // Times are 4 bytes wide in version 0 of a box, 8 in version 1.
        let wide = version(file, &header)? == 1;
        (big(file, header.start + if wide { 20 } else { 12 }, 4)? == u64::from(track)).then_some(trak)
    })?;
    let mdia = child(file, trak.clone(), b"mdia")?;
    let header = child(file, mdia, b"mdhd")?;
    let (ticks_per_second, all) = ticks_and_duration(file, &header)?;

    let edts = child(file, trak, b"edts")?;
    let list = child(file, edts, b"elst")?;
    let wide = version(file, &list)? == 1;
    let width: u8 = if wide { 8 } else { 4 };
    let (entries, size) = (big(file, list.start + 4, 4)?, u64::from(width) * 2 + 4);
    let mut edits = (0..entries.min(16)).filter_map(|entry| {
        let at = list.start + 8 + entry * size;
        let (kept, begin) = (big(file, at, width)?, big(file, at + u64::from(width), width)?);
        // An empty edit, -1, delays the track: no sample is left out.
        let empty = if wide { u64::MAX } else { u64::from(u32::MAX) };
        (begin != empty).then_some((begin, kept))
    });
    let (begin, kept) = edits.next()?;
    // Of several edits the end is nobody's padding.
    let kept = if edits.next().is_some() { 0 } else { kept };
    let seconds = |ticks: u64, per_second: u64| ticks as f64 / per_second as f64;
    let known = ticks_per_second > 0 && ticks_of_movie > 0;
    known.then(|| Edit {
        delay: seconds(begin, ticks_per_second),
        kept: seconds(kept, ticks_of_movie),
        all: seconds(all, ticks_per_second),
    })
}

/// Ticks per second and duration in ticks, of the header of a movie or of a track's media.
fn ticks_and_duration(file: &mut dyn ReadSeek, header: &Range<u64>) -> Option<(u64, u64)> {
    let wide = version(file, header)? == 1;
    let at = header.start + if wide { 20 } else { 12 };
    Some((big(file, at, 4)?, big(file, at + 4, if wide { 8 } else { 4 })?))
}

/// The payload of the first box of that name.
fn child(file: &mut dyn ReadSeek, within: Range<u64>, name: &[u8; 4]) -> Option<Range<u64>> {
    children(file, within).into_iter().find(|(found, _)| found == name).map(|(_, payload)| payload)
}

/// Names and payloads of the boxes in a stretch of the file.
fn children(file: &mut dyn ReadSeek, within: Range<u64>) -> Vec<([u8; 4], Range<u64>)> {
    let mut boxes = Vec::new();
    let mut at = within.start;
    while boxes.len() < MAX_BOXES && at + 8 <= within.end {
        let (Some(size), Some(name)) = (big(file, at, 4), big(file, at + 4, 4)) else { break };
        let (size, header) = match size {
            0 => (within.end - at, 8),
            1 => (big(file, at + 8, 8).unwrap_or(0), 16),
            size => (size, 8),
        };
        let Some(end) = at.checked_add(size).filter(|&end| size >= header && end <= within.end) else { break };
        boxes.push(((name as u32).to_be_bytes(), at + header..end));
        at = end;
    }
    boxes
}

fn version(file: &mut dyn ReadSeek, payload: &Range<u64>) -> Option<u64> {
    big(file, payload.start, 1)
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
    fn the_encoder_tells_its_delay_and_padding() {
        let (delay, seconds) = edit(Cursor::new(mp4()), 1);
        assert!((0.02..0.1).contains(&delay) && (0.79..0.81).contains(&seconds), "{delay} {seconds}");
        assert_eq!(edit(Cursor::new(mp4()), 9), (0.0, f64::INFINITY));
        assert_eq!(edit(Cursor::new(b"no boxes".to_vec()), 1), (0.0, f64::INFINITY));
    }

    proptest! {
        #[test]
        fn damage_is_no_trouble(at in 0usize..7000, byte: u8, cut in 0usize..8000) {
            let mut bytes = mp4();
            bytes.truncate(cut);
            if let Some(b) = bytes.get_mut(at) {
                *b = byte;
            }
            let (delay, seconds) = edit(Cursor::new(bytes), 1);
            prop_assert!((0.0..=MAX_CUT).contains(&delay) && seconds > 0.0);
        }
    }
}
