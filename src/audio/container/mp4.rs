//! MP4 files cut short: their sound is counted in full, and found to end early.

use super::bytes::{ReadSeek, big, exact, length};
use super::splice::Piece;

/// Boxes looked at.
const MAX_BOXES: usize = 4096;

/// The whole of an MP4 file whose last box is cut off by the end of the file; `None` for any other.
pub(super) fn find(file: &mut dyn ReadSeek) -> Option<Vec<Piece>> {
    let end = length(file)?;
    if &exact::<4>(file, 4)? != b"ftyp" {
        return None;
    }
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        let size = match big(file, at, 4)? {
            0 => return None,
            1 => big(file, at + 8, 8)?,
            size => size,
        };
        let next = at.checked_add(size).filter(|_| size >= 8)?;
        if next > end {
            return Some(vec![Piece::File { start: 0, len: end }, Piece::Missing { len: next - end }]);
        }
        at = next;
    }
    None
}
