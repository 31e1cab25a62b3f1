//! What the far side remembers: the highest accepted serial of each stream, with its manifest. It covers
//! all transfer keys, so that a second key can't bring an old transfer back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::scalars;
use super::strict::Object;
use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

const SCHEMA: &str = "sealift-state/v1";

/// The state file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedTransfers {
    schema: String,
    streams: Streams,
}

/// The last accepted transfer of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedTransfer {
    /// Its serial.
    pub serial: u64,
    /// SHA-256 of its manifest's bytes.
    pub manifest: Sha256Digest,
}

/// Streams by name; a stream that is listed twice is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct Streams(BTreeMap<String, AcceptedTransfer>);

impl<'de> Deserialize<'de> for Streams {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Streams;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of streams")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Streams, A::Error> {
                let mut streams = BTreeMap::new();
                while let Some((name, accepted)) =
                    map.next_entry::<String, Object<AcceptedTransfer>>()?
                {
                    if streams.insert(name, accepted.0).is_some() {
                        return Err(serde::de::Error::custom("a stream is written twice"));
                    }
                }
                Ok(Streams(streams))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl Default for AcceptedTransfers {
    fn default() -> Self {
        Self { schema: SCHEMA.to_owned(), streams: Streams(BTreeMap::new()) }
    }
}

impl AcceptedTransfers {
    /// Reads a state file.
    ///
    /// # Errors
    /// [`Code::StateMalformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let refuse = |reason: String| Fault::new(Code::StateMalformed, reason);
        if bytes.len() as u64 > limits::STATE_BYTES {
            return Err(refuse(format!("larger than {} bytes", limits::STATE_BYTES)));
        }
        let Object(state): Object<Self> =
            serde_json::from_slice(bytes).map_err(|error| refuse(error.to_string()))?;
        if state.schema != SCHEMA {
            return Err(refuse("another schema".to_owned()).expected_found(SCHEMA, state.schema));
        }
        for name in state.streams.0.keys() {
            scalars::stream(name).map_err(|fault| refuse(fault.to_string()))?;
        }
        Ok(state)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// [`Code::WriteFailed`]; none in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Fault::new(Code::WriteFailed, error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The last accepted transfer of a stream.
    #[must_use]
    pub fn last(&self, stream: &str) -> Option<AcceptedTransfer> {
        self.streams.0.get(stream).copied()
    }

    /// Whether this very transfer is the last accepted one of its stream.
    #[must_use]
    pub fn remembers(&self, stream: &str, digest: &Sha256Digest) -> bool {
        self.last(stream).is_some_and(|last| last.manifest == *digest)
    }

    /// Refuses a transfer that is older than the last accepted one of its stream, or another with
    /// the same serial. The same one again is a re-check.
    ///
    /// # Errors
    /// [`Code::SerialRolledBack`] and [`Code::SerialReused`].
    pub fn admit(&self, manifest: &Manifest, digest: &Sha256Digest) -> Result<(), Fault> {
        let Some(last) = self.streams.0.get(&manifest.stream) else { return Ok(()) };
        if manifest.serial < last.serial {
            let message = format!("an older transfer of stream {:?}", manifest.stream);
            return Err(Fault::new(Code::SerialRolledBack, message)
                .expected_found(format!("a serial of at least {}", last.serial), manifest.serial));
        }
        if manifest.serial == last.serial && *digest != last.manifest {
            let message = format!("serial {} was accepted with another manifest", manifest.serial);
            return Err(
                Fault::new(Code::SerialReused, message).expected_found(last.manifest, digest)
            );
        }
        Ok(())
    }

    /// Remembers an accepted transfer; returns whether anything changed.
    ///
    /// # Errors
    /// Those of [`AcceptedTransfers::admit`]: what was accepted meanwhile is never forgotten.
    pub fn accept(&mut self, manifest: &Manifest, digest: &Sha256Digest) -> Result<bool, Fault> {
        self.admit(manifest, digest)?;
        let accepted = AcceptedTransfer { serial: manifest.serial, manifest: *digest };
        Ok(self.streams.0.insert(manifest.stream.clone(), accepted) != Some(accepted))
    }
}
