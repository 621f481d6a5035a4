//! The reliability plot: how often answers are right against how sure they were said to be.

use plotters::prelude::*;

use super::canvas::{ACCENT, Canvas, Drawn, INK, PlotError, grid, letters, svg};
use crate::eval::confidence::Reliability;

const SIZE: (u32, u32) = (640, 640);
const HEAD: u32 = 60;
/// Radius of a bin with all of the answers, pixels; areas go by shares.
const RADIUS: f64 = 34.0;

/// An SVG picture: a dot per bin, the larger the more answers are in it, and the diagonal on which they should lie.
///
/// # Errors
/// [`PlotError`], which only a fault of the program causes.
pub fn reliability_svg(reliability: &Reliability, title: &str) -> Result<String, PlotError> {
    svg(SIZE, |sheet| draw(sheet, reliability, title))
}

fn draw(sheet: &Canvas, reliability: &Reliability, title: &str) -> Drawn {
    sheet.draw(&Text::new(title.to_string(), (16, 14), letters(20)))?;
    let figures = format!("expected calibration error {:.3}, AUROC {:.3}", reliability.ece, reliability.auroc);
    sheet.draw(&Text::new(figures, (16, 40), letters(15)))?;
    let (_, body) = sheet.split_vertically(HEAD);
    let mut chart =
        ChartBuilder::on(&body).x_label_area_size(48).y_label_area_size(60).margin(16).build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(grid())
        .axis_style(INK)
        .x_desc("confidence in the first match")
        .y_desc("share that is right")
        .label_style(letters(14))
        .draw()?;
    chart.draw_series([PathElement::new([(0.0, 0.0), (1.0, 1.0)], INK.mix(0.5).stroke_width(1))])?;
    let points: Vec<(f64, f64)> = reliability.bins.iter().map(|b| (b.confidence, b.right)).collect();
    chart.draw_series([PathElement::new(points, ACCENT.stroke_width(2))])?;
    chart.draw_series(reliability.bins.iter().map(|b| {
        let radius = (RADIUS * b.share.sqrt()).max(2.0) as i32;
        Circle::new((b.confidence, b.right), radius, ACCENT.mix(0.6).filled())
    }))?;
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
