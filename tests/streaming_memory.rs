//! A recording of three hours takes no more memory than one of a minute. Alone in its file: the peak is that of the process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod util;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

const RATE: u32 = 16_000;
const SECONDS: u32 = 3 * 3600;

/// A 16-bit stereo WAV of silence with a click per hour; the silence takes no room on the disk.
fn write_long_wav(path: &Path) -> std::io::Result<()> {
    let data = SECONDS * RATE * 4;
    let mut file = File::create(path)?;
    file.write_all(b"RIFF")?;
    file.write_all(&(data + 36).to_le_bytes())?;
    file.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x02\0")?;
    file.write_all(&RATE.to_le_bytes())?;
    file.write_all(&(RATE * 4).to_le_bytes())?;
    file.write_all(b"\x04\0\x10\0data")?;
    file.write_all(&data.to_le_bytes())?;
    for hour in 0..3 {
        file.seek(SeekFrom::Start(44 + hour * 3600 * u64::from(RATE) * 4))?;
        file.write_all(&[0xff, 0x7f, 0xff, 0x7f])?;
    }
    file.set_len(44 + u64::from(data))
}

/// Peak resident memory of this process so far, bytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb * 1000)
}

#[test]
fn memory_does_not_grow_with_the_recording() {
    let dir = tempfile::tempdir().expect("a folder for the recording");
    let path = dir.path().join("long.wav");
    write_long_wav(&path).expect("room for a sparse file");
    let before = peak_memory();
    let mut stream = qbh::audio::open(&path, 8_000).expect("a valid WAV");
    let (mut samples, mut clicks) = (0, 0);
    while let Some(chunk) = stream.next_chunk().expect("no damage") {
        samples += chunk.len();
        clicks += chunk.iter().filter(|s| **s > 0.2).count();
    }
    assert_eq!((samples, clicks), (SECONDS as usize * 8_000, 3));
    match (before, peak_memory()) {
        // As samples it would be 345 MB, as a file 691 MB.
        (Some(before), Some(after)) => assert!(after - before < 10_000_000, "{before} -> {after} bytes"),
        _ => util::skipped::skipped("this system does not tell the peak memory"),
    }
}
