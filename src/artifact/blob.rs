//! A blob: any bytes, signed as they are (`verify-blob`).

use std::io::{self, Read};

use super::bundles::NamedBundle;
use super::diagnose;
use super::prove::prove;
use super::refusal::BundleVerdict;
use super::signer::TrustedSigner;
use crate::limits;
use crate::sigstore::Subject;
use crate::trust::ArtifactName;
use crate::verdict::{ArtifactKind, ArtifactReport, Evidence, KeyTrust};

/// Verifies a stream of bytes against one bundle; the stream is read once, in constant memory.
pub(super) fn blob(
    mut report: ArtifactReport,
    stream: &mut dyn Read,
    bundle: &NamedBundle,
    signer: &TrustedSigner<'_>,
    called: ArtifactName<'_>,
) -> ArtifactReport {
    report.kind = Some(ArtifactKind::Blob);
    let content = match &bundle.content {
        Ok(content) => content,
        Err(fault) => {
            report.bundles.push(BundleVerdict::unread(bundle, fault).report);
            return report.refused(fault);
        }
    };
    let mut stream = Beginning { inner: stream, bytes: Vec::new() };
    match prove(content, Subject::Reader(&mut stream), signer, called) {
        Ok(proof) => {
            report.bundles.push(BundleVerdict::new(bundle, Ok(&proof)).report);
            report.key_trust = signer.listed.map(|_| KeyTrust::Policy);
            report.verified(Evidence::Signatures { key: Some(proof.key()) })
        }
        Err(refusal) => {
            let verdict = BundleVerdict::new(bundle, Err(&refusal));
            report.bundles.push(verdict.report);
            let fault = refusal.fault.clone().at(bundle.name.as_str());
            let mut report = report.refused(&fault);
            let causes = diagnose::blob(content, &stream.bytes, fault.code(), &signer.request);
            report.likely_causes.extend(causes);
            report.likely_causes.extend(verdict.causes);
            report.likely_causes.truncate(limits::CAUSES);
            report
        }
    }
}

/// Keeps the beginning of what passes, for the diagnosis.
struct Beginning<'a> {
    inner: &'a mut dyn Read,
    bytes: Vec<u8>,
}

impl Read for Beginning<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let room = limits::DIAGNOSIS_BYTES.saturating_sub(self.bytes.len());
        self.bytes.extend(buffer.iter().take(count.min(room)));
        Ok(count)
    }
}
