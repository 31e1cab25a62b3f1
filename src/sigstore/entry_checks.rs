//! Our own look at a log entry, before the library's: what it is about, and which log it names.
//!
//! No signature is checked here. What is found gets its own code, so that a reader learns whether
//! an entry belongs to another signature, its log is unknown, or its time is outside the log key's
//! validity. The library has one error for several of these.

use sigstore_verify::types::{Checkpoint, pae};

use super::TrustMaterial;
use super::body::{Body, HashedRekord, LogEntryKind, LoggedKey};
use super::bundle::{BundleContent, Format, SignatureBundle};
use super::certificate::Certificate;
use super::entry::{InclusionProof, LogEntry};
use super::subject::ArtifactDigests;
use crate::digest::Sha256Digest;
use crate::key::{HashAlgorithm, PublicKey};
use crate::verdict::{Code, Fault};

/// How the key material in an entry relates to the signer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyRelation {
    /// The same key for a key, the same certificate for a certificate.
    Same,
    /// The signer is a key, and the entry holds a certificate (DER) of that key.
    CertificateOfKey(Vec<u8>),
    /// The signer is a certificate, and the entry holds its key alone.
    KeyOfCertificate,
    /// An attestation entry: the library compares.
    LeftToLibrary,
}

/// What entries are compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryExpectation<'a> {
    pub(super) bundle: &'a SignatureBundle,
    pub(super) artifact: &'a ArtifactDigests<'a>,
    pub(super) key: &'a PublicKey,
    /// The certificate, when the signer is one.
    pub(super) certificate: Option<&'a Certificate>,
    pub(super) trust: &'a TrustMaterial,
    pub(super) now: jiff::Timestamp,
}

impl EntryExpectation<'_> {
    /// Looks at one entry.
    pub(super) fn examine(&self, entry: &LogEntry) -> Result<KeyRelation, Fault> {
        let body = entry.read().map_err(Clone::clone)?;
        let kind = entry.entry_kind().ok_or_else(|| unsupported("a kind that can't be checked"))?;
        let relation = match (&self.bundle.content, body) {
            (_, Body::HashedRekord(record)) => self.compare(kind, record)?,
            (BundleContent::DsseEnvelope { .. }, Body::Attestation) => KeyRelation::LeftToLibrary,
            (BundleContent::MessageSignature { .. }, Body::Attestation) => {
                return Err(unsupported(
                    "an attestation's entry says nothing about a file's signature",
                ));
            }
        };
        self.evidence(kind, entry)?;
        if let Some(proof) = &entry.proof {
            self.checkpoint(kind, entry, proof)?;
        }
        self.time(kind, entry)?;
        Ok(relation)
    }

    /// The entry's hash, signature and key against the bundle's.
    fn compare(&self, kind: LogEntryKind, record: &HashedRekord) -> Result<KeyRelation, Fault> {
        let mismatch = |what: &str| Fault::new(Code::LogEntryMismatch, what);
        let digest = match &self.bundle.content {
            BundleContent::MessageSignature { .. } => {
                self.artifact.digest(HashAlgorithm::Sha256).map(<[u8]>::to_vec)
            }
            BundleContent::DsseEnvelope { payload_type, payload, .. } => {
                if !kind.is_v2() {
                    return Err(unsupported("an entry about a file does not cover an attestation"));
                }
                Some(HashAlgorithm::Sha256.digest(&pae(payload_type, payload)))
            }
        };
        if record.hash.algorithm != HashAlgorithm::Sha256 {
            return Err(unsupported("an entry over another hash than SHA-256")
                .expected_found(HashAlgorithm::Sha256, record.hash.algorithm));
        }
        if digest.as_deref() != Some(&*record.hash.digest) {
            let fault = mismatch("the log entry is about another artifact").expected_found(
                digest.as_deref().map(crate::digest::hex).unwrap_or_default(),
                crate::digest::hex(&record.hash.digest),
            );
            let of_message = matches!(self.bundle.content, BundleContent::MessageSignature { .. });
            return Err(if of_message { fault.about_other_text() } else { fault });
        }
        if record.signature != self.bundle.signature() {
            return Err(mismatch("the log entry is about another signature"));
        }
        self.relation(kind, &record.verifier)
    }

    fn relation(&self, kind: LogEntryKind, verifier: &LoggedKey) -> Result<KeyRelation, Fault> {
        let other = |found: Option<Sha256Digest>| {
            let fault = Fault::new(Code::LogEntryMismatch, "the log entry names another key");
            match found {
                Some(found) => fault.expected_found(self.key.fingerprint(), found),
                None => fault,
            }
        };
        match (verifier, self.certificate) {
            (LoggedKey::Key(der), None) if der == self.key.spki_der() => Ok(KeyRelation::Same),
            (LoggedKey::Certificate(der), Some(own)) if *der == own.der => Ok(KeyRelation::Same),
            (LoggedKey::Key(der), Some(own)) if kind.is_v2() && der == own.key.spki_der() => {
                Ok(KeyRelation::KeyOfCertificate)
            }
            (LoggedKey::Certificate(der), None) => {
                let found = Certificate::from_der(der.clone()).map_err(|_| other(None))?.key;
                if found != *self.key {
                    return Err(other(Some(found.fingerprint())));
                }
                if kind.is_v2() {
                    return Err(unsupported(
                        "a Rekor v2 entry with a certificate for a signature by a key",
                    ));
                }
                Ok(KeyRelation::CertificateOfKey(der.clone()))
            }
            (LoggedKey::Key(der), _) => Err(other(Some(Sha256Digest::of(der)))),
            (LoggedKey::Certificate(_), Some(_)) => {
                Err(Fault::new(Code::LogEntryMismatch, "the log entry names another certificate"))
            }
        }
    }

    /// Every entry must carry what its bundle's version and its log's version promise. The library
    /// is content when any one entry does.
    fn evidence(&self, kind: LogEntryKind, entry: &LogEntry) -> Result<(), Fault> {
        let promised = matches!(self.bundle.format, Format::Cosign | Format::Sigstore01);
        let missing = if promised && !kind.is_v2() {
            entry.promise.is_none().then_some("a signed entry timestamp")
        } else {
            entry.proof.is_none().then_some("an inclusion proof")
        };
        let Some(missing) = missing else { return Ok(()) };
        Err(Fault::new(Code::LogEntryMalformed, format!("the log entry lacks {missing}")))
    }

    /// The checkpoint's structure, its tree and its signers.
    fn checkpoint(
        &self,
        kind: LogEntryKind,
        entry: &LogEntry,
        proof: &InclusionProof,
    ) -> Result<(), Fault> {
        let refuse = |reason: String| Fault::new(Code::CheckpointInvalid, reason);
        let text = proof
            .checkpoint
            .as_deref()
            .ok_or_else(|| refuse("the inclusion proof comes without a checkpoint".to_owned()))?;
        let checkpoint = Checkpoint::from_text(text).map_err(|error| refuse(error.to_string()))?;
        if !is_signed_note(text) {
            return Err(refuse("the checkpoint is not laid out as a signed note".to_owned()));
        }
        // Rekor v2 does not authenticate the copies of these fields outside the checkpoint.
        if !kind.is_v2() {
            if checkpoint.tree_size() != proof.tree_size {
                return Err(refuse(
                    "the checkpoint is of another tree size than the proof".to_owned(),
                )
                .expected_found(proof.tree_size, checkpoint.tree_size()));
            }
            if *checkpoint.root_hash().as_bytes() != proof.root {
                return Err(refuse("the checkpoint is of another tree than the proof".to_owned()));
            }
            if proof.index >= proof.tree_size {
                return Err(Fault::new(
                    Code::InclusionProofInvalid,
                    "the entry's index is outside the tree",
                ));
            }
        }
        let hint = entry.log_id.get(..4).unwrap_or_default();
        let mut signed = false;
        for signature in checkpoint.signatures() {
            if signature.key_id.as_bytes() == hint {
                signed = true;
            } else if let Some(log) = self.trust.log_by_hint(signature.key_id.as_bytes()) {
                // The library takes the key of any log that it knows.
                return Err(refuse(format!(
                    "the checkpoint is signed by another log, {}",
                    log.name
                )));
            }
        }
        if signed {
            Ok(())
        } else {
            Err(refuse("the checkpoint is not signed by the log that the entry names".to_owned()))
        }
    }

    /// The integrated time, which the promise signs.
    fn time(&self, kind: LogEntryKind, entry: &LogEntry) -> Result<(), Fault> {
        if kind.is_v2() || entry.promise.is_none() {
            return Ok(());
        }
        let time = entry.time().ok_or_else(|| {
            Fault::new(
                Code::LogEntryMalformed,
                "the log entry states no time that its promise could be for",
            )
        })?;
        if time > self.now {
            return Err(Fault::new(Code::TimeInFuture, "the log entry was made in the future")
                .expected_found(format!("at most {}", self.now), time));
        }
        let Some(log) = self.trust.log(&entry.log_id) else { return Ok(()) };
        match log.window {
            Some(window) if window.contains(time) => Ok(()),
            window => Err(Fault::new(
                Code::LogTimeOutsideWindow,
                format!("the key of {} was not valid when the entry was made", log.name),
            )
            .expected_found(window_text(window), time)),
        }
    }
}

/// Whether a text is laid out exactly as a signed note (golang.org/x/mod/sumdb/note): the text, a
/// blank line, and lines of an em dash, a name and base64. The library's parser trims white space
/// and ignores what follows a second blank line.
fn is_signed_note(text: &str) -> bool {
    let Some((_, signatures)) = text.split_once("\n\n") else { return false };
    let Some(signatures) = signatures.strip_suffix('\n') else { return false };
    signatures.split('\n').all(|line| {
        let Some((name, signature)) =
            line.strip_prefix("\u{2014} ").and_then(|line| line.split_once(' '))
        else {
            return false;
        };
        let plain = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        plain(name) && plain(signature)
    })
}

fn window_text(window: Option<sigstore_verify::types::TimeRange>) -> String {
    match window {
        Some(window) => match window.end {
            Some(end) => format!("{} to {end}", window.start),
            None => format!("from {} on", window.start),
        },
        None => "a start of validity in the trusted root".to_owned(),
    }
}

fn unsupported(what: &str) -> Fault {
    Fault::new(Code::LogEntryUnsupported, what)
}
