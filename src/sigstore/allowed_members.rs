//! Which members the JSON documents of Sigstore have, at every level. A file that was found must have
//! exactly these before it counts as one of them.
//!
//! A document with other members may also be another program's: a trusted root with `scripts` is an npm
//! package. What the members hold is left to the parser of each format.

use serde_json::{Map, Value};

use crate::verdict::{Code, Fault, printable};

/// What a document may have at one place.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Text, a number, true, false or null.
    Plain,
    /// An object with no other members than these; null is an absent one.
    Object(&'static [(&'static str, Self)]),
    /// An array of these; null is an absent one.
    List(&'static Self),
}

use Shape::{List, Object, Plain};

/// The kinds of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentKind {
    /// The old bundle of cosign.
    Cosign,
    /// A Sigstore bundle, 0.1 to 0.3.
    Sigstore,
    /// A trusted root, 0.1.
    Root,
}

impl DocumentKind {
    const fn shape(self) -> Shape {
        match self {
            Self::Cosign => COSIGN,
            Self::Sigstore => SIGSTORE,
            Self::Root => ROOT,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Cosign => "a cosign bundle",
            Self::Sigstore => "a Sigstore bundle",
            Self::Root => "a trusted root",
        }
    }
}

/// The media types of trusted roots that are known.
pub(super) const ROOT_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
];

/// What a document calls itself, by the members that no other has.
pub(super) fn called(object: &Map<String, Value>) -> Option<DocumentKind> {
    let media_type = object.get("mediaType").and_then(Value::as_str).unwrap_or_default();
    if media_type.starts_with("application/vnd.dev.sigstore.trustedroot") {
        Some(DocumentKind::Root)
    } else if media_type.starts_with("application/vnd.dev.sigstore.bundle")
        || object.contains_key("verificationMaterial")
    {
        Some(DocumentKind::Sigstore)
    } else if object.contains_key("base64Signature") || object.contains_key("rekorBundle") {
        Some(DocumentKind::Cosign)
    } else {
        None
    }
}

/// Refuses a document with a member that its format does not have.
///
/// # Errors
/// [`Code::MaterialUnknownMember`].
pub(super) fn exact(document: DocumentKind, value: &Value) -> Result<(), Fault> {
    match stranger(document.shape(), value, "") {
        None => Ok(()),
        Some(place) => {
            let message = format!(
                "it calls itself {}, and has a member that none has: {}",
                document.words(),
                printable(&place)
            );
            Err(Fault::new(Code::MaterialUnknownMember, message))
        }
    }
}

/// The unknown members of a trusted root. Fails with the place of a known name in another spelling,
/// which other readers accept (ProtoJSON reads `valid_for` as `validFor`).
pub(super) fn ignored_in_root(value: &Value) -> Result<Vec<String>, String> {
    let mut ignored = Vec::new();
    ignored_at(ROOT, value, "", &mut ignored)?;
    Ok(ignored)
}

fn ignored_at(
    shape: Shape,
    value: &Value,
    place: &str,
    ignored: &mut Vec<String>,
) -> Result<(), String> {
    match (shape, value) {
        (Object(members), Value::Object(object)) => {
            for (name, value) in object {
                let there = below(place, name);
                match members.iter().find(|(known, _)| known == name) {
                    Some((_, shape)) => ignored_at(*shape, value, &there, ignored)?,
                    None if members.iter().any(|(known, _)| bare(known) == bare(name)) => {
                        return Err(there);
                    }
                    None => ignored.push(there),
                }
            }
            Ok(())
        }
        (List(shape), Value::Array(values)) => {
            values.iter().enumerate().try_for_each(|(at, value)| {
                ignored_at(*shape, value, &format!("{place}[{at}]"), ignored)
            })
        }
        _ => Ok(()),
    }
}

/// A name without what ProtoJSON and careless readers overlook.
fn bare(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

fn below(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

/// The place of the first member that the shape does not have.
fn stranger(shape: Shape, value: &Value, place: &str) -> Option<String> {
    match (shape, value) {
        (Plain, Value::Object(_) | Value::Array(_)) => Some(place.to_owned()),
        (Plain, _) | (Object(_) | List(_), Value::Null) => None,
        (Object(members), Value::Object(object)) => object.iter().find_map(|(name, value)| {
            let there = below(place, name);
            match members.iter().find(|(known, _)| known == name) {
                Some((_, shape)) => stranger(*shape, value, &there),
                None => Some(there),
            }
        }),
        (List(shape), Value::Array(values)) => values
            .iter()
            .enumerate()
            .find_map(|(at, value)| stranger(*shape, value, &format!("{place}[{at}]"))),
        (Object(_) | List(_), _) => Some(place.to_owned()),
    }
}

const COSIGN: Shape = Object(&[
    ("base64Signature", Plain),
    ("cert", Plain),
    (
        "rekorBundle",
        Object(&[
            ("SignedEntryTimestamp", Plain),
            (
                "Payload",
                Object(&[
                    ("body", Plain),
                    ("integratedTime", Plain),
                    ("logIndex", Plain),
                    ("logID", Plain),
                ]),
            ),
        ]),
    ),
    ("rfc3161Timestamp", Object(&[("SignedRFC3161Timestamp", Plain)])),
]);

const CERTIFICATE: Shape = Object(&[("rawBytes", Plain)]);

const CHAIN: Shape = Object(&[("certificates", List(&CERTIFICATE))]);

const LOG_ID: Shape = Object(&[("keyId", Plain)]);

const LOG_ENTRY: Shape = Object(&[
    ("logIndex", Plain),
    ("logId", LOG_ID),
    ("kindVersion", Object(&[("kind", Plain), ("version", Plain)])),
    ("integratedTime", Plain),
    ("inclusionPromise", Object(&[("signedEntryTimestamp", Plain)])),
    (
        "inclusionProof",
        Object(&[
            ("logIndex", Plain),
            ("rootHash", Plain),
            ("treeSize", Plain),
            ("hashes", List(&Plain)),
            ("checkpoint", Object(&[("envelope", Plain)])),
        ]),
    ),
    ("canonicalizedBody", Plain),
]);

const SIGSTORE: Shape = Object(&[
    ("mediaType", Plain),
    (
        "verificationMaterial",
        Object(&[
            ("publicKey", Object(&[("hint", Plain)])),
            ("x509CertificateChain", CHAIN),
            ("certificate", CERTIFICATE),
            ("tlogEntries", List(&LOG_ENTRY)),
            (
                "timestampVerificationData",
                Object(&[("rfc3161Timestamps", List(&Object(&[("signedTimestamp", Plain)])))]),
            ),
        ]),
    ),
    (
        "messageSignature",
        Object(&[
            ("messageDigest", Object(&[("algorithm", Plain), ("digest", Plain)])),
            ("signature", Plain),
        ]),
    ),
    (
        "dsseEnvelope",
        Object(&[
            ("payload", Plain),
            ("payloadType", Plain),
            ("signatures", List(&Object(&[("sig", Plain), ("keyid", Plain)]))),
        ]),
    ),
]);

const RANGE: Shape = Object(&[("start", Plain), ("end", Plain)]);

const LOG: Shape = Object(&[
    ("baseUrl", Plain),
    ("hashAlgorithm", Plain),
    ("publicKey", Object(&[("rawBytes", Plain), ("keyDetails", Plain), ("validFor", RANGE)])),
    ("logId", LOG_ID),
    ("checkpointKeyId", LOG_ID),
    ("operator", Plain),
]);

const AUTHORITY: Shape = Object(&[
    ("subject", Object(&[("organization", Plain), ("commonName", Plain)])),
    ("uri", Plain),
    ("certChain", CHAIN),
    ("validFor", RANGE),
    ("operator", Plain),
]);

/// `TrustedRoot` of protobuf-specs 0.4.2.
const ROOT: Shape = Object(&[
    ("mediaType", Plain),
    ("tlogs", List(&LOG)),
    ("certificateAuthorities", List(&AUTHORITY)),
    ("ctlogs", List(&LOG)),
    ("timestampAuthorities", List(&AUTHORITY)),
]);
