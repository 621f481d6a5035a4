//! Which files are weights of somebody else's.

use std::path::Path;

/// Whether a file begins as HDF5 or as a zip, and so is for `import`.
///
/// # Errors
/// The file cannot be read.
pub fn is_foreign(path: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(std::fs::File::open(path)?, 8), &mut start)?;
    Ok(Format::of(&start).is_some())
}

/// How others save weights.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    /// Keras 2.
    Hdf5,
    /// PyTorch.
    Zip,
}

impl Format {
    /// That of a file that begins so.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'H', b'D', b'F', ..] => Some(Format::Hdf5),
            [b'P', b'K', 3, 4, ..] => Some(Format::Zip),
            _ => None,
        }
    }
}
