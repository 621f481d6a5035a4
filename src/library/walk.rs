//! Which files of a folder are music.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::FileError;

/// Extensions of recordings. What is inside decides in the end: a file of another format under one of these names just works.
const AUDIO: [&str; 40] = [
    "3ga", "3gp", "aac", "adts", "aif", "aifc", "aiff", "alac", "amr", "au", "bwf", "caf", "f4a", "flac", "m4a", "m4b", "m4r",
    "mka", "mkv", "mov", "mp1", "mp2", "mp3", "mp4", "mpa", "mpga", "oga", "ogg", "ogv", "opus", "rf64", "rifx", "snd", "spx",
    "w64", "wav", "wave", "weba", "webm", "wv",
];

/// Folders that lie deeper below the one that was named are not looked into: no library goes that deep, and paths become too long.
pub const DEEPEST: usize = 128;

/// The files below `root` that are music by their extension, in the order of their names, canonical (absolute, links resolved).
///
/// A `root` that is a file is taken whatever its name. Hidden files and folders are left out; links are followed, and each folder is
/// visited once, however many links lead to it. What cannot be read, lies deeper than [`DEEPEST`], or is called like music and is no
/// file, is an error in the sequence, which then goes on.
pub fn files(root: &Path) -> Walk {
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    Walk { root: root.to_path_buf(), walk, visited: HashSet::new(), skipped: BTreeMap::new() }
}

/// The sequence of [`files`].
pub struct Walk {
    root: PathBuf,
    walk: walkdir::IntoIter,
    visited: HashSet<FolderId>,
    skipped: BTreeMap<String, usize>,
}

impl Walk {
    /// Files that were passed by so far because they are no music by their name, hidden ones left out: how many by extension, in lower
    /// case, with the dot; those without extension under `""`.
    pub fn skipped(&self) -> &BTreeMap<String, usize> {
        &self.skipped
    }

    fn visit(&mut self, entry: &DirEntry) -> Option<Result<PathBuf, FileError>> {
        let path = entry.path();
        if entry.depth() > 0 && is_hidden(entry) {
            if entry.file_type().is_dir() {
                self.walk.skip_current_dir();
            }
            return None;
        }
        if entry.file_type().is_dir() {
            // Links can lead to the same folders in exponentially many ways.
            if !folder_id(entry).is_some_and(|id| self.visited.insert(id)) {
                self.walk.skip_current_dir();
                return None;
            }
            if entry.depth() > DEEPEST {
                self.walk.skip_current_dir();
                let reason = format!("it lies more than {DEEPEST} folders deep, and is not looked into");
                return Some(Err(FileError::new(path, std::io::Error::other(reason))));
            }
            return None;
        }
        if entry.depth() > 0 {
            if !entry.file_type().is_file() {
                let reason = || std::io::Error::other("it is called like music, but is no file");
                return (is_audio(path) || crate::symbolic::is_symbolic(path)).then(|| Err(FileError::new(path, reason())));
            }
            if !is_music(path) {
                let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy().to_lowercase()));
                *self.skipped.entry(extension.unwrap_or_default()).or_default() += 1;
                return None;
            }
        }
        Some(path.canonicalize().map_err(|e| FileError::new(path, e)))
    }
}

impl Iterator for Walk {
    type Item = Result<PathBuf, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = match self.walk.next()? {
                Ok(entry) => self.visit(&entry),
                Err(error) if error.loop_ancestor().is_some() => None,
                Err(error) => {
                    let path = error.path().unwrap_or(&self.root).to_path_buf();
                    // A link that leads nowhere and is no music by its name does not matter.
                    let matters = error.depth() == 0 || is_music(&path) || path.is_dir() || !path.is_symlink();
                    let reason = error.into_io_error().unwrap_or_else(|| std::io::Error::other("it cannot be read"));
                    matters.then(|| Err(FileError::new(&path, reason)))
                }
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

/// Whether qbh reads a file: by its extension a recording or symbolic music, or a pitch track by its beginning too, because
/// text files may be anything.
pub fn is_music(path: &Path) -> bool {
    is_audio(path) || crate::symbolic::is_symbolic(path) || crate::pitchfile::holds_pitch(path)
}

/// Whether a file's extension is that of a recording.
pub fn is_audio(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| AUDIO.contains(&e.to_ascii_lowercase().as_str()))
}

/// Tells a folder from all others, by whatever path it is reached.
#[cfg(unix)]
type FolderId = (u64, u64);
#[cfg(not(unix))]
type FolderId = PathBuf;

#[cfg(unix)]
fn folder_id(entry: &DirEntry) -> Option<FolderId> {
    use std::os::unix::fs::MetadataExt;
    entry.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn folder_id(entry: &DirEntry) -> Option<FolderId> {
    entry.path().canonicalize().ok()
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(root: &Path, found: &[Result<PathBuf, FileError>]) -> Vec<String> {
        let root = root.canonicalize().unwrap();
        found.iter().flatten().map(|path| path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned()).collect()
    }

    fn make(root: &Path, paths: &[&str]) {
        for path in paths {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
    }

    #[test]
    fn music_is_found_in_order() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &["b/2.FLAC", "b/10.mid", "a.mp3", "b/cover.jpg", "c/notes.txt", ".hidden/x.mp3", "b/.x.mp3", "z.opus"]);
        fs::write(dir.path().join("c/pitch.txt"), "0.00 220.0\n0.01 221.0\n0.02 220.0\n").unwrap();
        let found: Vec<_> = files(dir.path()).collect();
        assert_eq!(names(dir.path(), &found), ["a.mp3", "b/10.mid", "b/2.FLAC", "c/pitch.txt", "z.opus"]);
        assert!(found.iter().flatten().all(|path| path.is_absolute()));
    }

    #[test]
    fn a_file_is_taken_whatever_its_name() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &[".song"]);
        assert_eq!(files(&dir.path().join(".song")).filter(Result::is_ok).count(), 1);
    }

    #[test]
    fn what_is_missing_is_an_error() {
        let found: Vec<_> = files(Path::new("/absent/folder")).collect();
        let [Err(error)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(error.path(), Path::new("/absent/folder"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_circles() {
        use std::os::unix::fs::symlink;
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        make(dir.path(), &["a/1.mp3"]);
        make(other.path(), &["2.mp3"]);
        symlink(dir.path(), dir.path().join("a/loop")).unwrap();
        symlink(other.path(), dir.path().join("b")).unwrap();
        symlink(dir.path().join("nowhere"), dir.path().join("dangling.jpg")).unwrap();
        symlink(dir.path().join("nowhere"), dir.path().join("dangling.mp3")).unwrap();
        let found: Vec<_> = files(dir.path()).collect();
        let real = other.path().canonicalize().unwrap().join("2.mp3");
        assert_eq!(names(dir.path(), &found), ["a/1.mp3", real.to_str().unwrap()]);
        let errors: Vec<_> = found.iter().filter_map(|f| f.as_ref().err()).collect();
        assert!(matches!(&errors[..], [e] if e.path().ends_with("dangling.mp3")), "{errors:?}");
    }

    #[cfg(unix)]
    #[test]
    fn folders_that_fan_out_through_links_are_visited_once() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &["20/song.mp3"]);
        // Two links a level: 2^20 ways down to the song.
        for level in 0..20 {
            let folder = dir.path().join(level.to_string());
            fs::create_dir_all(&folder).unwrap();
            for link in ["a", "b"] {
                symlink(dir.path().join((level + 1).to_string()), folder.join(link)).unwrap();
            }
        }
        assert_eq!(files(dir.path()).filter(Result::is_ok).count(), 1);
    }

    #[test]
    fn folders_too_deep_are_said_and_passed_by() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &["song.mp3"]);
        let at_depth = |depth: usize| (0..depth).fold(dir.path().to_path_buf(), |path, _| path.join("d"));
        fs::create_dir_all(at_depth(DEEPEST + 40)).unwrap();
        for depth in [DEEPEST, DEEPEST + 1, DEEPEST + 40] {
            fs::write(at_depth(depth).join(format!("{depth}.mp3")), "x").unwrap();
        }
        let found: Vec<_> = files(dir.path()).collect();
        let known: Vec<_> = found.iter().flatten().filter_map(|path| path.file_name()?.to_str()).collect();
        assert_eq!(known, [format!("{DEEPEST}.mp3").as_str(), "song.mp3"]);
        let errors: Vec<_> = found.iter().filter_map(|f| f.as_ref().err()).collect();
        let [error] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!(error.path(), at_depth(DEEPEST + 1));
        assert!(error.to_string().contains("128 folders deep"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_passed_by_is_counted_and_what_is_no_file_is_said() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &["a.mp3", "b.wma", "c.WMA", "cover.jpg", "README", ".hidden"]);
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("endless.wav")).unwrap();
        let mut walk = files(dir.path());
        let found: Vec<_> = walk.by_ref().collect();
        let errors: Vec<String> = found.iter().filter_map(|f| f.as_ref().err().map(ToString::to_string)).collect();
        assert!(matches!(&errors[..], [e] if e.contains("endless.wav") && e.contains("no file")), "{errors:?}");
        let skipped: Vec<_> = walk.skipped().iter().map(|(e, n)| (e.as_str(), *n)).collect();
        assert_eq!(skipped, [("", 1), (".jpg", 1), (".wma", 2)]);
    }

    #[cfg(unix)]
    #[test]
    fn an_unreadable_folder_is_reported_and_passed_by() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), &["a/1.mp3", "b/2.mp3"]);
        let locked = dir.path().join("a");
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        let readable_all_the_same = fs::read_dir(&locked).is_ok(); // root may read everything
        let found: Vec<_> = files(dir.path()).collect();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
        if !readable_all_the_same {
            assert_eq!(names(dir.path(), &found), ["b/2.mp3"]);
            assert!(found.iter().any(|f| f.as_ref().is_err_and(|e| e.path().ends_with("a"))));
        }
    }
}
