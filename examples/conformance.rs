//! The Sigstore conformance suite's `verify-bundle` protocol over the library.
//!
//! ```text
//! conformance verify-bundle --bundle F
//!     (--key K | --certificate-identity I --certificate-oidc-issuer O)
//!     [--trusted-root T] ARTIFACT | sha256:HEX
//! ```
//!
//! Exit status 0 means accepted, 1 everything else: a refusal, a file that can't be read, a command
//! line that is not the protocol's. Old cosign bundles are accepted too.

use std::fs::File;
use std::io::Read as _;
use std::process::ExitCode;

use sealift::digest::Sha256Digest;
use sealift::key::PublicKey;
use sealift::limits;
use sealift::sigstore::{
    HashRule, Matcher, SignatureBundle, Signer, Subject, Transparency, TrustMaterial,
    VerifyRequest, verify,
};
use sealift::verdict::Fault;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // The suite reads standard error; there is nobody to tell when it is closed.
            std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{reason}\n")).ok();
            ExitCode::FAILURE
        }
    }
}

/// The options of `verify-bundle`.
#[derive(Default)]
struct Options {
    bundle: Option<String>,
    key: Option<String>,
    identity: Option<String>,
    issuer: Option<String>,
    trusted_root: Option<String>,
    artifact: Option<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        if arguments.next().as_deref() != Some("verify-bundle") {
            return Err("only verify-bundle is supported".to_owned());
        }
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let slot = match argument.as_str() {
                "--bundle" => &mut options.bundle,
                "--key" => &mut options.key,
                "--certificate-identity" => &mut options.identity,
                "--certificate-oidc-issuer" => &mut options.issuer,
                "--trusted-root" => &mut options.trusted_root,
                option if option.starts_with("--") => {
                    return Err(format!("the option {option} is not supported"));
                }
                _ if options.artifact.is_none() => {
                    options.artifact = Some(argument);
                    continue;
                }
                _ => return Err("more than one artifact".to_owned()),
            };
            let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
            if slot.replace(value).is_some() {
                return Err(format!("{argument} is given twice"));
            }
        }
        Ok(options)
    }
}

fn run(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    let bundle = options.bundle.ok_or("--bundle is missing")?;
    let artifact = options.artifact.ok_or("the artifact is missing")?;
    let said = |fault: Fault| format!("{}: {fault}", fault.code());
    let bundle = SignatureBundle::parse(&read(&bundle, limits::BUNDLE_BYTES)?).map_err(said)?;
    let trust = match &options.trusted_root {
        Some(path) => TrustMaterial::from_json(&read(path, limits::TRUSTED_ROOT_BYTES)?),
        None => TrustMaterial::production(),
    }
    .map_err(said)?;
    let key = match &options.key {
        Some(path) => Some(PublicKey::from_pem(&read(path, limits::KEY_BYTES)?).map_err(said)?),
        None => None,
    };
    let signer = match (&key, &options.identity, &options.issuer) {
        (Some(key), None, None) => Signer::Key { key, hash: HashRule::Known },
        (None, Some(identity), Some(issuer)) => Signer::Identity {
            identity: Matcher::exact(identity).map_err(said)?,
            issuer: Matcher::exact(issuer).map_err(said)?,
        },
        _ => return Err("either a key, or an identity and an issuer".to_owned()),
    };
    let request = VerifyRequest {
        signer,
        trust: &trust,
        transparency: Transparency::Required,
        now: jiff::Timestamp::now(),
    };
    let mut file;
    let subject = match artifact.parse::<Sha256Digest>() {
        Ok(digest) => Subject::Digest(digest),
        Err(_) => {
            file = File::open(&artifact).map_err(|error| format!("{artifact}: {error}"))?;
            Subject::Reader(&mut file)
        }
    };
    match verify(&bundle, subject, &request) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(format!("{}: {refusal}", refusal.fault.code())),
    }
}

/// A whole file; one byte more than allowed, so that the library sees that it is too large.
fn read(path: &str, limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| format!("{path}: {error}"))?;
    Ok(bytes)
}
