//! Pictures: one file each, all of data that is there already, as SVG, or PNG where every pixel is a value.

mod alignment;
mod canvas;
mod learning_curve;
mod pitch;
mod reliability;
mod spectrogram;

pub use alignment::alignment_svg;
pub use canvas::PlotError;
pub use learning_curve::{Curve, learning_curve_svg};
pub use pitch::pitch_svg;
pub use reliability::reliability_svg;
pub use spectrogram::spectrogram_png;
