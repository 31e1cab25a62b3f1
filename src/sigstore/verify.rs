//! What a bundle proves about an artifact.
//!
//! Two answers are needed: our own check of the signature with the operator's key (or the
//! certificate's), and the library's, which also verifies log, timestamps and certificate. Our own
//! checks come first, so that a bad signature is FAILED even if the log is unknown.

use super::bundle::{BundleContent, SignatureBundle};
use super::checklist::Checklist;
use super::entry::LogEntry;
use super::entry_checks::{EntryExpectation, KeyRelation};
use super::library::LibraryCheck;
use super::proof::{Proof, ProvenTime, Refusal};
use super::signature::{self, SignatureCheck};
use super::subject::{ArtifactDigests, Needs, Subject};
use super::verify_request::{Signer, Transparency, VerifyRequest};
use super::{causes, signer};
use crate::digest::Sha256Digest;
use crate::key::{HashAlgorithm, PublicKey};
use crate::verdict::{CheckName, Code, Fault, Status};

/// Verifies a bundle against an artifact.
///
/// # Errors
/// A [`Refusal`] with the reason and the checks so far. It is undecided rather than failed
/// ([`Fault::outcome`]) when the log is unknown and everything else holds, when the artifact can't
/// be read, and when the scheme needs more of the message than is known.
pub fn verify(
    bundle: &SignatureBundle,
    subject: Subject<'_>,
    request: &VerifyRequest<'_>,
) -> Result<Proof, Box<Refusal>> {
    let mut verification = Verification {
        bundle,
        request,
        checklist: Checklist::new(bundle, request),
        times: Vec::new(),
        likely_causes: Vec::new(),
    };
    match verification.judge(subject) {
        Ok((key, hash)) => Ok(verification.proof(key, hash)),
        Err(EntryFault { fault, index }) => {
            verification.checklist.fail(fault.code(), index);
            Err(Box::new(Refusal {
                fault,
                checks: verification.checklist.into_checks(),
                likely_causes: verification.likely_causes,
            }))
        }
    }
}

/// A refusal, and which log entry it is about.
struct EntryFault {
    fault: Fault,
    index: Option<usize>,
}

impl From<Fault> for EntryFault {
    fn from(fault: Fault) -> Self {
        Self { fault, index: None }
    }
}

struct Verification<'a> {
    bundle: &'a SignatureBundle,
    request: &'a VerifyRequest<'a>,
    checklist: Checklist,
    times: Vec<ProvenTime>,
    likely_causes: Vec<String>,
}

/// What our own look at the entries leaves for the library.
struct ExaminedEntries<'a> {
    known: Vec<(usize, &'a LogEntry)>,
    unknown: Option<(usize, &'a LogEntry)>,
    relation: KeyRelation,
}

impl<'a> Verification<'a> {
    fn judge(
        &mut self,
        subject: Subject<'_>,
    ) -> Result<(Sha256Digest, Option<HashAlgorithm>), EntryFault> {
        let (bundle, request) = (self.bundle, self.request);
        signer::check_kind(bundle, &request.signer, &mut self.checklist, &mut self.likely_causes)?;
        let (key, rule) = signature::key_of(bundle, &request.signer).ok_or_else(|| {
            Fault::new(Code::SignerKindMismatch, "the bundle carries no certificate")
        })?;
        let entry_needed = request.transparency == Transparency::Required;
        let artifact = ArtifactDigests::read(subject, &Needs::of(bundle, key, rule))?;
        self.stated_digest(&artifact, key)?;

        let hash = match signature::check(bundle, &artifact, key, rule) {
            SignatureCheck::Holds(hash) => hash,
            SignatureCheck::DigestUnknown(algorithm) => {
                if let Some(fault) = self.other_artifact(&artifact) {
                    return Err(fault.into());
                }
                return Err(Fault::new(
                    Code::WholeMessageNeeded,
                    format!(
                        "the signature does not hold over the SHA-256 that is known; the \
                         {algorithm} is needed"
                    ),
                )
                .into());
            }
            SignatureCheck::Fails => return Err(self.bad_signature(&artifact, key)),
        };
        let named = match bundle.content {
            BundleContent::DsseEnvelope { .. } => {
                Some(signature::subject_digest(bundle, &artifact)?)
            }
            BundleContent::MessageSignature { .. } => None,
        };
        self.checklist.pass(CheckName::Signature, 0);
        self.checklist.value(CheckName::Signature, 0, "fingerprint", key.fingerprint());
        self.checklist.value(CheckName::Signature, 0, "key", key.kind());
        if let Some(hash) = hash {
            self.checklist.value(CheckName::Signature, 0, "hash", hash);
        }
        signer::check_identity(bundle, &request.signer, &mut self.checklist)?;
        if bundle.entries.is_empty() && entry_needed {
            return Err(Fault::new(
                Code::LogEntryMissing,
                "the bundle has no transparency log entry",
            )
            .into());
        }
        let entries = self.entries(&EntryExpectation {
            bundle,
            artifact: &artifact,
            key,
            certificate: signer::certificate(self.bundle, &self.request.signer),
            trust: request.trust,
            now: request.now,
        })?;
        let check = LibraryCheck {
            trust: request.trust,
            bundle,
            entries: entries.known.iter().map(|(_, entry)| *entry).collect(),
            artifact: &artifact,
            hash,
            subject: named,
        };
        self.library(&check, &entries, key)?;
        if let Some((index, entry)) = entries.unknown {
            let id = crate::digest::hex(&entry.log_id);
            let message = match self.request.trust.why_unused(&entry.log_id) {
                Some(why) => {
                    format!("the trusted root lists the log {id}, which can't be used: {why}")
                }
                None => format!("the trusted root does not know the log {id}"),
            };
            let fault = Fault::new(Code::LogUnknown, message);
            return Err(EntryFault { fault, index: Some(index) });
        }
        Ok((key.fingerprint(), hash))
    }

    /// The digest in `messageDigest` against the artifact's.
    fn stated_digest(
        &mut self,
        artifact: &ArtifactDigests<'_>,
        key: &PublicKey,
    ) -> Result<(), EntryFault> {
        let BundleContent::MessageSignature { digest: Some(stated), .. } = &self.bundle.content
        else {
            return Ok(());
        };
        match artifact.digest(stated.algorithm) {
            Some(digest) if digest == stated.digest => Ok(()),
            Some(digest) => {
                self.likely_causes.extend(causes::of(self.bundle, key));
                Err(Fault::new(Code::DigestMismatch, "the bundle is about another artifact")
                    .expected_found(
                        format!("{}:{}", stated.algorithm, crate::digest::hex(digest)),
                        format!("{}:{}", stated.algorithm, crate::digest::hex(&stated.digest)),
                    )
                    .into())
            }
            None => Err(Fault::new(
                Code::WholeMessageNeeded,
                format!(
                    "the bundle states a {} digest, and only the SHA-256 is known",
                    stated.algorithm
                ),
            )
            .into()),
        }
    }

    /// The refusal of a signature that does not hold, with what the bundle itself shows about why.
    fn bad_signature(&mut self, artifact: &ArtifactDigests<'_>, key: &PublicKey) -> EntryFault {
        self.likely_causes = causes::of(self.bundle, key);
        if let Some(cause) = causes::other_hash(self.bundle, artifact, key) {
            self.likely_causes.insert(0, cause);
        }
        if let Some(fault) = self.other_artifact(artifact) {
            return fault.into();
        }
        Fault::new(
            Code::SignatureInvalid,
            format!("the signature is not one over this artifact by the key {}", key.fingerprint()),
        )
        .into()
    }

    /// The refusal of a bundle that says itself, if only in its log entry, that it is about another
    /// artifact.
    fn other_artifact(&self, artifact: &ArtifactDigests<'_>) -> Option<Fault> {
        let (algorithm, stated) = self.bundle.stated_digest()?;
        let digest = crate::digest::hex(artifact.digest(algorithm)?);
        (digest != stated).then(|| {
            Fault::new(Code::DigestMismatch, "the bundle is about another artifact")
                .expected_found(format!("{algorithm}:{digest}"), format!("{algorithm}:{stated}"))
        })
    }

    /// Our own look at every entry.
    fn entries(
        &mut self,
        expected: &EntryExpectation<'_>,
    ) -> Result<ExaminedEntries<'a>, EntryFault> {
        let mut out =
            ExaminedEntries { known: Vec::new(), unknown: None, relation: KeyRelation::Same };
        for (index, entry) in self.bundle.entries.iter().enumerate() {
            let relation = expected
                .examine(entry)
                .map_err(|fault| EntryFault { fault, index: Some(index) })?;
            if index > 0 && relation != out.relation {
                let fault = Fault::new(
                    Code::LogEntryUnsupported,
                    "log entries that hold the key in different forms",
                );
                return Err(EntryFault { fault, index: Some(index) });
            }
            out.relation = relation;
            if self.request.trust.log(&entry.log_id).is_some() {
                self.checklist.pass(CheckName::LogEntry, index);
                out.known.push((index, entry));
            } else {
                out.unknown = out.unknown.or(Some((index, entry)));
            }
        }
        Ok(out)
    }

    /// The second answer, for the entries of known logs and the timestamps.
    fn library(
        &mut self,
        check: &LibraryCheck<'_>,
        entries: &ExaminedEntries<'_>,
        key: &PublicKey,
    ) -> Result<(), EntryFault> {
        let evidence = !entries.known.is_empty() || !self.bundle.timestamps.is_empty();
        let times = match (&self.request.signer, &entries.relation) {
            // Nothing but a signature, which is checked already; or a log that can't be verified.
            (Signer::Key { .. }, _) if !evidence => return Ok(()),
            (Signer::Identity { .. }, _) if !evidence && entries.unknown.is_some() => return Ok(()),
            (Signer::Identity { .. }, _) if !evidence => {
                return Err(Fault::new(
                    Code::TimestampMissing,
                    "nothing proves when the certificate was used: no log entry and no timestamp",
                )
                .into());
            }
            (Signer::Key { .. }, KeyRelation::CertificateOfKey(der))
                if !entries.known.is_empty() =>
            {
                check.by_key_in_certificate(der)?
            }
            (Signer::Key { .. }, _) => check.by_key(key)?,
            (Signer::Identity { .. }, KeyRelation::KeyOfCertificate) => {
                // The library wants the certificate in the entry. So it verifies the entries with
                // the certificate's key, and the certificate without them.
                check.by_key(key)?;
                check.without_entries().by_certificate()?
            }
            (Signer::Identity { .. }, _) => check.by_certificate()?,
        };
        self.checklist.pass(CheckName::Library, 0);
        for (index, entry) in &entries.known {
            for name in [CheckName::LogPromise, CheckName::InclusionProof, CheckName::Checkpoint] {
                self.checklist.pass(name, *index);
            }
            let log = self.request.trust.log(&entry.log_id);
            if let (Some(time), Some(log)) = (entry.promised_time(), log) {
                self.times.push(ProvenTime { time, source: log.name.clone() });
            }
        }
        for (index, time) in times.into_iter().enumerate() {
            self.timestamp(index, time)?;
        }
        if let Some(certificate) = signer::certificate(self.bundle, &self.request.signer) {
            self.checklist.pass(CheckName::Certificate, 0);
            self.checklist.value(CheckName::Certificate, 0, "not-before", certificate.not_before);
            self.checklist.value(CheckName::Certificate, 0, "not-after", certificate.not_after);
            self.checklist.pass(CheckName::Identity, 0);
        }
        Ok(())
    }

    fn timestamp(&mut self, index: usize, time: jiff::Timestamp) -> Result<(), EntryFault> {
        self.checklist.value(CheckName::Timestamp, index, "time", time);
        if time > self.request.now {
            self.checklist.end(CheckName::Timestamp, index, Status::Failed);
            return Err(Fault::new(Code::TimeInFuture, "the timestamp was made in the future")
                .expected_found(format!("at most {}", self.request.now), time)
                .into());
        }
        self.checklist.pass(CheckName::Timestamp, index);
        self.times.push(ProvenTime { time, source: "timestamp".to_owned() });
        Ok(())
    }

    fn proof(self, key: Sha256Digest, hash: Option<HashAlgorithm>) -> Proof {
        let bundle = self.bundle;
        let signature_only = bundle.entries.is_empty()
            && bundle.timestamps.is_empty()
            && matches!(self.request.signer, Signer::Key { .. });
        let mut notes = bundle.notes.clone();
        if signature_only {
            notes.push(
                "nothing but the signature was checked: the bundle has no log entry and no \
                 timestamp"
                    .to_owned(),
            );
        }
        Proof {
            checks: self.checklist.into_checks(),
            times: self.times,
            key,
            hash,
            signature_only,
            notes,
        }
    }
}
