//! A tiny transparency log: enough of Rekor v1 to make real log entries for tests.
//!
//! It logs whatever it is given: unlike Rekor it does not check the signature first. Nobody trusts
//! it but the tests and the example release, each of which names its key in a trusted root.

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};

use super::rekor_key::Signer;

/// The name of the log in its checkpoints; Rekor v1 appends " - " and a number.
const ORIGIN: &str = "sealift-test-log - 1";

type Hash = [u8; 32];

/// A log: its key and the hashes of its leaves.
#[derive(Debug)]
pub(crate) struct TestLog {
    key: Signer,
    leaves: Vec<Hash>,
}

impl TestLog {
    /// An empty log; the key is the SHA-256 of the seed.
    ///
    /// # Errors
    /// As [`Signer::new`].
    pub(crate) fn new(seed: &[u8]) -> Result<Self, p256::ecdsa::Error> {
        Ok(Self { key: Signer::new(seed)?, leaves: Vec::new() })
    }

    /// The log's key.
    pub(crate) fn key(&self) -> &Signer {
        &self.key
    }

    /// The log's id: SHA-256 of its key.
    fn id(&self) -> Hash {
        Sha256::digest(self.key.public_key_der()).into()
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
                "signedEntryTimestamp": Base64::encode_string(&self.key.sign(promised.as_bytes())),
            },
        }});
        (hex(&leaf), answer.to_string())
    }

    /// The signed tree head, a signed note.
    fn checkpoint(&self, size: usize, root: &Hash) -> String {
        let text = format!("{ORIGIN}\n{size}\n{}\n", Base64::encode_string(root));
        let key_hint = self.id();
        let mut signature = key_hint.iter().take(4).copied().collect::<Vec<_>>();
        signature.extend(self.key.sign(text.as_bytes()));
        format!("{text}\n\u{2014} sealift-test-log {}\n", Base64::encode_string(&signature))
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
