//! The shells that `scripts/verify-with-openssl.sh` is run under.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::tools::{broken, run};

/// One way to run the script: a shell, and where its other programs come from.
pub(crate) struct Shell {
    pub(crate) name: &'static str,
    pub(crate) command: Vec<String>,
    pub(crate) path: String,
    _programs: Option<TempDir>,
}

/// Every shell that is here. Busybox brings its own programs too.
pub(crate) fn shells() -> Vec<Shell> {
    let path = std::env::var("PATH").unwrap();
    let here = |program: &str| std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    if !here("openssl") || !here("sha256sum") {
        broken("openssl or sha256sum is not installed");
        return Vec::new();
    }
    let mut shells = Vec::new();
    for name in ["sh", "dash"] {
        if here(name) {
            let (command, path) = (vec![name.to_owned()], path.clone());
            shells.push(Shell { name, command, path, _programs: None });
        } else {
            broken(&format!("{name} is not installed"));
        }
    }
    if here("busybox") {
        let programs = TempDir::new().unwrap();
        let busybox = std::env::split_paths(&path).map(|dir| dir.join("busybox"));
        let busybox = busybox.into_iter().find(|file| file.is_file()).unwrap();
        for applet in run(Command::new("busybox").arg("--list")).succeeded().lines() {
            symlink(&busybox, programs.path().join(applet)).unwrap();
        }
        let path = format!("{}:{path}", programs.path().display());
        let command = vec!["busybox".to_owned(), "sh".to_owned()];
        shells.push(Shell { name: "busybox", command, path, _programs: Some(programs) });
    } else {
        broken("busybox is not installed");
    }
    shells
}

pub(crate) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/verify-with-openssl.sh")
}
