//! What this process uses, from /proc; 0 where there is none.

/// CPU seconds of all threads so far, in steps of 10 ms.
pub fn cpu_seconds() -> f64 {
    // Behind the name in brackets: user and system time are fields 14 and 15 of the line, in hundredths of a second.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Bytes of memory that belong to this process alone: mapped files do not count.
pub fn own_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}
