//! `verify-blob` through the program on real bundles of other people: keyless ones, old and new, and
//! what must not pass for a signature of the artifact.

use std::path::PathBuf;

use crate::support::{outcome, sealift, shared};

/// Runs `verify-blob` on one of the shared cases; `options` besides bundle and artifact.
fn verify(case: &str, options: &[&str]) -> Option<(i32, String)> {
    let folder: PathBuf = shared()?.join("vectors/bundles").join(case);
    let root = folder.join("trusted_root.json");
    let bundle = ["bundle.sigstore.json", "bundle.cosign.bundle"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .expect("the case has a bundle");
    let mut command = sealift();
    command.current_dir(&folder).arg("verify-blob").args(options).arg("--bundle").arg(bundle);
    if root.is_file() {
        command.arg("--trusted-root").arg(root);
    }
    let (code, out, err) = outcome(&command.arg("artifact").output().unwrap());
    assert_eq!(out, "", "cosign writes to standard error");
    Some((code, err))
}

const WHO: [&str; 4] = [
    "--certificate-identity",
    "daniel.bevenius@gmail.com",
    "--certificate-oidc-issuer",
    "https://github.com/login/oauth",
];

#[test]
fn a_keyless_bundle_is_verified_by_identity_and_issuer() {
    let Some(answer) = verify("old-rs-something", &WHO) else { return };
    assert_eq!(answer, (0, "Verified OK\n".to_owned()));
    let patterns = [
        "--certificate-identity-regexp",
        "^daniel[.]bevenius@",
        "--certificate-oidc-issuer-regexp",
        "github",
    ];
    assert_eq!(verify("old-rs-something", &patterns).unwrap().0, 0);
    let new = ["--certificate-identity", "brian@dehamer.com", WHO[2], WHO[3]];
    assert_eq!(verify("js-v1-cert", &new).unwrap(), (0, "Verified OK\n".to_owned()));
}

#[test]
fn somebody_elses_keyless_bundle_is_refused() {
    let other = ["--certificate-identity", "eve@example.com", WHO[2], WHO[3]];
    let Some((code, said)) = verify("old-rs-something", &other) else { return };
    assert!(code == 1 && said.contains("(identity-mismatch: "), "{said}");
    let issuer = [WHO[0], WHO[1], WHO[2], "https://accounts.google.com"];
    let (code, said) = verify("old-rs-something", &issuer).unwrap();
    assert!(code == 1 && said.contains("(identity-mismatch: "), "{said}");
    let (code, said) = verify("old-rs-something-moved-time_fail", &WHO).unwrap();
    assert!(code == 1 && said.contains("(log-promise-invalid: "), "{said}");
}

#[test]
fn an_attestation_is_no_signature_of_the_artifact() {
    // The library accepts it, as the conformance suite demands; the vendor's flow must not.
    let Some((code, said)) = verify("go-npm-publish-key", &["--key", "key.pub"]) else { return };
    assert!(code == 1 && said.contains("(bundle-unsupported: "), "{said}");
    assert!(said.contains("attestation"), "{said}");
}
