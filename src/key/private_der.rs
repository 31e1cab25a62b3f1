//! Whether bytes begin with a private key as DER: recognised by the form alone, for any algorithm.
//!
//! Nothing is read from such a key here. It is only that it must not travel.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};

/// The algorithms by which PKCS #8 keys are encrypted (PKCS #5), as their object identifiers begin.
const PKCS5: &str = "1.2.840.113549.1.5.";
/// The most parts that a private key has: one of RSA, of two primes.
const PARTS: usize = 9;

/// Whether bytes begin with PKCS #8, encrypted or not (RFC 5958), SEC 1 (RFC 5915), or the older forms of RSA
/// and DSA; anything may follow.
pub(crate) fn is_private_der(bytes: &[u8]) -> bool {
    let Ok(mut reader) = SliceReader::new(bytes) else { return false };
    let Ok(whole) = AnyRef::decode(&mut reader) else { return false };
    if whole.tag() != Tag::Sequence {
        return false;
    }
    let parts = parts(whole.value());
    let version = parts.first().filter(|part| part.tag() == Tag::Integer).map(|part| part.value());
    let tags: Vec<Tag> = parts.iter().map(AnyRef::tag).collect();
    match (version, tags.as_slice()) {
        (Some([0 | 1]), [_, Tag::Sequence, Tag::OctetString, ..]) => {
            parts.get(1).and_then(algorithm).is_some()
        }
        (Some([1]), [_, Tag::OctetString, ..]) => true,
        (Some([0 | 1]), [_, numbers @ ..]) => {
            [5, 8].contains(&numbers.len()) && numbers.iter().all(|tag| *tag == Tag::Integer)
        }
        (None, [Tag::Sequence, Tag::OctetString]) => {
            parts.first().and_then(algorithm).is_some_and(|oid| oid.to_string().starts_with(PKCS5))
        }
        _ => false,
    }
}

/// The values in a sequence, as far as they can be read.
fn parts(bytes: &[u8]) -> Vec<AnyRef<'_>> {
    let Ok(mut reader) = SliceReader::new(bytes) else { return Vec::new() };
    let mut parts = Vec::new();
    while !reader.is_finished() && parts.len() <= PARTS {
        match AnyRef::decode(&mut reader) {
            Ok(part) => parts.push(part),
            Err(_) => break,
        }
    }
    parts
}

/// What an algorithm's identifier names.
fn algorithm(part: &AnyRef<'_>) -> Option<ObjectIdentifier> {
    let inner = parts(part.value());
    inner.first()?.decode_as().ok()
}
