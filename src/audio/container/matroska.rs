//! The title of Matroska and WebM files: it stands in the segment's information (RFC 9559, 5.1.2), where symphonia does not look.

use super::bytes::{ReadSeek, big, some};
use crate::audio::tags::Texts;

/// Elements looked at.
const MAX_ELEMENTS: usize = 1000;

const EBML: u64 = 0x1a45_dfa3;
const SEGMENT: u64 = 0x1853_8067;
const INFORMATION: u64 = 0x1549_a966;
const TITLE: u64 = 0x7ba9;
/// Where the sound begins.
const CLUSTER: u64 = 0x1f43_b675;

/// What a file says about itself (nothing, if it is of another kind), and whether it does not say where it ends.
pub(super) fn find(file: &mut dyn ReadSeek) -> (Texts, bool) {
    let (mut texts, mut endless) = (Texts::default(), false);
    if big(file, 0, 4) != Some(EBML) {
        return (texts, endless);
    }
    let mut at = 0;
    for _ in 0..MAX_ELEMENTS {
        let Some((id, size, body)) = element(file, at) else { break };
        match id {
            // What is in these is looked at.
            SEGMENT | INFORMATION => {
                // A size of ones only stands for "not known".
                endless |= id == SEGMENT && (size + 1).is_power_of_two();
                at = body;
                continue;
            }
            TITLE => {
                if let Some(title) = some(file, body, size.min(1024)) {
                    texts.title(&title);
                }
                break;
            }
            CLUSTER => break,
            _ => {}
        }
        let Some(next) = body.checked_add(size) else { break };
        at = next;
    }
    (texts, endless)
}

/// Name and size of an element, and where its content begins.
fn element(file: &mut dyn ReadSeek, at: u64) -> Option<(u64, u64, u64)> {
    // Both are as many bytes long as their first byte has zeros before its first one; names keep that one.
    let width = |first: u64| u8::try_from((first as u8).leading_zeros() + 1).ok().filter(|width| *width <= 8);
    let name_width = width(big(file, at, 1)?)?;
    let name = big(file, at, name_width)?;
    let place = at + u64::from(name_width);
    let size_width = width(big(file, place, 1)?)?;
    let size = big(file, place, size_width)? & ((1 << (7 * u32::from(size_width))) - 1);
    Some((name, size, place + u64::from(size_width)))
}
