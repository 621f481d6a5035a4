//! What lies where in the folder of an index.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Result, io};

/// The database.
pub(crate) fn store(dir: &Path) -> PathBuf {
    dir.join("sled")
}

/// The snapshot that readers open.
pub(crate) fn snapshot(dir: &Path) -> PathBuf {
    dir.join("snapshot.qbh")
}

/// The changes since the snapshot.
pub(crate) fn journal(dir: &Path) -> PathBuf {
    dir.join("journal.qbh")
}

/// The HNSW graph.
pub(crate) fn graph(dir: &Path) -> PathBuf {
    dir.join("graph")
}

/// Whether there is an index in the folder, or what is left of one.
pub(crate) fn holds_index(dir: &Path) -> bool {
    let parts = [store(dir), snapshot(dir), journal(dir), dir.join("sled.old"), dir.join("sled.new")];
    parts.iter().any(|part| part.symlink_metadata().is_ok())
}

/// Makes the folder of an index, so that it survives a loss of power.
pub(crate) fn create(dir: &Path) -> Result<()> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    std::fs::create_dir_all(dir).map_err(io(dir))?;
    missing.into_iter().rev().try_for_each(sync)
}

/// Makes the name of a file that was just renamed survive a loss of power: its folder is written too.
pub(crate) fn sync(file: &Path) -> Result<()> {
    // Folders cannot be opened on every system; those on which they cannot write names at once.
    let folder = file.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    if let Some(Ok(folder)) = folder.map(File::open) {
        folder.sync_all().map_err(io(file))?;
    }
    Ok(())
}

/// Size of all files in a folder and below; what cannot be read counts nothing.
pub(crate) fn bytes(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(m) if m.is_dir() => bytes(&entry.path()),
            Ok(m) => m.len(),
            Err(_) => 0,
        })
        .sum()
}
