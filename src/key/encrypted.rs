//! The encrypted private key file of cosign: its one JSON object, and the encryption.
//!
//! The format is go-securesystemslib's `encrypted`: scrypt makes a key from the password, and NaCl's
//! secretbox (XSalsa20-Poly1305) seals the PKCS#8 DER of the private key with it. cosign 2 and 3
//! write N = 65536, older ones 32768, always with r = 8 and p = 1. Nothing else is read: the file
//! says how much memory is asked for, 64 MiB at most with these.
//!
//! What the plaintext is, and where the password comes from, is not decided here.

use base64ct::{Base64, Encoding as _};
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::random_bytes;
use crate::json;
use crate::limits;
use crate::verdict::{Code, Fault};

/// scrypt's costs as powers of two, with the numbers that the file states.
const COSTS: [(u64, u8); 2] = [(32_768, 15), (65_536, 16)];
const BLOCK: u32 = 8;
const PARALLEL: u32 = 1;
const SALT: usize = 32;
const NONCE: usize = 24;
const KEY: usize = 32;

/// An encrypted private key as the file holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EncryptedKey {
    log_cost: u8,
    salt: [u8; SALT],
    nonce: [u8; NONCE],
    ciphertext: Vec<u8>,
}

/// The JSON form, in the order in which Go writes it.
#[derive(Serialize)]
struct Written {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize)]
struct Kdf {
    name: &'static str,
    params: Params,
    salt: String,
}

#[derive(Serialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize)]
struct Cipher {
    name: &'static str,
    nonce: String,
}

impl EncryptedKey {
    /// Reads the JSON; no other field, spelling or parameter than cosign's.
    ///
    /// # Errors
    /// [`Code::PrivateKeyMalformed`]; [`Code::PrivateKeyUnsupported`] for other algorithms and costs.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let document = json::parse(bytes, limits::KEY_BYTES)
            .map_err(|error| Fault::new(Code::PrivateKeyMalformed, error.to_string()))?;
        let whole = object(&document, "", ["kdf", "cipher", "ciphertext"])?;
        let kdf = object(field(whole, "kdf"), "kdf", ["name", "params", "salt"])?;
        let cipher = object(field(whole, "cipher"), "cipher", ["name", "nonce"])?;
        named(kdf, "kdf.name", "scrypt")?;
        named(cipher, "cipher.name", "nacl/secretbox")?;
        let params = object(field(kdf, "params"), "kdf.params", ["N", "r", "p"])?;
        Ok(Self {
            log_cost: log_cost(params)?,
            salt: bytes_of(kdf, "kdf.salt")?,
            nonce: bytes_of(cipher, "cipher.nonce")?,
            ciphertext: base64(whole, "ciphertext")?,
        })
    }

    /// Encrypts `plaintext` under `password`, with a new salt and nonce.
    ///
    /// # Errors
    /// [`Code::Unreadable`] without random bytes; [`Code::PrivateKeyMalformed`] never for a key.
    pub(super) fn seal(plaintext: &[u8], password: &[u8]) -> Result<Self, Fault> {
        // 2^16, what cosign 2 and 3 write.
        Self::seal_at(16, plaintext, password)
    }

    fn seal_at(log_cost: u8, plaintext: &[u8], password: &[u8]) -> Result<Self, Fault> {
        let (salt, nonce) = (random_bytes()?, random_bytes()?);
        let ciphertext = secretbox(log_cost, &salt, password)?
            .encrypt(&nonce.into(), plaintext)
            .map_err(|_| Fault::new(Code::PrivateKeyMalformed, "too long to be encrypted"))?;
        Ok(Self { log_cost, salt, nonce, ciphertext })
    }

    /// Decrypts.
    ///
    /// # Errors
    /// [`Code::PasswordWrong`].
    pub(super) fn open(&self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        secretbox(self.log_cost, &self.salt, password)?
            .decrypt(&self.nonce.into(), self.ciphertext.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| {
                let message = if password.is_empty() {
                    "the empty password does not open the private key"
                } else {
                    "the password does not open the private key"
                };
                Fault::new(Code::PasswordWrong, message)
            })
    }

    /// The JSON, byte for byte as cosign writes it for these values.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, Fault> {
        let written = Written {
            kdf: Kdf {
                name: "scrypt",
                params: Params { n: 1 << self.log_cost, r: BLOCK, p: PARALLEL },
                salt: Base64::encode_string(&self.salt),
            },
            cipher: Cipher { name: "nacl/secretbox", nonce: Base64::encode_string(&self.nonce) },
            ciphertext: Base64::encode_string(&self.ciphertext),
        };
        serde_json::to_vec(&written)
            .map_err(|error| Fault::new(Code::PrivateKeyMalformed, error.to_string()))
    }
}

/// The cipher under the key that scrypt makes of the password.
fn secretbox(log_cost: u8, salt: &[u8], password: &[u8]) -> Result<XSalsa20Poly1305, Fault> {
    let refused = |error: String| Fault::new(Code::PrivateKeyUnsupported, error);
    let params = scrypt::Params::new(log_cost, BLOCK, PARALLEL, KEY)
        .map_err(|error| refused(error.to_string()))?;
    let mut key = Zeroizing::new([0; KEY]);
    scrypt::scrypt(password, salt, &params, key.as_mut_slice())
        .map_err(|error| refused(error.to_string()))?;
    XSalsa20Poly1305::new_from_slice(key.as_slice()).map_err(|error| refused(error.to_string()))
}

fn log_cost(params: &Map<String, Value>) -> Result<u8, Fault> {
    let number = |name| {
        field(params, name).as_u64().ok_or_else(|| {
            Fault::new(Code::PrivateKeyMalformed, "a whole number is expected")
                .at(format!("kdf.params.{name}"))
        })
    };
    let (n, r, p) = (number("N")?, number("r")?, number("p")?);
    COSTS
        .iter()
        .find(|(cost, _)| (*cost, u64::from(BLOCK), u64::from(PARALLEL)) == (n, r, p))
        .map(|(_, log)| *log)
        .ok_or_else(|| {
            Fault::new(Code::PrivateKeyUnsupported, "parameters of scrypt that cosign does not use")
                .at("kdf.params")
                .expected_found("N 32768 or 65536, r 8, p 1", format_args!("N {n}, r {r}, p {p}"))
        })
}

/// The object at `place` with exactly the `known` fields.
fn object<'v, const N: usize>(
    value: &'v Value,
    place: &str,
    known: [&str; N],
) -> Result<&'v Map<String, Value>, Fault> {
    let fault = |message: String| Fault::new(Code::PrivateKeyMalformed, message);
    let placed = |fault: Fault| if place.is_empty() { fault } else { fault.at(place) };
    let Value::Object(object) = value else {
        return Err(placed(fault(String::from("a JSON object is expected"))));
    };
    if let Some(name) = object.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(placed(fault(format!("unknown field {name:?}"))));
    }
    if let Some(name) = known.iter().find(|name| !object.contains_key(**name)) {
        return Err(placed(fault(format!("the field {name:?} is missing"))));
    }
    Ok(object)
}

/// A field of an object that [`object`] has looked at.
fn field<'v>(object: &'v Map<String, Value>, name: &str) -> &'v Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// The text of the field whose name is the last part of `place`.
fn text<'v>(object: &'v Map<String, Value>, place: &str) -> Result<&'v str, Fault> {
    let name = place.rsplit('.').next().unwrap_or(place);
    field(object, name)
        .as_str()
        .ok_or_else(|| Fault::new(Code::PrivateKeyMalformed, "a string is expected").at(place))
}

fn named(object: &Map<String, Value>, place: &str, expected: &str) -> Result<(), Fault> {
    let found = text(object, place)?;
    if found == expected {
        return Ok(());
    }
    Err(Fault::new(Code::PrivateKeyUnsupported, "an algorithm that cosign does not use")
        .at(place)
        .expected_found(expected, found))
}

fn base64(object: &Map<String, Value>, place: &str) -> Result<Vec<u8>, Fault> {
    Base64::decode_vec(text(object, place)?)
        .map_err(|_| Fault::new(Code::PrivateKeyMalformed, "not valid standard base64").at(place))
}

fn bytes_of<const N: usize>(object: &Map<String, Value>, place: &str) -> Result<[u8; N], Fault> {
    let bytes = base64(object, place)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| {
        Fault::new(Code::PrivateKeyMalformed, "a value of another length")
            .at(place)
            .expected_found(format_args!("{N} bytes"), format_args!("{found} bytes"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sealed() -> Value {
        let encrypted = EncryptedKey {
            log_cost: 16,
            salt: [1; SALT],
            nonce: [2; NONCE],
            ciphertext: vec![3; 154],
        };
        serde_json::from_slice(&encrypted.to_json().unwrap()).unwrap()
    }

    #[track_caller]
    fn refused(text: &str, code: Code, words: &str) {
        let fault = EncryptedKey::parse(text.as_bytes()).unwrap_err();
        assert_eq!(fault.code(), code, "{text}: {fault}");
        assert!(fault.to_string().contains(words), "{text}: {fault}");
    }

    #[test]
    fn both_costs_of_cosign_open_and_a_wrong_password_does_not() {
        for (cost, log) in COSTS {
            let encrypted = EncryptedKey::seal_at(log, b"a secret", b"pw").unwrap();
            let json = encrypted.to_json().unwrap();
            assert!(String::from_utf8_lossy(&json).contains(&format!("\"N\":{cost},")));
            let read = EncryptedKey::parse(&json).unwrap();
            assert_eq!(read, encrypted);
            assert_eq!(read.open(b"pw").unwrap().as_slice(), b"a secret");
            assert_eq!(read.open(b"pw ").unwrap_err().code(), Code::PasswordWrong);
        }
    }

    #[test]
    fn a_flipped_bit_is_a_wrong_password() {
        let mut encrypted = EncryptedKey::seal_at(15, b"a secret", b"").unwrap();
        assert_eq!(encrypted.open(b"").unwrap().as_slice(), b"a secret");
        encrypted.ciphertext[20] ^= 1;
        assert_eq!(encrypted.open(b"").unwrap_err().code(), Code::PasswordWrong);
        encrypted.ciphertext.truncate(3);
        assert_eq!(encrypted.open(b"").unwrap_err().code(), Code::PasswordWrong);
    }

    #[test]
    fn salt_and_nonce_are_new_each_time() {
        let [one, two] = [0, 1].map(|_| EncryptedKey::seal_at(15, b"x", b"").unwrap());
        assert!(one.salt != two.salt && one.nonce != two.nonce);
    }

    #[test]
    fn no_other_field_and_no_other_type() {
        use Code::PrivateKeyMalformed as Malformed;
        for (at, value, words) in [
            ("/kdf", json!([]), "kdf: a JSON object is expected"),
            ("/kdf/more", json!(1), "kdf: unknown field \"more\""),
            ("/kdf/params/n", json!(65536), "kdf.params: unknown field \"n\""),
            ("/kdf/params/N", json!("65536"), "kdf.params.N: a whole number"),
            ("/kdf/params/N", json!(65536.0), "kdf.params.N: a whole number"),
            ("/kdf/params/p", json!(-1), "kdf.params.p: a whole number"),
            ("/kdf/name", json!(null), "kdf.name: a string"),
            ("/kdf/salt", json!("AAAA"), "kdf.salt: a value of another length; expected 32 bytes"),
            ("/cipher/nonce", json!("AAAA"), "expected 24 bytes, found 3 bytes"),
            ("/cipher/nonce", json!("AAAB="), "cipher.nonce: not valid standard base64"),
            ("/ciphertext", json!("YWJ="), "ciphertext: not valid standard base64"),
            ("/ciphertext", json!(["YWI="]), "ciphertext: a string"),
            ("/comment", json!("x"), "unknown field \"comment\""),
        ] {
            let mut document = sealed();
            let (parent, name) = at.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap()[name] = value;
            refused(&document.to_string(), Malformed, words);
        }
        for at in ["/kdf", "/cipher", "/ciphertext", "/kdf/params", "/kdf/salt", "/kdf/params/r"] {
            let mut document = sealed();
            let (parent, name) = at.rsplit_once('/').unwrap();
            document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            refused(&document.to_string(), Malformed, &format!("{name:?} is missing"));
        }
        let text = sealed().to_string();
        let twice = text.replacen("\"ciphertext\"", "\"ciphertext\":\"\",\"ciphertext\"", 1);
        refused(&twice, Malformed, "twice");
        refused(&format!("{text}x"), Malformed, "not a JSON document");
        refused("[[\"scrypt\"]]", Malformed, "a JSON object is expected");
        assert!(EncryptedKey::parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn no_other_algorithm_and_no_other_cost() {
        use Code::PrivateKeyUnsupported as Unsupported;
        for (at, value, words) in [
            ("/kdf/name", json!("argon2id"), "expected scrypt, found argon2id"),
            ("/cipher/name", json!("aes-gcm"), "expected nacl/secretbox, found aes-gcm"),
            ("/kdf/params/N", json!(1_u64 << 40), "found N 1099511627776, r 8, p 1"),
            ("/kdf/params/N", json!(16384), "N 32768 or 65536"),
            ("/kdf/params/r", json!(1 << 30), "r 1073741824"),
            ("/kdf/params/p", json!(2), "p 2"),
        ] {
            let mut document = sealed();
            *document.pointer_mut(at).unwrap() = value;
            refused(&document.to_string(), Unsupported, words);
        }
    }
}
