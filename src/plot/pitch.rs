//! A picture of a pitch track.

use plotters::prelude::*;
use qbh_models::PitchTrack;
use qbh_models::pitch::{PITCH_HOP, hz_to_midi};

use super::canvas::{Canvas, Drawn, INK, PlotError, grid, letters, svg};

const SIZE: (u32, u32) = (1200, 420);
const VOICE: RGBColor = RGBColor(30, 90, 160);

/// An SVG picture: time in seconds, pitch in MIDI semitones (60 = middle C), a line per stretch of voice.
///
/// # Errors
/// [`PlotError`], which only a fault of the program causes.
pub fn pitch_svg(track: &PitchTrack, title: &str) -> Result<String, PlotError> {
    svg(SIZE, |sheet| draw(sheet, track, title))
}

fn draw(sheet: &Canvas, track: &PitchTrack, title: &str) -> Drawn {
    let lines = lines(track);
    let pitches = || lines.iter().flatten().map(|point| point.1);
    let (low, high) = (pitches().fold(f64::INFINITY, f64::min), pitches().fold(0.0, f64::max));
    let (low, high) = if low <= high { (low - 1.0, high + 1.0) } else { (48.0, 72.0) };
    let mut chart = ChartBuilder::on(sheet)
        .caption(title, letters(18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..track.duration().max(0.1), low..high)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(grid())
        .axis_style(INK)
        .x_desc("seconds")
        .y_desc("MIDI pitch")
        .draw()?;
    chart.draw_series(lines.into_iter().map(|line| PathElement::new(line, VOICE.stroke_width(2))))?;
    Ok(())
}

/// Stretches of voice as (seconds, MIDI pitch).
fn lines(track: &PitchTrack) -> Vec<Vec<(f64, f64)>> {
    let mut lines = vec![Vec::new()];
    for (frame, &f0) in track.f0.iter().enumerate() {
        match lines.last_mut() {
            Some(line) if f0 > 0.0 => line.push((frame as f64 * PITCH_HOP, f64::from(hz_to_midi(f0)))),
            Some(line) if line.is_empty() => {}
            _ => lines.push(Vec::new()),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_per_stretch_of_voice() {
        let track = PitchTrack::from_f0(vec![0.0, 440.0, 440.0, 0.0, 0.0, 880.0]);
        assert_eq!(lines(&track), [vec![(0.01, 69.0), (0.02, 69.0)], vec![(0.05, 81.0)]]);
        let colour = format!("#{:02X}{:02X}{:02X}", VOICE.0, VOICE.1, VOICE.2);
        let drawn = |track: &PitchTrack| pitch_svg(track, "a & b").unwrap().matches(&colour).count();
        assert_eq!((drawn(&track), drawn(&PitchTrack::default())), (2, 0));
    }
}
