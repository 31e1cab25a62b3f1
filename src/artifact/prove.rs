//! The one rule for what a bundle proves about an artifact in the vendor's flow.

use super::signer::TrustedSigner;
use crate::sigstore::{self, Proof, Refusal, SignatureBundle, Subject};
use crate::trust::ArtifactName;
use crate::verdict::{Code, Fault};

/// What to do about a bundle without a log entry where a policy asks for one: no option changes that.
pub(crate) const LOG_BY_POLICY: &str =
    "The trust policy requires a log entry: ask the vendor for a bundle that has one.";

/// What a bundle proves about a subject: the signature must be one over the text itself. An attestation by
/// the same key is about the artifact too, but it may say anything of it, even that it must not be
/// used.
pub(super) fn prove(
    bundle: &SignatureBundle,
    subject: Subject<'_>,
    signer: &TrustedSigner<'_>,
    called: ArtifactName<'_>,
) -> Result<Proof, Box<Refusal>> {
    if bundle.is_attestation() {
        let fault = Fault::new(
            Code::BundleUnsupported,
            "the bundle holds an attestation (DSSE envelope), not a signature of the artifact",
        );
        return Err(Box::new(Refusal { fault, checks: Vec::new(), likely_causes: Vec::new() }));
    }
    let mut proof = sigstore::verify(bundle, subject, &signer.request).map_err(|mut refusal| {
        if refusal.fault.code() == Code::LogEntryMissing && signer.listed.is_some() {
            refusal.fault = refusal.fault.advise(LOG_BY_POLICY);
        }
        refusal
    })?;
    if let Some((_, terms)) = signer.listed {
        let times: Vec<_> = proof.times().iter().map(|proven| proven.time).collect();
        match terms.admit(called, &times) {
            Ok(notes) => notes.into_iter().for_each(|note| proof.add_note(note)),
            Err(fault) => {
                let checks = proof.checks().to_vec();
                return Err(Box::new(Refusal { fault, checks, likely_causes: Vec::new() }));
            }
        }
    }
    Ok(proof)
}

/// Whether a bundle would prove an artifact, by the same rule, as far as the signed text's digest tells.
/// Never a verdict: nothing of the artifact was read.
///
/// # Errors
/// Why it would not; [`Code::WholeMessageNeeded`] where the digest is not enough to tell.
pub fn would_prove(
    bundle: &SignatureBundle,
    text: Subject<'_>,
    signer: &TrustedSigner<'_>,
    called: ArtifactName<'_>,
) -> Result<(), Fault> {
    prove(bundle, text, signer, called).map(drop).map_err(|refusal| refusal.fault)
}
