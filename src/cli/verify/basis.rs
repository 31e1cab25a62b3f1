//! What a report says the run was judged by.

use std::path::PathBuf;

use super::args::VerifyArgs;
use super::settings::{RootInForce, VerifySettings};
use crate::cli::files;
use crate::digest::Sha256Digest;
use crate::key::PublicKey;
use crate::sigstore::TrustMaterial;
use crate::trust::TrustPolicy;
use crate::verdict::{Basis, Profile, TrustedRoot};

/// The basis of a run, for its report.
pub(super) fn basis(
    arguments: &VerifyArgs,
    settings: &VerifySettings<'_>,
    profiles: Vec<Profile>,
) -> Basis {
    let trusted_root = match &settings.root {
        RootInForce::Named(bytes, _) => TrustedRoot {
            sha256: Sha256Digest::of(bytes),
            source: if arguments.trust.logs.names_root() { "named" } else { "policy" }.to_owned(),
        },
        RootInForce::BuiltIn(_) => TrustedRoot {
            sha256: Sha256Digest::of(&TrustMaterial::production_bytes()),
            source: "built-in".to_owned(),
        },
    };
    let mut keys: Vec<Sha256Digest> = match &settings.key {
        Some(key) => vec![key.fingerprint()],
        None => {
            let vendors = settings.policy.iter().flat_map(TrustPolicy::vendors);
            vendors.flat_map(|vendor| vendor.keys()).map(|key| key.fingerprint()).collect()
        }
    };
    keys.sort();
    keys.dedup();
    Basis {
        keys,
        identity: arguments.trust.identity_in_words(),
        transfer_keys: settings.transfers.keys.iter().map(PublicKey::fingerprint).collect(),
        policy: settings.policy.as_ref().map(TrustPolicy::digest),
        trusted_root: Some(trusted_root),
        profiles,
        map: settings.map.as_ref().map(|(_, digest)| *digest),
        options: options(arguments),
    }
}

/// The options that change answers, as they were given.
fn options(arguments: &VerifyArgs) -> Vec<String> {
    let batch = &arguments.batch;
    let transfer = &arguments.transfer;
    let mut options = Vec::new();
    let mut flag = |given: bool, name: &str| {
        if given {
            options.push(name.to_owned());
        }
    };
    flag(arguments.trust.logs.insecure_ignore_tlog, "--insecure-ignore-tlog");
    flag(transfer.unsealed, "--unsealed");
    flag(transfer.loose, "--loose");
    flag(transfer.full_digest, "--full-digest");
    flag(batch.require_coverage, "--require-coverage");
    flag(batch.fail_fast, "--fail-fast");
    options.extend(arguments.trust.algorithm_in_words());
    options.extend(arguments.kind.map(|kind| format!("--type {kind:?}").to_lowercase()));
    options.extend(transfer.stream.iter().map(|name| format!("--stream {name}")));
    options.extend(transfer.time.map(|time| format!("--time {time}")));
    options.extend(transfer.allow_unsigned.iter().map(|name| format!("--allow-unsigned {name}")));
    options.extend(batch.include.iter().map(|glob| format!("--include {glob}")));
    options.extend(batch.exclude.iter().map(|glob| format!("--exclude {glob}")));
    let option = |name: &str, path: &PathBuf| format!("{name} {}", files::show(path));
    options.extend(arguments.bundle.iter().map(|path| option("--bundle", path)));
    options.extend(transfer.base.iter().map(|path| option("--base", path)));
    options.extend(transfer.state.iter().map(|path| option("--state", path)));
    options
}
