//! `qbh train extractor --multitracks`: real voices, what accompanied them, and their pitch.

use std::path::PathBuf;

use anyhow::ensure;
use qbh::train::multitracks::{self, Choice};

/// Arguments of the multitracks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Real singing with known pitch: folders in the layout of MIR-1K (voice/NAME.*, backing/NAME.*, pitch/NAME.pv), or CSV files with
    /// the header `voice,backing,pitch` (files relative to the CSV; the backing may be empty, the pitch is any pitch file)
    #[arg(long, num_args = 1.., value_name = "DIR|FILE.csv")]
    multitracks: Vec<PathBuf>,
    /// Keep recordings whose name begins so (singers, say) out of the training
    #[arg(long, num_args = 1.., value_name = "NAME", requires = "multitracks")]
    leave_out: Vec<String>,
    /// Share of the training that is on the multitracks, the rest being the studio's
    #[arg(long, default_value_t = 0.5, value_name = "SHARE", requires = "multitracks")]
    multitrack_share: f32,
}

impl Args {
    /// Reads the recordings, on rayon's current pool.
    pub fn read(&self) -> anyhow::Result<Choice> {
        ensure!((0.0..=1.0).contains(&self.multitrack_share), "--multitrack-share must be from 0 to 1");
        let choice = multitracks::read(&self.multitracks, &self.leave_out, self.multitrack_share)?;
        if !choice.tracks.is_empty() {
            eprintln!("{} multitracks, {:.0} min of voices", choice.tracks.len(), choice.tracks.seconds() / 60.0);
        }
        Ok(choice)
    }
}
