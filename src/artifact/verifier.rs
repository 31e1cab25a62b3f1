//! The one way to a verdict on an artifact: each signer in turn, until a signature holds.

use std::io::Read;

use super::bundles::{BundleSource, NamedBundle, OfferedBundles};
use super::refusal::refused;
use super::signer::{ArtifactSigner, TrustedSigner};
use super::verification_context::{Clues, TryBudget, VerificationContext};
use super::{blob, image, package};
use crate::digest::FileDigest;
use crate::image::Archive;
use crate::sigstore::{self, SignatureBundle, Signer};
use crate::trust::{ArtifactName, VendorProfile};
use crate::verdict::{ArtifactReport, Code, Fault, KeyTrust, Outcome};

use super::detect::Found;

/// What the bytes of an artifact turned out to be.
#[derive(Debug, Clone, Copy)]
pub enum ArtifactContent<'c> {
    /// An image archive or OCI layout, and how that was detected.
    Image(&'c Archive, Option<&'c str>),
    /// A package: its digest, how it was detected, and what went wrong when it was read as an image.
    Package(FileDigest, Option<&'c str>, Option<&'c Fault>),
    /// What is refused before a signature is looked at.
    Refused(&'c Fault),
}

impl<'c> From<&'c Result<Found, Fault>> for ArtifactContent<'c> {
    fn from(found: &'c Result<Found, Fault>) -> Self {
        match found {
            Ok(Found::Image(archive, detected)) => Self::Image(archive, Some(detected)),
            Ok(Found::Package(digest, detected, fault)) => {
                Self::Package(*digest, Some(detected), fault.as_ref())
            }
            Err(fault) => Self::Refused(fault),
        }
    }
}

/// Judges one artifact by the signers that count for it.
#[derive(Debug, Clone, Copy)]
pub struct ArtifactVerifier<'a> {
    /// Whose signature counts, in the order in which they are tried.
    pub signers: &'a [ArtifactSigner<'a>],
    /// The budget for finding out what bundles are about.
    pub tries: &'a TryBudget,
}

impl ArtifactVerifier<'_> {
    /// Judges an artifact by each signer in turn until one holds; otherwise the answer is the first that a bundle
    /// gave. `called` is what a trust policy must allow its key for.
    #[must_use]
    pub fn verify(
        &self,
        report: ArtifactReport,
        called: ArtifactName<'_>,
        content: ArtifactContent<'_>,
        source: &mut dyn BundleSource,
    ) -> ArtifactReport {
        let mut answers = SignerAnswers::new(Code::NoBundle);
        for by in self.signers {
            let answer = self.verify_by(by, report.clone(), called, content, source);
            if answer.outcome() == Outcome::Ok {
                return answer;
            }
            answers.add(answer);
        }
        answers.best.unwrap_or_else(|| report.refused(&nobody()))
    }

    fn verify_by(
        &self,
        by: &ArtifactSigner<'_>,
        mut report: ArtifactReport,
        called: ArtifactName<'_>,
        content: ArtifactContent<'_>,
        source: &mut dyn BundleSource,
    ) -> ArtifactReport {
        let no_clues = Clues::default();
        let context = VerificationContext { by, called, tries: self.tries, clues: &no_clues };
        let mut report = match content {
            ArtifactContent::Refused(fault) => refused(report, fault, Vec::new(), &context),
            ArtifactContent::Image(archive, detected) => {
                report.detected = detected.map(str::to_owned);
                let OfferedBundles { bundles, clues, likely_causes } = source.offer(by.profile);
                report.likely_causes.extend(likely_causes);
                image::image(
                    report,
                    archive,
                    bundles,
                    &VerificationContext { clues: &clues, ..context },
                )
            }
            ArtifactContent::Package(digest, detected, fault) => {
                report.detected = detected.map(str::to_owned);
                let as_image = fault.map(|fault| format!("read as an image archive: {fault}"));
                report.likely_causes.extend(as_image);
                let OfferedBundles { bundles, clues, likely_causes } = source.offer(by.profile);
                report.likely_causes.extend(likely_causes);
                package::package(
                    report,
                    digest,
                    bundles,
                    &VerificationContext { clues: &clues, ..context },
                )
            }
        };
        report.key_trust = by.signer.listed.map(|_| KeyTrust::Policy);
        report
    }
}

/// Judges bytes, signed as they are, by each signer in turn until one holds; `open` gives them from their
/// beginning. Else the answer is the first that says more than that a key did not sign them.
///
/// # Errors
/// Those of `open`.
pub fn verify_blob<R: Read>(
    report: &ArtifactReport,
    called: ArtifactName<'_>,
    bundle: &NamedBundle,
    signers: &[TrustedSigner<'_>],
    open: impl Fn() -> Result<R, Fault>,
) -> Result<ArtifactReport, Fault> {
    let mut answers = SignerAnswers::new(Code::SignatureInvalid);
    for signer in signers {
        let answer = blob::blob(report.clone(), &mut open()?, bundle, signer, called);
        if answer.outcome() == Outcome::Ok {
            return Ok(answer);
        }
        answers.add(answer);
    }
    answers.best.ok_or_else(nobody)
}

fn nobody() -> Fault {
    Fault::new(Code::NoKey, "nobody's signature counts for it")
}

/// The refusals by several signers; one of them is shown.
struct SignerAnswers {
    best: Option<ArtifactReport>,
    /// The code that says the least: any other goes before it.
    weakest: Code,
}

impl SignerAnswers {
    const fn new(weakest: Code) -> Self {
        Self { best: None, weakest }
    }

    fn add(&mut self, answer: ArtifactReport) {
        let is_weak = |report: &ArtifactReport| report.code() == Some(self.weakest);
        if self.best.as_ref().is_none_or(|best| is_weak(best) && !is_weak(&answer)) {
            self.best = Some(answer);
        }
    }
}

/// Whether a bundle signs the SHA-256 of a file, as vendors sign packages: such a bundle says what the vendor
/// took the file for. Never a verdict.
pub fn signs_file<'s>(
    bundle: &SignatureBundle,
    digest: FileDigest,
    profile: &VendorProfile,
    signers: impl IntoIterator<Item = Signer<'s>>,
    tries: &TryBudget,
) -> bool {
    if bundle.is_attestation() {
        return false;
    }
    let text = profile.package.message.message(&digest.sha256);
    let holds = |signer: Signer<'s>| {
        tries.take() && sigstore::signature_holds(bundle, text.as_bytes(), &signer)
    };
    bundle.states(text.as_bytes()).unwrap_or_else(|| signers.into_iter().any(holds))
}
