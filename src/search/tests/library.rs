//! A library of melodies made up here, with an embedder that needs no training.

use std::collections::BTreeMap;

use qbh_index::{FileIdentity, Fingerprint, Index, Level, ModelId, NewSong, SongId, Tags};
use qbh_models::embedder::{Embedder, Windowing};
use qbh_models::reranker::{DEFAULT_RERANKER, Reranker};
use qbh_models::{Contour, EMBEDDING_DIM, Embedding, ModelError, ModelInfo};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::library::embed_song;
use crate::search::{Answer, SearchError, SearchMethod, SearchOptions, Searcher};

/// Points a window to a random projection of its resampled, key-free pitches.
pub(super) struct Projection {
    info: ModelInfo,
    windowing: Windowing,
    matrix: Vec<f32>,
}

const STEPS: usize = 48;

impl Projection {
    pub(super) fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        Projection {
            info: ModelInfo {
                name: "projection".into(),
                architecture: "projection".into(),
                fingerprint: "1".into(),
                parameters: 0,
                metadata: BTreeMap::new(),
            },
            windowing: Windowing {
                song_steps: vec![50, 100, 200],
                hum_steps: vec![200, 160, 128, 100, 80, 63, 50, 40],
                resampled: true,
                windows_per_length: 4,
                song_min_voiced: 0.3,
                hum_min_voiced: 0.2,
            },
            matrix: (0..STEPS * EMBEDDING_DIM).map(|_| rng.random_range(-1.0..1.0)).collect(),
        }
    }
}

impl Embedder for Projection {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn windowing(&self) -> &Windowing {
        &self.windowing
    }

    fn embed(&self, windows: &[&[f32]]) -> Result<Vec<Embedding>, ModelError> {
        let embed = |window: &&[f32]| {
            let mut held: Vec<f32> = (0..STEPS).map(|k| window[k * window.len() / STEPS]).collect();
            for k in 1..STEPS {
                held[k] = if held[k] > 0.0 { held[k] } else { held[k - 1] };
            }
            let mean = held.iter().sum::<f32>() / STEPS as f32;
            let mut out = [0.0; EMBEDDING_DIM];
            for (value, row) in out.iter_mut().zip(self.matrix.chunks_exact(STEPS)) {
                *value = row.iter().zip(&held).map(|(w, p)| w * (p - mean)).sum();
            }
            let norm = out.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            out.map(|x| x / norm)
        };
        Ok(windows.iter().map(embed).collect())
    }

    fn fork(&self) -> Box<dyn Embedder> {
        Box::new(Projection::new())
    }
}

/// The shipped one: it looks at contours, whatever finds them.
pub(super) fn reranker() -> Option<Reranker> {
    Some(Reranker::open(DEFAULT_RERANKER, qbh_models::Device::Cpu).unwrap())
}

/// A melody of random notes, some with a rest behind them.
pub(super) fn melody(seed: u64, steps: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pitch = 62.0;
    let mut contour = Vec::new();
    while contour.len() < steps {
        pitch = (pitch + [-5, -4, -3, -2, -2, -1, 1, 2, 2, 3, 4, 7][rng.random_range(0..12)] as f32).clamp(50.0, 76.0);
        let length = [2, 3, 4, 4, 6, 8][rng.random_range(0..6)];
        contour.extend(std::iter::repeat_n(pitch, length));
        contour.extend(std::iter::repeat_n(0.0, [0, 0, 0, 1, 2][rng.random_range(0..5)]));
    }
    contour.truncate(steps);
    contour
}

/// A stretch of a song, hummed in another key and tempo, with unsteady pitch.
pub(super) fn hummed(song: &[f32], from: usize, steps: usize, key: f32, tempo: f32, seed: u64) -> Contour {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sung = |i: usize| match song[from + (i as f32 * tempo) as usize] {
        p if p > 0.0 => p + key + rng.random_range(-0.4..0.4),
        _ => 0.0,
    };
    Contour::from_steps((0..(steps as f32 / tempo) as usize).map(sung).collect())
}

pub(super) struct Library {
    _dir: tempfile::TempDir,
    pub(super) index: Index,
    pub(super) songs: Vec<(SongId, Vec<f32>)>,
}

impl Library {
    pub(super) fn of(contours: Vec<Vec<f32>>) -> Library {
        Library::of_files(contours.into_iter().enumerate().map(|(i, contour)| (format!("{i}.mid"), contour)))
    }

    /// A library of songs by their keys, indexed in this order.
    pub(super) fn of_files(songs_by_key: impl IntoIterator<Item = (String, Vec<f32>)>) -> Library {
        let dir = tempfile::tempdir().unwrap();
        let embedder = Projection::new();
        let model = |name: &str| ModelId { name: name.into(), fingerprint: "1".into() };
        let levels = embedder.windowing.song_steps.iter().map(|&steps| Level { steps, windows_per_length: 4 }).collect();
        let fingerprint =
            Fingerprint { extractor: model("none"), embedder: model("projection"), dimension: EMBEDDING_DIM as u32, levels };
        let index = Index::open(dir.path(), &fingerprint).unwrap();
        let mut songs = Vec::new();
        for (key, contour) in songs_by_key {
            let file = FileIdentity { path: key.clone(), size: 1, modified_ns: 1 };
            let levels = embed_song(&contour, &embedder).unwrap();
            let song = NewSong { key, tags: Tags::default(), contour: contour.clone(), levels };
            songs.push((index.put_file(&file, vec![song]).unwrap()[0], contour));
        }
        Library { _dir: dir, index, songs }
    }

    pub(super) fn random(songs: u64) -> Library {
        Library::of((0..songs).map(|seed| melody(seed, 400 + 100 * (seed as usize % 9))).collect())
    }

    pub(super) fn search(&self, hum: &Contour, options: &SearchOptions) -> Result<Answer, SearchError> {
        self.searcher(options.method).search(hum, options)
    }

    /// A searcher with the graph, if the method needs it.
    pub(super) fn searcher(&self, method: SearchMethod) -> Searcher {
        let snapshot = self.index.snapshot().unwrap();
        let graph = (method == SearchMethod::Hnsw).then(|| qbh_index::Hnsw::build(&snapshot, |_, _| {}).unwrap());
        Searcher::new(snapshot, Box::new(Projection::new()), reranker()).with_graph(graph)
    }
}
