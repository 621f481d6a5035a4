//! What the stages work on: real hums and songs where they are to be had.

use std::path::{Path, PathBuf};

use qbh::{audio, pitchfile, symbolic};
use qbh_models::{Contour, Note};
use qbh_synthesis::hum::{self, ranges};
use qbh_synthesis::melody::MelodySource;
use qbh_synthesis::random::Draw;

/// Songs of the library.
const SONGS: usize = 200;
/// Seconds of a made-up song.
const SONG_SECONDS: f32 = 180.0;
/// Hums searched.
const HUMS: usize = 20;
/// Seconds of sound.
const SECONDS: usize = 20;

/// Hums, songs, and sound.
pub struct Material {
    /// Contours of hums of about 8 s.
    pub hums: Vec<Contour>,
    /// Contours of songs (MIDI pitch per 100 ms, 0 = unvoiced).
    pub songs: Vec<Vec<f32>>,
    /// Somebody humming, mono, by samples per second.
    sound: Sound,
    /// What all this is.
    pub description: String,
}

enum Sound {
    Recorded(PathBuf),
    MadeUp,
}

impl Material {
    /// Real hums (MIR-QBSH) and songs (melodies), or both made up.
    pub fn load() -> Material {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|dir| dir.join("shared/data")).find(|dir| dir.exists());
        let real = data.as_deref().and_then(|data| Some((hums(data)?, songs(data)?)));
        let sound = data.map(|data| data.join("hums/mabdh/hums/A_humm.wav")).filter(|path| path.exists());
        let heard = if sound.is_some() { "a real recording" } else { "a sawtooth for a voice" };
        let (what, (hums, songs)) = match real {
            Some(real) => ("real hums (MIR-QBSH) and songs (melodies of ../shared/data)", real),
            None => ("hums and songs that are made up: ../shared/data is not there", made_up()),
        };
        let seconds = songs.iter().map(Vec::len).sum::<usize>() as f64 / 10.0 / songs.len() as f64;
        let description = format!("{} {what}, {} songs of {seconds:.0} s; {heard}", hums.len(), songs.len());
        Material { hums, songs, sound: sound.map_or(Sound::MadeUp, Sound::Recorded), description }
    }

    /// Seconds of [`Material::sound`].
    pub const SECONDS: f64 = SECONDS as f64;

    /// 20 s of sound at a rate, in Hz; a shorter recording is repeated.
    pub fn sound(&self, rate: u32) -> Vec<f32> {
        let samples = SECONDS * rate as usize;
        match &self.sound {
            Sound::MadeUp => sawtooth(samples, rate),
            Sound::Recorded(path) => {
                let mut recorded = Vec::new();
                audio::open(path, rate)
                    .and_then(|mut stream| stream.read(samples, &mut recorded))
                    .expect("the recording is read");
                recorded.into_iter().cycle().take(samples).collect()
            }
        }
    }
}

fn hums(data: &Path) -> Option<Vec<Contour>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(data.join("hums/mir_qbsh/dev")).ok()?.flatten().map(|e| e.path()).collect();
    files.sort();
    let every = (files.len() / HUMS).max(1);
    let contour = |path: &PathBuf| Some(Contour::from_pitch_track(&pitchfile::read(path).ok()?));
    files.iter().step_by(every).take(HUMS).map(contour).collect()
}

fn songs(data: &Path) -> Option<Vec<Vec<f32>>> {
    let melodies = symbolic::read(&data.join("melodies/dev.jsonl.gz")).ok()?;
    let mut songs: Vec<Vec<f32>> = melodies.iter().map(|melody| Contour::from_notes(&melody.notes).pitch).collect();
    // Full songs, not the short tunes among them.
    songs.sort_by_key(|song| std::cmp::Reverse(song.len()));
    songs.truncate(SONGS);
    Some(songs)
}

fn made_up() -> (Vec<Contour>, Vec<Vec<f32>>) {
    let notes: Vec<Vec<Note>> =
        (0..SONGS as u64).map(|song| MelodySource::generated().passage(SONG_SECONDS, &mut Draw::stream(1, song)).notes).collect();
    let hum = |item: u64| {
        let draw = &mut Draw::stream(2, item);
        let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
        hum::hum(&notes[item as usize], 20.0..28.0, 1.0, strength, draw)
    };
    ((0..HUMS as u64).map(hum).collect(), notes.iter().map(|notes| Contour::from_notes(notes).pitch).collect())
}

/// Gliding, as a voice does.
fn sawtooth(samples: usize, rate: u32) -> Vec<f32> {
    let mut phase = 0.0f64;
    (0..samples)
        .map(|i| {
            let t = i as f64 / f64::from(rate);
            phase = (phase + 220.0 * (0.5 * (0.7 * t).sin()).exp2() / f64::from(rate)).fract();
            (0.3 * (2.0 * phase - 1.0)) as f32
        })
        .collect()
}
