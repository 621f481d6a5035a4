//! The ID3v2 tags at the beginning of a file.

use super::bytes::{ReadSeek, exact, some};
use crate::audio::tags::Texts;
use crate::audio::tags::id3::size;

const MAX_TAG: u64 = 16 << 20;
/// Tags that may follow one another.
const MAX_TAGS: usize = 16;

/// Where they end (0 if there are none), and what they say.
pub(super) fn find(file: &mut dyn ReadSeek) -> (u64, Texts) {
    let (mut at, mut texts) = (0, Texts::default());
    for _ in 0..MAX_TAGS {
        let Some(size) = exact::<10>(file, at).and_then(|header| size(&header)) else { break };
        if let Some(tag) = some(file, at, size.min(MAX_TAG)) {
            texts.id3(&tag);
        }
        at += size;
    }
    (at, texts)
}
