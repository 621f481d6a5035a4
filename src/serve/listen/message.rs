//! What is said over the WebSocket of `/v1/listen` (docs/http.md).

use super::verdict::Verdict;
use crate::json::QueryJson;
use serde::{Deserialize, Serialize};

/// What the client says in text; its samples come as binary messages, 16-bit little-endian mono.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Comes first.
    Start {
        /// Samples per second.
        rate: u32,
        /// Songs to list.
        #[serde(default = "five")]
        k: usize,
    },
    /// No more is hummed.
    End,
}

fn five() -> usize {
    5
}

/// What the server says.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The melody has gone on, or is heard differently now.
    Contour {
        /// Seconds per step.
        step: f64,
        /// Steps before this one stay as they are.
        from: usize,
        /// MIDI pitch of the steps from there to the end, 0 where there is no melody.
        pitch: Vec<f32>,
    },
    /// What to do while no answer is sure.
    Advice {
        /// What is the matter.
        advice: Advice,
        /// Seconds heard.
        seconds: f64,
    },
    /// What the answer would be now.
    Answer {
        /// Seconds heard.
        seconds: f64,
        /// The answer.
        answer: Box<QueryJson>,
    },
    /// The last message: stop recording.
    End {
        /// What the hum has come to.
        verdict: Verdict,
        /// Seconds heard.
        seconds: f64,
        /// The answer; `null` where nothing was to be searched.
        answer: Option<Box<QueryJson>>,
        /// What was wrong with the hum, if nothing was to be searched.
        reason: Option<String>,
        /// What to do about it.
        remedy: Option<String>,
    },
    /// The last message: the server cannot go on.
    Refusal {
        /// What is wrong.
        reason: String,
        /// What can be done.
        remedy: String,
    },
}

/// What is the matter with a hum so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Nothing is heard at all.
    Silence,
    /// There is sound, but hardly a voice in it: noise, or music in the background.
    NoVoice,
    /// So far no song stands out.
    KeepHumming,
}
