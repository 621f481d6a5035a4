//! What every subcommand shares: where the index and the user's models are, and how loud to be.

use anyhow::Context as _;
use directories::ProjectDirs;
use qbh_models::Device;
use std::path::{Path, PathBuf};

/// Options that stand before or after any subcommand.
#[derive(Debug, clap::Args)]
pub struct Globals {
    /// Folder of the index [default: in your platform's data folder, on Linux ~/.local/share/qbh/index]
    #[arg(long = "index", id = "index_dir", value_name = "DIR", env = "QBH_INDEX", global = true, help_heading = "Everywhere")]
    index_dir: Option<PathBuf>,
    /// Print results and errors only: no progress, no remarks
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Everywhere")]
    quiet: bool,
    /// Tell more about what happens (-vv: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Everywhere")]
    verbose: u8,
}

/// The options of [`Globals`] with their defaults filled in.
#[derive(Debug, Clone)]
pub struct Context {
    /// Folder of the index.
    pub index_dir: PathBuf,
    /// Whether the command line named it, and not the environment or the platform.
    pub index_named: bool,
    /// Folder where imported models are kept.
    pub models_dir: PathBuf,
    /// Whether remarks and progress are unwanted.
    pub quiet: bool,
    /// How many `-v` were given.
    pub verbose: u8,
}

impl Context {
    /// Fills in the platform's folders.
    pub fn new(globals: Globals) -> anyhow::Result<Self> {
        let dirs = ProjectDirs::from("", "", "qbh").context("cannot tell your data folder: set HOME, or give --index DIR");
        let index_named = globals.index_dir.is_some() && globals.index_dir != std::env::var_os("QBH_INDEX").map(PathBuf::from);
        let index_dir = match (globals.index_dir, &dirs) {
            (Some(dir), _) => dir,
            (None, Ok(dirs)) => dirs.data_dir().join("index"),
            (None, Err(error)) => anyhow::bail!("{error}"),
        };
        let models_dir = dirs.map(|d| d.data_dir().join("models")).unwrap_or_else(|_| PathBuf::from("models"));
        Ok(Context { index_dir, index_named, models_dir, quiet: globals.quiet, verbose: globals.verbose })
    }

    /// A remark for the person at the terminal, on standard error; nothing with `--quiet`.
    pub fn say(&self, message: impl std::fmt::Display) {
        if !self.quiet {
            super::progress::print_line(&message.to_string());
        }
    }

    /// What a model's name stands for: an imported model of that name, else the name itself (shipped, or a path).
    pub fn model_path(&self, name: &str) -> PathBuf {
        let imported = self.models_dir.join(format!("{name}.safetensors"));
        let plain_name = Path::new(name).components().count() == 1;
        if plain_name && imported.is_file() { imported } else { PathBuf::from(name) }
    }
}

/// Where the networks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DeviceName {
    Cpu,
    Cuda,
}

impl DeviceName {
    /// The device, if this machine and this build have it.
    pub fn device(self) -> anyhow::Result<Device> {
        match self {
            DeviceName::Cpu => Ok(Device::Cpu),
            DeviceName::Cuda => Ok(Device::cuda()?),
        }
    }
}
