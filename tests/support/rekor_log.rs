//! A tiny transparency log: enough of Rekor v1 to make real log entries for tests.
//!
//! It logs whatever it is given: unlike Rekor it does not check the signature first. Nobody trusts
//! it but the tests and the example release, each of which names its key in a trusted root.

use base64ct::{Base64, Encoding as _};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// The name of the log in its checkpoints; Rekor v1 appends " - " and a number.
const ORIGIN: &str = "sealift-test-log - 1";

/// The fixed beginning of a P-256 public key in DER (RFC 5480: algorithm, curve, bit string).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

type Hash = [u8; 32];

/// A log: its key and the hashes of its leaves.
#[derive(Debug)]
pub(crate) struct TestLog {
    key: SigningKey,
    leaves: Vec<Hash>,
}

impl TestLog {
    /// An empty log; the key is the SHA-256 of the seed.
    ///
    /// # Errors
    /// If the hash is no valid P-256 scalar, which happens for one seed in 2^32.
    pub(crate) fn new(seed: &[u8]) -> Result<Self, p256::ecdsa::Error> {
        Ok(Self { key: SigningKey::from_slice(&Sha256::digest(seed))?, leaves: Vec::new() })
    }

    /// The log's public key in DER (SPKI).
    pub(crate) fn public_key_der(&self) -> Vec<u8> {
        let point = VerifyingKey::from(&self.key).to_encoded_point(false);
        [&SPKI_PREFIX[..], point.as_bytes()].concat()
    }

    /// The log's public key in PEM.
    pub(crate) fn public_key_pem(&self) -> String {
        let text = Base64::encode_string(&self.public_key_der());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (index, c) in text.chars().enumerate() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }

    /// The log's id: SHA-256 of its key.
    fn id(&self) -> Hash {
        Sha256::digest(self.public_key_der()).into()
    }

    /// Appends an entry and answers as Rekor v1 does: JSON that maps the entry's UUID to body,
    /// time (Unix seconds), index, log id, SET, inclusion proof and checkpoint.
    pub(crate) fn append(&mut self, body: &[u8], time: u64) -> (String, String) {
        let leaf = hash(&[&[0], body]);
        let index = self.leaves.len();
        self.leaves.push(leaf);

        let body = Base64::encode_string(body);
        let id = hex(&self.id());
        // RFC 8785 form: the members in this order, no white space.
        let promised = format!(
            r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#
        );
        let size = self.leaves.len();
        let root = root(&self.leaves);
        let hashes: Vec<String> = path(&self.leaves, index).iter().map(|hash| hex(hash)).collect();
        let answer = serde_json::json!({ hex(&leaf): {
            "body": body,
            "integratedTime": time,
            "logID": id,
            "logIndex": index,
            "verification": {
                "inclusionProof": {
                    "checkpoint": self.checkpoint(size, &root),
                    "hashes": hashes,
                    "logIndex": index,
                    "rootHash": hex(&root),
                    "treeSize": size,
                },
                "signedEntryTimestamp": Base64::encode_string(&self.sign(promised.as_bytes())),
            },
        }});
        (hex(&leaf), answer.to_string())
    }

    /// The signed tree head, a signed note.
    fn checkpoint(&self, size: usize, root: &Hash) -> String {
        let text = format!("{ORIGIN}\n{size}\n{}\n", Base64::encode_string(root));
        let key_hint = self.id();
        let mut signature = key_hint.iter().take(4).copied().collect::<Vec<_>>();
        signature.extend(self.sign(text.as_bytes()));
        format!("{text}\n\u{2014} sealift-test-log {}\n", Base64::encode_string(&signature))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

/// The Merkle tree hash of these leaves (RFC 6962, section 2.1).
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => hash(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            hash(&[&[1], &root(left), &root(right)])
        }
    }
}

/// The audit path of a leaf, from the bottom up (RFC 6962, section 2.1.1).
fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut hashes, sibling) = if index < middle {
        (path(left, index), root(right))
    } else {
        (path(right, index - middle), root(left))
    };
    hashes.push(sibling);
    hashes
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
