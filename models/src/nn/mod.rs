//! Layers and weights shared by the networks.

pub mod conv;
pub mod cost;
pub mod hard_lstm;
pub mod recurrent;
pub mod shape;
pub mod variables;
pub mod weights;
