//! Inference on the processor without libtorch: the layers that the shipped networks are made of, over f32 values with channels last.
//!
//! Networks live beside their descriptions (`extractor::harmonic`, `embedder`, `reranker`), each with a runner over these layers and
//! one over libtorch's; both read the same description.
//! - `kernels`: the arithmetic, one instruction set or another
//! - `panels`: weights as kernels read them; `reader`: from weights files to layers
//! - `conv`, `gru`, `norm`, `attention`: layers

mod attention;
mod conv;
mod gru;
mod kernels;
mod norm;
mod panels;
mod reader;

pub(crate) use attention::{LAYER_NORM_EPS, Room, TransformerBlock};
pub(crate) use conv::{Conv, Residual, linear};
pub(crate) use gru::{Gru, GruState};
pub use kernels::Kernel;
pub(crate) use kernels::{Finish, Function, Plane};
pub(crate) use norm::{Affine, softmax};
pub(crate) use panels::Panels;
pub(crate) use reader::Reader;
