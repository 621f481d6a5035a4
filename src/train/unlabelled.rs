//! A teacher labels music that nobody has labelled.

use std::path::Path;

use qbh_models::extractor::Extractor;
use qbh_training::extractor::pseudo::{Setup, Unlabelled};
use rayon::prelude::*;

use super::recordings::{self, track};
use super::{PassedOver, TrainError};

/// Lets a teacher listen to the recordings below a folder, on rayon's current pool; also tells how many there are. Frames that
/// it is less sure of than `confidence` do not count. `threads` crops can be made at a time. Recordings that cannot be read are
/// passed over.
///
/// # Errors
/// The teacher hears nobody sing.
pub fn listen(
    teacher: &dyn Extractor,
    folder: &Path,
    setup: Setup,
    confidence: f32,
    threads: usize,
    passed_over: &PassedOver,
) -> Result<(Unlabelled, usize), TrainError> {
    let paths = recordings::below(folder, passed_over);
    let mut unlabelled = Unlabelled::new(teacher, setup, confidence, threads);
    // A few at a time: what waits to be stored is four times as large as what is stored.
    for some in paths.chunks(threads.max(1) * 2) {
        let jobs: Vec<_> = some.iter().map(|path| (path, teacher.fork())).collect();
        let heard = jobs.into_par_iter().map(|(path, teacher)| {
            let hear = || {
                let samples = recordings::whole(path)?;
                let heard = track(&samples, &*teacher)?;
                Ok::<_, TrainError>((samples, heard))
            };
            (path, hear())
        });
        for (path, heard) in heard.collect::<Vec<_>>() {
            match heard {
                Ok((samples, heard)) => _ = unlabelled.add(&samples, heard),
                Err(error) => passed_over(path, &error),
            }
        }
    }
    if unlabelled.is_empty() {
        let what = format!("{} recordings, in none of which the teacher hears somebody sing", paths.len());
        return Err(TrainError::nothing(folder, &what));
    }
    Ok((unlabelled, paths.len()))
}
