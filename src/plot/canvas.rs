//! What the pictures share: a white sheet, ink and letters.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

/// Where a picture is drawn, coordinates in pixels.
pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What a drawing function gives back; plotters' own errors are generic over what is drawn on.
pub(super) type Drawn = Result<(), Box<dyn Error>>;

/// Letters and axes.
pub(super) const INK: RGBColor = RGBColor(45, 45, 45);
/// What was hummed, or measured.
pub(super) const ACCENT: RGBColor = RGBColor(205, 60, 20);

/// The picture could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the plot: {0}; please report it as a bug")]
pub struct PlotError(pub(super) String);

/// An SVG picture of `size` (width, height) in pixels: what `draw` draws on white.
pub(super) fn svg(size: (u32, u32), draw: impl FnOnce(&Canvas) -> Drawn) -> Result<String, PlotError> {
    let mut svg = String::new();
    let sheet = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    let drawn = || -> Drawn {
        sheet.fill(&WHITE)?;
        draw(&sheet)?;
        Ok(sheet.present()?)
    };
    drawn().map_err(|error| PlotError(error.to_string()))?;
    drop(sheet);
    Ok(svg)
}

/// Letters of a size in pixels.
pub(super) fn letters(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// Hairlines behind a chart, without the finer ones between them.
pub(super) fn grid() -> ShapeStyle {
    BLACK.mix(0.08).stroke_width(1)
}
