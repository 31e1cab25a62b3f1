//! The `sealift` program: hands the command line to the library and its answer to the caller.

use std::process::ExitCode;

fn main() -> ExitCode {
    sealift::cli::run(std::env::args_os())
}
