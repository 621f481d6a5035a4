//! How far hums and extracted songs stray: every range of the model, in one place.
//!
//! Shares and sigmas of the singer are multiplied by the strength of the hum ([`STRENGTH`]), those of the song by its
//! noise ([`NOISE`]). Pitch in semitones, time in seconds, lengths of mistakes in contour steps (100 ms).

use std::ops::Range;

type Span = Range<f32>;

/// Lowest MIDI pitch of a simulated contour.
pub const LOWEST: f32 = 12.0;
/// Highest MIDI pitch of a simulated contour.
pub const HIGHEST: f32 = 127.0;
/// Longest hum, in contour steps; what would follow is cut.
pub const LONGEST_HUM: usize = 400;
/// Notes (or parts of notes at the edge of a section) shorter than this are left out.
pub const SHORTEST_NOTE: f32 = 0.02;

// The pair.
/// Strength of a singer's faults.
pub const STRENGTH: Span = 0.3..1.15;
/// Tempo of the hum over that of the song; drawn uniformly in its logarithm.
pub const TEMPO: Span = 0.55..1.8;
/// Transposition of the hum.
pub const KEY: Span = -8.3..8.3;
/// Share of song windows without any noise: scores are library entries too.
pub const CLEAN_SONGS: f32 = 0.3;
/// Noise of the other song windows.
pub const NOISE: Span = 0.2..1.0;

// What the singer remembers.
/// Share of notes forgotten (short ones more often).
pub const DELETE: Span = 0.0..0.12;
/// Share of notes split by an invented one, within two semitones.
pub const INSERT: Span = 0.0..0.06;
/// Share of notes merged into the one before, when within two semitones of it.
pub const MERGE: Span = 0.0..0.15;
/// Share of wrong notes, one to four semitones off, in 60 % of the hums.
pub const WRONG: Span = 0.0..0.10;
/// Chance to lose the thread at one end of the hum: from there on a melody of one's own.
pub const WANDER: f32 = 0.15;
/// Share of the hum that is then wandered away.
pub const WANDERED: Span = 0.1..0.35;

// The singer's time.
/// Sigma of the logarithm of each duration.
pub const DURATION: Span = 0.0..0.22;
/// Sigma of the slowly varying logarithm of tempo.
pub const WARP: Span = 0.0..0.22;
/// Seconds between the anchors of that variation.
pub const WARP_PERIOD: Span = 2.0..5.0;
/// Exponent that compresses durations towards their median, in 30 % of the hums.
pub const COMPRESSION: Span = 0.6..1.0;
/// What is left of a rest longer than 0.8 s, for half of them.
pub const REST: Span = 0.15..1.0;
/// Share of notes that end early in a hum that is not legato (60 % of the hums).
pub const ARTICULATED: Span = 0.0..0.9;
/// By how much they end early.
pub const GAP: Span = 0.03..0.2;

// The singer's pitch.
/// Sigma of a note's pitch, times the magnitude of a normal draw per hum.
pub const NOTE_ERROR: f32 = 0.35;
/// Sigma of the random walk of the key, per note, times the magnitude of a normal draw.
pub const DRIFT: f32 = 0.12;
/// Sigma of a steady drift per second, in 40 % of the hums.
pub const SLOPE: f32 = 0.06;
/// Sigma of the logarithm of the size of intervals, in half of the hums.
pub const STRETCH: f32 = 0.12;
/// Chance that the key slips once, at some note.
pub const SLIP: f32 = 0.12;
/// By how much it slips, up or down.
pub const SLIPPED: Span = 0.4..2.5;
/// Chance per note to fold into another octave, or back.
pub const FOLD: f32 = 0.004;

// The voice.
/// Time constant of the glide from note to note, in 60 % of the hums (10 ms in others).
pub const GLIDE: Span = 0.01..0.09;
/// Share of notes after a gap that are approached from below.
pub const SCOOPS: Span = 0.0..0.4;
/// From how far below.
pub const SCOOP: Span = 0.3..2.5;
/// Depth of vibrato, in 30 % of the hums.
pub const VIBRATO: Span = 0.0..0.5;
/// Vibrato cycles per second.
pub const VIBRATO_RATE: Span = 4.0..7.0;
/// Sigma of the pitch around its note.
pub const JITTER: Span = 0.02..0.2;

// The extractor on a hum, on half of them (octaves: a third).
/// Chance per step to lose one to four steps.
pub const HUM_DROPOUT: Span = 0.0..0.05;
/// Chance per step to jump an octave for two to fourteen steps.
pub const HUM_OCTAVE: f32 = 0.01;
/// Chance per step of a random pitch.
pub const HUM_SPURIOUS: Span = 0.0..0.02;

// The recording and the extractor on a song: what lies between a score and the contour of a recording of it. On six real songs with
// karaoke charts (moved to where they are sung, some 50 ms later) 66 % of the steps of `harmonic-s` are right, 18 % elsewhere (half of these
// within 1.5 semitones: slides, freedoms), 16 % lost in runs of two, 27 % of the rests are filled, and right ones are .17 semitones off in the
// median. The model (`fit.rs` prints it): 70 %, 14 %, 16 %, 24 %, .13. The studio's songs are easier: 89 % right.
/// Sigma of the onset of a note against the score, seconds.
pub const SONG_ONSET: Span = 0.0..0.09;
/// Sigma of its pitch.
pub const SONG_NOTE_ERROR: Span = 0.0..0.45;
/// Time constant of the glide from note to note, in 60 % of the songs (10 ms in others).
pub const SONG_GLIDE: Span = 0.01..0.16;
/// Share of rests in which the extractor follows the accompaniment.
pub const FILL: Span = 0.0..0.8;
/// Chance that a rest of up to three steps is sung through.
pub const BRIDGED: f32 = 0.3;
/// Chance per step that accompaniment replaces the voice for one to five steps.
pub const REPLACE: Span = 0.0..0.07;
/// Chance per step to lose one to four steps.
pub const SONG_DROPOUT: Span = 0.0..0.25;
/// Chance per step to jump an octave for two to ten steps, in 60 % of the songs.
pub const SONG_OCTAVE: Span = 0.0..0.02;
/// Sigma of the pitch around its note.
pub const SONG_JITTER: Span = 0.02..0.4;
/// Where accompaniment lies, seen from the melody.
pub const ACCOMPANIMENT: [f32; 20] =
    [-24.0, -19.0, -17.0, -12.0, -12.0, -9.0, -8.0, -7.0, -5.0, -4.0, -3.0, 3.0, 4.0, 5.0, 7.0, 7.0, 8.0, 9.0, 12.0, 12.0];
