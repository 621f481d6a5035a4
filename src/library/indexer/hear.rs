//! From a file to songs in the index: recognise it by its sound, or listen, cut into windows, embed, store.

use super::plan::{Failure, Pending};
use super::recognise::{Fate, Register};
use super::stages::StageTimes;
use crate::library::listen::{self, Piece};
use crate::library::sound;
use crate::library::{ListenError, embed_song};
use qbh_index::{Index, NewSong};
use qbh_models::contour::CONTOUR_STEP;
use qbh_models::embedder::Embedder;
use qbh_models::extractor::Extractor;
use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Models of one thread.
pub(super) struct Worker {
    extractor: Box<dyn Extractor>,
    embedder: Box<dyn Embedder>,
}

/// What came of one file.
pub(super) struct Done {
    /// Songs stored.
    pub songs: usize,
    /// Seconds of music in them.
    pub seconds: f64,
    /// What became of it, or why nothing was stored.
    pub fate: Result<Fate, Failure>,
    pub stages: StageTimes,
}

/// Why a file is not in the index, and what to do about it.
struct Reason {
    reason: String,
    remedy: String,
}

impl Worker {
    pub(super) fn new(extractor: Box<dyn Extractor>, embedder: Box<dyn Embedder>) -> Self {
        Worker { extractor, embedder }
    }

    /// Recognises a file, or listens to it, and stores what it holds, or that it failed. Only the index itself can be an error.
    pub(super) fn process(&mut self, index: &Index, register: &Register, file: &Pending) -> Result<Done, qbh_index::Error> {
        let mut stages = StageTimes::default();
        let start = Instant::now();
        // One strange file must not end a run over a hundred thousand.
        let identified = catch_unwind(|| sound::identify(&file.path)).ok().flatten();
        stages.decode += start.elapsed();
        if let Some(identified) = &identified
            && let Some(fate) = register.recognise(index, file, identified)?
        {
            return Ok(Done { songs: 0, seconds: 0.0, fate: Ok(fate), stages });
        }
        let heard =
            catch_unwind(AssertUnwindSafe(|| self.songs(file, &mut stages))).unwrap_or_else(|panic| Err(stumbled(&*panic)));
        let start = Instant::now();
        let sound = identified.map(|identified| identified.sound);
        let known = index.file(&file.identity.path)?.is_some();
        let fate = if known { Fate::Changed } else { Fate::New };
        let mut done = Done { songs: 0, seconds: 0.0, fate: Ok(fate), stages };
        let refusal = match heard {
            Ok(songs) => {
                done.songs = songs.len();
                done.seconds = songs.iter().filter_map(|song| song.tags.duration).sum();
                match index.put_heard(&file.identity, sound, songs) {
                    Ok(_) => None,
                    Err(qbh_index::Error::InvalidSong { reason, .. }) => Some(Reason {
                        reason: format!("cannot be stored: {reason}"),
                        remedy: "please report it as a bug, with the file".into(),
                    }),
                    Err(error) => return Err(error),
                }
            }
            Err(refusal) => Some(refusal),
        };
        match (refusal, sound) {
            (Some(Reason { reason, remedy }), _) => {
                index.put_failure(&file.identity, reason.as_str(), remedy.as_str())?;
                done.fate = Err(Failure { path: file.identity.path.clone(), reason, remedy, known: false });
            }
            (None, Some(sound)) => register.add(sound, &file.identity.path),
            (None, None) => {}
        }
        done.stages.store += start.elapsed();
        Ok(done)
    }

    fn songs(&mut self, file: &Pending, stages: &mut StageTimes) -> Result<Vec<NewSong>, Reason> {
        let heard = listen::listen(&file.path, &*self.extractor)
            .map_err(|error| Reason { reason: error.to_string(), remedy: error.remedy().to_owned() })?;
        stages.decode += heard.decode;
        stages.extract += heard.extract;

        let start = Instant::now();
        let seconds = heard.pieces.iter().map(|piece| piece.contour.duration()).fold(0.0, f64::max);
        let mut keys = Keys::new(&file.identity.path);
        let mut songs = Vec::with_capacity(heard.pieces.len());
        for piece in heard.pieces {
            let key = keys.of(&piece);
            let levels = embed_song(&piece.contour.pitch, &*self.embedder).map_err(|error| Reason {
                reason: format!("could not be embedded: {error}"),
                remedy: "please report it as a bug, with the file".into(),
            })?;
            if !levels.is_empty() {
                let mut tags = piece.tags;
                tags.duration.get_or_insert(piece.contour.duration());
                songs.push(NewSong { key, tags, contour: piece.contour.pitch, levels });
            }
        }
        stages.embed += start.elapsed();
        if songs.is_empty() {
            let shortest = self.embedder.windowing().song_steps.iter().copied().min().unwrap_or_default();
            if seconds < f64::from(shortest) * CONTOUR_STEP {
                let error = ListenError::TooShort { seconds };
                return Err(Reason { reason: error.to_string(), remedy: error.remedy().to_owned() });
            }
            return Err(Reason {
                reason: "no melody was heard in it".into(),
                remedy: "nothing to do if it is silent or holds no tune; else try --extractor ssl".into(),
            });
        }
        Ok(songs)
    }
}

/// Gives the pieces of a file their keys: the path, or `path#member` where a file holds several.
struct Keys<'a> {
    path: &'a str,
    seen: HashMap<String, usize>,
}

impl<'a> Keys<'a> {
    fn new(path: &'a str) -> Self {
        Keys { path, seen: HashMap::new() }
    }

    /// Members of equal name (tune books do that) are numbered.
    fn of(&mut self, piece: &Piece) -> String {
        let key = match &piece.member {
            Some(member) => format!("{}#{member}", self.path),
            None => self.path.to_owned(),
        };
        let seen = self.seen.entry(key.clone()).or_insert(0);
        *seen += 1;
        if *seen == 1 { key } else { format!("{key}~{seen}") }
    }
}

/// A panic, as a reason.
fn stumbled(panic: &(dyn Any + Send)) -> Reason {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    Reason {
        reason: format!("qbh stumbled over it: {}", text.unwrap_or_else(|| "no reason given".into())),
        remedy: "please report it as a bug, with the file".into(),
    }
}
