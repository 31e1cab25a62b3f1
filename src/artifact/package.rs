//! A package: any file, signed by the text of its SHA-256.

use super::bundles::NamedBundle;
use super::diagnose;
use super::prove::prove;
use super::refusal::{BundleVerdict, in_known_digests, refused};
use super::verification_context::VerificationContext;
use crate::digest::FileDigest;
use crate::sigstore::Subject;
use crate::verdict::{
    ArtifactKind, ArtifactReport, Code, Evidence, FILE_DIGEST_KIND, Fault, MatchedDigest,
};

/// Verifies a package.
///
/// The signed text is made from the file's SHA-256 in the form that the profile gives, and nothing
/// else is accepted. A package has one bundle: without one the answer is UNSIGNED, and of several none is
/// chosen.
pub(super) fn package(
    mut report: ArtifactReport,
    file: FileDigest,
    bundles: &[NamedBundle],
    context: &VerificationContext<'_>,
) -> ArtifactReport {
    report.kind = Some(ArtifactKind::Package);
    report.sha256 = Some(file.sha256);
    let bundle = match bundles {
        [bundle] => bundle,
        [] => {
            let message = "no signature bundle was found for this package";
            return refused(report, &Fault::new(Code::NoBundle, message), Vec::new(), context);
        }
        several => {
            let message = format!("a package has one bundle, and here are {}", several.len());
            let fault = Fault::new(Code::PairingAmbiguous, message);
            return report.refused(&fault.advise("Name the one bundle that signs this file."));
        }
    };
    report.notes.push("the file name and version are not signed".to_owned());
    let content = match &bundle.content {
        Ok(content) => content,
        Err(fault) => {
            report.bundles.push(BundleVerdict::unread(bundle, fault).report);
            return refused(report, fault, Vec::new(), context);
        }
    };
    let message = context.profile().package.message.message(&file.sha256);
    match prove(content, Subject::Bytes(message.as_bytes()), &context.by.signer, context.called) {
        Ok(proof) => {
            report.bundles.push(BundleVerdict::new(bundle, Ok(&proof)).report);
            report
                .matched
                .push(MatchedDigest { digest: file.sha256, kind: FILE_DIGEST_KIND.to_owned() });
            report.verified(Evidence::Signatures { key: Some(proof.key()) })
        }
        Err(refusal) => {
            let verdict = BundleVerdict::new(bundle, Err(&refusal));
            report.bundles.push(verdict.report);
            let ids = format!("{}, the SHA-256 of this file", file.sha256);
            let fault = in_known_digests(refusal.fault.clone(), &ids).at(bundle.name.as_str());
            let causes = diagnose::package(content, file, verdict.causes, fault.code(), context);
            refused(report, &fault, causes, context)
        }
    }
}
