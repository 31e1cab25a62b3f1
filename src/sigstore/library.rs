//! The second answer: the sigstore-verify library, given exactly what was parsed here.
//!
//! The library's own JSON parser is not used: it reads one document another way than Go does in
//! places (duplicate flattened fields, missing media types). Its errors are mapped by kind, never
//! by text, and only for what our own checks could not tell.

use sigstore_verify::bundle::Error as Structure;
use sigstore_verify::types::{
    Artifact as SigstoreArtifact, ArtifactDigest, Bundle, CanonicalizedBody, CertificateContent,
    CheckpointData, DerCertificate, DerPublicKey, DsseEnvelope, DsseSignature, InclusionPromise,
    InclusionProof as LibraryInclusionProof, KeyId, KindVersion, LogId, LogIndex, LogKeyId,
    MediaType, MessageDigest, MessageSignature, PayloadBytes, PublicKeyIdentifier,
    Rfc3161Timestamp, Sha256Hash, SignatureBytes, SignatureContent, SignedTimestamp,
    TimestampToken, TimestampVerificationData, TransparencyLogEntry,
    VerificationMaterial as LibraryMaterial, VerificationMaterialContent, X509Certificate,
};
use sigstore_verify::{
    Error, Policy, PublicKeyVerificationPolicy, TimestampError, TransparencyLogError,
    VerificationPolicy,
};

use super::TrustMaterial;
use super::body::LogEntryKind;
use super::bundle::{BundleContent, Format, SignatureBundle, VerificationMaterial};
use super::entry::LogEntry;
use super::provider::theirs;
use super::subject::ArtifactDigests;
use crate::key::{HashAlgorithm, PublicKey};
use crate::verdict::{Code, Fault};

/// One call of the library.
#[derive(Debug)]
pub(super) struct LibraryCheck<'a> {
    pub(super) trust: &'a TrustMaterial,
    pub(super) bundle: &'a SignatureBundle,
    /// The entries to verify; without any, the log is not looked at.
    pub(super) entries: Vec<&'a LogEntry>,
    pub(super) artifact: &'a ArtifactDigests<'a>,
    /// What our own check found the signature to be over.
    pub(super) hash: Option<HashAlgorithm>,
    /// The digest by which an attestation names the artifact.
    pub(super) subject: Option<(HashAlgorithm, Vec<u8>)>,
}

impl<'a> LibraryCheck<'a> {
    /// The same check, leaving the log out.
    pub(super) fn without_entries(&self) -> Self {
        Self {
            trust: self.trust,
            bundle: self.bundle,
            entries: Vec::new(),
            artifact: self.artifact,
            hash: self.hash,
            subject: self.subject.clone(),
        }
    }

    /// Is this a signature by that key, logged in every entry? Answers with the times of the
    /// RFC 3161 timestamps, in the bundle's order.
    pub(super) fn by_key(&self, key: &PublicKey) -> Result<Vec<jiff::Timestamp>, Fault> {
        let mut policy =
            PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki_der().to_vec()));
        if self.entries.is_empty() {
            policy = policy.skip_tlog_unsafe();
        }
        let material = VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new(""));
        let times = self.ask(material, &policy)?;
        // The library lists the times of promises first.
        let promises = times.len().saturating_sub(self.bundle.timestamps.len());
        Ok(times.get(promises..).unwrap_or_default().to_vec())
    }

    /// The same for a key whose log entries hold a certificate of it: the library compares the
    /// entry with the certificate, and its chain means nothing here, because trust comes from the
    /// operator's key, which our own checks compared with the certificate's.
    pub(super) fn by_key_in_certificate(&self, der: &[u8]) -> Result<Vec<jiff::Timestamp>, Fault> {
        let material = VerificationMaterialContent::Certificate(CertificateContent::new(
            DerCertificate::new(der.to_vec()),
        ));
        self.by_certificate_material(
            material,
            VerificationPolicy::any_identity().skip_certificate_chain(),
        )
    }

    /// Is this a signature by the bundle's certificate, which chains to the trusted root, carries
    /// an SCT and was valid at every proven time? Who it was issued to is compared elsewhere.
    pub(super) fn by_certificate(&self) -> Result<Vec<jiff::Timestamp>, Fault> {
        let VerificationMaterial::Certificates { leaf, rest } = &self.bundle.material else {
            return Err(Fault::new(Code::SignerKindMismatch, "the bundle carries no certificate"));
        };
        let certificate = |der: &Vec<u8>| DerCertificate::new(der.clone());
        let material = if rest.is_empty() && self.bundle.format == Format::Sigstore03 {
            VerificationMaterialContent::Certificate(CertificateContent::new(certificate(
                &leaf.der,
            )))
        } else {
            let chain = std::iter::once(&leaf.der).chain(rest).map(certificate);
            VerificationMaterialContent::X509CertificateChain {
                certificates: chain.map(X509Certificate::new).collect(),
            }
        };
        self.by_certificate_material(material, VerificationPolicy::any_identity())
    }

    fn by_certificate_material(
        &self,
        material: VerificationMaterialContent,
        mut policy: VerificationPolicy,
    ) -> Result<Vec<jiff::Timestamp>, Fault> {
        if self.entries.is_empty() {
            policy = policy.skip_tlog_unsafe();
        }
        let mut times = self.ask(material, &policy)?;
        // The library lists the times of timestamps first.
        times.truncate(self.bundle.timestamps.len());
        Ok(times)
    }

    /// The proven times, or why the library refuses.
    fn ask(
        &self,
        material: VerificationMaterialContent,
        policy: &dyn Policy,
    ) -> Result<Vec<jiff::Timestamp>, Fault> {
        let bundle = self.bundle(material)?;
        self.trust
            .verifier
            .verify(self.artifact()?, &bundle, policy)
            .map(|result| result.verified_timestamps().to_vec())
            .map_err(|error| self.fault(&error))
    }

    fn artifact(&self) -> Result<SigstoreArtifact<'a>, Fault> {
        let digest = |algorithm: HashAlgorithm, digest: &[u8]| {
            ArtifactDigest::new(theirs(algorithm), digest.to_vec())
                .map(SigstoreArtifact::Digest)
                .map_err(|error| Fault::new(Code::VerifiersDisagree, error.to_string()))
        };
        if let Some((algorithm, bytes)) = &self.subject {
            return digest(*algorithm, bytes);
        }
        let one_digest = |algorithm: HashAlgorithm| {
            let suffices = algorithm == HashAlgorithm::Sha256 || self.entries.is_empty();
            self.artifact.digest(algorithm).filter(|_| suffices).map(|bytes| (algorithm, bytes))
        };
        if let Some((algorithm, bytes)) = self.hash.and_then(one_digest) {
            return digest(algorithm, bytes);
        }
        self.artifact.whole().map(SigstoreArtifact::Blob).ok_or_else(|| {
            Fault::new(
                Code::LogEntryUnsupported,
                "a signature over another hash than its log entry needs the artifact in memory",
            )
        })
    }

    /// The bundle in the library's types.
    fn bundle(&self, material: VerificationMaterialContent) -> Result<Bundle, Fault> {
        let media_type = match self.bundle.format {
            // Version 0.2 demands nothing of a bundle whose log entries are not looked at.
            _ if self.entries.is_empty() => MediaType::Bundle0_2,
            Format::Cosign | Format::Sigstore01 | Format::Detached => MediaType::Bundle0_1,
            Format::Sigstore02 => MediaType::Bundle0_2,
            Format::Sigstore03 => MediaType::Bundle0_3,
        };
        let entries =
            self.entries.iter().map(|entry| log_entry(entry)).collect::<Result<Vec<_>, _>>()?;
        let timestamps = self
            .bundle
            .timestamps
            .iter()
            .map(|token| Rfc3161Timestamp::new(TimestampToken::new(token.clone())))
            .collect();
        let material = LibraryMaterial::new(material)
            .with_tlog_entries(entries)
            .with_timestamp_verification_data(TimestampVerificationData::new(timestamps));
        Ok(Bundle::new(media_type, material, self.content()))
    }

    fn content(&self) -> SignatureContent {
        match &self.bundle.content {
            BundleContent::MessageSignature { signature, .. } => {
                let message = MessageSignature::new(SignatureBytes::new(signature.clone()));
                // Without a digest the library takes the key's default hash: wrong for every
                // P-384 signature that cosign 2 made. What the bundle states was compared already.
                let digest = self.hash.and_then(|algorithm| {
                    let bytes = self.artifact.digest(algorithm)?;
                    Some(MessageDigest::new(theirs(algorithm), bytes.to_vec().into()))
                });
                SignatureContent::MessageSignature(match digest {
                    Some(digest) => message.with_message_digest(digest),
                    None => message,
                })
            }
            BundleContent::DsseEnvelope { payload_type, payload, signature, key_id } => {
                SignatureContent::DsseEnvelope(DsseEnvelope::new(
                    payload_type.clone(),
                    PayloadBytes::new(payload.clone()),
                    DsseSignature::new(
                        SignatureBytes::new(signature.clone()),
                        KeyId::new(key_id.clone()),
                    ),
                ))
            }
        }
    }

    /// The library's refusal as a fault; what our own checks found to hold is a disagreement.
    fn fault(&self, error: &Error) -> Fault {
        let attestation = matches!(self.bundle.content, BundleContent::DsseEnvelope { .. });
        let code = match error {
            Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => Code::IdentityMismatch,
            // A root that parses and yet can't serve: it knows no log for the certificate's SCT.
            Error::Certificate(_) | Error::InvalidTrustRoot(_) => Code::CertificateInvalid,
            Error::TransparencyLog(error) => match error {
                TransparencyLogError::UnknownLog { .. } => Code::LogUnknown,
                TransparencyLogError::InclusionProof(_) => Code::InclusionProofInvalid,
                TransparencyLogError::Checkpoint(_) => Code::CheckpointInvalid,
                TransparencyLogError::InclusionPromise(_) => Code::LogPromiseInvalid,
                // Our own look found the time good but for the certificate's validity.
                TransparencyLogError::IntegratedTime(_) => Code::CertificateInvalid,
                TransparencyLogError::EntryMismatch(_) if attestation => Code::LogEntryMismatch,
                TransparencyLogError::MalformedEntry(_) => Code::LogEntryMalformed,
                _ => Code::VerifiersDisagree,
            },
            Error::Timestamp(error) => match error {
                TimestampError::NoVerifiedTimestamp(_) => Code::TimestampMissing,
                _ => Code::TimestampInvalid,
            },
            Error::Bundle(Structure::MissingSigningTimeEvidence) => Code::TimestampMissing,
            Error::InvalidBundle(_) | Error::Types(_) | Error::Bundle(_) => Code::BundleMalformed,
            Error::UnsupportedBundle(_) => Code::BundleUnsupported,
            _ => Code::VerifiersDisagree,
        };
        Fault::new(code, error.to_string())
    }
}

fn log_entry(entry: &LogEntry) -> Result<TransparencyLogEntry, Fault> {
    let refuse = |reason: String| Fault::new(Code::LogEntryMalformed, reason);
    let index = |index: u64| LogIndex::new(index).map_err(|error| refuse(error.to_string()));
    let kind = match entry.entry_kind() {
        Some(LogEntryKind::HashedRekord1) => KindVersion::HashedRekordV001,
        Some(LogEntryKind::HashedRekord2) => KindVersion::HashedRekordV002,
        Some(LogEntryKind::Dsse1) => KindVersion::DsseV001,
        Some(LogEntryKind::Intoto2) => KindVersion::IntotoV002,
        None => {
            return Err(Fault::new(Code::LogEntryUnsupported, "a log entry of an unknown kind"));
        }
    };
    let mut out = TransparencyLogEntry::new(
        index(entry.index)?,
        LogId::new(LogKeyId::from_bytes(&entry.log_id)),
        kind,
        CanonicalizedBody::new(entry.body.clone()),
    );
    if let Some(time) = entry.time() {
        out = out.with_integrated_time(time);
    }
    if let Some(promise) = &entry.promise {
        out = out
            .with_inclusion_promise(InclusionPromise::new(SignedTimestamp::new(promise.clone())));
    }
    if let Some(proof) = &entry.proof {
        let checkpoint = CheckpointData::new(proof.checkpoint.clone().unwrap_or_default())
            .map_err(|error| Fault::new(Code::CheckpointInvalid, error.to_string()))?;
        out = out.with_inclusion_proof(LibraryInclusionProof::new(
            index(proof.index)?,
            Sha256Hash::new(proof.root),
            proof.tree_size,
            proof.hashes.iter().copied().map(Sha256Hash::new).collect(),
            checkpoint,
        ));
    }
    Ok(out)
}
