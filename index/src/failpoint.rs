//! Points at which tests let a write fail, as on a full disk, or end the process, as kill -9 does.

use std::io;

/// A point called `name`: passes, unless a test says otherwise.
#[cfg_attr(not(test), expect(unused_variables, clippy::unnecessary_wraps))]
pub(crate) fn point(name: &'static str) -> io::Result<()> {
    #[cfg(test)]
    fail::fail_point!(name, |_| Err(io::ErrorKind::StorageFull.into()));
    Ok(())
}

/// A number that a test puts in the place of a measured one.
#[cfg_attr(not(test), expect(unused_variables))]
pub(crate) fn number(name: &'static str) -> Option<u64> {
    #[cfg(test)]
    fail::fail_point!(name, |number| number.and_then(|number| number.parse().ok()));
    None
}
