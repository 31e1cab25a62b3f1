//! Strict JSON: one reading of a document, the same one that every other reader gets.
//!
//! Attacks on signed JSON rely on two programs that read one text differently. So a document is
//! refused when it has a duplicate key at any level, anything but white space after the value, a
//! byte-order mark, or more depth, bytes or values than [`crate::limits`] allows. Keys that Go's
//! `encoding/json` would fold onto a known key are found by [`folds_to`].
//!
//! This room does not know any schema.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::limits;

/// Why a text is not acceptable JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The same key occurs twice in one object.
    #[error("the key {key:?} occurs twice in one object")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// Not JSON, or something follows the value.
    #[error("not a JSON document: {reason}")]
    Malformed {
        /// The parser's words, with line and column.
        reason: String,
    },
    /// Nested deeper than [`limits::JSON_DEPTH`].
    #[error("nested deeper than {} levels", limits::JSON_DEPTH)]
    TooDeep,
    /// More bytes than allowed.
    #[error("{size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Size of the document in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// More values than [`limits::JSON_VALUES`].
    #[error("more than {} values", limits::JSON_VALUES)]
    TooManyValues,
}

/// Parses one JSON document of at most `limit` bytes.
///
/// # Errors
/// [`JsonError`] for anything that two readers could understand differently, or that is too large.
pub fn parse(bytes: &[u8], limit: u64) -> Result<Value, JsonError> {
    let size = bytes.len() as u64;
    if size > limit {
        return Err(JsonError::TooLarge { size, limit });
    }
    let state = ParseState { left: Cell::new(limits::JSON_VALUES), refusal: Cell::new(None) };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { state: &state, depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| {
        state.refusal.take().unwrap_or_else(|| JsonError::Malformed { reason: error.to_string() })
    })
}

/// Whether Go's `encoding/json` would take `key` for `known`: equal under simple case folding.
///
/// Besides ASCII letters, U+017F (long s) folds to `s` and U+212A (Kelvin sign) to `k`.
#[must_use]
pub fn folds_to(key: &str, known: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(known.chars().map(fold))
}

/// The first key of `object` that is not in `known` but that Go would take for one that is.
#[must_use]
pub fn folded_key<'a>(object: &'a Map<String, Value>, known: &[&str]) -> Option<&'a str> {
    object
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .find(|key| known.iter().any(|name| folds_to(key, name)))
        .map(String::as_str)
}

struct ParseState {
    left: Cell<usize>,
    refusal: Cell<Option<JsonError>>,
}

impl ParseState {
    fn refuse<E: de::Error>(&self, refusal: JsonError) -> E {
        let error = E::custom(&refusal);
        self.refusal.set(Some(refusal));
        error
    }
}

#[derive(Clone, Copy)]
struct Strict<'s> {
    state: &'s ParseState,
    depth: usize,
}

impl Strict<'_> {
    fn count<E: de::Error>(&self, cost: usize) -> Result<(), E> {
        match self.state.left.get().checked_sub(cost) {
            Some(left) => {
                self.state.left.set(left);
                Ok(())
            }
            None => Err(self.state.refuse(JsonError::TooManyValues)),
        }
    }

    fn deeper<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth >= limits::JSON_DEPTH {
            return Err(self.state.refuse(JsonError::TooDeep));
        }
        Ok(Self { state: self.state, depth: self.depth.saturating_add(1) })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        self.count(limits::JSON_OBJECT_COST)?;
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(self.state.refuse(JsonError::DuplicateKey { key }));
            }
            let value = access.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> Result<Value, JsonError> {
        parse(text.as_bytes(), 1 << 20)
    }

    #[test]
    fn reads_what_serde_json_reads() {
        let text = r#" {"a":[1,-2,0.5,true,null,"x\u00e9"],"b":{"c":{}}} "#;
        assert_eq!(parse_text(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn duplicate_keys_are_refused_at_any_level() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"\u0061":2}}]"#] {
            assert_eq!(
                parse_text(text),
                Err(JsonError::DuplicateKey { key: "a".into() }),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_may_follow_or_precede() {
        for text in ["{} {}", "{}x", "\u{feff}{}", "", "{\"a\":1,}", "NaN"] {
            assert!(matches!(parse_text(text), Err(JsonError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn bounds_hold() {
        assert_eq!(parse_text(&"[".repeat(limits::JSON_DEPTH + 1)), Err(JsonError::TooDeep));
        let many = format!("[{}1]", "1,".repeat(limits::JSON_VALUES));
        assert_eq!(parse(many.as_bytes(), 1 << 30), Err(JsonError::TooManyValues));
        let objects =
            format!("[{}1]", "{},".repeat(limits::JSON_VALUES / limits::JSON_OBJECT_COST));
        assert_eq!(parse(objects.as_bytes(), 1 << 30), Err(JsonError::TooManyValues));
        assert_eq!(parse(b"[1]", 2), Err(JsonError::TooLarge { size: 3, limit: 2 }));
    }

    #[test]
    fn folding_is_gos() {
        assert!(folds_to("layer\u{17f}", "Layers") && folds_to("CONFIG", "Config"));
        assert!(folds_to("\u{212a}ey", "key") && !folds_to("Configs", "Config"));
        let object = parse_text(r#"{"Config":1,"lAYERS":2,"Other":3}"#).unwrap();
        assert_eq!(folded_key(object.as_object().unwrap(), &["Config", "Layers"]), Some("lAYERS"));
    }
}
