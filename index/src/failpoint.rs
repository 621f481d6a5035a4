//! Points at which tests let a write fail, as on a full disk, or end the process, as kill -9 does.

use std::io;

/// A point called `name`: passes, unless a test says otherwise.
#[cfg_attr(not(test), expect(unused_variables, clippy::unnecessary_wraps))]
pub(crate) fn point(name: &'static str) -> io::Result<()> {
    #[cfg(test)]
    fail::fail_point!(name, |_| Err(io::ErrorKind::StorageFull.into()));
    Ok(())
}
