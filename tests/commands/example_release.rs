//! The release in `examples/release`, as the README's first command verifies it, and its provenance.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sealift;
use crate::support::tools::{Ran, run};
use sealift::digest::Sha256Digest;

fn release() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release")
}

fn verify(files: &[&str], trusted_root: bool) -> Ran {
    let mut command = sealift();
    command.current_dir(release()).args(["verify", "--key", "../keys/vendor.pub"]);
    if trusted_root {
        command.args(["--trusted-root", "../keys/trusted_root.json"]);
    }
    run(command.args(files))
}

#[test]
fn the_genuine_files_are_accepted_with_their_log_entries() {
    let ran = verify(&["hello-image.tar", "tools-1.0.tar.gz"], true);
    assert_eq!(ran.status, Some(0), "{}", ran.text());
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.stdout);
    assert!(lines[0].starts_with("hello-image.tar: OK ("), "{}", ran.stdout);
    assert!(lines[1].starts_with("tools-1.0.tar.gz: OK ("), "{}", ran.stdout);
    assert!(lines.iter().all(|line| line.ends_with(", logged)")), "{}", ran.stdout);
}

#[test]
fn the_tampered_archive_is_refused_although_its_id_is_the_signed_one() {
    let ran = verify(&["tampered-image.tar"], true);
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert!(
        ran.stdout.starts_with("tampered-image.tar: FAILED (layer-mismatch: "),
        "{}",
        ran.stdout
    );

    let both = verify(&["tampered-image.tar", "hello-image.tar"], true);
    assert_eq!(both.status, Some(1), "one good file must not hide a bad one: {}", both.text());
    assert!(both.stdout.contains("hello-image.tar: OK ("), "{}", both.stdout);
}

#[test]
fn the_log_of_the_example_is_trusted_by_nobody_else() {
    let ran = verify(&["hello-image.tar", "tools-1.0.tar.gz"], false);
    assert_eq!(ran.status, Some(3), "{}", ran.text());
    assert_eq!(ran.stdout.matches("UNDECIDED (log-unknown: ").count(), 2, "{}", ran.stdout);
}

#[test]
fn the_provenance_lists_every_file_by_its_digest() {
    let provenance = fs::read_to_string(release().join("PROVENANCE.md")).unwrap();
    let listed: BTreeSet<(String, String)> = provenance
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
        .collect();
    let found: BTreeSet<(String, String)> = fs::read_dir(release())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "PROVENANCE.md")
        .map(|entry| {
            let digest = Sha256Digest::of(&fs::read(entry.path()).unwrap());
            (entry.file_name().into_string().unwrap(), digest.to_hex())
        })
        .collect();
    assert_eq!(listed, found, "left: PROVENANCE.md; right: the folder");
    // What judges lies apart from what is judged, and is the same.
    for name in ["vendor.pub", "trusted_root.json"] {
        let apart = fs::read(release().with_file_name("keys").join(name)).unwrap();
        assert_eq!(apart, fs::read(release().join(name)).unwrap(), "{name}");
    }
}
