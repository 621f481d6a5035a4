//! Numbers as people read them.

/// `m:ss`, or `h:mm:ss` from an hour on.
pub fn clock(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// A time span that tells tenths while they matter: `0.8 s`, `12 s`, `3:05 min`, `2:03:05 h`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 59.5 => format!("{s:.0} s"),
        s if s < 3599.5 => format!("{} min", clock(s)),
        s => format!("{} h", clock(s)),
    }
}

/// Decimal units, as disk vendors and most file managers count: `12.3 MB`.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `1 song`, `2 songs`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Signed semitones to the half: `+3`, `-1.5`, `0`.
pub fn semitones(shift: f32) -> String {
    let halves = (2.0 * shift).round() as i32;
    let sign = if halves < 0 { "-" } else { "+" };
    match (halves.abs() / 2, halves % 2 != 0) {
        (0, false) => "0".to_owned(),
        (whole, false) => format!("{sign}{whole}"),
        (whole, true) => format!("{sign}{whole}.5"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([clock(0.4), clock(65.0), clock(59.7), clock(3725.0)], ["0:00", "1:05", "1:00", "1:02:05"]);
        assert_eq!([duration(0.84), duration(12.3), duration(185.0)], ["0.8 s", "12 s", "3:05 min"]);
        assert_eq!([bytes(12), bytes(999_999), bytes(12_345_678)], ["12 B", "1.0 MB", "12.3 MB"]);
        assert_eq!([count(1, "song"), count(0, "song")], ["1 song", "0 songs"]);
        assert_eq!([semitones(-0.1), semitones(3.0), semitones(-1.4), semitones(0.5)], ["0", "+3", "-1.5", "+0.5"]);
    }
}
