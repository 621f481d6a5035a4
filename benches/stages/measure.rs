//! Medians, and how they are printed.

use std::time::Instant;

/// Seconds of the median of some runs, after one that is not counted.
pub fn median(mut run: impl FnMut()) -> f64 {
    run();
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A title, and what the ratios below it are relative to.
pub fn section(title: &str, baseline: &str) {
    println!("\n{title}\n  1.00 is: {baseline}");
}

/// A row: what was measured, and how many times as fast as the baseline it is.
pub fn row(name: &str, figure: f64, unit: &str, ratio: f64) {
    println!("  {name:<42} {figure:>10.1} {unit:<14} {ratio:>8.2} x as fast");
}
