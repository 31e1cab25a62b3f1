//! The Sigstore bundle, versions 0.1 to 0.3, in ProtoJSON (protobuf-specs, `sigstore_bundle.proto`).
//!
//! Stricter than ProtoJSON where two readers could disagree: only lowerCamelCase names, no unknown
//! fields, exactly one content and one kind of material, the media type present and known.

use serde_json::Value;

use super::body::StatedDigest;
use super::bundle::{BundleContent, Format, SignatureBundle, VerificationMaterial};
use super::certificate::Certificate;
use super::entry::{InclusionProof, LogEntry};
use super::fields::Fields;
use crate::key::HashAlgorithm;
use crate::limits;
use crate::verdict::{Code, Fault};

/// The fields that identify this format.
pub(super) const FIELDS: &[&str] =
    &["mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"];

const MATERIAL: &[&str] = &[
    "publicKey",
    "x509CertificateChain",
    "certificate",
    "tlogEntries",
    "timestampVerificationData",
];
const ENTRY: &[&str] = &[
    "logIndex",
    "logId",
    "kindVersion",
    "integratedTime",
    "inclusionPromise",
    "inclusionProof",
    "canonicalizedBody",
];
const PROOF: &[&str] = &["logIndex", "rootHash", "treeSize", "hashes", "checkpoint"];

/// Reads a Sigstore bundle.
pub(super) fn parse(value: &Value) -> Result<SignatureBundle, Fault> {
    let fields = Fields::exact(value, "", Code::BundleMalformed, FIELDS)?;
    let format = format(&fields)?;
    let content = match (fields.get("messageSignature"), fields.get("dsseEnvelope")) {
        (Some(_), None) => message(&fields)?,
        (None, Some(_)) => envelope(&fields)?,
        (Some(_), Some(_)) => {
            return Err(
                fields.fault("dsseEnvelope", "a second content in addition to messageSignature")
            );
        }
        (None, None) => {
            return Err(fields.fault("messageSignature", "the bundle holds no signature"));
        }
    };
    let material = fields.needed_object("verificationMaterial", MATERIAL)?;
    let entries = limited(&material, "tlogEntries", limits::LOG_ENTRIES)?
        .iter()
        .map(|(place, value)| log_entry(value, place))
        .collect::<Result<Vec<_>, _>>()?;
    for (index, entry) in entries.iter().enumerate() {
        let twin = |other: &LogEntry| other.log_id == entry.log_id && other.index == entry.index;
        if entries.iter().take(index).any(twin) {
            return Err(material.fault("tlogEntries", "the same log entry occurs twice"));
        }
    }
    Ok(SignatureBundle {
        format,
        material: signer(&material)?,
        content,
        entries,
        timestamps: timestamps(&material)?,
        notes: Vec::new(),
    })
}

fn format(fields: &Fields<'_>) -> Result<Format, Fault> {
    const FAMILY: &str = "application/vnd.dev.sigstore.bundle";
    let media_type = fields.needed_text("mediaType")?;
    let version = media_type.strip_prefix(FAMILY).and_then(|rest| {
        rest.strip_prefix("+json;version=")
            .or_else(|| rest.strip_prefix(".v").and_then(|rest| rest.strip_suffix("+json")))
    });
    match version {
        Some("0.1") => Ok(Format::Sigstore01),
        Some("0.2") => Ok(Format::Sigstore02),
        Some("0.3") => Ok(Format::Sigstore03),
        Some(_) => Err(Fault::new(Code::BundleUnsupported, "a bundle of an unknown version")
            .at("mediaType")
            .expected_found("version 0.1, 0.2 or 0.3", media_type)),
        None => Err(fields.fault("mediaType", "not the media type of a Sigstore bundle")),
    }
}

fn message(fields: &Fields<'_>) -> Result<BundleContent, Fault> {
    let message = fields.needed_object("messageSignature", &["messageDigest", "signature"])?;
    let digest = match message.object("messageDigest", &["algorithm", "digest"])? {
        // cosign 3.1.1 writes `{}` for Ed25519 keys.
        Some(stated) if stated.get("algorithm").is_some() || stated.get("digest").is_some() => {
            let algorithm = match stated.needed_text("algorithm")? {
                "SHA2_256" => HashAlgorithm::Sha256,
                "SHA2_384" => HashAlgorithm::Sha384,
                "SHA2_512" => HashAlgorithm::Sha512,
                other => {
                    return Err(Fault::new(
                        Code::BundleUnsupported,
                        "a digest under an unsupported algorithm",
                    )
                    .at("messageSignature.messageDigest.algorithm")
                    .expected_found("SHA2_256, SHA2_384 or SHA2_512", other));
                }
            };
            let digest = stated.proto_bytes("digest")?;
            if digest.len() != algorithm.digest_bytes() {
                return Err(stated.fault("digest", "not as long as a digest of its algorithm"));
            }
            Some(StatedDigest { algorithm, digest })
        }
        _ => None,
    };
    Ok(BundleContent::MessageSignature { digest, signature: message.proto_bytes("signature")? })
}

fn envelope(fields: &Fields<'_>) -> Result<BundleContent, Fault> {
    let envelope =
        fields.needed_object("dsseEnvelope", &["payload", "payloadType", "signatures"])?;
    let signatures = envelope.array("signatures")?;
    let [(place, signature)] = signatures.as_slice() else {
        return Err(Fault::new(Code::BundleUnsupported, "an envelope must hold one signature")
            .at("dsseEnvelope.signatures")
            .expected_found(1, signatures.len()));
    };
    let signature = Fields::exact(signature, place, Code::BundleMalformed, &["sig", "keyid"])?;
    Ok(BundleContent::DsseEnvelope {
        payload_type: envelope.needed_text("payloadType")?.to_owned(),
        payload: envelope.proto_bytes("payload")?,
        signature: signature.proto_bytes("sig")?,
        key_id: signature.text("keyid")?.unwrap_or_default().to_owned(),
    })
}

fn signer(material: &Fields<'_>) -> Result<VerificationMaterial, Fault> {
    let kinds = ["publicKey", "x509CertificateChain", "certificate"];
    let mut found = kinds.into_iter().filter(|name| material.get(name).is_some());
    let (Some(kind), None) = (found.next(), found.next()) else {
        return Err(Fault::new(
            Code::BundleMalformed,
            "exactly one of publicKey, certificate and x509CertificateChain is expected",
        )
        .at("verificationMaterial"));
    };
    match kind {
        "publicKey" => {
            let key = material.needed_object(kind, &["hint"])?;
            Ok(VerificationMaterial::KeyHint(key.text("hint")?.unwrap_or_default().to_owned()))
        }
        "certificate" => {
            let der = material.needed_object(kind, &["rawBytes"])?.proto_bytes("rawBytes")?;
            Ok(VerificationMaterial::Certificates {
                leaf: Box::new(leaf(der, "verificationMaterial.certificate")?),
                rest: Vec::new(),
            })
        }
        _ => {
            let chain = material.needed_object(kind, &["certificates"])?;
            let mut ders = Vec::new();
            for (place, value) in chain.array("certificates")? {
                let fields = Fields::exact(value, &place, Code::BundleMalformed, &["rawBytes"])?;
                ders.push(fields.proto_bytes("rawBytes")?);
            }
            let mut ders = ders.into_iter();
            let first =
                ders.next().ok_or_else(|| chain.fault("certificates", "the chain is empty"))?;
            Ok(VerificationMaterial::Certificates {
                leaf: Box::new(leaf(first, "verificationMaterial.x509CertificateChain")?),
                rest: ders.collect(),
            })
        }
    }
}

fn leaf(der: Vec<u8>, place: &str) -> Result<Certificate, Fault> {
    Certificate::from_der(der).map_err(|fault| fault.at(place))
}

fn timestamps(material: &Fields<'_>) -> Result<Vec<Vec<u8>>, Fault> {
    let Some(data) = material.object("timestampVerificationData", &["rfc3161Timestamps"])? else {
        return Ok(Vec::new());
    };
    limited(&data, "rfc3161Timestamps", limits::TIMESTAMPS)?
        .iter()
        .map(|(place, value)| {
            Fields::exact(value, place, Code::BundleMalformed, &["signedTimestamp"])?
                .proto_bytes("signedTimestamp")
        })
        .collect()
}

fn limited<'a>(
    fields: &Fields<'a>,
    name: &str,
    limit: usize,
) -> Result<Vec<(String, &'a Value)>, Fault> {
    let values = fields.array(name)?;
    if values.len() > limit {
        return Err(Fault::new(Code::BundleTooLarge, "more elements than a bundle can have")
            .at(name)
            .expected_found(format!("at most {limit}"), values.len()));
    }
    Ok(values)
}

fn log_entry(value: &Value, place: &str) -> Result<LogEntry, Fault> {
    let entry = Fields::exact(value, place, Code::LogEntryMalformed, ENTRY)?;
    let kind = entry.needed_object("kindVersion", &["kind", "version"])?;
    let promise = entry
        .object("inclusionPromise", &["signedEntryTimestamp"])?
        .map(|promise| promise.proto_bytes("signedEntryTimestamp"))
        .transpose()?;
    let proof =
        entry.object("inclusionProof", PROOF)?.map(|proof| inclusion_proof(&proof)).transpose()?;
    Ok(LogEntry {
        index: entry.proto_integer("logIndex")?,
        log_id: entry.needed_object("logId", &["keyId"])?.proto_array("keyId")?,
        kind: kind.needed_text("kind")?.to_owned(),
        version: kind.needed_text("version")?.to_owned(),
        integrated_time: Some(entry.proto_integer("integratedTime")?).filter(|time| *time != 0),
        promise,
        proof,
        body: entry.proto_bytes("canonicalizedBody")?,
        parsed: std::sync::OnceLock::new(),
    })
}

fn inclusion_proof(proof: &Fields<'_>) -> Result<InclusionProof, Fault> {
    let mut hashes = Vec::new();
    for (place, value) in proof.array("hashes")? {
        let hash = value.as_str().and_then(super::encoding::base64_proto);
        let hash = hash.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or_else(|| {
            Fault::new(Code::LogEntryMalformed, "32 bytes in base64 are expected").at(place)
        })?;
        hashes.push(hash);
    }
    let checkpoint = match proof.object("checkpoint", &["envelope"])? {
        Some(checkpoint) => checkpoint.text("envelope")?.map(str::to_owned),
        None => None,
    };
    Ok(InclusionProof {
        index: proof.proto_integer("logIndex")?,
        root: proof.proto_array("rootHash")?,
        tree_size: proof.proto_integer("treeSize")?,
        hashes,
        checkpoint: checkpoint.filter(|text| !text.is_empty()),
    })
}
