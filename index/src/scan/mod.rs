//! The scan file: all vectors in the order in which a search reads them, memory-mapped.
//!
//! ```text
//! header   magic, version, stamp, sizes, checksums (64-byte aligned, like every section)
//! tables   song ids [u64; songs]; for each level row offsets [u32; songs + 1], scales [f32; rows], positions [u16; rows]
//! vectors  for each level: blocks of 16 rows; in a block, for every 4 dimensions, 16 x 4 bytes (int8 + 128)
//! ```
//! A level's rows are its windows sorted by song ordinal, then position. Blocks of 16 by 4 are what one AVX-512 VNNI
//! instruction multiplies, without horizontal sums. Nothing in the file is an offset: all places follow from the sizes, which
//! the header's checksum protects. The tables are checked at every opening (they are small), the vectors by `verify`: a wrong
//! byte there gives a wrong score, never a crash.

mod file;
mod layout;
mod write;

pub(crate) use file::ScanFile;
pub(crate) use layout::BLOCK_ROWS;
pub(crate) use write::write;

/// Name of the scan file in the index folder.
pub(crate) const FILE_NAME: &str = "scan.qbh";

/// Adds 128: int8 as an unsigned byte, as `dpbusd` wants one of its factors.
pub(crate) fn bias(x: u8) -> u8 {
    x ^ 0x80
}
