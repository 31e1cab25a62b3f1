//! The operator's private key: reading it, making one, and signing with it. ECDSA P-256 only.
//!
//! Read are the files of `cosign generate-key-pair` and plain PKCS#8; written is cosign's form, so
//! that cosign can sign with the same key. A secret is wiped from memory where it is ours to wipe,
//! and no message and no `Debug` text holds any part of it.

use std::fmt;

use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, PrivateKeyInfo};
use spki::ObjectIdentifier;
use zeroize::Zeroizing;

use super::encrypted::EncryptedKey;
use super::pem::write_block;
use super::public::KeyError;
use super::{PemError, PublicKey, random_bytes, single_block};
use crate::limits;
use crate::verdict::{Code, Fault};

/// The label that cosign writes since 2.0.
const SIGSTORE: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// The label that cosign wrote before.
const COSIGN: &str = "ENCRYPTED COSIGN PRIVATE KEY";

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// Types that can be verified with, so that the refusal says their names too.
const VERIFY_ONLY: [(&str, &str); 3] =
    [("1.3.132.0.34", "ECDSA P-384"), ("1.2.840.113549.1.1.1", "RSA"), ("1.3.101.112", "Ed25519")];

/// A private key, ECDSA P-256, with its public half.
pub struct PrivateKey {
    key: SigningKey,
    public: PublicKey,
}

impl fmt::Debug for PrivateKey {
    /// Only the public half.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public", &self.public.fingerprint())
            .finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// Reads a key file: exactly one PEM block, `ENCRYPTED SIGSTORE PRIVATE KEY` or `ENCRYPTED COSIGN
    /// PRIVATE KEY` as cosign writes them, or `PRIVATE KEY` (PKCS#8, RFC 5958, not encrypted).
    /// `password` is called once, and only for an encrypted file that is otherwise sound.
    ///
    /// # Errors
    /// [`Code::PrivateKeyMalformed`], [`Code::PrivateKeyUnsupported`], each with words that say what
    /// was found instead; [`Code::PasswordWrong`]; and the faults of `password`.
    pub fn from_pem(
        file: &[u8],
        password: &mut dyn FnMut() -> Result<Zeroizing<Vec<u8>>, Fault>,
    ) -> Result<Self, Fault> {
        if file.len() as u64 > limits::KEY_BYTES {
            let most = limits::KEY_BYTES;
            let message = format!("{} bytes are more than the {most} of a key file", file.len());
            return Err(malformed(message));
        }
        let text = std::str::from_utf8(file).unwrap_or_default();
        if let Some(fault) = other_private_key(text) {
            return Err(fault);
        }
        let (label, bytes) = single_block(text).map_err(|error| not_one_block(file, error))?;
        let bytes = Zeroizing::new(bytes);
        match label {
            SIGSTORE | COSIGN => {
                let encrypted = EncryptedKey::parse(&bytes)?;
                Self::from_pkcs8_der(&encrypted.open(&password()?)?)
            }
            "PRIVATE KEY" => Self::from_pkcs8_der(&bytes),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => {
                Err(malformed("this is a public key; the private key that belongs to it is needed")
                    .expected_found(SIGSTORE, label))
            }
            "CERTIFICATE" => Err(malformed("this is a certificate; a private key is needed")
                .expected_found(SIGSTORE, label)),
            other => {
                Err(malformed("the PEM block is not a private key").expected_found(SIGSTORE, other))
            }
        }
    }

    /// A new key from the operating system's random bytes.
    ///
    /// # Errors
    /// [`Code::Unreadable`] if the operating system gives none.
    pub fn generate() -> Result<Self, Fault> {
        loop {
            let bytes = Zeroizing::new(random_bytes::<32>()?);
            // One in 2^32 is no key: too large for the curve. Reducing it would favour some keys.
            if let Ok(key) = SecretKey::from_slice(bytes.as_slice()) {
                return Self::new(&key);
            }
        }
    }

    fn new(key: &SecretKey) -> Result<Self, Fault> {
        let spki =
            key.public_key().to_public_key_der().map_err(|error| malformed(error.to_string()))?;
        let public = PublicKey::from_spki_der(spki.as_bytes())
            .map_err(|error| malformed(error.to_string()))?;
        Ok(Self { key: SigningKey::from(key), public })
    }

    /// A key from PKCS#8 DER, with one that is not P-256 refused by its name.
    fn from_pkcs8_der(der: &[u8]) -> Result<Self, Fault> {
        let info = PrivateKeyInfo::try_from(der)
            .map_err(|_| malformed("what the file holds is not a private key in PKCS#8 form"))?;
        let oid = info.algorithm.oid;
        let (oid, what) = match info.algorithm.parameters_oid() {
            Ok(curve) if oid == EC => (curve, "on the curve"),
            _ => (oid, "of the algorithm"),
        };
        if (oid, what) != (P256, "on the curve") {
            return Err(unsupported_type(oid, what));
        }
        let key = SecretKey::try_from(info).map_err(|_| {
            malformed("the numbers of the private key are not those of a P-256 key")
        })?;
        Self::new(&key)
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a message: ECDSA over its SHA-256, in ASN.1 DER. The nonce is that of RFC 6979, so
    /// that equal messages have equal signatures and no signature depends on fresh randomness.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    /// The key as cosign's encrypted file, with a new salt and nonce. The empty password is
    /// legal, as in cosign, and protects nothing.
    ///
    /// # Errors
    /// [`Code::Unreadable`] if the operating system gives no random bytes.
    pub fn to_encrypted_pem(&self, password: &[u8]) -> Result<String, Fault> {
        let der = SecretKey::from(&self.key)
            .to_pkcs8_der()
            .map_err(|error| malformed(error.to_string()))?;
        let encrypted = EncryptedKey::seal(der.as_bytes(), password)?;
        Ok(write_block(SIGSTORE, &encrypted.to_json()?))
    }
}

fn malformed(message: impl Into<String>) -> Fault {
    Fault::new(Code::PrivateKeyMalformed, message)
}

fn unsupported_type(oid: ObjectIdentifier, what: &str) -> Fault {
    let text = oid.to_string();
    let message = VERIFY_ONLY.iter().find(|(known, _)| *known == text).map_or_else(
        || KeyError::unsupported(oid, what).to_string(),
        |(_, name)| format!("{name} keys can verify here, not sign"),
    );
    Fault::new(Code::PrivateKeyUnsupported, message)
}

/// Private keys in other forms, recognised before anything is parsed: `openssl ecparam -genkey`, for
/// one, writes a second block in addition to the key.
fn other_private_key(text: &str) -> Option<Fault> {
    const OTHER: [(&str, &str); 5] = [
        (
            "EC PRIVATE KEY",
            "a private key in SEC1 form; convert it: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW",
        ),
        (
            "ENCRYPTED PRIVATE KEY",
            "a private key in encrypted PKCS#8 form; convert it: openssl pkcs8 -in OLD -out NEW",
        ),
        ("RSA PRIVATE KEY", "RSA keys can verify here, not sign"),
        ("DSA PRIVATE KEY", "DSA keys are not supported"),
        ("OPENSSH PRIVATE KEY", "keys of OpenSSH are not supported"),
    ];
    let (_, message) =
        OTHER.iter().find(|(label, _)| text.contains(&format!("-----BEGIN {label}-----")))?;
    Some(Fault::new(Code::PrivateKeyUnsupported, *message))
}

/// Says what a file is that is not one PEM block.
fn not_one_block(file: &[u8], error: PemError) -> Fault {
    let start = file.trim_ascii_start();
    match (error, start.first()) {
        (_, None) => malformed("the key file is empty"),
        (PemError::NoBlock, Some(b'{')) => malformed("this is a JSON document, not a private key"),
        (PemError::NoBlock, Some(0x30)) => {
            malformed("this looks like a DER file; a key is given as PEM text")
        }
        _ => malformed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::HashAlgorithm;

    // Made by OpenSSL 3.0: `openssl genpkey`, `openssl ec`. Throwaway keys.
    const PKCS8: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgP2MnvLeqNFAaOG0e
HcmZ65HrKmStpwJgTYG3ZY+0eXOhRANCAAQO88X5Uz3z1fdDuQMy8JIAIcNCUxU1
DdSqr13L0X+fYdHflhi4DX1SGprJupzZpsPKkEFc6Rsvq1kNpqm5PW6/
-----END PRIVATE KEY-----
";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDvPF+VM989X3Q7kDMvCSACHDQlMV
NQ3Uqq9dy9F/n2HR35YYuA19Uhqaybqc2abDypBBXOkbL6tZDaapuT1uvw==
-----END PUBLIC KEY-----
";
    const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEID9jJ7y3qjRQGjhtHh3JmeuR6ypkracCYE2Bt2WPtHlzoAoGCCqGSM49
AwEHoUQDQgAEDvPF+VM989X3Q7kDMvCSACHDQlMVNQ3Uqq9dy9F/n2HR35YYuA19
Uhqaybqc2abDypBBXOkbL6tZDaapuT1uvw==
-----END EC PRIVATE KEY-----
";
    const P384: &str = "-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDqMYg7Cp43TbgOwzNK
fHKjako0r2/1TcjKsseAAQI6StZABd8yGQLAA1fGu5dfBkahZANiAATsDyLB15KG
TaNmCt6Boi9ZHZg1QA+vd5mkwxthvFqH7YSEUfwGQUWQX/iGn+NXGL3A9tqouE6t
svjV5pG7ZwH7lLEmKCWCCthe6fYnR2x8DRCD5CjIwZzt57ijeaSr3IM=
-----END PRIVATE KEY-----
";
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINLfjA4KgfBAhyO1pWq47EVo2oWTZ+tE7m28zYmO1C2T
-----END PRIVATE KEY-----
";
    /// The secret number of [`PKCS8`], in the forms in which it could show.
    const SECRET: [&str; 2] = ["3f6327bc", "3F6327BC"];

    /// Reads a file that must not ask for a password.
    fn plain(file: &str) -> Result<PrivateKey, Fault> {
        PrivateKey::from_pem(file.as_bytes(), &mut || panic!("asked for a password"))
    }

    fn with_password(file: &str, password: &[u8]) -> Result<PrivateKey, Fault> {
        let mut asked = 0;
        let key = PrivateKey::from_pem(file.as_bytes(), &mut || {
            asked += 1;
            Ok(Zeroizing::new(password.to_vec()))
        });
        assert_eq!(asked, 1);
        key
    }

    #[track_caller]
    fn refused(file: &str, code: Code, words: &str) {
        let fault = plain(file).unwrap_err();
        assert_eq!(fault.code(), code, "{fault}");
        assert!(fault.to_string().contains(words), "{fault}");
        assert!(SECRET.iter().all(|secret| !fault.to_string().contains(secret)), "{fault}");
    }

    #[test]
    fn a_plain_file_of_openssl_is_read() {
        let key = plain(PKCS8).unwrap();
        assert_eq!(key.public().to_pem(), PUBLIC);
        assert_eq!(key.public(), &PublicKey::from_pem(PUBLIC.as_bytes()).unwrap());
    }

    #[test]
    fn what_it_signs_verifies_and_nothing_else_does() {
        let key = PrivateKey::generate().unwrap();
        let signature = key.sign(b"a message");
        let holds = |key: &PublicKey, message: &[u8]| {
            key.verify_message(HashAlgorithm::Sha256, message, &signature).is_ok()
        };
        assert!(holds(key.public(), b"a message"));
        assert!(!holds(key.public(), b"a massage"));
        assert!(!holds(PrivateKey::generate().unwrap().public(), b"a message"));
        assert_eq!(key.sign(b"a message"), signature, "RFC 6979 needs no randomness");
    }

    #[test]
    fn an_encrypted_file_opens_with_its_password_alone() {
        let key = PrivateKey::generate().unwrap();
        for password in ["", "pw", "pässword with spaces "] {
            let file = key.to_encrypted_pem(password.as_bytes()).unwrap();
            let old = file.replace(SIGSTORE, COSIGN);
            for file in [&file, &old] {
                let read = with_password(file, password.as_bytes()).unwrap();
                assert_eq!(read.public(), key.public());
                assert_eq!(read.sign(b"x"), key.sign(b"x"));
            }
            let fault = with_password(&file, b"other").unwrap_err();
            assert_eq!(fault.code(), Code::PasswordWrong, "{fault}");
        }
    }

    #[test]
    fn the_plaintext_is_as_long_as_that_of_cosign() {
        let file = PrivateKey::generate().unwrap().to_encrypted_pem(b"").unwrap();
        let (label, json) = single_block(&file).unwrap();
        assert_eq!(label, SIGSTORE);
        assert_eq!(EncryptedKey::parse(&json).unwrap().open(b"").unwrap().len(), 138);
    }

    #[test]
    fn a_damaged_file_does_not_ask_for_a_password() {
        let file = write_block(SIGSTORE, br#"{"kdf":{},"cipher":{},"ciphertext":""}"#);
        refused(&file, Code::PrivateKeyMalformed, "is missing");
        let file = write_block(SIGSTORE, b"{");
        refused(&file, Code::PrivateKeyMalformed, "not a JSON document");
    }

    #[test]
    fn the_fault_of_the_password_is_handed_on() {
        let file = PrivateKey::generate().unwrap().to_encrypted_pem(b"").unwrap();
        let none = || Fault::new(Code::PasswordMissing, "none");
        let fault = PrivateKey::from_pem(file.as_bytes(), &mut || Err(none())).unwrap_err();
        assert_eq!(fault, none());
    }

    #[test]
    fn what_decrypts_but_is_no_key_is_not_a_wrong_password() {
        let json = EncryptedKey::seal(b"no key", b"pw").unwrap().to_json().unwrap();
        let fault = with_password(&write_block(SIGSTORE, &json), b"pw").unwrap_err();
        assert_eq!(fault.code(), Code::PrivateKeyMalformed, "{fault}");
    }

    #[test]
    fn other_keys_are_refused_by_their_names() {
        use Code::PrivateKeyUnsupported as Unsupported;
        refused(SEC1, Unsupported, "openssl pkcs8 -topk8");
        let parameters = write_block("EC PARAMETERS", &[6, 8]);
        refused(&format!("{parameters}{SEC1}"), Unsupported, "openssl pkcs8 -topk8");
        refused(P384, Unsupported, "ECDSA P-384 keys can verify here, not sign");
        refused(ED25519, Unsupported, "Ed25519 keys can verify here, not sign");
        for label in ["RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
            refused(&write_block(label, b"x"), Unsupported, "");
        }
        // The OID of P-256, 10 bytes at 17, replaced by that of secp256k1, 7 bytes.
        let (_, mut der) = single_block(PKCS8).unwrap();
        der.splice(17..27, [6, 5, 0x2b, 0x81, 4, 0, 0x0a]);
        der[2] -= 3;
        der[7] -= 3;
        refused(&write_block("PRIVATE KEY", &der), Unsupported, "secp256k1");
    }

    #[test]
    fn what_is_no_private_key_is_named() {
        use Code::PrivateKeyMalformed as Malformed;
        refused(PUBLIC, Malformed, "this is a public key; the private key that belongs to it");
        refused(&write_block("CERTIFICATE", b"x"), Malformed, "this is a certificate");
        refused(&write_block("X509 CRL", b"x"), Malformed, "found X509 CRL");
        refused(&write_block("PRIVATE KEY", b"x"), Malformed, "not a private key in PKCS#8 form");
        refused("", Malformed, "empty");
        refused(" \n", Malformed, "empty");
        refused("{}", Malformed, "a JSON document");
        refused("hello", Malformed, "no PEM block");
        refused(&format!("{PKCS8}{PKCS8}"), Malformed, "more than one");
        refused(&format!("{PKCS8}x"), Malformed, "text before or after");
        refused(&format!("{PKCS8}{}", " ".repeat(1 << 16)), Malformed, "65536 of a key file");
        let (_, der) = single_block(PKCS8).unwrap();
        let fault = PrivateKey::from_pem(&der, &mut || panic!()).unwrap_err();
        assert!(fault.to_string().contains("DER"), "{fault}");
    }

    #[test]
    fn damaged_numbers_are_refused() {
        let (_, der) = single_block(PKCS8).unwrap();
        let secret = der.windows(4).position(|four| four == [0x3f, 0x63, 0x27, 0xbc]).unwrap();
        let wrong = |at: usize, bytes: &[u8]| {
            let mut der = der.clone();
            der[at..at + bytes.len()].copy_from_slice(bytes);
            refused(&write_block("PRIVATE KEY", &der), Code::PrivateKeyMalformed, "");
        };
        wrong(secret, &[0; 32]);
        wrong(secret, &[0xff; 32]);
        // The public half next to it belongs to another key.
        wrong(secret, &[1; 32]);
        wrong(der.len() - 1, &[0]);
        let mut long = der.clone();
        long.push(0);
        refused(&write_block("PRIVATE KEY", &long), Code::PrivateKeyMalformed, "");
    }

    #[test]
    fn debug_shows_the_public_half_only() {
        let key = plain(PKCS8).unwrap();
        let text = format!("{key:?}");
        assert!(text.contains(&key.public().fingerprint().to_string()), "{text}");
        assert!(SECRET.iter().all(|secret| !text.contains(secret)) && !text.contains("63, 99"));
        assert!(text.len() < 130, "{text}");
    }
}
