//! The options that say whom to trust, shared by every command that verifies.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::apart::Named;
use super::{files, output::warn};
use crate::key::{HashAlgorithm, PublicKey};
use crate::limits;
use crate::sigstore::{HashRule, Matcher, Signer, Transparency, TrustMaterial, VerifyRequest};
use crate::verdict::{Code, Fault, printable};

/// Whom to trust, by which logs, and how strictly.
#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    /// The vendor's public key (PEM), compared with the vendor out of band
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub(super) key: Option<PathBuf>,
    /// Keyless: identity that the signing certificate must name (not together with --key)
    #[arg(long, value_name = "IDENTITY", help_heading = "Trust", conflicts_with_all = ["key", "certificate_identity_regexp"])]
    certificate_identity: Option<String>,
    /// Keyless: regular expression that the identity must match
    #[arg(long, value_name = "REGEXP", help_heading = "Trust", conflicts_with = "key")]
    certificate_identity_regexp: Option<String>,
    /// Keyless: OIDC issuer that the signing certificate must name
    #[arg(long, value_name = "URL", help_heading = "Trust", conflicts_with_all = ["key", "certificate_oidc_issuer_regexp"])]
    certificate_oidc_issuer: Option<String>,
    /// Keyless: regular expression that the issuer must match
    #[arg(long, value_name = "REGEXP", help_heading = "Trust", conflicts_with = "key")]
    certificate_oidc_issuer_regexp: Option<String>,
    #[command(flatten)]
    pub(super) logs: LogArgs,
    /// Hash algorithm that the signature was made with
    #[arg(long, value_name = "ALGORITHM", help_heading = "Trust", value_enum)]
    signature_digest_algorithm: Option<Algorithm>,
}

/// Which logs to believe, and whether one must vouch for a signature.
#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Sigstore trusted root (JSON); the built-in one of the public good instance by default
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    trusted_root: Option<PathBuf>,
    /// Accept a bundle without a log entry; an entry that is present must still be valid
    #[arg(long, value_name = "BOOL", help_heading = "Trust", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", hide_default_value = true,
          hide_possible_values = true)]
    pub(super) insecure_ignore_tlog: bool,
}

impl LogArgs {
    /// The trusted root that is named: its bytes, and what they parse to.
    ///
    /// # Errors
    /// [`Code::FileNotFound`] and [`Code::TrustedRootMalformed`].
    pub(super) fn trusted_root(&self) -> Result<Option<(Vec<u8>, TrustMaterial)>, Fault> {
        let Some(path) = &self.trusted_root else { return Ok(None) };
        let limit = limits::TRUSTED_ROOT_BYTES;
        let bytes = files::read_config(path, limit, Code::TrustedRootMalformed)?;
        let material =
            TrustMaterial::from_json(&bytes).map_err(|fault| fault.at(files::show(path)))?;
        for note in material.notes() {
            warn(&format!("{}: {}", files::show(path), printable(note)));
        }
        Ok(Some((bytes, material)))
    }

    /// The file of the trusted root, if one is named.
    pub(super) fn root_file(&self) -> Option<Named> {
        self.trusted_root.as_ref().map(|path| Named::new("--trusted-root", path))
    }

    /// Whether a trusted root is named.
    pub(super) const fn names_root(&self) -> bool {
        self.trusted_root.is_some()
    }

    /// Whether a log entry must be there.
    pub(super) const fn transparency(&self) -> Transparency {
        if self.insecure_ignore_tlog { Transparency::AbsentAllowed } else { Transparency::Required }
    }
}

/// Hash algorithms by cosign's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// The one signer that the options name, and how it is judged: loaded and parsed once for the whole run.
#[derive(Debug)]
pub(super) struct Trust<'a> {
    signer: LoadedSigner,
    material: &'a TrustMaterial,
    transparency: Transparency,
}

#[derive(Debug)]
enum LoadedSigner {
    Key { key: PublicKey, hash: HashRule },
    Identity { identity: Matcher, issuer: Matcher },
}

impl Trust<'_> {
    /// The request that every bundle of the run is judged by.
    pub(super) fn request(&self, now: jiff::Timestamp) -> VerifyRequest<'_> {
        let signer = match &self.signer {
            LoadedSigner::Key { key, hash } => Signer::Key { key, hash: *hash },
            LoadedSigner::Identity { identity, issuer } => {
                Signer::Identity { identity: identity.clone(), issuer: issuer.clone() }
            }
        };
        VerifyRequest { signer, trust: self.material, transparency: self.transparency, now }
    }
}

impl TrustArgs {
    /// The signer that the options name, judged by a trusted root; `default_hash` holds where no algorithm
    /// is named.
    ///
    /// # Errors
    /// [`Code::NoKey`], [`Code::Usage`], and the faults of the files named.
    pub(super) fn load<'a>(
        &self,
        default_hash: HashRule,
        material: &'a TrustMaterial,
    ) -> Result<Trust<'a>, Fault> {
        let signer = self.signer(default_hash)?;
        Ok(Trust { signer, material, transparency: self.logs.transparency() })
    }

    /// The file of the key, if one is named.
    pub(super) fn key_file(&self) -> Option<Named> {
        self.key.as_ref().map(|path| Named::new("--key", path))
    }

    /// The hash functions to accept.
    pub(super) fn hash(&self, default: HashRule) -> HashRule {
        match self.signature_digest_algorithm {
            Some(Algorithm::Sha256) => HashRule::Exactly(HashAlgorithm::Sha256),
            Some(Algorithm::Sha384) => HashRule::Exactly(HashAlgorithm::Sha384),
            Some(Algorithm::Sha512) => HashRule::Exactly(HashAlgorithm::Sha512),
            None => default,
        }
    }

    /// Whether a certificate's identity or issuer is asked for.
    pub(super) const fn names_identity(&self) -> bool {
        self.certificate_identity.is_some()
            || self.certificate_identity_regexp.is_some()
            || self.certificate_oidc_issuer.is_some()
            || self.certificate_oidc_issuer_regexp.is_some()
    }

    /// The identity and issuer that are asked for, in words.
    pub(super) fn identity_in_words(&self) -> Option<String> {
        if !self.names_identity() {
            return None;
        }
        let words = |exact: &Option<String>, pattern: &Option<String>| match (exact, pattern) {
            (Some(exact), _) => exact.clone(),
            (None, Some(pattern)) => format!("/{pattern}/"),
            (None, None) => "anybody".to_owned(),
        };
        let identity = words(&self.certificate_identity, &self.certificate_identity_regexp);
        let issuer = words(&self.certificate_oidc_issuer, &self.certificate_oidc_issuer_regexp);
        Some(format!("{identity}, by {issuer}"))
    }

    /// The hash that was asked for, as the option.
    pub(super) fn algorithm_in_words(&self) -> Option<String> {
        let algorithm = self.signature_digest_algorithm?;
        Some(format!("--signature-digest-algorithm {algorithm:?}").to_lowercase())
    }

    fn signer(&self, default_hash: HashRule) -> Result<LoadedSigner, Fault> {
        if let Some(path) = &self.key {
            let hash = self.hash(default_hash);
            return Ok(LoadedSigner::Key { key: load_key(path)?, hash });
        }
        if self.signature_digest_algorithm.is_some() {
            return Err(Fault::new(
                Code::Usage,
                "--signature-digest-algorithm goes with --key; a keyless bundle states its own",
            ));
        }
        let identity = matcher(
            self.certificate_identity.as_deref(),
            self.certificate_identity_regexp.as_deref(),
        )?;
        let issuer = matcher(
            self.certificate_oidc_issuer.as_deref(),
            self.certificate_oidc_issuer_regexp.as_deref(),
        )?;
        match (identity, issuer) {
            (Some(identity), Some(issuer)) => Ok(LoadedSigner::Identity { identity, issuer }),
            (None, None) => Err(Fault::new(
                Code::NoKey,
                "neither --key nor a certificate identity and issuer was given",
            )),
            _ => Err(Fault::new(
                Code::Usage,
                "a certificate identity and an issuer go together: give both",
            )),
        }
    }
}

/// Reads a public key file.
pub(super) fn load_key(path: &Path) -> Result<PublicKey, Fault> {
    let text = files::show(path);
    if text.contains("://") && !path.exists() {
        return Err(Fault::new(
            Code::OptionNotOffline,
            "--key names a key service or URL; here it is a path to a public key file",
        )
        .at(text));
    }
    let bytes = files::read_config(path, limits::KEY_BYTES, Code::KeyNotAKey)?;
    PublicKey::from_pem(&bytes).map_err(|fault| fault.at(text))
}

fn matcher(exact: Option<&str>, pattern: Option<&str>) -> Result<Option<Matcher>, Fault> {
    match (exact, pattern) {
        (Some(text), _) => Matcher::exact(text).map(Some),
        (None, Some(pattern)) => Matcher::pattern(pattern).map(Some),
        (None, None) => Ok(None),
    }
}
