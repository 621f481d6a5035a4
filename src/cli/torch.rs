//! What `qbh` leaves to `qbh-torch`: trainings, the published networks, CUDA. It runs in place of this program, with the same arguments,
//! when it lies beside it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Error;
use qbh_models::ModelError;

/// Arguments of a subcommand that needs libtorch: whatever follows is for `qbh-torch` to read.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// As `qbh-torch` has it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// The error that has [`hand_over`] run `qbh-torch`.
pub fn needed<T>(what: &str) -> anyhow::Result<T> {
    Err(ModelError::NeedsTorch { what: what.into() }.into())
}

/// Whether an error says that libtorch is needed.
pub fn is_needed(error: &Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(ModelError::NeedsTorch { .. })))
}

/// Runs `qbh-torch` with the arguments of this program, in place of it, where an error says that libtorch is needed. Gives other errors
/// back, and all when there is no `qbh-torch`.
pub fn hand_over(error: Error) -> Error {
    let Some(program) = beside().filter(|_| is_needed(&error)) else { return error };
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let failed = replace(Command::new(&program).args(arguments), name);
    Error::from(failed).context(format!("cannot run {}", program.display()))
}

/// `qbh-torch` in the folder of this program.
pub fn beside() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name(format!("qbh-torch{}", std::env::consts::EXE_SUFFIX));
    program.is_file().then_some(program)
}

/// Becomes another program, which calls itself as this one was called. Returns only when that is not possible.
#[cfg(unix)]
fn replace(command: &mut Command, name: OsString) -> std::io::Error {
    use std::os::unix::process::CommandExt;
    command.arg0(name).exec()
}

/// Runs another program and ends as it does. Returns only when that is not possible.
#[cfg(not(unix))]
fn replace(command: &mut Command, _: OsString) -> std::io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(2)),
        Err(error) => error,
    }
}
