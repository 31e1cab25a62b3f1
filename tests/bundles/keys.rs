//! Key files: what is read, and what each wrong file is called.

use sealift::key::{KeyKind, PublicKey};
use sealift::verdict::{Code, Fault};

use crate::support::log::{TestKey, base64, sha256};

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64(der))
}

#[track_caller]
fn refused(file: impl AsRef<[u8]>) -> Fault {
    PublicKey::from_pem(file.as_ref()).expect_err("accepted")
}

/// DER: a tag, a length, the content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        Ok(byte) => out.extend([0x81, byte]),
        Err(_) => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}

fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let padded = if bytes[0] & 0x80 == 0 { bytes.to_vec() } else { [&[0], bytes].concat() };
    der(2, &padded)
}

/// A PKCS#1 key with an odd modulus of this many bits; nobody knows its factors.
fn pkcs1(bits: usize, exponent: &[u8]) -> Vec<u8> {
    let mut modulus = vec![0xa5_u8; bits.div_ceil(8)];
    let top = (bits - 1) % 8;
    modulus[0] = 1 << top;
    *modulus.last_mut().unwrap() |= 1;
    der(0x30, &[unsigned(&modulus), unsigned(exponent)].concat())
}

const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = der(3, &[&[0], key].concat());
    der(0x30, &[algorithm, &bits].concat())
}

#[test]
fn a_p256_key_and_its_fingerprint() {
    let signer = TestKey::new(1);
    let key = PublicKey::from_pem(signer.pem().as_bytes()).unwrap();
    assert_eq!(key.kind(), KeyKind::EcdsaP256);
    assert_eq!(key.kind().to_string(), "ECDSA P-256");
    assert_eq!(key.spki_der(), signer.spki());
    assert_eq!(*key.fingerprint().as_bytes(), sha256(signer.spki()));
    // One long line, and other line ends: the same key.
    for text in [pem("PUBLIC KEY", &signer.spki()), signer.pem().replace('\n', "\r\n")] {
        assert_eq!(PublicKey::from_pem(text.as_bytes()).unwrap(), key);
    }
}

#[test]
fn an_rsa_key_is_one_key_in_both_encodings() {
    for (bits, name) in [(2048, "RSA 2048"), (3072, "RSA 3072"), (8192, "RSA 8192")] {
        let pkcs1 = pkcs1(bits, &[1, 0, 1]);
        let one = PublicKey::from_pem(pem("RSA PUBLIC KEY", &pkcs1).as_bytes()).unwrap();
        let spki = spki(RSA_ALGORITHM, &pkcs1);
        let two = PublicKey::from_pem(pem("PUBLIC KEY", &spki).as_bytes()).unwrap();
        assert_eq!(one, two);
        assert_eq!(one.spki_der(), spki);
        assert_eq!(one.kind().to_string(), name);
    }
    let absent_parameters = &[0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    let second_name = spki(absent_parameters, &pkcs1(2048, &[1, 0, 1]));
    assert_eq!(refused(pem("PUBLIC KEY", &second_name)).code(), Code::KeyMalformed);
}

#[test]
fn weak_rsa_keys() {
    for (bits, exponent) in [
        (1024, &[1, 0, 1][..]),
        (2047, &[1, 0, 1]),
        (8193, &[1, 0, 1]),
        (2048, &[1]),
        (2048, &[2]),
        (2048, &[1, 0, 0]),
        (2048, &[0]),
        (2048, &[3, 0, 0, 0, 0, 0, 0, 0, 1]),
    ] {
        let fault = refused(pem("RSA PUBLIC KEY", &pkcs1(bits, exponent)));
        assert_eq!(fault.code(), Code::KeyUnsupported, "{bits} {exponent:?}: {fault}");
    }
    let mut trailing = pkcs1(2048, &[1, 0, 1]);
    trailing.push(0);
    assert_eq!(refused(pem("RSA PUBLIC KEY", &trailing)).code(), Code::KeyMalformed);
}

#[test]
fn types_that_are_not_supported_are_named() {
    let ec = |curve: &[u8]| {
        let oid = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        der(0x30, &[&oid, &der(6, curve)[..]].concat())
    };
    let other = |oid: &[u8]| der(0x30, &der(6, oid));
    for (algorithm, name) in [
        (ec(&[0x2b, 0x81, 4, 0, 0x23]), "P-521"),
        (ec(&[0x2b, 0x81, 4, 0, 0x21]), "P-224"),
        (ec(&[0x2b, 0x81, 4, 0, 0x0a]), "secp256k1"),
        (ec(&[0x2b, 0x81, 4, 0, 0x09]), "1.3.132.0.9"),
        (other(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0a]), "RSA-PSS"),
        (other(&[0x2b, 0x65, 0x71]), "Ed448"),
        (other(&[0x2b, 0x65, 0x6e]), "X25519"),
        (other(&[0x2a, 0x86, 0x48, 1]), "1.2.840.1"),
    ] {
        let fault = refused(pem("PUBLIC KEY", &spki(&algorithm, &[4; 65])));
        assert_eq!(fault.code(), Code::KeyUnsupported, "{name}: {fault}");
        assert!(fault.to_string().contains(name), "{fault}");
    }
}

#[test]
fn points_that_are_no_keys() {
    let good = TestKey::new(1).spki();
    let (head, point) = good.split_at(26);
    let mut off_curve = good.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    let compressed = spki(&head[2..23], &[&[2], &point[1..33]].concat());
    let short = spki(&head[2..23], &point[..64]);
    let infinity = spki(&head[2..23], &[0]);
    let mut trailing = good.clone();
    trailing.push(0);
    for der in [off_curve, compressed, short, infinity, trailing, Vec::new(), good[..50].to_vec()] {
        assert_eq!(refused(pem("PUBLIC KEY", &der)).code(), Code::KeyMalformed, "{der:?}");
    }
}

/// Text around the one block is no part of the key (RFC 7468, section 2).
#[test]
fn a_named_key_may_have_text_around_it() {
    let good = TestKey::new(1).pem();
    let plain = PublicKey::from_pem(good.as_bytes()).unwrap();
    for file in [format!("my key\n{good}"), format!("{good}# until 2030\n")] {
        assert_eq!(PublicKey::from_pem(file.as_bytes()).unwrap(), plain, "{file}");
    }
}

#[test]
fn every_wrong_file_has_its_own_words() {
    let good = TestKey::new(1).pem();
    let damaged = good.replace("-----END PUBLIC KEY-----\n", "");
    let der = TestKey::new(1).spki();
    let long = "x".repeat(70_000);
    for (file, code, word) in [
        (&b""[..], Code::KeyMalformed, "empty"),
        (b"\n\n", Code::KeyMalformed, "empty"),
        (good.repeat(2).as_bytes(), Code::KeyMalformed, "more than one"),
        (damaged.as_bytes(), Code::KeyMalformed, "damaged"),
        (good.replace("MFkw", "MF!w").as_bytes(), Code::KeyMalformed, "base64"),
        (&der, Code::KeyMalformed, "DER"),
        (long.as_bytes(), Code::KeyMalformed, "bytes"),
        (b"hello", Code::KeyNotAKey, "PEM"),
        (b"{\"base64Signature\":\"\"}", Code::KeyNotAKey, "signature bundle"),
        (b"{\"mediaType\":\"\"}", Code::KeyNotAKey, "signature bundle"),
        (b"{\"a\":1}", Code::KeyNotAKey, "JSON"),
        (pem("CERTIFICATE", &[0x30, 0]).as_bytes(), Code::KeyNotAKey, "CERTIFICATE"),
        (pem("PRIVATE KEY", &[0x30, 0]).as_bytes(), Code::KeyIsPrivate, "private"),
        (pem("EC PRIVATE KEY", &[0x30, 0]).as_bytes(), Code::KeyIsPrivate, "private"),
        (pem("ENCRYPTED SIGSTORE PRIVATE KEY", b"{}").as_bytes(), Code::KeyIsPrivate, "private"),
        // A private key beside the public one is the more important news.
        (
            format!("{good}{}", pem("PRIVATE KEY", &[0x30, 0])).as_bytes(),
            Code::KeyIsPrivate,
            "private",
        ),
    ] {
        let fault = refused(file);
        assert_eq!(fault.code(), code, "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
    }
}
