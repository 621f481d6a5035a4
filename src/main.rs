//! The `qbh` command line. Exit status: 0 done or found, 1 nothing matched with confidence, 2 error.

#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
