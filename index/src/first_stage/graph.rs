//! Building, storing and loading the HNSW graph.
//!
//! hnsw_rs aborts, exits or answers nonsense when its files are damaged, so it never sees a file whose checksum was not
//! verified just before. A graph is always built anew: one that is loaded and added to gets worse.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use hnsw_rs::prelude::{AnnT, Hnsw as Graph, HnswIo};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64, xxh3_128};

use super::distance::{Int8Cosine, point};
use super::hnsw::{Extra, Hnsw};
use crate::derived::Derived;
use crate::error::{Error, Result, io};
use crate::snapshot::SnapshotFile;
use crate::store::Stamp;
use crate::{Snapshot, folder, space};

/// hnsw_rs appends `.hnsw.data` and `.hnsw.graph`.
const BASE_NAME: &str = "windows";
const NOTE_NAME: &str = "note";
/// Raised when the points, the distance or the version of hnsw_rs change.
const VERSION: u32 = 1;

/// Links per point and layer. With 24 (and shuffled insertion) every point stays reachable in nearly every build.
const LINKS: usize = 24;
const EF_CONSTRUCTION: usize = 100;
/// The only number of layers with which hnsw_rs can store a graph.
const LAYERS: usize = 16;
/// Bytes that the links of a point take on the disk, generously.
const LINK_BYTES: usize = 1500;
/// Points inserted one by one before threads insert side by side; threads that begin with an empty graph lose points.
const FIRST_ALONE: usize = 256;
/// Points inserted between two calls of `progress`.
const CHUNK: usize = 2048;

/// What is stored beside the two files of hnsw_rs.
#[derive(Serialize, Deserialize)]
struct GraphNote {
    version: u32,
    identity: u64,
    generation: u64,
    /// Points in the graph; without any, hnsw_rs has no files.
    points: u64,
    files: [FileSum; 2],
    extra: Extra,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct FileSum {
    bytes: u64,
    checksum: u64,
}

impl GraphNote {
    fn stamp(&self) -> Stamp {
        Stamp { identity: self.identity, generation: self.generation }
    }
}

fn file_names() -> [String; 2] {
    [format!("{BASE_NAME}.hnsw.data"), format!("{BASE_NAME}.hnsw.graph")]
}

impl Hnsw {
    /// The graph of `snapshot`, if its index has one that is whole and was built from just these vectors. Loading it takes seconds
    /// per 100 000 vectors.
    pub fn open(snapshot: &Snapshot) -> Option<Hnsw> {
        load(&folder::graph(snapshot.dir()), snapshot)
            .inspect_err(|state| tracing::debug!(%state, "the HNSW graph cannot be used"))
            .ok()
    }

    /// Builds the graph of all vectors of `snapshot`, and stores it for [`Hnsw::open`] where there is room and leave to write;
    /// `progress` gets the vectors done and in all. Takes milliseconds of CPU per vector.
    ///
    /// # Errors
    /// [`Error::Graph`] if there are too many vectors.
    pub fn build(snapshot: &Snapshot, progress: impl FnMut(usize, usize)) -> Result<Hnsw> {
        let hnsw = build(snapshot, progress)?;
        let folder = folder::graph(snapshot.dir());
        let bytes = snapshot.vectors() * (snapshot.dimension() + LINK_BYTES);
        let stored = space::ask_for(snapshot.dir(), crate::error::RESERVE + bytes as u64).and_then(|()| store(&folder, &hnsw));
        if let Err(error) = stored {
            tracing::warn!(%error, "the HNSW graph is not kept for the next time");
        }
        Ok(hnsw)
    }
}

fn build(snapshot: &Snapshot, mut progress: impl FnMut(usize, usize)) -> Result<Hnsw> {
    if snapshot.vectors() >= u32::MAX as usize {
        return Err(Error::Graph(format!("{} vectors are too many", snapshot.vectors())));
    }
    let (windows, duplicates) = distinct(snapshot.opened());
    snapshot.opened().unchanged()?;
    let mut extra = Extra { duplicates, unreachable: Vec::new() };
    if windows.is_empty() {
        // An empty graph could be neither searched through nor stored.
        return Ok(Hnsw { snapshot: snapshot.clone(), graph: None, extra });
    }
    let mut graph = Graph::new(LINKS, windows.len(), LAYERS, EF_CONSTRUCTION, Int8Cosine);
    let insert = |window: &GraphWindow| graph.insert((&point_of(snapshot.opened(), window), window.number as usize));
    let (alone, rest) = windows.split_at(FIRST_ALONE.min(windows.len()));
    alone.iter().for_each(insert);
    let mut done = alone.len();
    progress(done, windows.len());
    for chunk in rest.chunks(CHUNK) {
        chunk.par_iter().for_each(insert);
        done += chunk.len();
        progress(done, windows.len());
    }
    snapshot.opened().unchanged()?;
    graph.set_searching_mode(true);
    extra.unreachable = unreachable(&graph);
    if !extra.unreachable.is_empty() {
        tracing::debug!(points = extra.unreachable.len(), "points that no path leads to are kept aside");
    }
    Ok(Hnsw { snapshot: snapshot.clone(), graph: Some(graph), extra })
}

fn point_of(scan: &SnapshotFile, window: &GraphWindow) -> Vec<i8> {
    let mut vector = vec![0i8; scan.dimension()];
    scan.vector(window.level, window.row, &mut vector);
    point(&vector)
}

/// Where a window is.
struct GraphWindow {
    number: u32,
    level: usize,
    row: u32,
}

/// Windows in random order, without those that equal an earlier one; and these, as [`Extra`] has them.
///
/// Random, because windows of one song that are inserted one after the other leave points unreachable; the order of a hash of
/// the number is as good as a shuffle, and the same every time.
fn distinct(scan: &SnapshotFile) -> (Vec<GraphWindow>, Vec<(u32, u32)>) {
    let mut seen: HashMap<u128, u32> = HashMap::new();
    let (mut windows, mut duplicates) = (Vec::new(), Vec::new());
    let mut vector = vec![0i8; scan.dimension()];
    let mut bytes = vec![0u8; scan.dimension()];
    let mut number = 0;
    for level in 0..scan.levels() {
        for row in 0..scan.rows(level) {
            scan.vector(level, row, &mut vector);
            bytes.iter_mut().zip(&vector).for_each(|(to, &from)| *to = from as u8);
            match seen.entry(xxh3_128(&bytes)) {
                std::collections::hash_map::Entry::Occupied(earlier) => duplicates.push((*earlier.get(), number)),
                std::collections::hash_map::Entry::Vacant(new) => {
                    new.insert(number);
                    windows.push(GraphWindow { number, level, row });
                }
            }
            number += 1;
        }
    }
    windows.sort_by_cached_key(|window| xxh3_64(&window.number.to_le_bytes()));
    duplicates.sort_unstable();
    (windows, duplicates)
}

/// Numbers of the points to which no path leads from the top of the graph, ascending.
fn unreachable(graph: &Graph<'static, i8, Int8Cosine>) -> Vec<u32> {
    let mut links: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut highest = (0u8, None);
    for point in graph.get_point_indexation() {
        let number = point.get_origin_id();
        let layer = point.get_point_id().0;
        if highest.1.is_none() || layer > highest.0 {
            highest = (layer, Some(number));
        }
        // A search ends in layer 0; the layers above only choose where it begins there.
        let ground = point.get_neighborhood_id().into_iter().next().unwrap_or_default();
        links.insert(number, ground.iter().map(|n| n.d_id).collect());
    }
    let mut reached: HashSet<usize> = highest.1.into_iter().collect();
    let mut next: Vec<usize> = reached.iter().copied().collect();
    while let Some(number) = next.pop() {
        for &neighbour in links.get(&number).into_iter().flatten() {
            if reached.insert(neighbour) {
                next.push(neighbour);
            }
        }
    }
    let mut missing: Vec<u32> = links.keys().filter(|number| !reached.contains(number)).map(|&number| number as u32).collect();
    missing.sort_unstable();
    missing
}

/// Writes the graph beside `folder` and renames it to `folder`. A crash in between leaves no graph, or the old one.
fn store(folder: &Path, hnsw: &Hnsw) -> Result<()> {
    // Readers build graphs too, and two may do so at once.
    let temporary = folder.with_extension(format!("{}.new", std::process::id()));
    remove_folder(&temporary)?;
    std::fs::create_dir_all(&temporary).map_err(io(&temporary))?;
    let mut files = [FileSum::default(), FileSum::default()];
    if let Some(graph) = &hnsw.graph {
        guarded("written", || graph.file_dump(&temporary, BASE_NAME))?;
        for (sum, name) in files.iter_mut().zip(file_names()) {
            let path = temporary.join(name);
            *sum = checksum(&path).map_err(io(&path))?;
        }
    }
    let Stamp { identity, generation } = hnsw.snapshot.opened().vectors_stamp();
    let note =
        GraphNote { version: VERSION, identity, generation, points: hnsw.points() as u64, files, extra: hnsw.extra.clone() };
    let mut bytes = postcard::to_stdvec(&note).map_err(|e| Error::Graph(e.to_string()))?;
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    let path = temporary.join(NOTE_NAME);
    std::fs::write(&path, bytes).map_err(io(&path))?;
    remove_folder(folder)?;
    std::fs::rename(&temporary, folder).map_err(io(folder))
}

fn remove_folder(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(folder)(error)),
        _ => Ok(()),
    }
}

/// Loads the graph if it is whole and was built from the vectors of `snapshot`.
fn load(folder: &Path, snapshot: &Snapshot) -> std::result::Result<Hnsw, Derived> {
    let note = read(folder, snapshot.opened().vectors_stamp())?;
    if note.points == 0 {
        return Ok(Hnsw { snapshot: snapshot.clone(), graph: None, extra: note.extra });
    }
    // hnsw_rs ties a graph to its loader. The loader is a path and some flags (the vectors are not mapped), and a process loads
    // few graphs, so that it may live for ever.
    let loader: &'static mut HnswIo = Box::leak(Box::new(HnswIo::new(folder, BASE_NAME)));
    let mut graph =
        guarded("loaded", || loader.load_hnsw::<i8, Int8Cosine>()).map_err(|error| Derived::Damaged(error.to_string()))?;
    graph.set_searching_mode(true);
    if graph.get_nb_point() as u64 != note.points {
        return Err(Derived::Damaged(format!("it has {} points instead of {}", graph.get_nb_point(), note.points)));
    }
    Ok(Hnsw { snapshot: snapshot.clone(), graph: Some(graph), extra: note.extra })
}

/// State of the graph in `folder`; reads all of it.
pub(crate) fn check(folder: &Path, stamp: Stamp) -> Derived {
    read(folder, stamp).err().unwrap_or(Derived::Current)
}

/// Reads the note and compares the checksums of all files.
fn read(folder: &Path, stamp: Stamp) -> std::result::Result<GraphNote, Derived> {
    let damaged = |reason: String| Derived::Damaged(reason);
    if !folder.exists() {
        return Err(Derived::Missing);
    }
    let bytes = std::fs::read(folder.join(NOTE_NAME)).map_err(|e| damaged(format!("{NOTE_NAME}: {e}")))?;
    let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(|| damaged(format!("{NOTE_NAME} is cut short")))?;
    if xxh3_64(body) != u64::from_le_bytes(*sum) {
        return Err(damaged(format!("{NOTE_NAME} has another checksum")));
    }
    // A note of another version that cannot even be read is no damage.
    let note: GraphNote = postcard::from_bytes(body).map_err(|_| Derived::Stale)?;
    if note.version != VERSION || note.stamp() != stamp {
        return Err(Derived::Stale);
    }
    if note.points > 0 {
        for (sum, name) in note.files.iter().zip(file_names()) {
            let actual = checksum(&folder.join(&name)).map_err(|e| damaged(format!("{name}: {e}")))?;
            if actual != *sum {
                return Err(damaged(format!("{name} has another checksum")));
            }
        }
    }
    Ok(note)
}

fn checksum(path: &Path) -> std::io::Result<FileSum> {
    let mut hasher = Xxh3Default::new();
    let bytes = std::io::copy(&mut std::io::BufReader::with_capacity(1 << 18, File::open(path)?), &mut hasher)?;
    Ok(FileSum { bytes, checksum: hasher.digest() })
}

/// hnsw_rs panics where it cannot read or write; here that is an error like any other.
fn guarded<T, E: std::fmt::Display>(done: &str, run: impl FnOnce() -> std::result::Result<T, E>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::Graph(format!("it could not be {done}: {error}"))),
        Err(_) => Err(Error::Graph(format!("it could not be {done}"))),
    }
}
