//! Retrieval evaluation: every query is searched, the rank of its right song noted.

use std::collections::HashMap;
use std::time::Instant;

use qbh_index::SongId;
use qbh_models::Contour;
use qbh_models::extractor::Extractor;
use serde::Serialize;

use super::datasets::{Query, QuerySource};
use super::ranks::{RetrievalScores, quantile, score};
use crate::library::listen;
use crate::search::{SearchError, SearchOptions, Searcher};

/// What came of one query.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The query.
    pub query: String,
    /// 1-based rank of the best-placed right song; absent when it was not among the matches.
    pub rank: Option<usize>,
    /// Key of the song that came first.
    pub first: Option<String>,
    /// Probability given to the first match.
    pub confidence: f32,
    /// Seconds of listening to the query (decoding and extraction; 0 for contours).
    pub listen: f64,
    /// Seconds of searching.
    pub search: f64,
    /// Why the query could not be searched.
    pub refused: Option<String>,
}

/// Scores of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Songs searched.
    pub songs: usize,
    /// top-1, top-10, MRR.
    #[serde(flatten)]
    pub scores: RetrievalScores,
    /// Median seconds per query, listening and searching.
    pub time_p50: f64,
    /// 99 % quantile of the seconds per query.
    pub time_p99: f64,
    /// Mean seconds of listening.
    pub listen_mean: f64,
    /// Mean seconds of searching.
    pub search_mean: f64,
    /// Every query.
    #[serde(skip)]
    pub outcomes: Vec<Outcome>,
}

/// Why an evaluation cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// A right answer is not in the library.
    #[error("{query} is answered by {song}, which is not in the library; song ids are paths relative to it")]
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

/// Searches every query. `songs` maps the ids used by the queries to songs of the index, and `keys` songs to keys for the report.
/// A query without a voice counts as not found.
pub fn run(
    queries: &[Query],
    songs: &HashMap<String, SongId>,
    keys: &HashMap<SongId, String>,
    searcher: &Searcher,
    extractor: &dyn Extractor,
    options: &SearchOptions,
    mut progress: impl FnMut(&Outcome),
) -> Result<Report, RetrievalError> {
    let right: Vec<Vec<SongId>> = queries
        .iter()
        .map(|query| {
            let find = |song: &String| {
                songs
                    .get(song)
                    .copied()
                    .ok_or_else(|| RetrievalError::MissingSong { query: query.name.clone(), song: song.clone() })
            };
            query.songs.iter().map(find).collect()
        })
        .collect::<Result<_, _>>()?;
    let mut outcomes = Vec::with_capacity(queries.len());
    for (query, right) in queries.iter().zip(right) {
        let outcome = ask(query, &right, keys, searcher, extractor, options)?;
        progress(&outcome);
        outcomes.push(outcome);
    }
    let ranks: Vec<Option<usize>> = outcomes.iter().map(|o| o.rank).collect();
    let times: Vec<f64> = outcomes.iter().map(|o| o.listen + o.search).collect();
    let mean = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / outcomes.len().max(1) as f64;
    Ok(Report {
        songs: keys.len(),
        scores: score(&ranks),
        time_p50: quantile(&times, 0.5),
        time_p99: quantile(&times, 0.99),
        listen_mean: mean(&|o| o.listen),
        search_mean: mean(&|o| o.search),
        outcomes,
    })
}

fn ask(
    query: &Query,
    right: &[SongId],
    keys: &HashMap<SongId, String>,
    searcher: &Searcher,
    extractor: &dyn Extractor,
    options: &SearchOptions,
) -> Result<Outcome, RetrievalError> {
    let mut outcome =
        Outcome { query: query.name.clone(), rank: None, first: None, confidence: 0.0, listen: 0.0, search: 0.0, refused: None };
    let start = Instant::now();
    let contour = match contour_of(&query.source, extractor) {
        Ok(contour) => contour,
        Err(reason) => return Ok(Outcome { refused: Some(reason), ..outcome }),
    };
    if matches!(query.source, QuerySource::File(_)) {
        outcome.listen = start.elapsed().as_secs_f64();
    }
    let start = Instant::now();
    let answer = match searcher.search(&contour, options) {
        Ok(answer) => answer,
        Err(error @ (SearchError::NoVoice | SearchError::TooShort { .. })) => {
            return Ok(Outcome { refused: Some(error.to_string()), ..outcome });
        }
        Err(error) => return Err(error.into()),
    };
    outcome.search = start.elapsed().as_secs_f64();
    outcome.rank = answer.matches.iter().position(|m| right.contains(&m.song)).map(|p| p + 1);
    if let Some(first) = answer.matches.first() {
        outcome.first = keys.get(&first.song).cloned();
        outcome.confidence = first.confidence;
    }
    Ok(outcome)
}

fn contour_of(source: &QuerySource, extractor: &dyn Extractor) -> Result<Contour, String> {
    match source {
        QuerySource::Contour(contour) => Ok(contour.clone()),
        QuerySource::File(path) => {
            let heard = listen::listen(path, extractor).map_err(|e| format!("{e}; {}", e.remedy()))?;
            heard.pieces.into_iter().next().map(|piece| piece.contour).ok_or_else(|| "it holds no melody".into())
        }
    }
}
