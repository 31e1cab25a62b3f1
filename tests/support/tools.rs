//! Programs that a test runs: Sealift itself, and real tools where they are installed.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use super::skip;

/// How a program ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Both streams, for messages and searches.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The standard output of a program that must have succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.status, Some(0), "{}", self.text());
        self.stdout
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    Ran::new(&command.stdin(Stdio::null()).output().unwrap())
}

/// Runs a command that reads `input` on its standard input.
#[track_caller]
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // The program may have decided before the end of its input.
            drop(stdin.write_all(input));
        });
        child.wait_with_output().unwrap()
    });
    Ran::new(&output)
}

/// A tool that is there but does not work: skipped on a user's machine, a failure in CI.
#[track_caller]
pub(crate) fn broken(what: &str) {
    assert!(std::env::var_os("SEALIFT_CI").is_none(), "{what}");
    skip(what);
}
