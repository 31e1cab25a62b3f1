//! Whether a file is one JSON object, and whether that is an in-toto statement: all that matters before
//! anyone knows what the file is. It is read as it passes, whatever its size, because attestations may be
//! many and large.

use std::fmt;
use std::io::{self, Read};

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::limits;

/// The versions of in-toto statements.
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"];
/// The members of a statement, each exactly once. No manifest, index, config or metadata of a layer has
/// only these, so that no engine can run what a statement holds.
const MEMBERS: [&str; 4] = ["_type", "predicate", "predicateType", "subject"];

/// What a JSON object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectKind {
    /// An in-toto statement.
    Statement,
    Other,
}

/// Reads one JSON object to the end; `None` if it is anything else. One reading without duplicate keys is
/// asked for when a document is parsed.
pub(super) fn object(reader: impl Read) -> Option<ObjectKind> {
    let texts =
        BoundedStrings { inner: reader, length: 0, depth: 0, inside: false, escaped: false };
    let mut json =
        serde_json::Deserializer::from_reader(io::BufReader::with_capacity(64 << 10, texts));
    let object = (&mut json).deserialize_map(ObjectVisitor).ok()?;
    json.end().ok().map(|()| object)
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = ObjectKind;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<ObjectKind, M::Error> {
        let (mut statement, mut seen) = (true, Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            let Some(member) = MEMBERS.iter().find(|member| **member == key) else {
                map.next_value::<IgnoredAny>()?;
                statement = false;
                continue;
            };
            statement &= !seen.contains(member);
            if statement {
                seen.push(member);
            }
            if statement && *member == "_type" {
                statement = TYPES.contains(&map.next_value::<String>()?.as_str());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let whole = statement && seen.len() == MEMBERS.len();
        Ok(if whole { ObjectKind::Statement } else { ObjectKind::Other })
    }
}

/// Ends where a member of the object, or a text that is its value, is longer than a whole document may be:
/// a parser would hold it in memory. Deeper texts don't count: no parser keeps them.
struct BoundedStrings<R> {
    inner: R,
    length: u64,
    depth: u64,
    inside: bool,
    escaped: bool,
}

impl<R: Read> Read for BoundedStrings<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in buffer.iter().take(count) {
            let escaped = std::mem::take(&mut self.escaped);
            match byte {
                b'"' if !escaped => {
                    self.inside = !self.inside;
                    self.length = 0;
                }
                b'\\' if self.inside => self.escaped = !escaped,
                b'{' | b'[' if !self.inside => self.depth = self.depth.saturating_add(1),
                b'}' | b']' if !self.inside => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.length = self.length.saturating_add(1);
            if self.inside && self.depth <= 1 && self.length > limits::ARCHIVE_JSON_BYTES {
                return Err(io::Error::other("a text is too long"));
            }
        }
        Ok(count)
    }
}
