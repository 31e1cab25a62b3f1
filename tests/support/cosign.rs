//! The real cosign programs, and how a test runs them.
//!
//! They are looked for in the folder that SEALIFT_COSIGN_DIR names (`cosign-2`, `cosign-3`); else
//! `../shared/tools/get-cosign.sh` fetches them into the target directory. Without either a test skips.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::tools::{broken, run};
use super::{shared, skip};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cosign {
    Two,
    Three,
}

impl Cosign {
    /// cosign working in a folder, without the user's configuration, caches and network services.
    pub(crate) fn command(self, programs: &Path, folder: &Path, password: &str) -> Command {
        let mut command = Command::new(programs.join(match self {
            Self::Two => "cosign-2",
            Self::Three => "cosign-3",
        }));
        command
            .current_dir(folder)
            .env("HOME", folder)
            .env("TUF_ROOT", folder.join("tuf"))
            .env("COSIGN_PASSWORD", password);
        command
    }
}

/// The folder with both programs; found or fetched once.
pub(crate) fn programs() -> Option<&'static Path> {
    static PROGRAMS: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAMS.get_or_init(find_programs).as_deref()
}

fn find_programs() -> Option<PathBuf> {
    let complete =
        |folder: &Path| ["cosign-2", "cosign-3"].iter().all(|name| folder.join(name).is_file());
    if let Some(folder) = std::env::var_os("SEALIFT_COSIGN_DIR").map(PathBuf::from) {
        assert!(complete(&folder), "SEALIFT_COSIGN_DIR holds no cosign-2 and cosign-3");
        return Some(folder);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("cosign");
    if complete(&folder) {
        return Some(folder);
    }
    let Some(script) =
        shared().map(|shared| shared.join("tools/get-cosign.sh")).filter(|s| s.is_file())
    else {
        skip(
            "cosign interop: neither SEALIFT_COSIGN_DIR nor ../shared/tools/get-cosign.sh is here",
        );
        return None;
    };
    let fetched = run(Command::new("bash").arg(script).arg(&folder));
    if fetched.status == Some(0) && complete(&folder) {
        return Some(folder);
    }
    broken(&format!("cosign interop: get-cosign.sh fetched nothing: {}", fetched.text()));
    None
}
