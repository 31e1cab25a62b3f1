//! The artifact that a bundle is verified against, read once.

use std::io::Read;

use super::bundle::{BundleContent, SignatureBundle};
use super::verify_request::HashRule;
use crate::digest::Sha256Digest;
use crate::key::{HashAlgorithm, KeyKind, MessageHasher, PublicKey};
use crate::limits;
use crate::verdict::{Code, Fault};

/// The signed message, or what is known of it.
pub enum Subject<'a> {
    /// All of it.
    Bytes(&'a [u8]),
    /// Its SHA-256. Not enough for Ed25519, for SHA-384 signatures, and for attestations that name
    /// other digests only.
    Digest(Sha256Digest),
    /// Something to read it from, once; it is streamed, except for Ed25519, which holds it in
    /// memory up to [`limits::WHOLE_MESSAGE_BYTES`].
    Reader(&'a mut dyn Read),
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Digest(digest) => write!(f, "Digest({digest})"),
            Self::Reader(_) => f.write_str("Reader"),
        }
    }
}

/// The artifact after reading: every digest that some check needs, and the bytes if needed.
#[derive(Debug)]
pub(super) struct ArtifactDigests<'a> {
    digests: Vec<(HashAlgorithm, Vec<u8>)>,
    whole: Option<std::borrow::Cow<'a, [u8]>>,
}

impl<'a> ArtifactDigests<'a> {
    /// Reads the subject.
    pub(super) fn read(subject: Subject<'a>, needs: &Needs) -> Result<Self, Fault> {
        match subject {
            Subject::Bytes(bytes) => Ok(Self {
                digests: needs
                    .algorithms
                    .iter()
                    .map(|algorithm| (*algorithm, algorithm.digest(bytes)))
                    .collect(),
                whole: Some(bytes.into()),
            }),
            Subject::Digest(_) if needs.whole => Err(Fault::new(
                Code::WholeMessageNeeded,
                "only the message's digest is known, and an Ed25519 signature is over the whole \
                 message",
            )),
            Subject::Digest(digest) => Ok(Self {
                digests: vec![(HashAlgorithm::Sha256, digest.as_bytes().to_vec())],
                whole: None,
            }),
            Subject::Reader(reader) if needs.whole => Self::read_whole(reader, needs),
            Subject::Reader(reader) => Self::stream(reader, needs),
        }
    }

    fn read_whole(reader: &mut dyn Read, needs: &Needs) -> Result<Self, Fault> {
        let mut bytes = Vec::new();
        let limit = limits::WHOLE_MESSAGE_BYTES;
        reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > limit {
            return Err(Fault::new(
                Code::WholeMessageNeeded,
                format!(
                    "the message is larger than the {limit} bytes that an Ed25519 signature can \
                     be checked over"
                ),
            ));
        }
        let digests =
            needs.algorithms.iter().map(|algorithm| (*algorithm, algorithm.digest(&bytes)));
        Ok(Self { digests: digests.collect(), whole: Some(bytes.into()) })
    }

    fn stream(reader: &mut dyn Read, needs: &Needs) -> Result<Self, Fault> {
        let mut hashers: Vec<_> = needs
            .algorithms
            .iter()
            .map(|algorithm| (*algorithm, MessageHasher::new(*algorithm)))
            .collect();
        let mut buffer = vec![0_u8; 128 << 10];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(&error)),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            for (_, hasher) in &mut hashers {
                hasher.update(bytes);
            }
        }
        let digests =
            hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.finish())).collect();
        Ok(Self { digests, whole: None })
    }

    /// The digest under an algorithm, if it is known.
    pub(super) fn digest(&self, algorithm: HashAlgorithm) -> Option<&[u8]> {
        self.digests.iter().find(|(known, _)| *known == algorithm).map(|(_, digest)| &**digest)
    }

    /// All of it, if it is in memory.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        self.whole.as_deref()
    }
}

fn unreadable(error: &std::io::Error) -> Fault {
    Fault::new(Code::Unreadable, format!("the artifact can't be read: {error}"))
}

/// What has to be known of an artifact.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Needs {
    algorithms: Vec<HashAlgorithm>,
    whole: bool,
}

impl Needs {
    /// What the checks of this bundle with this key need.
    pub(super) fn of(bundle: &SignatureBundle, key: &PublicKey, rule: HashRule) -> Self {
        let mut algorithms = vec![HashAlgorithm::Sha256];
        let mut whole = false;
        match &bundle.content {
            BundleContent::MessageSignature { digest, .. } => {
                whole = key.signs_whole_messages();
                algorithms.extend(digest.as_ref().map(|stated| stated.algorithm));
                algorithms.extend(candidates(key, rule));
                // For the diagnosis when the rule names the other of the two.
                algorithms
                    .extend((key.kind() == KeyKind::EcdsaP384).then_some(HashAlgorithm::Sha384));
            }
            // The statement names the artifact by one of these.
            BundleContent::DsseEnvelope { .. } => algorithms.push(HashAlgorithm::Sha512),
        }
        algorithms.sort_unstable();
        algorithms.dedup();
        Self { algorithms, whole }
    }
}

/// The hash functions that a signature by this key may be made over.
pub(super) fn candidates(key: &PublicKey, rule: HashRule) -> Vec<HashAlgorithm> {
    match (rule, key.kind()) {
        (HashRule::Exactly(algorithm), _) => vec![algorithm],
        (HashRule::Known, KeyKind::EcdsaP384) => vec![HashAlgorithm::Sha256, HashAlgorithm::Sha384],
        (HashRule::Known, _) => vec![HashAlgorithm::Sha256],
    }
}
