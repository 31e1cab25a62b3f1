//! Standard output and standard error: how errors, warnings and the end of a command are written.

use std::io;

use super::files;
use crate::verdict::{ExitStatus, Fault, SENTENCE, line, printable_within};

/// Writes an error to standard error: what is wrong and what to do next.
pub(super) fn complain(fault: &Fault) {
    let mut err = io::stderr().lock();
    let _ = line!(err, "sealift: error[{}]: {fault}", fault.code());
    let _ = line!(err, "  next: {}", fault.next());
}

/// Writes a warning to standard error.
pub(super) fn warn(text: &str) {
    let _ = line!(io::stderr().lock(), "WARNING: {}", printable_within(text, SENTENCE));
}

/// A number of things, in words: `1 file`, `2 files`.
pub(super) fn number(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// The exit status of a command that only shows something, by how writing it went.
pub(super) fn shown(written: io::Result<()>) -> Result<ExitStatus, Fault> {
    // A closed pipe (`| head`) is not an error.
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(files::unreadable("standard output", &error))
        }
        _ => Ok(ExitStatus::Verified),
    }
}
