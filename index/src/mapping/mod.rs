//! A part of a file, memory-mapped, that may be cut or fail under the map.
//!
//! Touching mapped bytes that another program has cut off, or that a failing disk no longer gives, ends a process with SIGBUS. Here
//! they read as zeros instead, and [`Mapping::is_whole`] says afterwards that what was read is worth nothing. Where systems refuse to
//! cut a file that is mapped (Windows), there is nothing to catch.
//!
//! This folder and the kernels hold all unsafe code of the crate.

#[cfg(unix)]
mod sigbus;

use std::fs::File;
use std::ops::Range;

use memmap2::{Mmap, MmapOptions};

/// A mapped part of a file.
pub(crate) struct Mapping {
    // Dropped before the map: what is watched is there.
    #[cfg(unix)]
    watch: sigbus::Watch,
    map: Mmap,
}

impl Mapping {
    /// Maps a range of bytes, which must not be empty, of a file that is as long.
    pub(crate) fn new(file: &File, bytes: Range<usize>) -> std::io::Result<Mapping> {
        let options = MmapOptions::new().offset(bytes.start as u64).len(bytes.len()).to_owned();
        // SAFETY: this crate never changes or cuts such a file in place, it renames another one over it. If another program does,
        // bytes may change while they are read, which are only ever multiplied and added; those that are gone are caught below.
        let map = unsafe { options.map(file)? };
        Ok(Mapping {
            #[cfg(unix)]
            watch: sigbus::Watch::new(map.as_ptr().addr()..map.as_ptr().addr() + map.len())?,
            map,
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Whether all bytes that were read so far are the file's.
    pub(crate) fn is_whole(&self) -> bool {
        #[cfg(unix)]
        return self.watch.is_whole();
        #[cfg(not(unix))]
        return true;
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    const LENGTH: usize = 1 << 20;
    const CHILD: &str = "QBH_INDEX_SIGBUS_CHILD";

    fn file() -> File {
        let file = tempfile::tempfile().unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[7; LENGTH], 0).unwrap();
        file
    }

    fn sum(mapping: &Mapping) -> usize {
        mapping.bytes().iter().map(|&byte| usize::from(byte)).sum()
    }

    #[test]
    fn what_is_cut_off_reads_as_zeros_in_every_thread() {
        let (cut, other) = (file(), file());
        let (mapping, whole) = (Mapping::new(&cut, 64..LENGTH).unwrap(), Mapping::new(&other, 0..LENGTH).unwrap());
        assert!(sum(&mapping) == 7 * (LENGTH - 64) && mapping.is_whole());
        cut.set_len(1 << 16).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(sum(&mapping), 7 * ((1 << 16) - 64)));
            }
        });
        assert!(!mapping.is_whole());
        assert!(sum(&whole) == 7 * LENGTH && whole.is_whole());
        drop(mapping);
        // The place in the list is used again.
        let again = Mapping::new(&other, 0..LENGTH).unwrap();
        assert!(again.is_whole() && sum(&again) == 7 * LENGTH);
    }

    #[test]
    fn child_touches_what_is_not_watched() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        let (watched, other) = (file(), file());
        let _mapping = Mapping::new(&watched, 0..LENGTH).unwrap();
        // SAFETY: that it is cut under the map is what is tested.
        let map = unsafe { Mmap::map(&other).unwrap() };
        other.set_len(0).unwrap();
        println!("{}", map[LENGTH / 2]);
    }

    #[test]
    fn sigbus_elsewhere_ends_the_process_as_ever() {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "mapping::tests::child_touches_what_is_not_watched", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert_eq!(child.status.signal(), Some(libc::SIGBUS), "{child:?}");
    }
}
