//! What an index was made with.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A model as far as the index needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelId {
    /// Name by which the model is opened.
    pub name: String,
    /// Equal fingerprints, equal output.
    pub fingerprint: String,
}

/// One length of song window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Length in contour steps (100 ms).
    pub steps: u16,
    /// Windows that begin within one length: the hop is `steps / windows_per_length`.
    pub windows_per_length: u16,
}

/// Everything that must be equal for vectors to be comparable: models, dimension, windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The melody extractor.
    pub extractor: ModelId,
    /// The embedder.
    pub embedder: ModelId,
    /// Length of a vector; a multiple of 4.
    pub dimension: u32,
    /// Window lengths, ascending.
    pub levels: Vec<Level>,
}

impl Fingerprint {
    /// Largest dimension taken: far above any embedder, and dot products of int8 stay far inside an i32.
    const MAX_DIMENSION: u32 = 8192;

    /// Refuses what could not be stored or scanned.
    pub(crate) fn validate(&self) -> Result<()> {
        let refuse = |reason: &str| Err(Error::InvalidFingerprint(reason.to_string()));
        if self.dimension == 0 || !self.dimension.is_multiple_of(4) || self.dimension > Self::MAX_DIMENSION {
            return refuse(&format!("dimension {} is not a multiple of 4 up to {}", self.dimension, Self::MAX_DIMENSION));
        }
        if self.levels.is_empty() || self.levels.len() > 64 {
            return refuse("there must be 1 to 64 window lengths");
        }
        if !self.levels.is_sorted_by(|a, b| a.steps < b.steps) || self.levels[0].steps == 0 {
            return refuse("window lengths must be positive and ascending");
        }
        if self.levels.iter().any(|l| l.windows_per_length == 0) {
            return refuse("a window length needs at least one window");
        }
        Ok(())
    }

    /// Refuses with [`Error::OtherModels`] unless `wanted` is the same as this, which the index in `dir` was made with.
    pub(crate) fn check(&self, wanted: &Fingerprint, dir: &std::path::Path) -> Result<()> {
        match self.difference(wanted) {
            None => Ok(()),
            Some(difference) => Err(Error::OtherModels { dir: dir.to_path_buf(), difference }),
        }
    }

    /// Says in words how `wanted` differs from this one; `None` if it does not.
    fn difference(&self, wanted: &Fingerprint) -> Option<String> {
        let mut parts = Vec::new();
        for (what, a, b) in [("extractor", &self.extractor, &wanted.extractor), ("embedder", &self.embedder, &wanted.embedder)] {
            if a != b {
                parts.push(format!("{what} {} [{}], now {} [{}]", a.name, a.fingerprint, b.name, b.fingerprint));
            }
        }
        if self.dimension != wanted.dimension {
            parts.push(format!("dimension {}, now {}", self.dimension, wanted.dimension));
        }
        if self.levels != wanted.levels {
            parts.push(format!("windows {}, now {}", describe(&self.levels), describe(&wanted.levels)));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

fn describe(levels: &[Level]) -> String {
    let parts: Vec<String> =
        levels.iter().map(|l| format!("{} s / {}", f32::from(l.steps) / 10.0, l.windows_per_length)).collect();
    parts.join(" + ")
}
