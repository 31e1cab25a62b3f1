//! The files in `trust/`: each must be what its name says. No vendor's signature covers them and no policy
//! asks for one, so they may be nothing else: a script under the name of a key is refused, whoever sealed
//! it.
//!
//! `tools/` holds programs, whose content can't be checked.

use std::io::{BufReader, Read};

use serde::Deserialize;

use super::layout::{self, PathUse};
use super::strict::Object;
use crate::digest::{FileDigest, HashingReader};
use crate::directory::{Folder, read_small};
use crate::key::PublicKey;
use crate::limits;
use crate::sigstore::TrustMaterial;
use crate::verdict::{Code, Fault};

/// Reads a file of `trust/`, called `name` in the directory and `path` in the manifest: its size and digest,
/// and whether it is what it is said to be.
///
/// # Errors
/// Those of reading it.
pub(super) fn read(
    folder: &Folder,
    name: &str,
    path: &str,
    place: PathUse,
) -> Result<(FileDigest, Result<(), Fault>), Fault> {
    let limit = match place {
        PathUse::Key => limits::KEY_BYTES,
        PathUse::TrustedRoot => limits::TRUSTED_ROOT_BYTES,
        PathUse::FetchLog => return fetches(folder, name),
        PathUse::Free | PathUse::Tool => u64::MAX,
    };
    let (bytes, sha256) = read_small(folder, name, limit, Code::ClaimMismatch)?;
    let said = match place {
        PathUse::TrustedRoot => TrustMaterial::from_json(&bytes).map(drop),
        _ => key(path, &bytes),
    };
    let said = said.map_err(|fault| refuse(folder, name, &fault.to_string()));
    Ok((FileDigest { sha256, size: bytes.len() as u64 }, said))
}

fn refuse(folder: &Folder, name: &str, reason: &str) -> Fault {
    Fault::new(Code::ClaimMismatch, format!("not what its name says: {reason}"))
        .at(folder.show(name))
}

/// A key as sealing writes it, under its own name.
fn key(path: &str, bytes: &[u8]) -> Result<(), Fault> {
    let key = PublicKey::from_pem(bytes)?;
    let name = layout::key_path(&key.fingerprint());
    if name != path {
        let message = "the key has another fingerprint";
        return Err(Fault::new(Code::ClaimMismatch, message).expected_found(name, path));
    }
    if key.to_pem().as_bytes() != bytes {
        let message = "not byte for byte the PEM form of the key";
        return Err(Fault::new(Code::ClaimMismatch, message));
    }
    Ok(())
}

/// The log of fetches: JSON objects and nothing else.
fn fetches(folder: &Folder, name: &str) -> Result<(FileDigest, Result<(), Fault>), Fault> {
    #[derive(Deserialize)]
    struct Line {}

    let file = folder.file(name)?;
    let limit = limits::FETCH_LOG_BYTES;
    if file.metadata().is_ok_and(|metadata| metadata.len() > limit) {
        return Err(refuse(folder, name, &format!("larger than {limit} bytes")));
    }
    let mut reader = BufReader::new(HashingReader::new(file.take(limit)));
    let lines = serde_json::Deserializer::from_reader(&mut reader).into_iter::<Object<Line>>();
    let mut said = Ok(());
    for line in lines {
        if let Err(error) = line {
            said = Err(refuse(folder, name, &format!("not one JSON object a line: {error}")));
            break;
        }
    }
    let copied = std::io::copy(&mut reader, &mut std::io::sink());
    let unreadable = |error: std::io::Error| {
        Fault::new(Code::Unreadable, error.to_string()).at(folder.show(name))
    };
    copied.map_err(unreadable)?;
    let hashing = reader.into_inner();
    let size = hashing.count();
    Ok((FileDigest { sha256: hashing.finish().1, size }, said))
}
