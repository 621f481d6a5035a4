//! Tests that cannot be run here say so, whatever the test runner captures, and are counted at the end of `make test`.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Names the file that skipped tests are written down in.
const LIST: &str = "QBH_TEST_SKIPPED";

/// Says that the running test, or a part of it, is skipped.
pub fn skipped(reason: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED: {}: {reason}\n", thread.name().unwrap_or("a test"));
    // `eprint!` would be swallowed where the test passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(list) = std::env::var_os(LIST) {
        let mut list = std::fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}

/// A file or folder of the data that is handed around apart from the project, in `shared/data` beside it; `None`, said and counted, where it is not there.
#[allow(dead_code)] // not by every crate of tests that has this module
pub fn shared_data(path: &str) -> Option<PathBuf> {
    let beside = |folder: &Path| folder.join("shared/data").join(path);
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(beside).find(|path| path.exists());
    if found.is_none() {
        skipped(&format!("../shared/data/{path} is not there"));
    }
    found
}
