//! The `gridtap` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    gridtap::cli::main()
}
