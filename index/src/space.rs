//! Room on the disk, asked for before anything is written.
//!
//! sled does not take a full disk well: a write that fails can make its next flush wait for ever, and an opening that fails
//! can leave a snapshot that no later opening accepts. So it never gets to see one.

use std::path::Path;

use crate::error::{Error, Result, full, io};
use crate::failpoint;

/// What sled needs to open: a snapshot of its page table and some buffers.
pub(crate) const TO_OPEN: u64 = 8 << 20;

/// Refuses with [`Error::DiskFull`] unless `needed` bytes are free where `path` is.
pub(crate) fn ask_for(path: &Path, needed: u64) -> Result<()> {
    failpoint::point("space").map_err(|_| full(path, needed))?;
    let free = match failpoint::number("space.free") {
        Some(free) => free,
        None => fs4::available_space(path).map_err(io(path))?,
    };
    if free < needed {
        return Err(Error::DiskFull { path: path.to_path_buf(), needed, free });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        ask_for(dir.path(), 0).unwrap();
        let message = ask_for(dir.path(), u64::MAX).unwrap_err().to_string();
        assert!(message.contains("MB are free") && message.contains("nothing stored so far is lost"), "{message}");
    }
}
