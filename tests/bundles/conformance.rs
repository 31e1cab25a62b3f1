//! The conformance client: exit status 0 for what holds, 1 for everything else, and no panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{MESSAGE, World, shared};
use crate::support::log;

/// The example's binary: `cargo test` builds it beside the tests.
fn client() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    profile.join("examples").join(format!("conformance{}", std::env::consts::EXE_SUFFIX))
}

#[track_caller]
fn run(directory: &Path, arguments: &[&str], status: i32, word: &str) {
    let output = Command::new(client())
        .current_dir(directory)
        .args(arguments)
        .output()
        .expect("examples/conformance is built by `cargo test` or `cargo build --examples`");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty() && said.contains(word), "{arguments:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn it_accepts_refuses_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let world = World::new();
    let digest = format!("sha256:{}", log::hex(&log::sha256(MESSAGE)));
    for (name, content) in [
        ("old", world.old().to_string()),
        ("new", world.new_format().to_string()),
        ("bare", log::old_bundle(&world.signature(), None).to_string()),
        ("key", world.signer.pem()),
        ("root", world.log.trusted_root().to_string()),
        ("artifact", String::from_utf8(MESSAGE.to_vec()).unwrap()),
        ("other", "other".to_owned()),
    ] {
        fs::write(here.join(name), content).unwrap();
    }
    let verify = |bundle, artifact| {
        ["verify-bundle", "--bundle", bundle, "--key", "key", "--trusted-root", "root", artifact]
    };
    for bundle in ["old", "new"] {
        run(here, &verify(bundle, "artifact"), 0, "");
        run(here, &verify(bundle, &digest), 0, "");
        run(here, &verify(bundle, "other"), 1, "digest-mismatch");
        run(here, &verify(bundle, "absent"), 1, "absent");
        run(here, &verify(bundle, "."), 1, "unreadable");
        let production = ["verify-bundle", "--bundle", bundle, "--key", "key", "artifact"];
        run(here, &production, 1, "log-unknown");
    }
    run(here, &verify("bare", "artifact"), 1, "log-entry-missing");
    run(here, &verify("key", "artifact"), 1, "bundle-malformed");
    run(here, &verify("absent", "artifact"), 1, "absent");
    let identity = ["--certificate-identity", "a", "--certificate-oidc-issuer", "b"];
    let keyless = [&["verify-bundle", "--bundle", "old"][..], &identity, &["artifact"]].concat();
    run(here, &keyless, 1, "signer-kind-mismatch");
    for (arguments, word) in [
        (&[][..], "verify-bundle"),
        (&["sign-bundle"], "verify-bundle"),
        (&["verify-bundle"], "--bundle"),
        (&["verify-bundle", "--bundle"], "value"),
        (&["verify-bundle", "--bundle", "old"], "artifact"),
        (&["verify-bundle", "--bundle", "old", "artifact"], "identity"),
        (&["verify-bundle", "--bundle", "old", "--bundle", "new", "artifact"], "twice"),
        (&["verify-bundle", "--bundle", "old", "artifact", "other"], "more than one"),
        (&["verify-bundle", "--staging", "--bundle", "old", "artifact"], "--staging"),
    ] {
        run(here, arguments, 1, word);
    }
    let both = [&verify("old", "artifact")[..], &identity].concat();
    run(here, &both, 1, "either");
}

/// The folders of the public suite, with the arguments that its runner gives.
#[test]
fn the_public_suite_comes_out_right() {
    let Some(suite) = shared("vectors/sigstore-conformance/bundle-verify") else { return };
    let beacon = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/\
                  .github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
    let issuer = "https://token.actions.githubusercontent.com";
    let mut wrong = Vec::new();
    let mut count = 0;
    for folder in fs::read_dir(&suite).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.is_dir() {
            continue;
        }
        let mut command = Command::new(client());
        command.current_dir(&folder).args(["verify-bundle", "--bundle", "bundle.sigstore.json"]);
        if folder.join("key.pub").exists() {
            command.args(["--key", "key.pub"]);
        } else {
            command.args(["--certificate-identity", beacon, "--certificate-oidc-issuer", issuer]);
        }
        if folder.join("trusted_root.json").exists() {
            command.args(["--trusted-root", "trusted_root.json"]);
        }
        let own = folder.join("artifact").exists();
        let output = command.arg(if own { "artifact" } else { "../a.txt" }).output().unwrap();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if output.status.code() != Some(i32::from(name.ends_with("_fail"))) {
            wrong.push(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        count += 1;
    }
    assert!(count >= 42 && wrong.is_empty(), "{} of {count} wrong: {wrong:#?}", wrong.len());
}
