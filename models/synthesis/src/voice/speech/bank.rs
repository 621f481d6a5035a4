//! The speakers that there are.

use std::sync::Arc;

use super::speaker::Speaker;
use crate::random::Draw;

/// Share of sung voices that are made of speech, when there is any.
const SHARE: f32 = 0.6;

/// The speakers whose voices the studio can sing with.
#[derive(Debug, Clone, Default)]
pub struct SpeechBank(Vec<Arc<Speaker>>);

impl SpeechBank {
    /// A bank of these speakers; it may be empty.
    pub fn new(speakers: Vec<Speaker>) -> Self {
        SpeechBank(speakers.into_iter().map(Arc::new).collect())
    }

    /// Number of speakers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Seconds of speech held.
    pub fn seconds(&self) -> f32 {
        self.0.iter().map(|s| s.seconds()).sum()
    }

    /// A speaker for a singer, more often than not; never from an empty bank.
    pub(in crate::voice) fn choose(&self, draw: &mut Draw) -> Option<Arc<Speaker>> {
        (!self.is_empty() && draw.chance(SHARE)).then(|| Arc::clone(&self.0[draw.index(self.len())]))
    }
}
