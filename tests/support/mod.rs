//! What several test programs share.
#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod cosign;
pub(crate) mod log;
#[cfg(feature = "online")]
pub(crate) mod nginx;
pub(crate) mod rekor;
pub(crate) mod schema;
#[cfg(feature = "online")]
pub(crate) mod server;
pub(crate) mod shell;
#[cfg(feature = "online")]
pub(crate) mod site;
#[cfg(target_os = "linux")]
pub(crate) mod strace;
pub(crate) mod tar;
pub(crate) mod tools;
pub(crate) mod transfers;
#[cfg(feature = "online")]
pub(crate) mod vendor;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The folder of shared vectors beside the project, if it is here. A run in which it must be here
/// (`SEALIFT_CI=1` with the folder present) can't skip, because the path is then found.
pub(crate) fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("SEALIFT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if path.join("archives").is_dir() {
        return Some(path);
    }
    skip("../shared is not here");
    None
}

/// Says why something is not tested here. Written past the test harness, which would swallow it, and into the file
/// that `scripts/test.sh` names, because a runner may show nothing of a test that passes.
pub(crate) fn skip(why: &str) {
    let line = format!("skipped: {why}\n");
    drop(std::io::stderr().write_all(line.as_bytes()));
    if let Some(file) = std::env::var_os("SEALIFT_SKIPPED") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// The program, ready for arguments, without standard input.
pub(crate) fn sealift() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealift"));
    command.stdin(Stdio::null());
    command
}

/// Whether a line of a text report is an answer, and neither what follows one nor the summary.
pub(crate) fn is_answer(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let summary = digits > 0 && line[digits..].starts_with(" answer");
    !line.is_empty() && !line.starts_with(' ') && !line.starts_with("coverage: ") && !summary
}

/// Exit code, standard output and standard error of a finished program.
pub(crate) fn outcome(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
