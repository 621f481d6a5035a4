//! Readers of retrieval data sets: which queries there are, which songs answer them, and what is searched.

mod charts;
mod humtrans;
mod ioacas;
mod manifest;
mod mir_qbsh;
mod mtg_qbh;
mod simulated;

use std::path::{Path, PathBuf};

use qbh_models::Contour;

use crate::library::identity::path_text;

pub use charts::{charts, melodies};
pub use humtrans::humtrans;
pub use ioacas::ioacas;
pub use manifest::manifest;
pub use mir_qbsh::{mir_qbsh, mir_qbsh_variants};
pub use mtg_qbh::mtg_qbh;
pub use simulated::{HumPlan, SimulatedHum};

/// Queries, and the library in which they are searched.
#[derive(Debug, Clone, Default)]
pub struct DataSet {
    /// What is hummed.
    pub queries: Vec<Query>,
    /// Files and folders that hold the right songs.
    pub library: Vec<PathBuf>,
}

/// What is hummed.
#[derive(Debug, Clone)]
pub enum QuerySource {
    /// A file: audio, symbolic or pitch.
    File(PathBuf),
    /// A contour known already (such as a note transcription).
    Contour(Contour),
    /// A hum that is made when it is asked for.
    Simulated(SimulatedHum),
}

/// One query with its right answers. Songs go by the keys that the index gives them: see [`song_key`].
#[derive(Debug, Clone)]
pub struct Query {
    /// Name in reports.
    pub name: String,
    /// What is hummed.
    pub source: QuerySource,
    /// The right songs.
    pub songs: Vec<String>,
    /// Songs that do not count for this query: itself, where hums are searched among hums.
    pub without: Vec<String>,
    /// The song that is hummed: of several right ones, that which all its hums have.
    pub song: String,
    /// Who hums, where the set tells.
    pub singer: Option<String>,
}

impl Query {
    /// A query by nobody in particular; of several right songs the first is the one that is hummed.
    fn new(name: String, source: QuerySource, songs: Vec<String>) -> Self {
        let song = songs.first().cloned().unwrap_or_default();
        Query { name, source, songs, without: Vec::new(), song, singer: None }
    }

    fn of_file(name: String, path: PathBuf, songs: Vec<String>) -> Self {
        Query::new(name, QuerySource::File(path), songs)
    }
}

/// Why a data set could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row is not what the format asks for.
    #[error("{path}, line {line}: {reason}")]
    Row {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// No query is in it.
    #[error("{path} holds no query{hint}")]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// What to do.
        hint: String,
    },
    /// A file of the set cannot be parsed.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl DatasetError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> DatasetError {
        let path = path.to_path_buf();
        |source| DatasetError::Io { path, source }
    }

    fn row(path: &Path, line: usize, reason: impl Into<String>) -> DatasetError {
        DatasetError::Row { path: path.to_path_buf(), line, reason: reason.into() }
    }

    fn empty(path: &Path, hint: impl Into<String>) -> DatasetError {
        DatasetError::Empty { path: path.to_path_buf(), hint: hint.into() }
    }
}

/// The key of a song in the index: its file's path without symbolic links, and `#member` where a file holds several.
pub fn song_key(file: &Path, member: Option<&str>) -> Option<String> {
    let path = path_text(&file.canonicalize().ok()?);
    Some(member.map_or(path.clone(), |member| format!("{path}#{member}")))
}

/// The key of `id`, a path relative to one of `roots` or such a path, `#` and a member; `None` if no such file is there.
fn find_song(id: &str, roots: &[PathBuf]) -> Option<String> {
    let whole = roots.iter().find_map(|root| song_key(&root.join(id), None));
    whole.or_else(|| {
        let (file, member) = id.rsplit_once('#')?;
        roots.iter().find_map(|root| song_key(&root.join(file), Some(member)))
    })
}

/// The files below `folder` with one of the extensions (lower case), sorted.
fn files_with(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, DatasetError> {
    std::fs::read_dir(folder).map_err(DatasetError::io(folder))?;
    let is_one = |path: &PathBuf| {
        path.extension().is_some_and(|e| extensions.iter().any(|known| e.to_string_lossy().eq_ignore_ascii_case(known)))
    };
    let entries = walkdir::WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_map(Result::ok);
    Ok(entries.map(walkdir::DirEntry::into_path).filter(is_one).collect())
}

/// A path relative to `root`, as names in reports have it.
fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
