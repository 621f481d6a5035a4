//! A picture of a training: shares of right answers over the steps.

use plotters::prelude::*;

use super::canvas::{Canvas, Drawn, INK, PlotError, grid, letters, svg};

const SIZE: (u32, u32) = (1000, 420);

/// What is measured again and again while a training runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it is, for the legend.
    pub name: String,
    /// (step, share from 0 to 1), steps ascending.
    pub points: Vec<(f64, f64)>,
}

/// An SVG picture with a line per curve.
///
/// # Errors
/// [`PlotError`], which only a fault of the program causes.
pub fn learning_curve_svg(curves: &[Curve]) -> Result<String, PlotError> {
    svg(SIZE, |sheet| draw(sheet, curves))
}

fn draw(sheet: &Canvas, curves: &[Curve]) -> Drawn {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let last = points().map(|p| p.0).fold(1.0, f64::max);
    let low = points().map(|p| p.1).fold(1.0, f64::min);
    let mut chart = ChartBuilder::on(sheet)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..last, (low - 0.02).max(0.0)..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(grid())
        .axis_style(INK)
        .x_desc("steps")
        .y_desc("share")
        .draw()?;
    for (i, Curve { name, points }) in curves.iter().enumerate() {
        let colour = Palette99::pick(i).to_rgba();
        let series = chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
        series.label(name).legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(INK)
        .label_font(letters(14))
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_is_in_the_legend() {
        let curve = |name: &str, last| Curve { name: name.into(), points: vec![(50.0, 0.5), (100.0, last)] };
        let svg = learning_curve_svg(&[curve("pitch accuracy", 0.6), curve("OA solo", 0.9)]).unwrap();
        assert!(svg.contains("pitch accuracy") && svg.contains("OA solo"), "{svg}");
        assert_eq!(svg.matches("<polyline").count() - learning_curve_svg(&[]).unwrap().matches("<polyline").count(), 4);
    }
}
