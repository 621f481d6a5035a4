//! The search itself: one hum through all stages.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::time::Instant;

use qbh_index::{FirstStage, Hnsw, Index, LevelWindows, PairScores, QueryWindow, Snapshot, SongId};
use qbh_models::contour::slowed_step;
use qbh_models::embedder::Embedder;
use qbh_models::reranker::{Pair, Reranker};
use qbh_models::{Contour, ModelError};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::align::{Aligner, EIGHTHS, Scratch};
use super::candidates::{Ballot, Candidate, Chance, chances, choose};
use super::hum::Hum;
use super::melody::Melody;
use super::passages::{Geometry, Passage, passages};
use super::place::place;
use super::rank::{Place, RERANKED, Ranked, rank, rerank};
use super::windows::{Cut, Window, hum_windows, song_windows};
use super::{Answer, Match, SearchError, SearchOptions, Stage, Timings, calibration, votes};

#[cfg(test)]
#[path = "fit.rs"]
mod fit;

/// Songs of which the passages that votes come from are aligned as well: the best by votes and alignment with all of the song.
const LOCATED: usize = 100;

/// Songs that the graph proposes for each one that is aligned.
const PROPOSED_PER_CANDIDATE: usize = 3;

/// A coarse search proposes one song in so many, but not fewer than these, or than are wanted.
const COARSE: (usize, usize) = (20, 1000);

/// Songs drawn at random that are scored beside those that were proposed, to know what votes come by chance.
const SAMPLE: usize = 256;

/// Embeds the windows of a song, as the index stores them; levels without windows are left out.
pub fn embed_song(contour: &[f32], embedder: &dyn Embedder) -> Result<Vec<LevelWindows>, ModelError> {
    let mut levels = song_windows(contour, embedder.windowing());
    levels.retain(|level| !level.windows.is_empty());
    let windows = levels.iter().flat_map(|level| &level.windows).map(|w| &contour[w.start..w.end]);
    let vectors = embedder.vectors(&windows.collect::<Vec<_>>())?;
    let mut rest = &vectors[..];
    let stored = levels.into_iter().map(|level| LevelWindows {
        steps: level.steps,
        positions: level.windows.iter().map(|w| w.position).collect(),
        vectors: rest.split_off(..level.windows.len() * embedder.dimension()).map_or(Vec::new(), <[f32]>::to_vec),
    });
    Ok(stored.collect())
}

/// The windows of a hum and what is compared of them, cut after cut: [`Embedder::dimension`] values each, from steps of 67 ms where the embedder
/// takes windows of any.
fn embed_hum(hum: &Contour, embedder: &dyn Embedder) -> Result<(Vec<Cut>, Vec<f32>), ModelError> {
    let cuts = hum_windows(&hum.pitch, embedder.windowing());
    let resampled = embedder.windowing().resampled;
    let steps = |w: &Window| match resampled {
        true => &hum.slowed[slowed_step(w.start)..slowed_step(w.end)],
        false => &hum.pitch[w.start..w.end],
    };
    let vectors = embedder.vectors(&cuts.iter().flat_map(|cut| &cut.windows).map(steps).collect::<Vec<_>>())?;
    Ok((cuts, vectors))
}

/// A candidate with the passages worth aligning.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub(super) candidate: Candidate,
    pub(super) passages: Vec<Passage>,
}

impl Proposal {
    /// All of the song.
    fn whole(candidate: Candidate) -> Proposal {
        Proposal { candidate, passages: vec![Passage::WHOLE] }
    }

    /// Where a ranked song was looked at.
    pub(super) fn again(ranked: &Ranked) -> Proposal {
        Proposal { candidate: ranked.candidate(), passages: ranked.places.iter().map(|place| place.passage).collect() }
    }
}

/// A hum and the votes of the songs for it.
#[derive(Debug, Clone)]
pub struct Voted {
    hum: Hum,
    cuts: Vec<Cut>,
    /// Of all windows, cut after cut.
    vectors: Vec<f32>,
    ballots: Vec<Ballot>,
    /// The songs that tell what votes come by chance, ascending; `None` when these are all.
    sample: Option<Vec<u32>>,
    timings: Timings,
}

/// Searches one index with one embedder.
pub struct Searcher<'a> {
    snapshot: Snapshot,
    index: &'a Index,
    embedder: Box<dyn Embedder>,
    reranker: Option<Reranker>,
    /// Loaded when first asked for.
    graph: OnceCell<Hnsw>,
}

impl<'a> Searcher<'a> {
    /// A searcher over `snapshot`, which belongs to `index`; `embedder` must be the one that the index was made with. Without a reranker,
    /// votes and alignment alone rank the songs.
    pub fn new(snapshot: Snapshot, index: &'a Index, embedder: Box<dyn Embedder>, reranker: Option<Reranker>) -> Self {
        Searcher { snapshot, index, embedder, reranker, graph: OnceCell::new() }
    }

    /// The songs that are most like `hum`. Silence around the hum does no harm; of a long hum the first 70 s count.
    ///
    /// # Errors
    /// [`SearchError::NoVoice`], [`SearchError::TooShort`], [`SearchError::EmptyIndex`]; what the index or the embedder report.
    pub fn search(&self, hum: &Contour, options: &SearchOptions) -> Result<Answer, SearchError> {
        self.answer(&self.vote(hum, options)?, options, &[])
    }

    /// The first half of [`Searcher::search`]: the votes of the songs for a hum.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub fn vote(&self, hum: &Contour, options: &SearchOptions) -> Result<Voted, SearchError> {
        if self.snapshot.is_empty() {
            return Err(SearchError::EmptyIndex);
        }
        let hum = Hum::new(hum)?;
        let begin = Instant::now();
        let (cuts, vectors) = embed_hum(hum.contour(), self.embedder.as_ref())?;
        let embedded = Instant::now();
        let queries = queries(&cuts, &vectors, self.embedder.dimension());
        let proposed = match options.stage.among(self.snapshot.len()) {
            Stage::Auto | Stage::Exact => None,
            Stage::Coarse => Some(self.coarse(&cuts, &queries, options.aligned())?),
            Stage::Hnsw => {
                let count = options.aligned().saturating_mul(PROPOSED_PER_CANDIDATE);
                Some(self.graph()?.candidates(&queries, count)?)
            }
        };
        let sample = proposed.is_some().then(|| self.sample());
        let songs = proposed.zip(sample.as_ref()).map(|(proposed, sample)| [&proposed, &sample[..]].concat());
        let ballots = self.ballots(&cuts, &queries, songs.as_deref())?;
        let timings = Timings { embed: embedded - begin, score: embedded.elapsed(), ..Timings::default() };
        Ok(Voted { hum, cuts, vectors, ballots, sample, timings })
    }

    /// The second half of [`Searcher::search`]: candidates, alignment, ranking, as if the songs of `without` were not in the library.
    ///
    /// # Errors
    /// What the index reports.
    pub fn answer(&self, voted: &Voted, options: &SearchOptions, without: &[SongId]) -> Result<Answer, SearchError> {
        let begin = Instant::now();
        let without: Vec<u32> = without.iter().filter_map(|&song| self.snapshot.ordinal(song)).collect();
        let (candidates, chances) = self.candidates(voted, options.aligned(), &without);
        let scored = Instant::now();

        let hum = &voted.hum;
        let ranked = self.reranked(hum, self.ranked(voted, &candidates, &chances)?)?;
        let confidences = calibration::confidences(&ranked, self.snapshot.len() - without.len(), options.limit);
        let mut matches = Vec::new();
        for (song, confidence) in ranked.iter().zip(confidences) {
            matches.extend(self.found(hum, song, confidence)?);
        }
        let timings = Timings { score: voted.timings.score + (scored - begin), align: scored.elapsed(), ..voted.timings };
        let confident = matches.first().is_some_and(|best| best.confidence >= calibration::CONFIDENT);
        let ids = |songs: &mut dyn Iterator<Item = u32>| songs.filter_map(|song| self.snapshot.song_id(song)).collect();
        Ok(Answer {
            matches,
            confident,
            timings,
            songs_searched: self.snapshot.len(),
            candidates: ids(&mut candidates.iter().map(|candidate| candidate.song)),
            ranking: ids(&mut ranked.iter().map(|r| r.song)),
        })
    }

    /// The songs that stand out by their votes, and what votes come by chance.
    pub(super) fn candidates(&self, voted: &Voted, count: usize, without: &[u32]) -> (Vec<Candidate>, Vec<Option<Chance>>) {
        let ballots: Vec<&Ballot> = voted.ballots.iter().filter(|ballot| !without.contains(&ballot.song)).collect();
        let chances = chances(&ballots, |song| voted.sample.as_ref().is_none_or(|sample| sample.binary_search(&song).is_ok()));
        (choose(&ballots, &chances, count), chances)
    }

    /// Aligns all of each candidate with the hum, then those passages of the best of them that their votes come from, and ranks them by votes
    /// and alignment. Where votes are misled, the hum may still align elsewhere.
    pub(super) fn ranked(
        &self,
        voted: &Voted,
        candidates: &[Candidate],
        chances: &[Option<Chance>],
    ) -> Result<Vec<Ranked>, SearchError> {
        let whole: Vec<Proposal> = candidates.iter().copied().map(Proposal::whole).collect();
        let mut ranked = rank(self.align(&voted.hum, &whole)?);
        let located = self.located(voted, &ranked[..ranked.len().min(LOCATED)], chances)?;
        for (best, (_, passages)) in ranked.iter_mut().zip(self.align(&voted.hum, &located)?) {
            best.places.extend(passages);
        }
        Ok(rank(ranked.into_iter().map(|song| (song.candidate(), song.places)).collect()))
    }

    /// Songs with the passages that their votes come from, in the order of `songs`.
    fn located(&self, voted: &Voted, songs: &[Ranked], chances: &[Option<Chance>]) -> Result<Vec<Proposal>, SearchError> {
        let geometry = Geometry {
            hum: voted.hum.contour().len(),
            lengths: voted.cuts.iter().map(|cut| cut.steps).collect(),
            levels: self.snapshot.levels(),
            windows_per_length: self.embedder.windowing().windows_per_length,
        };
        let mut ordinals: Vec<u32> = songs.iter().map(|ranked| ranked.song).collect();
        ordinals.sort_unstable();
        let queries = queries(&voted.cuts, &voted.vectors, self.embedder.dimension());
        let found = self.snapshot.score(&queries, Some(&ordinals), |_, pairs| passages(pairs, chances, &geometry))?;
        let mut found: HashMap<u32, Vec<Passage>> = found.into_iter().collect();
        let proposal = |ranked: &Ranked| Proposal {
            candidate: ranked.candidate(),
            passages: found.remove(&ranked.song).unwrap_or_default(),
        };
        Ok(songs.iter().map(proposal).collect())
    }

    /// Aligns another hum with the passages of some songs, and ranks these.
    pub(super) fn again(&self, hum: &Hum, songs: &[Proposal]) -> Result<Vec<Ranked>, SearchError> {
        Ok(rank(self.align(hum, songs)?))
    }

    /// Orders a ranking anew by what the reranker, if there is one, makes of its best songs.
    fn reranked(&self, hum: &Hum, mut ranked: Vec<Ranked>) -> Result<Vec<Ranked>, SearchError> {
        if let Some(reranker) = &self.reranker {
            let pairs = self.pairs(hum, &ranked[..ranked.len().min(RERANKED)])?;
            rerank(&mut ranked, &log_odds(reranker, pairs)?);
        }
        Ok(ranked)
    }

    /// The hum beside the places of each of the songs, along its alignment; `None` where that is nothing, or the same as at another place.
    pub(super) fn pairs(&self, hum: &Hum, ranked: &[Ranked]) -> Result<Vec<Vec<Option<Pair>>>, SearchError> {
        let (snapshot, index) = (&self.snapshot, self.index);
        let pairs = |ranked: &Ranked| {
            let Some(contour) = contour_of(snapshot, index, ranked.song)? else { return Ok(Vec::new()) };
            let pair = |place: &Place| {
                let (song, shift) = (part(&contour, place.passage), place.alignment.shift);
                let reading = hum.reading(place.passage.slowed);
                let path = Aligner::new(&reading.melody.class).path(&song.class, shift);
                let steps: Vec<(u32, u32)> = path.iter().map(|&(i, j)| (reading.melody.step[i], song.step[j])).collect();
                Pair::new(reading.steps, &contour, &steps, f32::from(shift) / EIGHTHS)
            };
            let mut pairs: Vec<Option<Pair>> = Vec::new();
            for pair in ranked.places.iter().map(pair) {
                pairs.push(pair.filter(|pair| !pairs.iter().flatten().any(|other| other == pair)));
            }
            Ok(pairs)
        };
        ranked.par_iter().map(pairs).collect()
    }

    /// The song at an ordinal of the snapshot; `None` if it was removed since the snapshot was made.
    pub(super) fn song_id(&self, song: u32) -> Option<SongId> {
        self.snapshot.song_id(song)
    }

    /// The votes of all songs, or of those listed.
    fn ballots(&self, cuts: &[Cut], queries: &[QueryWindow], songs: Option<&[u32]>) -> Result<Vec<Ballot>, SearchError> {
        let levels = self.snapshot.levels().len();
        let ballots = self.snapshot.score(queries, songs, |song, pairs| ballot(song, pairs, cuts, levels))?;
        Ok(ballots.into_iter().map(|(_, ballot)| ballot).collect())
    }

    /// The songs that stand out by the longest windows of the hum alone: these are few, and songs that they put far behind are put far behind
    /// by shorter ones too.
    fn coarse(&self, cuts: &[Cut], queries: &[QueryWindow], wanted: usize) -> Result<Vec<u32>, SearchError> {
        let Some(longest) = cuts.first() else { return Ok(Vec::new()) };
        let ballots = self.ballots(std::slice::from_ref(longest), &queries[..longest.windows.len()], None)?;
        let ballots: Vec<&Ballot> = ballots.iter().collect();
        let (one_in, least) = COARSE;
        let count = (self.snapshot.len() / one_in).max(least).max(wanted);
        Ok(choose(&ballots, &chances(&ballots, |_| true), count).into_iter().map(|candidate| candidate.song).collect())
    }

    /// The HNSW graph, built if the index has none.
    fn graph(&self) -> Result<&Hnsw, SearchError> {
        if let Some(graph) = self.graph.get() {
            return Ok(graph);
        }
        let graph = match self.index.open_graph(&self.snapshot)? {
            Some(graph) => graph,
            None => {
                tracing::info!(vectors = self.snapshot.vectors(), "building the HNSW graph");
                self.index.build_graph(&self.snapshot, |_, _| {})?
            }
        };
        Ok(self.graph.get_or_init(|| graph))
    }

    /// The same random songs for every hum, ascending.
    fn sample(&self) -> Vec<u32> {
        let songs = self.snapshot.len();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let drawn = rand::seq::index::sample(&mut rng, songs, SAMPLE.min(songs));
        let mut sample: Vec<u32> = drawn.into_iter().map(|song| song as u32).collect();
        sample.sort_unstable();
        sample
    }

    /// Candidates with their passages aligned, in their order; none for a song that was removed since the snapshot was made.
    fn align(&self, hum: &Hum, candidates: &[Proposal]) -> Result<Vec<(Candidate, Vec<Place>)>, SearchError> {
        let (snapshot, index) = (&self.snapshot, self.index);
        candidates
            .par_iter()
            .map_init(Scratch::default, |scratch, Proposal { candidate, passages }| {
                let Some(contour) = contour_of(snapshot, index, candidate.song)? else { return Ok((*candidate, Vec::new())) };
                let place = |&passage: &Passage| {
                    let aligner = Aligner::new(&hum.reading(passage.slowed).melody.class);
                    Place { passage, alignment: aligner.align(&part(&contour, passage).class, scratch) }
                };
                Ok((*candidate, passages.iter().map(place).collect()))
            })
            .collect()
    }

    /// A ranked song with its place.
    fn found(&self, hum: &Hum, ranked: &Ranked, confidence: f32) -> Result<Option<Match>, SearchError> {
        let offset = hum.offset;
        let (Some(song), Some(contour)) =
            (self.snapshot.song_id(ranked.song), contour_of(&self.snapshot, self.index, ranked.song)?)
        else {
            return Ok(None);
        };
        let Some(best) = ranked.places.first() else { return Ok(None) };
        let melody = hum.reading(best.passage.slowed).melody;
        let Some(place) = place(melody, &part(&contour, best.passage), best.alignment.shift) else { return Ok(None) };
        Ok(Some(Match {
            song,
            score: ranked.score,
            confidence,
            song_start: place.song_start,
            song_end: place.song_end,
            hum_start: place.hum_start + offset,
            hum_end: place.hum_end + offset,
            key_shift: place.key_shift,
            tempo_ratio: place.tempo_ratio,
            path: place.path.iter().map(|&(h, s)| (h + offset, s)).collect(),
        }))
    }
}

/// The log-odds of each pair of each song, of which there may be none.
fn log_odds(reranker: &Reranker, songs: Vec<Vec<Option<Pair>>>) -> Result<Vec<Vec<Option<f32>>>, ModelError> {
    let there: Vec<Vec<bool>> = songs.iter().map(|pairs| pairs.iter().map(Option::is_some).collect()).collect();
    let mut scores = reranker.score(&songs.into_iter().flatten().flatten().collect::<Vec<_>>())?.into_iter();
    let mut odds = |is_there: bool| if is_there { scores.next() } else { None };
    Ok(there.into_iter().map(|pairs| pairs.into_iter().map(&mut odds).collect()).collect())
}

/// The contour of the song at an ordinal; `None` if it was removed since the snapshot was made.
fn contour_of(snapshot: &Snapshot, index: &Index, song: u32) -> Result<Option<Vec<f32>>, SearchError> {
    Ok(snapshot.song_id(song).map(|id| index.contour(id)).transpose()?.flatten())
}

/// The melody of a passage.
fn part(contour: &[f32], passage: Passage) -> Melody {
    Melody::of_part(contour, passage.start as usize..passage.end as usize)
}

fn queries<'v>(cuts: &[Cut], vectors: &'v [f32], dimension: usize) -> Vec<QueryWindow<'v>> {
    let windows = cuts.iter().flat_map(|cut| cut.windows.iter().map(|w| (cut.steps, w.position)));
    windows
        .zip(vectors.chunks_exact(dimension))
        .map(|((steps, position), vector)| QueryWindow { steps, position, vector })
        .collect()
}

/// The votes for one song, one per pair of hum length (of `cuts`) and level.
fn ballot(song: u32, pairs: &[PairScores], cuts: &[Cut], levels: usize) -> Ballot {
    let mut scratch = votes::Scratch::default();
    let mut ballot = Ballot { song, votes: vec![None; cuts.len() * levels] };
    for pair in pairs {
        if let Some(length) = cuts.iter().position(|cut| cut.steps == pair.hum_steps) {
            ballot.votes[length * levels + pair.level] = votes::path_vote(pair, &mut scratch);
        }
    }
    ballot
}
