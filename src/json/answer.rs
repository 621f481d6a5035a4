//! The answer to a hum.

use super::SongJson;
use crate::search::{Answer, Match};
use qbh_models::Contour;
use qbh_models::contour::CONTOUR_STEP;
use serde::Serialize;
use std::time::Duration;

/// The answer to a hum: `qbh.query/1`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct QueryJson {
    /// `qbh.query/1`
    schema: &'static str,
    /// What the hum is called.
    query: String,
    /// Length of the hum, seconds.
    duration: f64,
    /// Share of the hum in which a melody was heard, 0 to 1.
    voiced: f32,
    /// Songs in the index.
    songs: usize,
    /// How songs were looked up.
    search: String,
    /// Whether the first match is more likely right than wrong.
    confident: bool,
    /// The songs, best first.
    matches: Vec<MatchJson>,
    seconds: SecondsJson,
    /// The melody of the hum, where details are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    hum: Option<HumJson>,
}

/// A song that matches. Times in seconds from the beginning of song and hum.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
struct MatchJson {
    /// 1 is the best.
    rank: usize,
    /// Number of the song in its index, where details are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(flatten)]
    song: SongJson,
    /// What songs are ranked by; comparable within one answer only.
    score: f32,
    /// Probability that this is the song that was hummed, 0 to 1.
    confidence: f32,
    song_start: f32,
    song_end: f32,
    hum_start: f32,
    hum_end: f32,
    /// Semitones by which the hum is higher than the song.
    key_shift: f32,
    /// Tempo of the hum relative to the song's.
    tempo_ratio: f32,
    /// Other songs that are the same recording.
    copies: Vec<SongJson>,
    /// Times that belong together, (hum, song), where details are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Vec<(f32, f32)>>,
}

/// Time taken, seconds.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
struct SecondsJson {
    /// Decoding and melody extraction.
    listen: f64,
    search: f64,
}

/// The melody of a hum.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct HumJson {
    /// Seconds per step.
    pub contour_step: f64,
    /// MIDI pitch per step, 0 where there is no melody.
    pub contour: Vec<f32>,
}

impl QueryJson {
    /// The answer to the hum called `query`, whose melody took `listened` to be had; `search` is how songs were looked up.
    pub fn new(query: &str, search: &str, hum: &Contour, listened: Duration, answer: &Answer) -> Self {
        let t = answer.timings;
        QueryJson {
            schema: "qbh.query/1",
            query: query.to_owned(),
            duration: hum.duration(),
            voiced: hum.voiced_fraction(),
            songs: answer.songs_searched,
            search: search.to_owned(),
            confident: answer.confident,
            matches: answer.matches.iter().zip(1..).map(|(matched, rank)| MatchJson::new(matched, rank)).collect(),
            seconds: SecondsJson { listen: listened.as_secs_f64(), search: (t.embed + t.score + t.align).as_secs_f64() },
            hum: None,
        }
    }

    /// The same with the melody of the hum, and what it takes to draw it over a song.
    pub fn with_details(mut self, hum: &Contour, answer: &Answer) -> Self {
        self.hum = Some(HumJson { contour_step: CONTOUR_STEP, contour: hum.pitch.clone() });
        for (json, matched) in self.matches.iter_mut().zip(&answer.matches) {
            json.id = Some(matched.song.id.0);
            json.path = Some(matched.placement.path.clone());
        }
        self
    }
}

impl MatchJson {
    fn new(Match { song, copies, score, confidence, placement, .. }: &Match, rank: usize) -> Self {
        MatchJson {
            rank,
            id: None,
            song: song.into(),
            score: *score,
            confidence: *confidence,
            song_start: placement.song_start,
            song_end: placement.song_end,
            hum_start: placement.hum_start,
            hum_end: placement.hum_end,
            key_shift: placement.key_shift,
            tempo_ratio: placement.tempo_ratio,
            copies: copies.iter().map(SongJson::from).collect(),
            path: None,
        }
    }
}
