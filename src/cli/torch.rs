//! What `qbh` leaves to `qbh-torch`: trainings, the published networks, CUDA. It runs in place of this program, with the same arguments,
//! when it lies beside it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Error;
use qbh_models::ModelError;

/// Arguments of a subcommand that needs libtorch, in a build without: whatever follows is for `qbh-torch` to read.
#[cfg(not(feature = "torch"))]
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// As `qbh-torch` has it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// The error that has [`hand_over`] called.
#[cfg(not(feature = "torch"))]
pub fn needed<T>(what: &str) -> anyhow::Result<T> {
    Err(ModelError::NeedsTorch { what: what.into() }.into())
}

/// Whether an error says that this build cannot do something which one with libtorch can.
pub fn is_needed(error: &Error) -> bool {
    let needs = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<ModelError>(), Some(ModelError::NeedsTorch { .. }))
    };
    error.chain().any(needs)
}

/// Runs `qbh-torch` with the arguments of this program, in place of it; gives the error back when there is none.
pub fn hand_over(error: Error) -> Error {
    let Some(program) = beside() else { return error };
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let failed = replace(Command::new(&program).args(arguments));
    Error::from(failed).context(format!("cannot run {}", program.display()))
}

/// `qbh-torch` in the folder of this program.
fn beside() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name(format!("qbh-torch{}", std::env::consts::EXE_SUFFIX));
    program.is_file().then_some(program)
}

/// Becomes another program. Returns only when that is not possible.
#[cfg(unix)]
fn replace(command: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

/// Runs another program and ends as it does. Returns only when that is not possible.
#[cfg(not(unix))]
fn replace(command: &mut Command) -> std::io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(2)),
        Err(error) => error,
    }
}
