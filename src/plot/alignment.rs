//! A picture of a match: the hum laid over the song.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use qbh_models::Contour;
use qbh_models::contour::CONTOUR_STEP;

use super::canvas::{ACCENT as HUM, Canvas, Drawn, INK, PlotError, grid, letters, svg};
use crate::search::Placement;

const SIZE: (u32, u32) = (1100, 560);
const HEAD: u32 = 70;
const SONG: RGBColor = RGBColor(150, 160, 175);
const MATCHED: RGBColor = RGBColor(255, 243, 220);

/// Seconds of song shown on either side of what matched.
const AROUND: f32 = 4.0;

/// Neighbouring steps further apart than this are not joined, semitones.
const SAME_LINE: f32 = 3.0;

/// An SVG picture of `found`: the song's contour around the match, and over it the hum's, moved into the song's key and along
/// the match's tempo path. The lower axis is the song's time, the upper one the hum's.
///
/// # Errors
/// [`PlotError`], which only a fault of the program causes.
pub fn alignment_svg(hum: &Contour, song: &Contour, found: &Placement, title: &str) -> Result<String, PlotError> {
    svg(SIZE, |sheet| draw(sheet, hum, song, found, title))
}

fn draw(sheet: &Canvas, hum: &Contour, song: &Contour, found: &Placement, title: &str) -> Drawn {
    let warp = Warp::new(found);
    let shown = ((found.song_start - AROUND).max(0.0), found.song_end + AROUND);
    let song_lines = lines(&song.pitch, |seconds| Some(seconds).filter(|s| (shown.0..shown.1).contains(s)), 0.0);
    let hum_lines = |part: std::ops::Range<f32>| {
        let time = |seconds| {
            let inside = part.contains(&seconds);
            Some(warp.song_time(seconds)).filter(|s| inside && (shown.0..shown.1).contains(s))
        };
        lines(&hum.pitch, time, -found.key_shift)
    };
    let matched = hum_lines(found.hum_start..found.hum_end);
    let mut others = hum_lines(f32::NEG_INFINITY..found.hum_start);
    others.extend(hum_lines(found.hum_end..f32::INFINITY));
    let (low, high) = pitch_range(song_lines.iter().chain(&matched));
    others.retain(|line| line.iter().all(|p| (low..high).contains(&p.1)));

    sheet.draw(&Text::new(title.to_string(), (16, 12), letters(22)))?;
    sheet.draw(&Text::new(summary(found), (16, 42), letters(15)))?;

    let (_, body) = sheet.split_vertically(HEAD);
    let mut chart = ChartBuilder::on(&body)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .margin_top(46)
        .margin_left(8)
        .margin_right(24)
        .margin_bottom(6)
        .build_cartesian_2d(shown.0..shown.1, low..high)?;
    chart.draw_series([Rectangle::new([(found.song_start, low), (found.song_end, high)], MATCHED.filled())])?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(grid())
        .axis_style(INK)
        .x_desc("time in the song")
        .y_desc("pitch")
        .x_labels(12)
        .y_labels(((high - low) as usize).clamp(4, 13))
        .x_label_formatter(&|&seconds| clock(seconds))
        .y_label_formatter(&|&pitch| note_name(pitch))
        .label_style(letters(14))
        .draw()?;
    for (lines, style) in [
        (song_lines, SONG.stroke_width(7)),
        // What did not match is shown too, faintly: it tells where the hum and the song part.
        (others, HUM.mix(0.4).stroke_width(2)),
        (matched, HUM.stroke_width(2)),
    ] {
        chart.draw_series(lines.into_iter().map(|line| PathElement::new(line, style)))?;
    }

    let to_pixel = |seconds: f32| chart.plotting_area().map_coordinate(&(seconds, high));
    hum_axis(sheet, |seconds| to_pixel(warp.song_time(seconds)), hum.duration() as f32, (to_pixel(shown.0), to_pixel(shown.1)))?;
    legend(sheet)
}

/// Seconds of the hum along the upper edge, where the tempo path puts them.
fn hum_axis(sheet: &Canvas, pixel: impl Fn(f32) -> (i32, i32), duration: f32, (left, right): ((i32, i32), (i32, i32))) -> Drawn {
    let centred = letters(14).color(&HUM).pos(Pos::new(HPos::Center, VPos::Bottom));
    sheet.draw(&PathElement::new([left, right], INK.stroke_width(1)))?;
    sheet.draw(&Text::new("time in the hum", ((left.0 + right.0) / 2, left.1 - 24), centred.clone()))?;
    // The shortest of the usual intervals that leaves room for the labels.
    let second = (pixel(duration).0 - pixel(0.0).0) as f32 / duration.max(0.1);
    let every = [0.5, 1.0, 2.0, 5.0, 10.0].into_iter().find(|every| every * second >= 46.0).unwrap_or(20.0);
    for tick in 0..=(duration / every) as u32 {
        let seconds = tick as f32 * every;
        let (x, y) = pixel(seconds);
        if (left.0..=right.0).contains(&x) {
            sheet.draw(&PathElement::new([(x, y), (x, y - 5)], HUM.stroke_width(1)))?;
            sheet.draw(&Text::new(format!("{seconds} s"), (x, y - 7), centred.clone()))?;
        }
    }
    Ok(())
}

fn legend(sheet: &Canvas) -> Drawn {
    let style = letters(14).pos(Pos::new(HPos::Left, VPos::Center));
    let entries = [("song", SONG.stroke_width(7)), ("hum, in the song's key", HUM.stroke_width(2))];
    for ((label, line), x) in entries.into_iter().zip([SIZE.0 as i32 - 310, SIZE.0 as i32 - 210]) {
        sheet.draw(&PathElement::new([(x, 24), (x + 30, 24)], line))?;
        sheet.draw(&Text::new(label, (x + 38, 24), style.clone()))?;
    }
    Ok(())
}

/// Where the hum's time lies in the song: along the path of the match, and at its mean tempo beyond the ends.
struct Warp<'a> {
    path: &'a [(f32, f32)],
    tempo_ratio: f32,
}

impl<'a> Warp<'a> {
    fn new(found: &'a Placement) -> Self {
        Warp { path: &found.path, tempo_ratio: found.tempo_ratio }
    }

    fn song_time(&self, hum: f32) -> f32 {
        let beyond = |&(h, s): &(f32, f32)| s + (hum - h) * self.tempo_ratio;
        let after = self.path.partition_point(|p| p.0 <= hum);
        match (after.checked_sub(1).and_then(|before| self.path.get(before)), self.path.get(after)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (hum - a.0) / (b.0 - a.0),
            (Some(end), None) | (None, Some(end)) => beyond(end),
            (None, None) => hum,
        }
    }
}

/// One unbroken line of a contour: (seconds of the song, MIDI pitch).
type Line = Vec<(f32, f32)>;

/// The voiced stretches of a contour whose steps `time` places, moved by `shift` semitones.
fn lines(pitch: &[f32], time: impl Fn(f32) -> Option<f32>, shift: f32) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut line = Line::new();
    for (step, &p) in pitch.iter().enumerate() {
        let (start, end) = (time((step as f64 * CONTOUR_STEP) as f32), time(((step + 1) as f64 * CONTOUR_STEP) as f32));
        let placed = start.filter(|_| p > 0.0);
        let joins = placed.is_some() && line.last().is_none_or(|last| (last.1 - p - shift).abs() <= SAME_LINE);
        if !joins && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if let Some(start) = placed {
            line.extend([Some((start, p + shift)), end.map(|end| (end, p + shift))].into_iter().flatten());
        }
    }
    lines.push(line);
    lines.retain(|line| line.len() > 1);
    lines
}

/// The pitches to show: all, with some room, and never less than an octave.
fn pitch_range<'a>(lines: impl Iterator<Item = &'a Line>) -> (f32, f32) {
    let pitches: Vec<f32> = lines.flatten().map(|p| p.1).collect();
    let low = pitches.iter().copied().fold(f32::INFINITY, f32::min);
    let high = pitches.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if !low.is_finite() {
        return (54.0, 66.0);
    }
    let room = ((12.0 - (high - low)) / 2.0).max(1.0);
    (low - room, high + room)
}

fn summary(found: &Placement) -> String {
    let key = match found.key_shift {
        shift if shift.abs() < 0.05 => "in the song's key".to_string(),
        shift => format!("{:.1} semitones {} than the song", shift.abs(), if shift > 0.0 { "higher" } else { "lower" }),
    };
    format!(
        "the hum's {:.1} to {:.1} s match {} to {} of the song;  hummed {key}, {:.2} times as fast",
        found.hum_start,
        found.hum_end,
        clock(found.song_start),
        clock(found.song_end),
        found.tempo_ratio
    )
}

/// Minutes and seconds.
fn clock(seconds: f32) -> String {
    let seconds = seconds.round() as u32;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// The nearest note, such as `C4` for MIDI pitch 60.
fn note_name(pitch: f32) -> String {
    const NAMES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
    let note = pitch.round() as i32;
    format!("{}{}", NAMES[note.rem_euclid(12) as usize], note.div_euclid(12) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A song of 25 s of which 2 to 12 s were hummed, slower and lower, after a false start and before a wrong end.
    fn example() -> (Contour, Contour, Placement) {
        let song: Vec<f32> = [60, 64, 62, 67, 65, 69, 60, 59, 62, 71, 72, 65, 60, 67, 64, 62, 66, 61, 58, 60, 70, 69, 67, 72, 60]
            .iter()
            .flat_map(|&n| [0.0].into_iter().chain([n as f32; 9]))
            .collect();
        let mut hum = vec![0.0; 4];
        hum.extend([49.0; 8]);
        hum.extend((0..115).map(|i| song[20 + (i as f32 * 0.87) as usize]).map(|p| if p > 0.0 { p - 14.7 } else { 0.0 }));
        hum.extend([52.5; 14]);
        let found = Placement {
            song_start: 2.0,
            song_end: 12.0,
            hum_start: 1.2,
            hum_end: 12.7,
            key_shift: -14.7,
            tempo_ratio: 0.87,
            path: (0..=115).map(|i| (1.2 + 0.1 * i as f32, 2.0 + 0.087 * i as f32)).collect(),
        };
        (Contour::from_steps(hum), Contour::from_steps(song), found)
    }

    /// Lines of a colour: a line of text has it as `fill`.
    fn strokes(svg: &str, RGBColor(r, g, b): RGBColor) -> usize {
        svg.matches(&format!("stroke=\"#{r:02X}{g:02X}{b:02X}\"")).count()
    }

    #[test]
    fn the_picture_names_the_song_and_shows_both_lines() {
        let (hum, song, found) = example();
        let svg = alignment_svg(&hum, &song, &found, "\"Tom & Jerry\" <live>").unwrap();
        roxmltree::Document::parse(&svg).unwrap();
        assert!(svg.contains("Tom &amp; Jerry") && svg.contains("&lt;live&gt;"));
        assert!(svg.contains("14.7 semitones lower") && svg.contains("time in the hum"));
        // Besides the one in the legend: a line for each note of the song that is shown, and for each that was hummed.
        assert!(strokes(&svg, SONG) > 10 && strokes(&svg, HUM) > 10, "{svg}");
    }

    #[test]
    fn a_match_beyond_the_song_shows_no_line() {
        let (hum, song, mut found) = example();
        found.path.clear();
        (found.song_start, found.song_end) = (100.0, 100.0);
        let empty = Contour::default();
        for (hum, song) in [(&hum, &song), (&empty, &empty)] {
            let svg = alignment_svg(hum, song, &found, "").unwrap();
            roxmltree::Document::parse(&svg).unwrap();
            assert_eq!(strokes(&svg, SONG), 1, "the legend's only");
            assert!(svg.contains("1:40") && svg.contains("time in the song"), "the axis is there: {svg}");
        }
    }

    #[test]
    fn notes_and_clocks_read_as_usual() {
        assert_eq!([59.6, 69.0, 58.0].map(note_name), ["C4", "A4", "A#3"]);
        assert_eq!([0.0, 65.4, 600.0].map(clock), ["0:00", "1:05", "10:00"]);
    }
}
