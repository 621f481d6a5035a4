//! `qbh train extractor --student-of`: a teacher labels music that nobody has labelled.

use std::path::PathBuf;

use anyhow::ensure;
use clap::ValueEnum;
use qbh::train::unlabelled;
use qbh_models::Device;
use qbh_models::extractor;
use qbh_training::extractor::pseudo::{Setup, Unlabelled};

use super::passed_over;

/// Arguments of the noisy student.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Learn from this extractor (name or file) too: it labels the recordings of --unlabelled, which become half of the training
    #[arg(long, value_name = "NAME", requires = "unlabelled")]
    student_of: Option<String>,
    /// Folder of music to learn from, with singing in it
    #[arg(long, value_name = "DIR", requires = "student_of")]
    unlabelled: Option<PathBuf>,
    /// Who hears the unlabelled music augmented
    #[arg(long, value_enum, default_value_t = SetupName::NoisyStudent)]
    setup: SetupName,
    /// Frames that the teacher is less sure of do not count
    #[arg(long, value_name = "P", default_value_t = 0.8)]
    confidence: f32,
}

/// The set-ups of Kum et al. 2020.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SetupName {
    /// Nobody
    Basic,
    /// Teacher and student
    NoisyTeacherStudent,
    /// The student only
    NoisyStudent,
}

/// Lets the teacher listen to the music, on rayon's current pool; `None` where no teacher is asked for. Recordings that cannot
/// be read are reported and passed over.
pub fn listen(args: &Args, threads: usize) -> anyhow::Result<Option<Unlabelled>> {
    let (Some(teacher), Some(folder)) = (&args.student_of, &args.unlabelled) else {
        return Ok(None);
    };
    ensure!((0.5..1.0).contains(&args.confidence), "--confidence must be from 0.5 to 1");
    let began = std::time::Instant::now();
    let teacher = extractor::open(teacher, Device::Cpu)?;
    let setup = match args.setup {
        SetupName::Basic => Setup::Basic,
        SetupName::NoisyTeacherStudent => Setup::NoisyTeacherStudent,
        SetupName::NoisyStudent => Setup::NoisyStudent,
    };
    let (music, recordings) = unlabelled::listen(&*teacher, folder, setup, args.confidence, threads, &passed_over)?;
    eprintln!(
        "the teacher labelled {:.1} h of music in {:.0} s: {} of {recordings} recordings hold enough of a voice",
        music.seconds() / 3600.0,
        began.elapsed().as_secs_f64(),
        music.len(),
    );
    Ok(Some(music))
}
