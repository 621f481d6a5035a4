//! Which songs of a library are the same recording, or the same tune.

use std::collections::HashMap;

use qbh_index::{Snapshot, SongId, Sound};
use qbh_models::Contour;
use rayon::prelude::*;

use super::fold::same_recording;
use super::{SearchError, SearchOptions, Searcher};

/// Steps of 100 ms of a song that are searched for like a hum, to find its tune in other songs.
const EXCERPT: usize = 300;

/// Groups of songs that are the same recording: equal sound, or contours that agree step by step. Groups of two and more, the ids in
/// each ascending, ordered by their first.
///
/// # Errors
/// What the index reports.
pub fn recordings(snapshot: &Snapshot) -> Result<Vec<Vec<SongId>>, qbh_index::Error> {
    let mut groups = Groups::new(snapshot.len());
    let mut by_sound: HashMap<Sound, Vec<SongId>> = HashMap::new();
    for file in snapshot.files() {
        let file = file?;
        if let (Some(sound), qbh_index::Outcome::Indexed { songs }) = (file.sound, file.outcome) {
            // Of a tune book that is there twice, the first tunes belong together, and so on.
            let known = by_sound.entry(sound).or_insert_with(|| songs.clone());
            for (one, other) in known.iter().zip(&songs) {
                groups.join_ids(snapshot, *one, *other);
            }
        }
    }
    let contours: Vec<Vec<f32>> =
        (0..snapshot.len() as u32).into_par_iter().map(|song| snapshot.contour(song)).collect::<Result<_, _>>()?;
    let mut by_length: Vec<usize> = (0..contours.len()).collect();
    by_length.sort_by_key(|&song| contours[song].len());
    let pairs: Vec<(usize, usize)> = (0..by_length.len())
        .into_par_iter()
        .flat_map_iter(|at| {
            let (one, contours) = (by_length[at], &contours);
            let near =
                by_length[at + 1..].iter().copied().take_while(move |&other| contours[other].len() <= contours[one].len() + 30);
            near.filter(move |&other| same_recording(&contours[one], &contours[other])).map(move |other| (one, other))
        })
        .collect();
    pairs.into_iter().for_each(|(one, other)| groups.join(one, other));
    Ok(groups.of_ids(snapshot))
}

/// Groups of songs with the same tune: an excerpt of each is searched for, and songs that are found with confidence belong together;
/// `progress` is called after each. Takes about as long as a query for every song.
///
/// # Errors
/// What the search reports.
pub fn tunes(searcher: &Searcher, mut progress: impl FnMut()) -> Result<Vec<Vec<SongId>>, SearchError> {
    let snapshot = searcher.snapshot();
    let mut groups = Groups::new(snapshot.len());
    let options = SearchOptions::default();
    for song in 0..snapshot.len() as u32 {
        let contour = snapshot.contour(song)?;
        let own: Vec<SongId> = snapshot.song_id(song).into_iter().collect();
        match searcher.vote(&Contour::from_steps(excerpt(&contour).to_vec()), &options) {
            Ok(voted) => {
                let answer = searcher.answer(&voted, &options, &own)?;
                if let Some(best) = answer.matches.first().filter(|_| answer.confident) {
                    for other in [&best.song].into_iter().chain(&best.copies) {
                        own.iter().for_each(|&own| groups.join_ids(snapshot, own, other.id));
                    }
                }
            }
            // Too little melody to tell.
            Err(SearchError::NoVoice | SearchError::TooShort { .. }) => {}
            Err(error) => return Err(error),
        }
        progress();
    }
    Ok(groups.of_ids(snapshot))
}

/// The part of a contour with the most melody.
fn excerpt(contour: &[f32]) -> &[f32] {
    let voiced = |part: &&[f32]| part.iter().filter(|&&pitch| pitch > 0.0).count();
    let starts = (0..=contour.len().saturating_sub(EXCERPT)).step_by(EXCERPT / 6);
    let parts = starts.map(|start| &contour[start..contour.len().min(start + EXCERPT)]);
    parts.max_by_key(voiced).unwrap_or(contour)
}

/// Sets that are joined: each song leads to one that stands for its group.
struct Groups {
    leads_to: Vec<usize>,
}

impl Groups {
    fn new(songs: usize) -> Self {
        Groups { leads_to: (0..songs).collect() }
    }

    fn root(&mut self, mut song: usize) -> usize {
        while self.leads_to[song] != song {
            self.leads_to[song] = self.leads_to[self.leads_to[song]];
            song = self.leads_to[song];
        }
        song
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.leads_to[one.max(other)] = one.min(other);
    }

    fn join_ids(&mut self, snapshot: &Snapshot, one: SongId, other: SongId) {
        if let (Some(one), Some(other)) = (snapshot.ordinal(one), snapshot.ordinal(other)) {
            self.join(one as usize, other as usize);
        }
    }

    /// The groups of two and more.
    fn of_ids(mut self, snapshot: &Snapshot) -> Vec<Vec<SongId>> {
        let mut groups: HashMap<usize, Vec<SongId>> = HashMap::new();
        for song in 0..self.leads_to.len() {
            let root = self.root(song);
            groups.entry(root).or_default().extend(snapshot.song_id(song as u32));
        }
        let mut groups: Vec<Vec<SongId>> = groups.into_values().filter(|group| group.len() > 1).collect();
        groups.sort();
        groups
    }
}
