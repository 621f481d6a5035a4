//! The search itself: what is opened for it, and the stages in their order.

use std::sync::OnceLock;
use std::time::Instant;

use qbh_index::{Hnsw, Snapshot, SongId};
use qbh_models::Contour;
use qbh_models::embedder::Embedder;
use qbh_models::embedder::windows::WindowVectors;
use qbh_models::reranker::Reranker;

use super::align::align;
use super::answer::{Answer, Match, Timings};
use super::calibrate::{CONFIDENT, calibrate};
use super::choose::{Candidate, choose};
use super::embed::embed;
use super::error::SearchError;
use super::fetch::fetch;
use super::fold::fold;
use super::locate::{Geometry, Passage, locate};
use super::options::SearchOptions;
use super::place::place;
use super::propose::{propose, sample};
use super::rank::{Evidence, RankedSong, rank};
use super::rerank::rerank;
use super::standardize::standardize;
use super::trim::{TrimmedHum, trim};
use super::vote::{SongVotes, vote};

/// Songs of which the passages that votes come from are aligned as well: the best by votes and alignment with all of the song.
const LOCATED: usize = 100;

/// A hum and the votes of the songs for it.
#[derive(Debug, Clone)]
pub struct Voted {
    pub(crate) hum: TrimmedHum,
    windows: Vec<WindowVectors>,
    pub(crate) votes: Vec<SongVotes>,
    /// The songs that tell what unrelated ones get, ascending; `None` when these are all.
    sample: Option<Vec<u32>>,
    timings: Timings,
}

/// Songs in the order of votes and alignment.
pub(crate) struct Ranking {
    /// The songs that were aligned, in the order of their votes.
    pub(crate) candidates: Vec<Candidate>,
    /// The same songs, best first.
    pub(crate) ranked: Vec<RankedSong>,
    /// When the candidates were known.
    chosen: Instant,
}

/// Searches one snapshot with one embedder.
pub struct Searcher {
    snapshot: Snapshot,
    embedder: Box<dyn Embedder>,
    reranker: Option<Reranker>,
    graph: Option<Hnsw>,
    /// Drawn when first needed.
    sample: OnceLock<Vec<u32>>,
}

impl Searcher {
    /// A searcher over `snapshot`; `embedder` must be the one that the index was made with. Without a reranker, votes and alignment alone
    /// rank the songs.
    pub fn new(snapshot: Snapshot, embedder: Box<dyn Embedder>, reranker: Option<Reranker>) -> Self {
        Searcher { snapshot, embedder, reranker, graph: None, sample: OnceLock::new() }
    }

    /// The same, with the graph of its snapshot, which [`super::SearchMethod::Hnsw`] needs.
    pub fn with_graph(self, graph: Option<Hnsw>) -> Self {
        Searcher { graph, ..self }
    }

    /// What is searched.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The songs that are most like `hum`. Silence around the hum does no harm; of a long hum the first 70 s count.
    ///
    /// # Errors
    /// [`SearchError::NoVoice`], [`SearchError::TooShort`], [`SearchError::EmptyIndex`], [`SearchError::NoGraph`]; what the index or the models
    /// report.
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
        let hum = trim(hum)?;
        let begin = Instant::now();
        let windows = embed(&hum, self.embedder.as_ref())?;
        let embedded = Instant::now();
        let proposed = propose(options.method, &self.snapshot, self.graph.as_ref(), &windows, options.aligned())?;
        let sample = if proposed.is_some() { Some(self.sample()?) } else { None };
        let songs = proposed.zip(sample).map(|(proposed, sample)| [&proposed, sample].concat());
        let votes = vote(&self.snapshot, &windows, songs.as_deref())?;
        let timings = Timings { embed: embedded - begin, score: embedded.elapsed(), ..Timings::default() };
        Ok(Voted { hum, windows, votes, sample: sample.map(<[u32]>::to_vec), timings })
    }

    /// The second half of [`Searcher::search`]: candidates, alignment, ranking, as if the songs of `without` were not in the library.
    ///
    /// # Errors
    /// What the index or the reranker report.
    pub fn answer(&self, voted: &Voted, options: &SearchOptions, without: &[SongId]) -> Result<Answer, SearchError> {
        let begin = Instant::now();
        let without: Vec<u32> = without.iter().filter_map(|&song| self.snapshot.ordinal(song)).collect();
        let Ranking { candidates, ranked, chosen } = self.rank(voted, options.aligned(), |song| !without.contains(&song))?;
        let ranked = self.rerank(&voted.hum, ranked)?;
        let ranking: Vec<u32> = ranked.iter().map(|ranked| ranked.song.candidate.song).collect();
        let (ranked, copies) = fold(ranked);
        let evidence: Vec<Evidence> = ranked.iter().map(|song| song.evidence).collect();
        let mut confidences = calibrate(&evidence, self.snapshot.len() - without.len(), options.limit);
        if voted.hum.is_one_tone() {
            confidences.fill(0.0);
        }

        let ids = |songs: &mut dyn Iterator<Item = u32>| songs.filter_map(|song| self.snapshot.song_id(song)).collect();
        let candidates = ids(&mut candidates.iter().map(|candidate| candidate.song));
        let ranking = ids(&mut ranking.into_iter());
        let placed = ranked.into_iter().zip(copies).zip(confidences).filter_map(|((ranked, copies), confidence)| {
            let placement = place(&voted.hum, &ranked)?;
            let score = ranked.evidence.score();
            Some(Match { song: ranked.song.song, copies, contour: ranked.song.contour, score, confidence, placement })
        });
        let matches: Vec<Match> = placed.collect();
        Ok(Answer {
            confident: matches.first().is_some_and(|best| best.confidence >= CONFIDENT),
            matches,
            timings: Timings { score: voted.timings.score + (chosen - begin), align: chosen.elapsed(), ..voted.timings },
            songs_searched: self.snapshot.len(),
            candidates,
            ranking,
        })
    }

    /// Chooses `count` candidates among the songs that are `inside`, aligns all of each with the hum, then those passages of the best of them
    /// that their votes come from, and ranks them by votes and alignment. Where votes are misled, the hum may still align elsewhere.
    pub(crate) fn rank(&self, voted: &Voted, count: usize, inside: impl Fn(u32) -> bool) -> Result<Ranking, SearchError> {
        let votes: Vec<&SongVotes> = voted.votes.iter().filter(|votes| inside(votes.song)).collect();
        let unrelated = |song| voted.sample.as_ref().is_none_or(|sample| sample.binary_search(&song).is_ok());
        let nulls = standardize(&votes, unrelated);
        let candidates = choose(&votes, &nulls, count, |song| self.snapshot.song(song).map(|song| song.key))?;
        let chosen = Instant::now();

        let songs = fetch(&self.snapshot, &candidates)?;
        let whole: Vec<(&[f32], &[Passage])> = songs.iter().map(|song| (&song.contour[..], &[Passage::WHOLE][..])).collect();
        let places = align(&voted.hum, &whole);
        let ranked = rank(songs.into_iter().zip(places));

        let best = &ranked[..ranked.len().min(LOCATED)];
        let ordinals: Vec<u32> = best.iter().map(|ranked| ranked.song.candidate.song).collect();
        let passages = locate(&self.snapshot, &voted.windows, &nulls, &self.geometry(voted), &ordinals)?;
        let parts: Vec<(&[f32], &[Passage])> =
            best.iter().zip(&passages).map(|(ranked, passages)| (&ranked.song.contour[..], &passages[..])).collect();
        let more = align(&voted.hum, &parts).into_iter().chain(std::iter::repeat_with(Vec::new));
        let ranked = rank(ranked.into_iter().zip(more).map(|(ranked, more)| (ranked.song, [ranked.places, more].concat())));
        Ok(Ranking { candidates, ranked, chosen })
    }

    /// Orders a ranking anew, if there is a reranker.
    pub(crate) fn rerank(&self, hum: &TrimmedHum, ranked: Vec<RankedSong>) -> Result<Vec<RankedSong>, SearchError> {
        match &self.reranker {
            Some(reranker) => Ok(rerank(reranker, hum, ranked)?),
            None => Ok(ranked),
        }
    }

    /// Songs that are scored beside those that were proposed.
    fn sample(&self) -> Result<&[u32], SearchError> {
        if let Some(sample) = self.sample.get() {
            return Ok(sample);
        }
        let sample = sample(&self.snapshot)?;
        Ok(self.sample.get_or_init(|| sample))
    }

    fn geometry(&self, voted: &Voted) -> Geometry {
        Geometry {
            hum: voted.hum.contour.len(),
            lengths: voted.windows.iter().map(|windows| windows.steps).collect(),
            levels: self.snapshot.levels(),
            windows_per_length: self.embedder.windowing().windows_per_length,
        }
    }
}
