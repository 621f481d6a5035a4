//! The reliability plot: how often answers are right against how sure they were said to be.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::confidence::Reliability;

const SIZE: (u32, u32) = (640, 640);
const INK: RGBColor = RGBColor(45, 45, 45);
const DOTS: RGBColor = RGBColor(205, 60, 20);
/// Radius of a bin with all of the answers, pixels; areas go by shares.
const RADIUS: f64 = 34.0;

/// The picture could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the plot: {0}")]
pub struct PlotError(String);

/// An SVG picture: a dot per bin, the larger the more answers are in it, and the diagonal on which they should lie.
pub fn reliability_svg(reliability: &Reliability, title: &str) -> Result<String, PlotError> {
    let mut svg = String::new();
    draw(SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), reliability, title)
        .map_err(|e| PlotError(e.to_string()))?;
    Ok(svg)
}

fn draw(root: DrawingArea<SVGBackend, Shift>, reliability: &Reliability, title: &str) -> Result<(), Box<dyn Error>> {
    let ink = |size: u32| ("sans-serif", size).into_font().color(&INK);
    root.fill(&WHITE)?;
    root.draw(&Text::new(title.to_string(), (16, 14), ink(20)))?;
    let figures = format!("expected calibration error {:.3}, AUROC {:.3}", reliability.ece, reliability.auroc);
    root.draw(&Text::new(figures, (16, 40), ink(15)))?;
    let (_, body) = root.split_vertically(60);
    let mut chart =
        ChartBuilder::on(&body).x_label_area_size(48).y_label_area_size(60).margin(16).build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.08))
        .axis_style(INK)
        .x_desc("confidence in the first match")
        .y_desc("share that is right")
        .label_style(ink(14))
        .draw()?;
    chart.draw_series([PathElement::new([(0.0, 0.0), (1.0, 1.0)], INK.mix(0.5).stroke_width(1))])?;
    let points: Vec<(f64, f64)> = reliability.bins.iter().map(|b| (b.confidence, b.right)).collect();
    chart.draw_series([PathElement::new(points, DOTS.stroke_width(2))])?;
    chart.draw_series(reliability.bins.iter().map(|b| {
        let radius = (RADIUS * b.share.sqrt()).max(2.0) as i32;
        Circle::new((b.confidence, b.right), radius, DOTS.mix(0.6).filled())
    }))?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::confidence::Trial;

    #[test]
    fn every_bin_is_a_dot() {
        let trial = Trial { present: vec![(0.95, true), (0.55, false), (0.5, true)], absent: vec![0.05] };
        let svg = reliability_svg(&Reliability::of(&trial, 0.5), "a < b").unwrap();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains("a &lt; b") && svg.contains("AUROC 1.000"), "{svg}");
    }
}
