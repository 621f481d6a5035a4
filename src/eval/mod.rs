//! Evaluation: how well melodies are extracted and songs are found, on published data sets, with confidence intervals.

pub mod alike;
pub mod baselines;
pub mod bootstrap;
pub mod compare;
pub mod confidence;
pub mod datasets;
pub mod estimate;
pub mod fit;
pub mod melody;
pub mod ranks;
pub mod recordings;
pub mod reference;
pub mod retrieval;
pub mod singing;
pub mod units;
