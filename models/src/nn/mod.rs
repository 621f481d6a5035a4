//! Layers and weights shared by the networks.

#[cfg(feature = "torch")]
pub mod conv;
pub mod cost;
#[cfg(feature = "torch")]
pub mod hard_lstm;
#[cfg(feature = "torch")]
pub mod recurrent;
pub mod shape;
#[cfg(feature = "torch")]
pub mod variables;
pub mod weights;
