//! Whether something in a folder has changed.

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

/// Wakes when files in `paths` change, until it is dropped; what happens in the folder `index` is our own doing.
///
/// # Errors
/// A sentence, when the system watches no more.
pub fn watch(paths: &[PathBuf], index: &Path, wake: SyncSender<()>) -> Result<RecommendedWatcher, String> {
    let index = index.canonicalize().unwrap_or_else(|_| index.to_path_buf());
    let changed = move |event: notify::Result<Event>| {
        let ours = |event: &Event| !event.paths.is_empty() && event.paths.iter().all(|path| path.starts_with(&index));
        // An error may have hidden a change.
        if event.as_ref().map_or(true, |event| tells_of_change(event.kind) && !ours(event)) {
            let _ = wake.try_send(());
        }
    };
    let sentence =
        |error: notify::Error| format!("{error}; raise fs.inotify.max_user_watches, or have POST /v1/scan look for new files");
    let mut watcher = notify::recommended_watcher(changed).map_err(sentence)?;
    for path in paths {
        watcher.watch(path, RecursiveMode::Recursive).map_err(sentence)?;
    }
    Ok(watcher)
}

/// Looking at files is no change, and neither is their beginning to be written: their end is.
fn tells_of_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}
