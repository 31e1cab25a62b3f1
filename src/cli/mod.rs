//! The command line: arguments, files, progress bars, exit codes. The only room that reads the
//! environment or writes to a terminal.
//!
//! Standard output is the result (in `verify-blob`, as in cosign, standard error is); progress and
//! warnings go to standard error.

mod apart;
mod args;
mod atomic_output;
mod batch_args;
mod changed_since;
mod console;
mod cosign_options;
mod detect;
mod expected;
mod explain;
mod files;
mod inspect;
mod keygen;
mod machine;
mod medium;
#[cfg(feature = "online")]
mod mirror;
mod output;
mod password;
mod policy;
mod profiles;
mod progress_lines;
mod report;
mod report_file;
mod run_args;
mod seal;
mod seal_summary;
mod sealing;
mod state_file;
mod total_bar;
mod transfer_args;
mod trust_args;
mod trust_settings;
mod verify;
mod verify_blob;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::verdict::printable_within;
#[cfg(not(feature = "online"))]
use crate::verdict::{Code, Fault};
use args::{Cli, Command};

/// Runs the program with these arguments (the first is the program's name).
///
/// The exit code is 0 when everything was verified, 1 when something is not what was signed, 2 for
/// usage, configuration or a missing key, 3 when nothing could be decided, 4 when something could not
/// be fetched.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let error = readable(error, &arguments);
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let result = match &cli.command {
        Command::Verify(arguments) => verify::run(arguments),
        Command::VerifyBlob(arguments) => verify_blob::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Keygen(arguments) => keygen::run(arguments),
        Command::Seal(arguments) => seal::run(arguments),
        #[cfg(feature = "online")]
        Command::Mirror(arguments) => mirror::run(arguments),
        #[cfg(not(feature = "online"))]
        Command::Mirror { rest: _ } => Err(Fault::new(
            Code::Usage,
            "this is the air-gap edition, which has no network code; `mirror` is in the connected edition",
        )),
        Command::Policy(arguments) => policy::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
    };
    let status = result.unwrap_or_else(|fault| {
        output::complain(&fault);
        fault.outcome().exit_status()
    });
    ExitCode::from(status.code())
}

/// The same error with arguments escaped for display: clap quotes them as they are, and an argument may
/// be a file name that somebody else chose.
fn readable(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let shown = |argument: &OsString| {
        let text = argument.to_string_lossy();
        OsString::from(printable_within(&text, usize::MAX))
    };
    let escaped: Vec<OsString> = arguments.iter().map(shown).collect();
    if escaped == arguments {
        return error;
    }
    match Cli::try_parse_from(escaped) {
        Err(error) => error,
        Ok(_) => Cli::command().error(error.kind(), "an argument that can't be shown"),
    }
}
