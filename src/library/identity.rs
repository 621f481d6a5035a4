//! What tells whether a file has changed: its size and its time of modification.

use std::path::Path;
use std::time::UNIX_EPOCH;

use qbh_index::FileIdentity;

use super::FileError;

/// The file as it is now, symbolic links followed. Times before 1970 count as 1970.
pub fn of(path: &Path) -> Result<FileIdentity, FileError> {
    let metadata = path.metadata().map_err(|e| FileError::new(path, e))?;
    let modified = metadata.modified().map_err(|e| FileError::new(path, e))?;
    let modified_ns = modified.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX));
    Ok(FileIdentity { path: path_text(path), size: metadata.len(), modified_ns })
}

/// The text a path is known by. A path that is no UTF-8 keeps what is, and shows every other byte as `\xNN`,
/// so that two files never share a text by accident.
pub fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn size_and_time_tell_files_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mid");
        std::fs::write(&path, b"12345").unwrap();
        let file = std::fs::File::open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123)).unwrap();
        let identity = of(&path).unwrap();
        assert_eq!(identity, FileIdentity { path: path_text(&path), size: 5, modified_ns: 1_234_567_890_123 });
        file.set_modified(SystemTime::now()).unwrap();
        assert_ne!(of(&path).unwrap(), identity);
        file.set_modified(UNIX_EPOCH - Duration::from_secs(5)).unwrap();
        assert_eq!(of(&path).unwrap().modified_ns, 0);
    }

    #[test]
    fn what_is_gone_is_named() {
        let error = of(Path::new("/absent/song.mp3")).unwrap_err();
        assert_eq!(error.path(), Path::new("/absent/song.mp3"));
        assert!(error.to_string().starts_with("/absent/song.mp3: "), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn strange_bytes_are_shown() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/m/Ver\xe4nderung \xff.mp3"));
        assert_eq!(path_text(path), "/m/Ver\\xE4nderung \\xFF.mp3");
        assert_eq!(path_text(Path::new("/m/Veränderung.mp3")), "/m/Veränderung.mp3");
    }
}
