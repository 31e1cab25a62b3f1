//! A blob: any bytes, signed as they are (`verify-blob`).

use std::io::Read;

use super::{BundleVerdict, NamedBundle, verified};
use crate::sigstore::{self, Request, Subject};
use crate::verdict::{ArtifactKind, ArtifactReport};

/// Verifies a stream of bytes against one bundle; the stream is read once, in constant memory.
#[must_use]
pub fn blob(
    mut report: ArtifactReport,
    stream: &mut dyn Read,
    bundle: &NamedBundle,
    request: &Request<'_>,
) -> ArtifactReport {
    report.kind = Some(ArtifactKind::Blob);
    let content = match &bundle.content {
        Ok(content) => content,
        Err(fault) => {
            report.bundles.push(BundleVerdict::unread(bundle, fault).report);
            return report.refused(fault);
        }
    };
    match sigstore::verify(content, Subject::Reader(stream), request) {
        Ok(proof) => {
            report.bundles.push(BundleVerdict::new(bundle, Ok(&proof)).report);
            verified(report, Some(proof.key()))
        }
        Err(refusal) => {
            let verdict = BundleVerdict::new(bundle, Err(&refusal));
            report.bundles.push(verdict.report);
            let fault = refusal.fault.clone().at(bundle.name.as_str());
            let mut report = report.refused(&fault);
            report.likely_causes = verdict.causes;
            report
        }
    }
}
