//! Retrieval evaluation: every query is searched, the rank of its right song noted, and then searched again without its right songs.

use std::collections::HashMap;
use std::time::Instant;

use qbh_index::SongId;
use qbh_models::Contour;
use qbh_models::extractor::Extractor;
use serde::Serialize;

use super::alike::Alike;
use super::baselines::{Baseline, Exhaustive};
use super::confidence::{Reliability, Trial};
use super::datasets::{Query, QuerySource};
use super::ranks::{RetrievalScores, quantile, score};
use super::units::Units;
use crate::library::listen;
use crate::search::{CONFIDENT, SearchError, SearchOptions, Searcher};

/// Numbers of candidates whose recall is told.
const RECALL_AT: [usize; 3] = [50, 100, 200];

/// What came of one query.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QueryOutcome {
    /// The query.
    pub query: String,
    /// What is hummed; of songs that are exactly alike, the first by key.
    pub song: String,
    /// Who hums, where the data set tells.
    pub singer: Option<String>,
    /// 1-based rank of the best-placed right song among the songs that are not exactly alike; absent when it was not among those that were
    /// aligned.
    pub rank: Option<usize>,
    /// The same by votes alone.
    pub rank_by_votes: Option<usize>,
    /// Key of the song that came first; of songs that are exactly alike, the first by key.
    pub first: Option<String>,
    /// Probability given to the first match.
    pub confidence: f32,
    /// Probability given to the first match when the right songs, and those exactly like them, are left out of the library.
    pub confidence_without: f32,
    /// Seconds of listening to the query (decoding and extraction; 0 for contours).
    pub listen: f64,
    /// Seconds of cutting and embedding its windows.
    pub embed: f64,
    /// Seconds of comparing windows and counting votes.
    pub score: f64,
    /// Seconds of alignment.
    pub align: f64,
    /// Why the query could not be searched.
    pub refused: Option<String>,
    /// Rank and seconds of every baseline.
    #[serde(skip)]
    pub baselines: Vec<(Option<usize>, f64)>,
}

impl QueryOutcome {
    fn seconds(&self) -> f64 {
        self.listen + self.embed + self.score + self.align
    }
}

/// Mean seconds of the parts of a query.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Split {
    /// Decoding and extraction.
    pub listen: f64,
    /// Cutting and embedding.
    pub embed: f64,
    /// Comparing windows, votes.
    pub score: f64,
    /// Alignment.
    pub align: f64,
}

/// Scores of a way to search without learning.
#[derive(Debug, Clone, Serialize)]
pub struct BaselineReport {
    /// Which.
    pub name: &'static str,
    /// top-1, top-10, MRR.
    #[serde(flatten)]
    pub scores: RetrievalScores,
    /// Mean seconds per query, on all cores.
    pub time_mean: f64,
}

/// Scores of a run.
#[derive(Debug, Clone, Serialize)]
pub struct RetrievalReport {
    /// Songs searched.
    pub songs: usize,
    /// The same, songs that are exactly alike counted once.
    pub distinct_songs: usize,
    /// What the queries are independent samples of.
    #[serde(flatten)]
    pub units: Units,
    /// top-1, top-10, MRR.
    #[serde(flatten)]
    pub scores: RetrievalScores,
    /// The same by votes alone, without alignment.
    pub votes: RetrievalScores,
    /// Share of the queries whose right song is among the first 50, 100 and 200 by votes.
    pub recall_at: [(usize, f64); 3],
    /// How far the confidence can be trusted.
    pub confidence: Reliability,
    /// Median seconds per query, listening and searching.
    pub time_p50: f64,
    /// 99 % quantile of the seconds per query.
    pub time_p99: f64,
    /// Where the time goes.
    pub time_mean: Split,
    /// What is reached without learning; empty unless asked for.
    pub baselines: Vec<BaselineReport>,
    /// Every query.
    pub queries: Vec<QueryOutcome>,
}

/// Why an evaluation cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// A right answer is not in the library.
    #[error("{query} is answered by {song}, which is not in the library")]
    MissingSong {
        /// The query.
        query: String,
        /// The song.
        song: String,
    },
    /// The index or a model failed.
    #[error(transparent)]
    Search(#[from] SearchError),
}

/// What queries are searched with, and in.
pub struct Evaluation<'a> {
    /// The search.
    pub searcher: &'a Searcher,
    /// Listens to the queries.
    pub extractor: &'a dyn Extractor,
    /// How to search.
    pub options: SearchOptions,
    /// The songs of the index by their keys.
    pub songs: &'a HashMap<String, SongId>,
    /// Which of them are alike.
    pub alike: &'a Alike,
    /// To compare every song in full as well, without learning.
    pub exhaustive: Option<Exhaustive>,
}

impl Evaluation<'_> {
    /// Searches every query. A query without a voice counts as not found.
    ///
    /// # Errors
    /// [`RetrievalError::MissingSong`] where none of a query's right songs is in the index.
    pub fn run(&self, queries: &[Query], mut progress: impl FnMut(&QueryOutcome)) -> Result<RetrievalReport, RetrievalError> {
        let mut outcomes = Vec::with_capacity(queries.len());
        for query in queries {
            let outcome = self.ask(query)?;
            progress(&outcome);
            outcomes.push(outcome);
        }
        Ok(report(outcomes, self.songs.len(), self.alike.distinct()))
    }

    fn ask(&self, query: &Query) -> Result<QueryOutcome, RetrievalError> {
        let right = self.ids(&query.songs);
        if right.is_empty() {
            let song = query.songs.first().cloned().unwrap_or_else(|| "no song".into());
            return Err(RetrievalError::MissingSong { query: query.name.clone(), song });
        }
        let song = self.songs.get(&query.song).and_then(|&song| self.key(song)).unwrap_or(&query.song).to_string();
        let mut outcome =
            QueryOutcome { query: query.name.clone(), song, singer: query.singer.clone(), ..QueryOutcome::default() };
        let start = Instant::now();
        let contour = match contour_of(&query.source, self.extractor) {
            Ok((contour, seconds)) => {
                outcome.listen = seconds;
                contour
            }
            Err(reason) => return Ok(QueryOutcome { refused: Some(reason), listen: start.elapsed().as_secs_f64(), ..outcome }),
        };
        let voted = match self.searcher.vote(&contour, &self.options) {
            Ok(voted) => voted,
            Err(error @ (SearchError::NoVoice | SearchError::TooShort { .. })) => {
                return Ok(QueryOutcome { refused: Some(error.to_string()), ..outcome });
            }
            Err(error) => return Err(error.into()),
        };
        let mut without = self.ids(&query.without);
        let answer = self.searcher.answer(&voted, &self.options, &without)?;
        let rank = |ranking: &[SongId]| self.alike.rank(ranking, &right);
        (outcome.rank, outcome.rank_by_votes) = (rank(&answer.ranking), rank(&answer.candidates));
        let [embed, score, align] = [answer.timings.embed, answer.timings.score, answer.timings.align].map(|t| t.as_secs_f64());
        (outcome.embed, outcome.score, outcome.align) = (embed, score, align);
        if let Some(first) = answer.matches.first() {
            outcome.first = Some(first.song.key.clone());
            outcome.confidence = first.confidence;
        }
        if let Some(exhaustive) = &self.exhaustive {
            for (_, baseline) in Baseline::ALL {
                let (mut ranking, seconds) = exhaustive.rank(&contour, baseline);
                ranking.retain(|song| !without.contains(song));
                outcome.baselines.push((rank(&ranking), seconds));
            }
        }
        without.extend(self.alike.all_like(&right));
        let answer = self.searcher.answer(&voted, &SearchOptions { limit: 1, ..self.options }, &without)?;
        outcome.confidence_without = answer.matches.first().map_or(0.0, |first| first.confidence);
        Ok(outcome)
    }

    /// The key of a song; of those exactly alike, the first.
    fn key(&self, song: SongId) -> Option<&str> {
        let song = self.alike.representative(song);
        self.songs.iter().find(|(_, id)| **id == song).map(|(key, _)| key.as_str())
    }

    fn ids(&self, keys: &[String]) -> Vec<SongId> {
        keys.iter().filter_map(|key| self.songs.get(key).copied()).collect()
    }
}

/// The contour of a query, and the seconds it took to listen.
fn contour_of(source: &QuerySource, extractor: &dyn Extractor) -> Result<(Contour, f64), String> {
    let simulated = if let QuerySource::Simulated(hum) = source { Some(hum.record()) } else { None };
    let start = Instant::now();
    let heard = match (source, &simulated) {
        (QuerySource::Contour(contour), _) => return Ok((contour.clone(), 0.0)),
        (QuerySource::File(path), _) => listen::listen(path, extractor),
        (QuerySource::Simulated(_), Some((samples, rate))) => listen::listen_samples(samples, *rate, extractor),
        (QuerySource::Simulated(_), None) => return Err("nothing was hummed".into()),
    };
    let heard = heard.map_err(|e| format!("{e}; {}", e.remedy()))?;
    let piece = heard.pieces.into_iter().next().ok_or("it holds no melody")?;
    Ok((piece.contour, start.elapsed().as_secs_f64()))
}

fn report(outcomes: Vec<QueryOutcome>, songs: usize, distinct_songs: usize) -> RetrievalReport {
    let units = Units::of_hums(outcomes.iter().map(|o| (o.song.as_str(), o.singer.as_deref())));
    let score = |ranks: &[Option<usize>]| score(ranks, &units.clusters);
    let ranks: Vec<Option<usize>> = outcomes.iter().map(|o| o.rank).collect();
    let by_votes: Vec<Option<usize>> = outcomes.iter().map(|o| o.rank_by_votes).collect();
    let times: Vec<f64> = outcomes.iter().map(QueryOutcome::seconds).collect();
    let n = outcomes.len().max(1) as f64;
    let mean = |of: fn(&QueryOutcome) -> f64| outcomes.iter().map(of).sum::<f64>() / n;
    let recall = |k: usize| (k, by_votes.iter().filter(|rank| rank.is_some_and(|r| r <= k)).count() as f64 / n);
    let trial = Trial {
        present: outcomes.iter().map(|o| (f64::from(o.confidence), o.rank == Some(1))).collect(),
        absent: outcomes.iter().map(|o| f64::from(o.confidence_without)).collect(),
    };
    let baseline = |(i, (name, _)): (usize, (&'static str, Baseline))| {
        let told: Vec<(Option<usize>, f64)> = outcomes.iter().map(|o| o.baselines.get(i).copied().unwrap_or_default()).collect();
        let ranks: Vec<Option<usize>> = told.iter().map(|t| t.0).collect();
        BaselineReport { name, scores: score(&ranks), time_mean: told.iter().map(|t| t.1).sum::<f64>() / n }
    };
    let with_baselines = outcomes.iter().any(|o| !o.baselines.is_empty());
    let baselines = if with_baselines { Baseline::ALL.into_iter().enumerate().map(baseline).collect() } else { Vec::new() };
    RetrievalReport {
        songs,
        distinct_songs,
        baselines,
        scores: score(&ranks),
        votes: score(&by_votes),
        recall_at: RECALL_AT.map(recall),
        confidence: Reliability::of(&trial, f64::from(CONFIDENT)),
        time_p50: quantile(&times, 0.5),
        time_p99: quantile(&times, 0.99),
        time_mean: Split {
            listen: mean(|o| o.listen),
            embed: mean(|o| o.embed),
            score: mean(|o| o.score),
            align: mean(|o| o.align),
        },
        units,
        queries: outcomes,
    }
}
