//! Looking after an index: verifying, compacting, counting.

mod compact;
mod stats;
mod verify;

pub use compact::Compacted;
pub(crate) use compact::{finish as finish_compaction, pending as compaction_pending};
pub use stats::{DiskUse, Stats};
pub use verify::VerifyReport;
