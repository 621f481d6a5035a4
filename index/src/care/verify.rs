//! Whether everything in an index fits together.

use std::collections::HashMap;

use crate::derived::Derived;
use crate::error::io;
use crate::first_stage::graph;
use crate::scan::ScanFile;
use crate::store::parse_vectors;
use crate::{Index, Outcome, Result, SongId};

/// What `verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Files looked at.
    pub files: usize,
    /// Songs looked at.
    pub songs: usize,
    /// What is wrong with the truth, one sentence each. Indexing the named files again mends it.
    pub problems: Vec<String>,
    /// State in which the scan file was found.
    pub scan: Derived,
    /// State in which the HNSW graph was found.
    pub graph: Derived,
}

impl VerifyReport {
    /// Whether nothing is lost or wrong. Something derived that is missing or out of date is neither.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty() && ![&self.scan, &self.graph].iter().any(|s| matches!(s, Derived::Damaged(_)))
    }
}

impl Index {
    /// Reads everything: each song has a record, a contour and vectors that agree; files and songs know each other; scan file
    /// and graph are as they were written. A damaged scan file or graph is deleted, so that it is built anew when it is needed.
    ///
    /// # Errors
    /// Only if the store cannot be read at all; what does not fit is in the report.
    pub fn verify(&self) -> Result<VerifyReport> {
        let mut problems = Vec::new();
        let mut listed: HashMap<SongId, String> = HashMap::new();
        let mut files = 0;
        for file in self.files() {
            files += 1;
            let file = match file {
                Ok(file) => file,
                Err(error) => {
                    problems.push(format!("a file's record: {error}"));
                    continue;
                }
            };
            let Outcome::Indexed { songs } = file.outcome else { continue };
            for id in songs {
                if let Some(other) = listed.insert(id, file.identity.path.clone()) {
                    problems.push(format!("song {id} is claimed by {} and {other}", file.identity.path));
                }
            }
        }
        let mut songs = 0;
        for song in self.songs() {
            songs += 1;
            match song {
                Ok(song) => {
                    if listed.remove(&song.id).as_deref() != Some(song.file.as_str()) {
                        problems.push(format!("song {} ({}) is not listed by its file {}", song.id, song.key, song.file));
                    }
                    if let Some(problem) = self.check_song(&song)? {
                        problems.push(format!("song {} ({}): {problem}", song.id, song.key));
                    }
                }
                Err(error) => problems.push(format!("a song's record: {error}")),
            }
        }
        for (id, file) in listed {
            problems.push(format!("song {id} of {file} is missing"));
        }
        for id in self.store().attached_ids() {
            let id = id?;
            if matches!(self.song(id), Ok(None)) {
                problems.push(format!("contour or vectors of song {id}, which does not exist"));
            }
        }
        let stamp = self.stamp()?;
        let scan = match ScanFile::open(&self.scan_path(), self.fingerprint(), stamp) {
            Ok(scan) => scan.check_vectors(),
            Err(state) => state,
        };
        if matches!(scan, Derived::Damaged(_)) {
            std::fs::remove_file(self.scan_path()).map_err(io(&self.scan_path()))?;
        }
        let graph = graph::check(&self.graph_path(), stamp);
        if matches!(graph, Derived::Damaged(_)) {
            std::fs::remove_dir_all(self.graph_path()).map_err(io(&self.graph_path()))?;
        }
        Ok(VerifyReport { files, songs, problems, scan, graph })
    }

    /// What is wrong with a song's contour or vectors.
    fn check_song(&self, song: &crate::Song) -> Result<Option<String>> {
        match self.contour(song.id) {
            Ok(Some(contour)) if contour.len() == song.steps as usize => {}
            Ok(Some(contour)) => return Ok(Some(format!("its contour has {} steps, not {}", contour.len(), song.steps))),
            Ok(None) => return Ok(Some("its contour is missing".to_string())),
            Err(error) => return Ok(Some(error.to_string())),
        }
        let Some(bytes) = self.store().vectors(song.id)? else { return Ok(Some("its vectors are missing".to_string())) };
        let Some(levels) = parse_vectors(self.fingerprint(), &bytes) else {
            return Ok(Some("its vectors are unreadable".to_string()));
        };
        if !levels.iter().map(|l| l.positions.len() as u32).eq(song.windows.iter().copied()) {
            return Ok(Some("it has another number of vectors than its record says".to_string()));
        }
        let finite = |scale: &[u8; 4]| f32::from_le_bytes(*scale).is_finite();
        let unreadable = levels.iter().find(|l| !l.scales.iter().all(finite));
        Ok(unreadable.map(|l| format!("a vector of {} steps is not finite", l.steps)))
    }
}
