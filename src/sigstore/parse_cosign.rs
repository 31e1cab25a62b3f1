//! The old cosign bundle ("LocalSignedPayload"): `base64Signature`, `cert`, `rekorBundle`.
//!
//! cosign reads it with Go's lenient JSON decoder; here names are exact and unknown fields are
//! accepted with a note, as cosign accepts them.

use serde_json::Value;

use super::body::{Body, LogEntryKind};
use super::bundle::{BundleContent, Format, SignatureBundle, VerificationMaterial};
use super::certificate::Certificate;
use super::encoding::{base64_strict, hex_strict};
use super::entry::LogEntry;
use super::fields::Fields;
use crate::key::{PublicKey, single_block};
use crate::verdict::{Code, Fault, printable};

/// The fields that identify this format.
pub(super) const FIELDS: &[&str] = &["base64Signature", "cert", "rekorBundle"];

const REKOR: &[&str] = &["SignedEntryTimestamp", "Payload"];
const PAYLOAD: &[&str] = &["body", "integratedTime", "logIndex", "logID"];

/// Reads an old cosign bundle.
pub(super) fn parse(value: &Value) -> Result<SignatureBundle, Fault> {
    let fields = Fields::tolerant(value, "", Code::BundleMalformed, FIELDS)?;
    let mut notes = unknown_fields(&fields, FIELDS, "");
    let signature = base64_strict(fields.needed_text("base64Signature")?.trim_ascii())
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| fields.fault("base64Signature", "not valid standard base64"))?;
    let material = match fields.text("cert")? {
        None | Some("") => VerificationMaterial::Nothing,
        Some(text) => carried(&fields, text)?,
    };
    let mut entries = Vec::new();
    if let Some(rekor) = fields.get("rekorBundle") {
        entries.push(log_entry(rekor, &mut notes)?);
    }
    Ok(SignatureBundle {
        format: Format::Cosign,
        material,
        content: BundleContent::MessageSignature { digest: None, signature },
        entries,
        timestamps: Vec::new(),
        notes,
    })
}

/// The key or certificate in `cert`: PEM, usually in base64 once more.
fn carried(fields: &Fields<'_>, text: &str) -> Result<VerificationMaterial, Fault> {
    let refuse = |reason: &str| fields.fault("cert", reason);
    let decoded;
    let pem = if text.contains("-----BEGIN ") {
        text
    } else {
        decoded = base64_strict(text.trim_ascii())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| refuse("neither PEM nor PEM in base64"))?;
        &decoded
    };
    let (label, der) = single_block(pem).map_err(|error| refuse(&error.to_string()))?;
    match label {
        "CERTIFICATE" => Ok(VerificationMaterial::Certificates {
            leaf: Box::new(Certificate::from_der(der).map_err(|fault| fault.at("cert"))?),
            rest: Vec::new(),
        }),
        "PUBLIC KEY" => PublicKey::from_spki_der(&der)
            .map(|key| VerificationMaterial::Key(Box::new(key)))
            .map_err(|error| refuse(&error.to_string())),
        _ => Err(refuse("the PEM block is neither a certificate nor a public key")),
    }
}

/// The log entry in `rekorBundle`; a Rekor v1 promise without an inclusion proof.
fn log_entry(rekor: &Value, notes: &mut Vec<String>) -> Result<LogEntry, Fault> {
    let outer = Fields::tolerant(rekor, "rekorBundle", Code::LogEntryMalformed, REKOR)?;
    notes.extend(unknown_fields(&outer, REKOR, "rekorBundle."));
    let promise = outer.strict_bytes("SignedEntryTimestamp")?;
    let payload =
        outer.get("Payload").ok_or_else(|| outer.fault("Payload", "this field is missing"))?;
    let place = "rekorBundle.Payload";
    let inner = Fields::tolerant(payload, place, Code::LogEntryMalformed, PAYLOAD)?;
    notes.extend(unknown_fields(&inner, PAYLOAD, "rekorBundle.Payload."));
    // The log signs the base64 text, so it must be the one text that these bytes have.
    let body = inner.strict_bytes("body")?;
    let log_id = hex_strict(inner.needed_text("logID")?, 32)
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or_else(|| inner.fault("logID", "64 lower-case hexadecimal digits are expected"))?;
    let integrated_time = inner.integer("integratedTime")?;
    if integrated_time == 0 {
        return Err(inner.fault("integratedTime", "a time after 1970 is expected"));
    }
    let (kind, version) =
        Body::names(&body).map_err(|fault| fault.at("rekorBundle.Payload.body"))?;
    if LogEntryKind::of(&kind, &version) != Some(LogEntryKind::HashedRekord1) {
        return Err(Fault::new(
            Code::LogEntryUnsupported,
            "the log entry is not one about a file's signature",
        )
        .at("rekorBundle.Payload.body")
        .expected_found("hashedrekord 0.0.1", format!("{kind} {version}")));
    }
    Ok(LogEntry {
        index: inner.integer("logIndex")?,
        log_id,
        kind,
        version,
        integrated_time: Some(integrated_time),
        promise: Some(promise),
        proof: None,
        body,
        parsed: std::sync::OnceLock::new(),
    })
}

fn unknown_fields(fields: &Fields<'_>, known: &[&str], prefix: &str) -> Vec<String> {
    fields
        .unknown(known)
        .map(|name| {
            format!("the bundle has an unknown field, ignored: {prefix}{}", printable(name))
        })
        .collect()
}
