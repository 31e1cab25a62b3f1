//! A small transparency log in memory: Rekor v1's promises, and proofs and checkpoints of a real
//! Merkle tree (RFC 6962), for tests. With it each thing that a log signs can be broken by itself.
//!
//! Self-contained: it uses none of the crate under test.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use base64ct::{Base64, Encoding as _};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Standard base64.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    Base64::encode_string(bytes.as_ref())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes.as_ref()).into()
}

/// A P-256 key pair made from one byte: the same in every run.
#[derive(Clone)]
pub(crate) struct TestKey(SigningKey);

impl TestKey {
    /// The key pair number `seed`, which is not 0.
    pub(crate) fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    /// The key pair with this private scalar, big-endian.
    pub(crate) fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(scalar).ok().map(Self)
    }

    /// An ASN.1 DER signature over SHA-256 of the message.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    /// Another valid signature over the same message: with the other of the two values of `s`.
    pub(crate) fn sign_again(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        let (r, s) = (signature.r(), -*signature.s());
        Signature::from_scalars(r.to_bytes(), s.to_bytes()).unwrap().to_der().as_bytes().to_vec()
    }

    /// The public key as SPKI DER.
    pub(crate) fn spki(&self) -> Vec<u8> {
        const PREFIX: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
        let mut der = Base64::decode_vec(PREFIX).unwrap();
        let point = self.0.verifying_key().to_encoded_point(false);
        der.extend_from_slice(&point.as_bytes()[1..]);
        der
    }

    /// The public key as PEM.
    pub(crate) fn pem(&self) -> String {
        let body = base64(self.spki());
        let lines: Vec<&str> =
            body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// An old cosign bundle over a text, as `cosign sign-blob --tlog-upload=false` writes it.
    pub(crate) fn bundle(&self, message: &str) -> String {
        old_bundle(&self.sign(message.as_bytes()), None).to_string()
    }
}

/// The body of a `hashedrekord` 0.0.1 entry, as Rekor canonicalises it.
pub(crate) fn hashedrekord(digest: &[u8], signature: &[u8], pem: &str) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": hex(digest)}},
            "signature": {"content": base64(signature), "publicKey": {"content": base64(pem)}},
        },
    })
}

/// The body of a `hashedrekord` 0.0.2 entry (Rekor v2).
pub(crate) fn hashedrekord_v2(digest: &[u8], signature: &[u8], spki: &[u8]) -> Value {
    json!({
        "apiVersion": "0.0.2",
        "kind": "hashedrekord",
        "spec": {"hashedRekordV002": {
            "data": {"algorithm": "SHA2_256", "digest": base64(digest)},
            "signature": {
                "content": base64(signature),
                "verifier": {
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "publicKey": {"rawBytes": base64(spki)},
                },
            },
        }},
    })
}

/// A log with its key and its leaves.
#[derive(Clone)]
pub(crate) struct TestLog {
    key: TestKey,
    /// Base URL, also the name in checkpoints.
    pub(crate) name: String,
    leaves: Vec<[u8; 32]>,
}

/// An entry with all that the log says about it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) body: Vec<u8>,
    pub(crate) index: u64,
    pub(crate) time: u64,
    pub(crate) log_id: [u8; 32],
    pub(crate) promise: Vec<u8>,
    pub(crate) tree_size: u64,
    pub(crate) root: [u8; 32],
    pub(crate) hashes: Vec<[u8; 32]>,
    pub(crate) checkpoint: String,
}

impl TestLog {
    /// A log whose key is number `seed`, with a few entries of others in it.
    pub(crate) fn new(seed: u8, name: &str) -> Self {
        Self::with_key(TestKey::new(seed), name)
    }

    /// A log with a key of the caller's, otherwise the same.
    pub(crate) fn with_key(key: TestKey, name: &str) -> Self {
        let mut log = Self { key, name: name.to_owned(), leaves: Vec::new() };
        for other in 0..5_u8 {
            log.leaves.push(leaf(&[other]));
        }
        log
    }

    /// The log's public key as PEM.
    pub(crate) fn pem(&self) -> String {
        self.key.pem()
    }

    /// SHA-256 of the log's SPKI DER.
    pub(crate) fn id(&self) -> [u8; 32] {
        sha256(self.key.spki())
    }

    /// What a trusted root says about this log.
    pub(crate) fn tlog(&self) -> Value {
        json!({
            "baseUrl": format!("https://{}", self.name),
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": base64(self.key.spki()),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": "2024-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
            },
            "logId": {"keyId": base64(self.id())},
        })
    }

    /// A trusted root that knows only this log.
    pub(crate) fn trusted_root(&self) -> Value {
        trusted_root(&[self.tlog()])
    }

    /// Signs the promise (SET) for a body, as Rekor v1 does.
    pub(crate) fn promise(&self, body: &[u8], time: u64, index: u64) -> Vec<u8> {
        self.key.sign(
            format!(
                r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{index}}}"#,
                base64(body),
                hex(&self.id())
            )
            .as_bytes(),
        )
    }

    /// Signs a checkpoint over a tree.
    pub(crate) fn checkpoint(&self, tree_size: u64, root: &[u8; 32]) -> String {
        let text = format!("{} - 1193050959916656506\n{tree_size}\n{}\n", self.name, base64(root));
        let mut line = self.id()[..4].to_vec();
        line.extend(self.key.sign(text.as_bytes()));
        format!("{text}\n\u{2014} {} {}\n", self.name, base64(line))
    }

    /// Puts a body into the log at `time` (Unix seconds).
    pub(crate) fn add(&mut self, body: &[u8], time: u64) -> Entry {
        let index = self.leaves.len();
        self.leaves.push(leaf(body));
        // Somebody else's entry follows, so that the proof has a right side too.
        self.leaves.push(leaf(b"the next"));
        let tree_size = self.leaves.len() as u64;
        let root = tree_root(&self.leaves);
        Entry {
            body: body.to_vec(),
            index: index as u64,
            time,
            log_id: self.id(),
            promise: self.promise(body, time, index as u64),
            tree_size,
            root,
            hashes: audit_path(index, &self.leaves),
            checkpoint: self.checkpoint(tree_size, &root),
        }
    }
}

/// A trusted root with these logs and no authorities.
pub(crate) fn trusted_root(tlogs: &[Value]) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": tlogs,
        "certificateAuthorities": [],
        "ctlogs": [],
        "timestampAuthorities": [],
    })
}

impl Entry {
    /// `rekorBundle` of an old cosign bundle.
    pub(crate) fn rekor_bundle(&self) -> Value {
        json!({
            "SignedEntryTimestamp": base64(&self.promise),
            "Payload": {
                "body": base64(&self.body),
                "integratedTime": self.time,
                "logIndex": self.index,
                "logID": hex(&self.log_id),
            },
        })
    }

    /// An element of `tlogEntries` of a Sigstore bundle.
    pub(crate) fn tlog_entry(&self) -> Value {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        json!({
            "logIndex": self.index.to_string(),
            "logId": {"keyId": base64(self.log_id)},
            "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
            "integratedTime": self.time.to_string(),
            "inclusionPromise": {"signedEntryTimestamp": base64(&self.promise)},
            "inclusionProof": self.inclusion_proof(),
            "canonicalizedBody": base64(&self.body),
        })
    }

    fn inclusion_proof(&self) -> Value {
        json!({
            "logIndex": self.index.to_string(),
            "rootHash": base64(self.root),
            "treeSize": self.tree_size.to_string(),
            "hashes": self.hashes.iter().map(base64).collect::<Vec<_>>(),
            "checkpoint": {"envelope": self.checkpoint},
        })
    }

    /// What `POST /api/v1/log/entries` of a Rekor v1 server answers, under an entry id.
    pub(crate) fn rekor_response(&self) -> Value {
        json!({
            hex(&leaf(&self.body)): {
                "body": base64(&self.body),
                "integratedTime": self.time,
                "logID": hex(&self.log_id),
                "logIndex": self.index,
                "verification": {
                    "inclusionProof": {
                        "checkpoint": self.checkpoint,
                        "hashes": self.hashes.iter().map(|hash| hex(hash)).collect::<Vec<_>>(),
                        "logIndex": self.index,
                        "rootHash": hex(&self.root),
                        "treeSize": self.tree_size,
                    },
                    "signedEntryTimestamp": base64(&self.promise),
                },
            },
        })
    }
}

/// An old cosign bundle.
pub(crate) fn old_bundle(signature: &[u8], entry: Option<&Entry>) -> Value {
    let mut bundle = json!({"base64Signature": base64(signature)});
    if let Some(entry) = entry {
        bundle["rekorBundle"] = entry.rekor_bundle();
    }
    bundle
}

/// A Sigstore bundle v0.3 by a key.
pub(crate) fn new_bundle(digest: &[u8], signature: &[u8], entry: Option<&Entry>) -> Value {
    let mut bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": ""}},
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": base64(digest)},
            "signature": base64(signature),
        },
    });
    if let Some(entry) = entry {
        bundle["verificationMaterial"]["tlogEntries"] = json!([entry.tlog_entry()]);
    }
    bundle
}

fn leaf(body: &[u8]) -> [u8; 32] {
    sha256([&[0], body].concat())
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha256([&[1], &left[..], &right[..]].concat())
}

/// Where RFC 6962 section 2.1 splits a tree: the largest power of two below its size.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

fn tree_root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&tree_root(left), &tree_root(right))
        }
    }
}

/// The audit path of RFC 6962 section 2.1.1, from the leaf up.
fn audit_path(index: usize, leaves: &[[u8; 32]]) -> Vec<[u8; 32]> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, sibling) = if index < at {
        (audit_path(index, left), tree_root(right))
    } else {
        (audit_path(index - at, right), tree_root(left))
    };
    path.push(sibling);
    path
}
