//! `sealift verify-blob`: the vendor's documented cosign command, offline and streaming, on the terms of the
//! trust policy in force.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::apart::Named;
use super::cosign_options::CosignOptions;
use super::files;
use super::output::{complain, warn};
use super::run_args::EXIT_CODES;
use super::transfer_args::PolicyOption;
use super::trust_args::TrustArgs;
use super::trust_settings::{TrustOptions, TrustSettings};
use super::verify::load_named;
use crate::artifact::{self, BundleLoader, BundleRules, NamedBundle, TrustedSigner};
use crate::key::HashAlgorithm;
use crate::limits;
use crate::report::{self, Detail};
use crate::sigstore::{HashRule, SignatureBundle, TrustMaterial};
use crate::trust::{ArtifactName, TrustPolicy};
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, Outcome, line};

/// cosign's own default: SHA-256 for every kind of key that signs a hash.
const HASH: HashRule = HashRule::Exactly(HashAlgorithm::Sha256);

/// Verify a signature on any file: cosign's `verify-blob`, offline
///
/// Takes cosign's flags, prints cosign's messages to standard error, and reads FILE as a stream.
/// The format of the bundle, old or new, is detected from its content.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct VerifyBlobArgs {
    /// The signed file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Signature bundle
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Signature without a bundle: a file of base64 or raw bytes, or the base64 text itself
    ///
    /// Together with --bundle, it must be the same signature.
    #[arg(long, value_name = "FILE|BASE64")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    policy: PolicyOption,
    #[command(flatten)]
    cosign: CosignOptions,
}

/// Runs the command.
pub(super) fn run(arguments: &VerifyBlobArgs) -> Result<ExitStatus, Fault> {
    arguments.cosign.refuse()?;
    let trust = TrustSettings::load(TrustOptions {
        policy: arguments.policy.path(),
        keys: arguments.trust.key_file().into_iter().collect(),
        identity: arguments.trust.names_identity(),
        logs: Some(&arguments.trust.logs),
        judged: vec![arguments.file.clone()],
        ..TrustOptions::default()
    })?;
    let production;
    let material = match &trust.root {
        Some((_, material)) => material,
        None => {
            production = TrustMaterial::production()?;
            &production
        }
    };
    let loaded;
    let now = jiff::Timestamp::now();
    let rules = BundleRules {
        trust: material,
        transparency: arguments.trust.logs.transparency(),
        hash: arguments.trust.hash(HASH),
        now,
    };
    let mut signers = by_keys(&trust, arguments, &rules);
    if signers.is_empty() {
        let without_key = |fault: Fault| match fault.code() {
            Code::NoKey => files::check_exists(&arguments.file).err().unwrap_or(fault),
            _ => fault,
        };
        loaded = arguments.trust.load(HASH, material).map_err(without_key)?;
        signers.push(TrustedSigner { request: loaded.request(now), listed: None });
    }
    let bundle = named_bundle(arguments)?;
    let report = judge(arguments, &bundle, &signers)?;
    if report.outcome() == Outcome::Ok {
        for note in report.bundles.iter().flat_map(|bundle| &bundle.notes) {
            warn(note);
        }
        // cosign's words and stream: scripts look for them.
        if let Err(error) = line!(io::stderr().lock(), "Verified OK") {
            complain(&files::unreadable("standard error", &error));
            return Ok(ExitStatus::Undecided);
        }
    } else {
        let _ = report::artifact(&mut io::stderr().lock(), &report, Detail::Brief);
    }
    Ok(report.outcome().exit_status())
}

/// The signers by key: the key that an option names, on the policy's terms if it lists it; else the policy's
/// keys, unless a certificate's identity is asked for.
fn by_keys<'a>(
    trust: &'a TrustSettings,
    arguments: &VerifyBlobArgs,
    rules: &BundleRules<'a>,
) -> Vec<TrustedSigner<'a>> {
    let policy = trust.policy.as_ref();
    if let Some(key) = trust.keys.first() {
        let listed = policy.and_then(|policy| policy.find_key(&key.fingerprint()));
        return vec![rules.signer(key, listed.map(|(vendor, listed)| (vendor, listed.terms())))];
    }
    if arguments.trust.names_identity() {
        return Vec::new();
    }
    let vendors = policy.into_iter().flat_map(TrustPolicy::vendors);
    let keys = vendors.flat_map(|vendor| vendor.keys().iter().map(move |key| (vendor, key)));
    keys.filter_map(|(vendor, key)| Some(rules.signer(key.key()?, Some((vendor, key.terms())))))
        .collect()
}

/// Judges the bytes by each signer until one holds.
fn judge(
    arguments: &VerifyBlobArgs,
    bundle: &NamedBundle,
    signers: &[TrustedSigner<'_>],
) -> Result<ArtifactReport, Fault> {
    let file = &arguments.file;
    if signers.len() > 1 && !file.is_file() {
        let message =
            "the policy lists several keys, and FILE can be read only once: name one with --key";
        return Err(Fault::new(Code::Usage, message).at(files::show(file)));
    }
    // If FILE holds the digest of an artifact, this name is all that is known of that artifact.
    let (name, whole) = (files::file_name(file).unwrap_or_default(), files::slashed(file));
    let called = ArtifactName { name: &name, path: Some(&whole) };
    let report = ArtifactReport::new(files::show(file));
    let mut report =
        artifact::verify_blob(&report, called, bundle, signers, || files::open_stream(file))?;
    if report.code() == Some(Code::NameNotAllowed) {
        report.next = Some(
            "The policy limits this key to certain names, and only FILE's name is known. Run `sealift \
             verify` on the artifact."
                .to_owned(),
        );
    }
    Ok(report)
}

/// The bundle of the command line: a bundle file, or a bare signature.
fn named_bundle(arguments: &VerifyBlobArgs) -> Result<NamedBundle, Fault> {
    let signature = arguments.signature.as_deref().map(detached).transpose()?;
    match (&arguments.bundle, signature) {
        (None, None) => Err(Fault::new(Code::Usage, "give --bundle, or --signature")),
        (None, Some((named, bundle))) => {
            Ok(NamedBundle { name: files::show(&named.path), content: Ok(bundle) })
        }
        (Some(path), signature) => {
            let bundle = load_named(path, &mut BundleLoader::of_file());
            if let (Ok(content), Some((named, detached))) = (&bundle.content, signature)
                && content.signature() != detached.signature()
            {
                return Err(Fault::new(
                    Code::SignatureInvalid,
                    "--signature and --bundle hold different signatures",
                )
                .at(files::show(&named.path)));
            }
            Ok(bundle)
        }
    }
}

/// Whether a text is more likely a signature than a name: few names are so long without a dot, and made of hardly
/// anything but base64.
fn is_nearly_base64(text: &str) -> bool {
    let odd = |c: &char| !(c.is_ascii_alphanumeric() || "+/=-_".contains(*c));
    !text.contains('.') && text.chars().filter(odd).count() <= text.len() / 16
}

/// A bare signature: in a file or, as cosign takes it, as base64 in place of the file's name.
fn detached(given: &Path) -> Result<(Named, SignatureBundle), Fault> {
    /// No real signature is shorter, and few names of files are as long.
    const SHORTEST: usize = 48;
    let text = given.to_str().filter(|_| !given.exists());
    if let Some(text) = text.filter(|text| text.contains("://")) {
        return Err(Fault::new(
            Code::OptionNotOffline,
            "--signature names a service or URL; here it is a file or the signature itself, in base64",
        )
        .at(text));
    }
    if let Some(text) = text
        && text.len() as u64 <= limits::BUNDLE_BYTES
        && let Some(bundle) = SignatureBundle::from_base64(text)
        && bundle.signature().len() >= SHORTEST
    {
        return Ok((Named::new("--signature", "--signature"), bundle));
    }
    if let Some(text) = text.filter(|text| text.len() >= SHORTEST && is_nearly_base64(text)) {
        let message =
            "there is no such file, and as a signature in base64 it is damaged or cut off";
        let next = "Give the file with the signature, or the whole base64 text as the vendor published it.";
        return Err(Fault::new(Code::BundleMalformed, message).at(text).advise(next));
    }
    let bundle = files::read_small(given, limits::BUNDLE_BYTES, Code::BundleTooLarge)
        .and_then(|bytes| match SignatureBundle::parse(&bytes) {
            Ok(_) => {
                Err(Fault::new(Code::Usage, "--signature names a bundle, not a bare signature")
                    .advise("Give it with --bundle."))
            }
            Err(_) => SignatureBundle::detached(&bytes),
        })
        .map_err(|fault| fault.at(files::show(given)))?;
    Ok((Named::new("--signature", given), bundle))
}
