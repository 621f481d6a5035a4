//! The compressed form: a zip whose `META-INF/container.xml` names the score.

use super::{MAX_XML_BYTES, MUSICXML, SymbolicError, too_large};
use crate::symbolic::text;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Largest zip: its directory alone can take twenty times as much memory.
const MAX_ZIP_BYTES: usize = 16 << 20;

/// The score inside an .mxl file, of at most [`MAX_XML_BYTES`].
pub(super) fn score(bytes: &[u8]) -> Result<Vec<u8>, SymbolicError> {
    if bytes.len() > MAX_ZIP_BYTES {
        return Err(too_large("the zip"));
    }
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|e| SymbolicError::malformed(MUSICXML, "zip", e.to_string()))?;
    let name = match named_score(&mut archive)? {
        Some(name) => name,
        None => first_xml(&archive).ok_or_else(|| SymbolicError::malformed(MUSICXML, "zip", "there is no score inside"))?,
    };
    unpack(&mut archive, &name)
}

/// The first `<rootfile>` of the container, `None` if there is no container.
fn named_score(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Option<String>, SymbolicError> {
    const CONTAINER: &str = "META-INF/container.xml";
    if archive.index_for_name(CONTAINER).is_none() {
        return Ok(None);
    }
    let xml = text::decode(&unpack(archive, CONTAINER)?);
    let document = super::parse_xml(&xml)?;
    let rootfile = document.descendants().find(|n| n.has_tag_name("rootfile"));
    Ok(rootfile.and_then(|n| n.attribute("full-path")).map(str::to_string))
}

fn first_xml(archive: &ZipArchive<Cursor<&[u8]>>) -> Option<String> {
    let names = archive.file_names().filter_map(Result::ok).map(|n| n.to_string());
    names.filter(|n| !n.starts_with("META-INF/")).find(|n| n.ends_with(".xml") || n.ends_with(".musicxml"))
}

fn unpack(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, SymbolicError> {
    let malformed = |e: String| SymbolicError::malformed(MUSICXML, format!("{name:?} in the zip"), e);
    let file = archive.by_name(name).map_err(|e| malformed(e.to_string()))?;
    // The size in the zip's directory may lie: count what really comes out.
    let mut content = Vec::new();
    file.take(MAX_XML_BYTES + 1).read_to_end(&mut content).map_err(|e| malformed(e.to_string()))?;
    if content.len() as u64 > MAX_XML_BYTES {
        return Err(too_large(&format!("{name:?} in the zip")));
    }
    Ok(content)
}
