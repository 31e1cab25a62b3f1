//! Signing certificates: what they claim. Whether a claim holds is for the library to say.

use sigstore_verify::crypto::parse_certificate_info;
use sigstore_verify::types::DerCertificate;

use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::key::PublicKey;
use crate::verdict::{Code, Fault};

/// A parsed X.509 certificate with the claims that matter to a verdict.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    /// The DER encoding.
    pub(super) der: Vec<u8>,
    /// The first e-mail address or URI among the subject's alternative names; else Fulcio's own
    /// kind of name.
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
            identity: info
                .identity
                .map(|name| name.as_str().to_owned())
                .or_else(|| fulcio_name(&der)),

            issuer: info.issuer,
            not_before: info.not_before,
            not_after: info.not_after,
            key,
            der,
        })
    }
}

/// The name of a signer who has neither an e-mail address nor a URI: an `OtherName` of the type
/// 1.3.6.1.4.1.57264.1.7 with a UTF-8 string (Fulcio, `docs/oid-info.md`). The library reads none.
fn fulcio_name(der: &[u8]) -> Option<String> {
    const USERNAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");
    let certificate = x509_cert::Certificate::from_der(der).ok()?;
    let (_, names) = certificate.tbs_certificate.get::<SubjectAltName>().ok()??;
    let [GeneralName::OtherName(name)] = names.0.as_slice() else { return None };
    if name.type_id != USERNAME {
        return None;
    }
    name.value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str().to_owned())
}
