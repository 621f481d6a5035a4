//! The errors of this crate.

use std::path::PathBuf;

use crate::notes::json_lines::LinesError;

/// What can go wrong with models, their weights and their training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A weights file could not be read or written.
    #[error("cannot access weights {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A weights file is not what its architecture needs.
    #[error("weights {name} do not fit: {reason}")]
    Weights {
        /// File or shipped name.
        name: String,
        /// Which tensor or metadata is missing or of the wrong shape.
        reason: String,
    },
    /// No shipped model and no file has this name.
    #[error("no model is called {name:?}; there are {known}, or give the path of a .safetensors file")]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names that exist, comma separated.
        known: String,
    },
    /// An architecture was asked for by name, but no weights of it ship.
    #[error(
        "no weights of {architecture} come with qbh: train some (qbh train extractor --arch {architecture} --hours 8 --out DIR) or \
         import some (qbh models import FILE), and give their name or path"
    )]
    NoWeights {
        /// The architecture.
        architecture: String,
    },
    /// What was asked for is done by libtorch, which this build is without.
    #[error(
        "{what} needs libtorch, which this program was built without: run `make torch` in the folder of its source, and put qbh-torch beside qbh"
    )]
    NeedsTorch {
        /// What was asked for.
        what: String,
    },
    /// CUDA was asked for, and there is none.
    #[error("no CUDA device was found: build with LIBTORCH set to a libtorch with CUDA, or use --device cpu")]
    NoCuda,
    /// libtorch refused an operation.
    #[cfg(feature = "torch")]
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
    /// A file of melodies cannot be read, or a line of it is no melody.
    #[error("{}, {source}", path.display())]
    Melodies {
        /// The file.
        path: PathBuf,
        /// Which line, and why.
        source: LinesError,
    },
    /// Audio cannot be brought to the rate that a network needs.
    #[error("cannot resample from {from} to {to} Hz: {reason}")]
    Resample {
        /// The rate it has.
        from: u32,
        /// The rate wanted.
        to: u32,
        /// What the library says.
        reason: String,
    },
    /// Training or synthesis was asked for something impossible.
    #[error("{0}")]
    Training(String),
}
