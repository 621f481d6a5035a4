//! Layers and weights shared by the networks.

pub mod conv;
pub mod weights;
