//! Members of JSON objects, read strictly: each of one type, and none that Go would fold onto a known
//! one.

use serde_json::{Map, Value};

use crate::digest::{ParseDigestError, Sha256Digest};
use crate::json;
use crate::limits;
use crate::verdict::{Code, Fault};

pub(super) type Object = Map<String, Value>;

pub(super) fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    json::parse(bytes, limits::ARCHIVE_JSON_BYTES).map_err(|error| malformed(&error.to_string()))
}

/// The value as an object without keys that Go would fold onto `known` ones.
pub(super) fn object<'v>(value: &'v Value, known: &[&str]) -> Result<&'v Object, Fault> {
    let object = value.as_object().ok_or_else(|| malformed("not an object"))?;
    no_folding(object, known)?;
    Ok(object)
}

/// An object of a document that nobody ever signs: it holds no members but these, or it could be another
/// document as well.
pub(super) fn only<'v>(value: &'v Value, known: &[&str]) -> Result<&'v Object, Fault> {
    let object = object(value, known)?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(unknown(key)),
        None => Ok(object),
    }
}

pub(super) fn unknown(member: &str) -> Fault {
    malformed(&format!("nobody signs this document, and no program reads its member {member:?}"))
}

pub(super) fn no_folding(object: &Object, known: &[&str]) -> Result<(), Fault> {
    match json::folded_key(object, known) {
        None => Ok(()),
        Some(key) => Err(malformed(&format!(
            "the key {key:?} differs only in case from one that loaders read, and Go takes it too"
        ))),
    }
}

/// An object below `key`; absent and null are `None`.
pub(super) fn child<'v>(object: &'v Object, key: &str) -> Result<Option<&'v Object>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(child)) => Ok(Some(child)),
        Some(_) => Err(malformed(&format!("{key:?} is not an object"))),
    }
}

/// A list below `key`; absent and null are empty, as Go writes an empty list.
pub(super) fn list<'v>(object: &'v Object, key: &str) -> Result<&'v [Value], Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(malformed(&format!("{key:?} is not a list"))),
    }
}

pub(super) fn text(object: &Object, key: &str) -> Result<Option<String>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(&format!("{key:?} is not a text"))),
    }
}

pub(super) fn texts(object: &Object, key: &str) -> Result<Vec<String>, Fault> {
    list(object, key)?
        .iter()
        .map(|value| match value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(malformed(&format!("{key:?} is not a list of texts"))),
        })
        .collect()
}

pub(super) fn digest(value: &Value) -> Result<Sha256Digest, Fault> {
    let text = value.as_str().ok_or_else(|| malformed("no digest where one belongs"))?;
    text.parse().map_err(|error: ParseDigestError| {
        Fault::new(Code::DigestUnsupported, error.to_string())
            .expected_found("sha256: and 64 lower-case digits", text)
    })
}

pub(super) fn malformed(reason: &str) -> Fault {
    Fault::new(Code::JsonMalformed, reason)
}
