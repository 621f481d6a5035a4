//! The distribution of singers, of their hums and of the notes in them: every number, in one place.
//!
//! Fitted to the 988 of 1045 hums of MIR-QBSH's even tunes that align with their tunes, by simulated moments (McFadden, "A method of simulated
//! moments", 1989): what `qbh eval singing` prints of real hums, and of simulated ones of the same passages measured in the same way, was brought
//! together by coordinate search. The measure that a number mostly follows is named with it. These hums' pitch was corrected by hand, so the
//! extractor's mistakes are apart from this. Pitch in semitones, time in seconds.

use std::ops::Range;

type Span = Range<f32>;

// Skill: the logarithm of how bad a hum is. Errors of pitch grow with it, and so do, less alike, the other faults.
/// Its deviation between singers: the share of the variance that is the singer's.
pub(super) const SKILL_OF_SINGERS: f32 = 0.25;
/// Its deviation between a singer's hums: the quantiles of the error of notes.
pub(super) const SKILL_OF_HUMS: f32 = 0.42;
/// Deviation between a hum's faults, in their logarithms: not fitted.
pub(super) const LIKENESS: f32 = 0.5;
/// Share of hopeless hums: most of the 5 % that do not align cannot be told from bad alignments. Not fitted.
pub(super) const HOPELESS: f32 = 0.04;
/// By how much the logarithm of their intervals' size is smaller: a fifth is sung as a third. Not fitted.
pub(super) const NARROW: Span = 0.0..0.9;
/// What is added to how bad they are. Not fitted.
pub(super) const WORSE: f32 = 0.7;

// The size of intervals: its quantiles.
/// Mean of the logarithm of sung over written.
pub(super) const SIZE_MEAN: f32 = -0.01;
/// Its deviation between singers.
pub(super) const SIZE_OF_SINGERS: f32 = 0.04;
/// Its deviation between a singer's hums.
pub(super) const SIZE_OF_HUMS: f32 = 0.038;
/// How much smaller it is by skill: the worst fifth.
pub(super) const SIZE_UNSKILLED: f32 = 0.02;

// The notes.
/// Sigma of a note's pitch where it repeats the one before: error of repeated notes.
pub(super) const ERROR: f32 = 0.13;
/// What the square root of an interval, semitones, adds to that: error of seconds to sixths, .38 to .68.
pub(super) const LEAP: f32 = 0.24;
/// Share of notes that are missed: those that miss by 1.5 semitones. An error is not carried on to the next note: errors against one, two and
/// four notes before are alike.
pub(super) const MISSES: f32 = 0.014;
/// How much larger the sigma of a note that is missed is; [`MISSES`] of the notes are.
pub(super) const MISS: f32 = 1.6;

// The key.
/// Sigma of its random walk, a note: errors against four and eight notes before.
pub(super) const WALK: f32 = 0.03;
/// Deviation of its logarithm between hums.
pub(super) const WALK_SPREAD: f32 = 0.4;
/// Sigma of its steady drift, a second: drift in ten seconds.
pub(super) const SLOPE: f32 = 0.05;
/// Share of the hums in which it slips once.
pub(super) const SLIP: f32 = 0.036;
/// Chance per note to fold into another octave, or back: notes in another octave.
pub(super) const FOLD: f32 = 0.0003;

// The voice: steps of 100 ms, by how far the pitch moves.
/// Time constant of the glide from note to note.
pub(super) const GLIDE: Span = 0.01..0.054;
/// Share of notes after a gap that are approached from below.
pub(super) const SCOOPS: f32 = 0.37;
/// Share of the hums with vibrato: not fitted.
pub(super) const VIBRATING: f32 = 0.3;
/// Largest depth of it.
pub(super) const VIBRATO: f32 = 0.95;
/// Median over hums of the sigma of the pitch around its note.
pub(super) const JITTER: f32 = 0.26;
/// Deviation of its logarithm.
pub(super) const JITTER_SPREAD: f32 = 1.2;

// Memory and time: strengths of the older model's faults.
/// Notes left out.
pub(super) const FORGETTING: f32 = 0.13;
/// Unevenness of onsets, which is known to steps of 200 ms only.
pub(super) const UNSTEADINESS: f32 = 0.38;
/// Share of notes that end before the next begins: the voiced share.
pub(super) const ARTICULATED: f32 = 0.5;
/// Deviation of its logarithm between hums.
pub(super) const ARTICULATED_SPREAD: f32 = 0.34;
/// By how much they end early.
pub(super) const GAP: Span = 0.06..0.3;
