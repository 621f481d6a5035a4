//! `qbh-torch`: the same command line as `qbh`, with libtorch. `qbh` calls it for what it cannot do itself.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
