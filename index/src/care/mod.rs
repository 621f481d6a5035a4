//! Looking after an index: verifying, compacting, counting.

mod compact;
mod stats;
mod verify;

pub use compact::Compacted;
pub use stats::{DiskUse, Stats};
pub use verify::{StoreCheck, VerifyReport, mend, verify};
