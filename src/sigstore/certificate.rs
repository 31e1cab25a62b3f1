//! Signing certificates: what they claim. Whether a claim holds is for the library to say.

use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::types::DerCertificate;

use crate::key::PublicKey;
use crate::verdict::{Code, Fault};

/// A parsed X.509 certificate with the claims that matter to a verdict.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    /// The DER encoding.
    pub(super) der: Vec<u8>,
    /// The first e-mail address or URI among the subject's alternative names.
    pub(super) identity: Option<String>,
    /// The OIDC issuer (Fulcio extension 1.3.6.1.4.1.57264.1.8, or the older .1.1).
    pub(super) issuer: Option<String>,
    /// Start of validity.
    pub(super) not_before: jiff::Timestamp,
    /// End of validity.
    pub(super) not_after: jiff::Timestamp,
    /// The certified key.
    pub(super) key: PublicKey,
}

impl Certificate {
    /// Parses a certificate.
    pub(super) fn from_der(der: Vec<u8>) -> Result<Self, Fault> {
        let refuse = |reason: String| {
            Fault::new(Code::CertificateInvalid, format!("the certificate can't be read: {reason}"))
        };
        let info = parse_certificate_info(&DerCertificate::new(der.clone()))
            .map_err(|error| refuse(error.to_string()))?;
        let key = PublicKey::from_spki_der(info.public_key.as_bytes())
            .map_err(|error| refuse(error.to_string()))?;
        Ok(Self {
            der,
            identity: info.identity.map(|name| name.as_str().to_owned()),
            issuer: info.issuer,
            not_before: info.not_before,
            not_after: info.not_after,
            key,
        })
    }
}
