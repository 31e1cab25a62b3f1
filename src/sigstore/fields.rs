//! Strict access to a JSON object: every field is known, has the right type, and is named in the
//! refusal when it hasn't.

use serde_json::{Map, Value};

use super::encoding::{base64_proto, base64_strict};
use crate::json::folded_key;
use crate::verdict::{Code, Fault};

/// The largest integer that RFC 8785 (canonical JSON, over which logs sign) can tell from its
/// neighbours: 2^53 - 1.
pub(super) const MAX_EXACT_INTEGER: u64 = (1 << 53) - 1;

/// One JSON object, its place in the document and the code of its refusals.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    place: String,
    code: Code,
}

impl<'a> Fields<'a> {
    /// The object `value` at `place`, all of whose fields are in `known`.
    pub(super) fn exact(
        value: &'a Value,
        place: &str,
        code: Code,
        known: &[&str],
    ) -> Result<Self, Fault> {
        let fields = Self::tolerant(value, place, code, known)?;
        match fields.unknown(known).next() {
            Some(name) => Err(fields.fault(name, "unknown field")),
            None => Ok(fields),
        }
    }

    /// The object `value` at `place`; unknown fields are allowed unless Go's JSON decoder would
    /// take them for a known one.
    pub(super) fn tolerant(
        value: &'a Value,
        place: &str,
        code: Code,
        known: &[&str],
    ) -> Result<Self, Fault> {
        let Value::Object(object) = value else {
            return Err(Fault::new(code, "a JSON object is expected").at(place));
        };
        let fields = Self { object, place: place.to_owned(), code };
        if let Some(name) = folded_key(object, known) {
            return Err(fields.fault(name, "a name that differs from a known one only in its case"));
        }
        Ok(fields)
    }

    /// Fields that are not in `known`.
    pub(super) fn unknown<'k>(
        &self,
        known: &'k [&str],
    ) -> impl Iterator<Item = &'a str> + use<'a, 'k> {
        self.object.keys().map(String::as_str).filter(|name| !known.contains(name))
    }

    /// A refusal at the field `name`.
    pub(super) fn fault(&self, name: &str, message: &str) -> Fault {
        Fault::new(self.code, message).at(self.place_of(name))
    }

    fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// The value of `name`; `null` is absent, as in ProtoJSON and in Go.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// The text of `name`, if it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(name, "a string is expected")),
        }
    }

    /// The text of `name`, which must be there and not be empty.
    pub(super) fn needed_text(&self, name: &str) -> Result<&'a str, Fault> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.fault(name, "this field is missing or empty"))
    }

    /// ProtoJSON bytes, which must be there and not be empty.
    pub(super) fn proto_bytes(&self, name: &str) -> Result<Vec<u8>, Fault> {
        base64_proto(self.needed_text(name)?).ok_or_else(|| self.fault(name, "not valid base64"))
    }

    /// ProtoJSON bytes of an exact length, which must be there.
    pub(super) fn proto_array<const N: usize>(&self, name: &str) -> Result<[u8; N], Fault> {
        self.proto_bytes(name)?
            .try_into()
            .map_err(|_| self.fault(name, &format!("{N} bytes in base64 are expected")))
    }

    /// Bytes in standard padded base64, which must be there and not be empty.
    pub(super) fn strict_bytes(&self, name: &str) -> Result<Vec<u8>, Fault> {
        base64_strict(self.needed_text(name)?)
            .ok_or_else(|| self.fault(name, "not valid standard base64"))
    }

    /// A ProtoJSON `int64`, as a number or a decimal string, from 0 to 2^53 - 1; absent is 0.
    pub(super) fn proto_integer(&self, name: &str) -> Result<u64, Fault> {
        let number = match self.get(name) {
            None => Some(0),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                if digits { text.parse().ok() } else { None }
            }
            Some(_) => None,
        };
        self.in_range(name, number)
    }

    /// A JSON integer from 0 to 2^53 - 1, which must be there.
    pub(super) fn integer(&self, name: &str) -> Result<u64, Fault> {
        self.in_range(name, self.get(name).and_then(Value::as_u64))
    }

    fn in_range(&self, name: &str, number: Option<u64>) -> Result<u64, Fault> {
        number
            .filter(|number| *number <= MAX_EXACT_INTEGER)
            .ok_or_else(|| self.fault(name, "an integer from 0 to 2^53-1 is expected"))
    }

    /// The object at `name`, if it is there, with exactly the `known` fields.
    pub(super) fn object(&self, name: &str, known: &[&str]) -> Result<Option<Self>, Fault> {
        self.get(name)
            .map(|value| Self::exact(value, &self.place_of(name), self.code, known))
            .transpose()
    }

    /// The object at `name`, which must be there, with exactly the `known` fields.
    pub(super) fn needed_object(&self, name: &str, known: &[&str]) -> Result<Self, Fault> {
        self.object(name, known)?.ok_or_else(|| self.fault(name, "this field is missing"))
    }

    /// The elements of the array at `name`, absent being empty, each with its place.
    pub(super) fn array(&self, name: &str) -> Result<Vec<(String, &'a Value)>, Fault> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => Ok(values
                .iter()
                .enumerate()
                .map(|(index, value)| (format!("{}[{index}]", self.place_of(name)), value))
                .collect()),
            Some(_) => Err(self.fault(name, "an array is expected")),
        }
    }
}
