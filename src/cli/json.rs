//! What all JSON output shares (docs/json.md).

use anyhow::Result;
use serde::Serialize;
use std::io::Write;

/// Writes one value as one line.
pub fn write_line(json: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    // As an I/O error, so that a reader who has left is recognised.
    serde_json::to_writer(&mut *out, json).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
