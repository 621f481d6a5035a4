//! Songs and hums, composed: everything follows from a song's number.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use qbh::library::embed_song;
use qbh_index::{FileIdentity, Index, LevelWindows, NewSong, Tags};
use qbh_models::embedder::Embedder;
use qbh_models::{Contour, Note};
use qbh_synthesis::hum::{self, ranges};
use qbh_synthesis::melody::MelodySource;
use qbh_synthesis::random::Draw;

use crate::process::cpu_seconds;

/// Seconds of a song: 2:47 on the average.
const SECONDS: std::ops::Range<f32> = 134.0..200.0;
/// Seconds of a hum.
const HUM_SECONDS: f32 = 10.0;
/// Share of a hummed section that notes fill at least.
const SUNG: f32 = 0.6;
/// Songs that are embedded; those beyond get vectors of the first [`KEPT`] with noise.
const EMBEDDED: usize = 10_000;
const KEPT: usize = 1000;
/// Length of the noise beside that of the vector.
const NOISE: f32 = 0.7;
/// Streams of random numbers.
const SONG: u64 = 1;
const CONTOUR: u64 = 2;
const HUM: u64 = 3;
const COPY: u64 = 4;

fn notes(song: usize) -> (Vec<Note>, f32) {
    let draw = &mut Draw::stream(SONG, song as u64);
    let seconds = draw.range(SECONDS.start, SECONDS.end);
    (MelodySource::generated().passage(seconds, draw).notes, seconds)
}

/// A song's contour, as an extractor hears it.
fn contour(song: usize) -> Vec<f32> {
    let (notes, seconds) = notes(song);
    let draw = &mut Draw::stream(CONTOUR, song as u64);
    let noise = draw.range(ranges::NOISE.start, ranges::NOISE.end);
    hum::song(&notes, 0.0..seconds, noise, draw)
}

/// What is hummed in hum `item` of a library of so many songs: which song, its notes, the section in seconds, tempo and faults.
fn plan(item: usize, songs: usize, draw: &mut Draw) -> (usize, Vec<Note>, std::ops::Range<f32>, f32, f32) {
    // Copies are not what their contours sound like.
    let song = item * 7919 % songs.min(EMBEDDED);
    let (notes, seconds) = notes(song);
    let tempo = draw.log_range(0.8, 1.25);
    let length = HUM_SECONDS * tempo;
    let sung = |from: f32| notes.iter().map(|n| (n.offset().min(from + length) - n.onset.max(from)).max(0.0)).sum::<f32>();
    let mut begin = || notes[draw.index(notes.len())].onset.min(seconds - length);
    let from = std::iter::repeat_with(&mut begin).find(|&from| sung(from) > SUNG * length).expect("a song has melody");
    let strength = draw.range(ranges::STRENGTH.start, ranges::STRENGTH.end);
    (song, notes, from..from + length, tempo, strength)
}

/// The song and the contour of a hum of about 10 s, beginning with a note.
pub fn hum(item: usize, songs: usize) -> (usize, Contour) {
    let draw = &mut Draw::stream(HUM, item as u64);
    let (song, notes, section, tempo, strength) = plan(item, songs, draw);
    (song, hum::hum(&notes, section, tempo, strength, draw))
}

/// The same as a recording.
pub fn recorded(item: usize, songs: usize) -> Vec<f32> {
    let draw = &mut Draw::stream(HUM, item as u64);
    let (_, notes, section, tempo, strength) = plan(item, songs, draw);
    hum::record(&notes, section, tempo, strength, draw)
}

/// Fills an index with songs `0..n`, whose ids are their numbers.
#[derive(Default)]
pub struct Fill {
    done: usize,
    /// Windows of the first songs, to make others of.
    kept: Vec<Vec<LevelWindows>>,
}

impl Fill {
    /// Adds the songs that are missing and says what they cost.
    pub fn up_to(&mut self, size: usize, index: &Index, embedder: &dyn Embedder) {
        // An index that was kept from an earlier run holds some already.
        self.done = self.done.max(index.files().count());
        assert!(self.done <= size, "the index holds {} songs already", self.done);
        let begin = Instant::now();
        let embedded = self.done..size.min(EMBEDDED);
        let (mut cpu, mut wall) = (0.0, 0.0);
        for from in embedded.clone().step_by(KEPT) {
            let batch = from..embedded.end.min(from + KEPT);
            let contours: Vec<Vec<f32>> = batch.clone().map(contour).collect();
            let (start, before) = (Instant::now(), cpu_seconds());
            let windows = in_parallel(&contours, embedder);
            for ((song, contour), levels) in batch.zip(contours).zip(&windows) {
                put(index, song, contour, levels.clone());
            }
            index.flush().expect("the songs are stored");
            (cpu, wall) = (cpu + cpu_seconds() - before, wall + start.elapsed().as_secs_f64());
            if from == 0 {
                self.kept = windows;
            }
        }
        if !embedded.is_empty() {
            let count = embedded.len() as f64;
            println!("  embedding and storing          {:8.4} CPU s a song ({:.4} s on the clock)", cpu / count, wall / count);
        }
        if self.kept.is_empty() && size > EMBEDDED.max(self.done) {
            self.kept = in_parallel(&(0..KEPT).map(contour).collect::<Vec<_>>(), embedder);
        }
        for song in self.done.max(EMBEDDED)..size {
            put(index, song, contour(song), noisy(&self.kept[song % self.kept.len()], song));
        }
        index.flush().expect("the songs are stored");
        self.done = self.done.max(size);
        println!(
            "  adding songs in all            {:8.1} s on the clock, composing them included",
            begin.elapsed().as_secs_f64()
        );
    }
}

/// Embeds songs on every core, as indexing does.
fn in_parallel(contours: &[Vec<f32>], embedder: &dyn Embedder) -> Vec<Vec<LevelWindows>> {
    let threads = rayon::current_num_threads();
    let next = AtomicUsize::new(0);
    let mut windows = vec![Vec::new(); contours.len()];
    let work = |embedder: Box<dyn Embedder>| {
        let mut done = Vec::new();
        while let Some((song, contour)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, contours.get(i)?))) {
            done.push((song, embed_song(contour, embedder.as_ref()).expect("the song is embedded")));
        }
        done
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| (embedder.fork(), &work)).map(|(e, work)| scope.spawn(|| work(e))).collect();
        for (song, levels) in workers.into_iter().flat_map(|worker| worker.join().expect("no thread panics")) {
            windows[song] = levels;
        }
    });
    windows
}

fn put(index: &Index, song: usize, contour: Vec<f32>, levels: Vec<LevelWindows>) {
    let path = format!("/music/artist {}/album {}/{song:06}.mp3", song / 100, song / 10);
    let tags = Tags { title: Some(format!("Song {song}")), duration: Some(contour.len() as f64 / 10.0), ..Tags::default() };
    let new = NewSong { key: path.clone(), tags, contour, levels };
    index.put_file(&FileIdentity { path, size: 4_000_000, modified_ns: 1 }, vec![new]).expect("the song is stored");
}

/// The same windows with other vectors, about as far from the original as from one another.
fn noisy(levels: &[LevelWindows], song: usize) -> Vec<LevelWindows> {
    let draw = &mut Draw::stream(COPY, song as u64);
    let mut levels = levels.to_vec();
    for level in &mut levels {
        let dimension = level.vectors.len() / level.positions.len().max(1);
        for vector in level.vectors.chunks_exact_mut(dimension.max(1)) {
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            // White numbers within -1..=1 have the variance 1/3.
            let noise = NOISE * length * (3.0 / dimension as f32).sqrt();
            let shrink = 1.0 / (1.0 + NOISE * NOISE).sqrt();
            vector.iter_mut().for_each(|x| *x = shrink * (*x + noise * draw.white()));
        }
    }
    levels
}
