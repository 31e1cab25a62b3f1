//! The two forms of a seal's signature, to the byte (`bundle-format/`).

use base64ct::{Base64, Encoding as _};

use crate::digest::Sha256Digest;
use crate::verdict::{Code, Fault};

/// The bytes of `manifest.json.sig`: base64 of the DER signature, and a newline.
#[must_use]
pub fn signature_file(der: &[u8]) -> Vec<u8> {
    let mut bytes = Base64::encode_string(der).into_bytes();
    bytes.push(b'\n');
    bytes
}

/// The DER signature in `manifest.json.sig`.
///
/// # Errors
/// [`Code::SealMalformed`] for anything but one line of padded standard base64.
pub fn parse_signature_file(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let refuse = || {
        let message = "not one line of standard base64 that ends in a newline";
        Fault::new(Code::SealMalformed, message)
    };
    let text = bytes.strip_suffix(b"\n").ok_or_else(refuse)?;
    let text = std::str::from_utf8(text).map_err(|_| refuse())?;
    let der = Base64::decode_vec(text).map_err(|_| refuse())?;
    if der.is_empty() { Err(refuse()) } else { Ok(der) }
}

/// The bytes of `manifest.json.sigstore.json`: a Sigstore bundle v0.3 with the signature, the
/// signer's fingerprint as its hint, and the manifest's digest; without white space, and a newline.
#[must_use]
pub fn sigstore_file(der: &[u8], signer: &Sha256Digest, manifest: &Sha256Digest) -> Vec<u8> {
    format!(
        concat!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","#,
            r#""verificationMaterial":{{"publicKey":{{"hint":"{hint}"}}}},"#,
            r#""messageSignature":{{"messageDigest":{{"algorithm":"SHA2_256","digest":"{digest}"}},"#,
            r#""signature":"{signature}"}}}}"#,
            "\n"
        ),
        hint = Base64::encode_string(signer.as_bytes()),
        digest = Base64::encode_string(manifest.as_bytes()),
        signature = Base64::encode_string(der),
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigstore::SignatureBundle;

    #[test]
    fn the_signature_file_has_one_form() {
        let file = signature_file(b"der");
        assert_eq!(file, b"ZGVy\n");
        assert_eq!(parse_signature_file(&file).unwrap(), b"der");
        for bad in [
            &b"ZGVy"[..],
            b"ZGVy\n\n",
            b"ZGVy\r\n",
            b" ZGVy\n",
            b"ZG\nVy\n",
            b"\n",
            b"ZGVyZA\n",
            b"\xff\n",
            b"",
        ] {
            assert_eq!(parse_signature_file(bad).unwrap_err().code(), Code::SealMalformed);
        }
    }

    #[test]
    fn the_bundle_is_one_that_our_own_reader_takes() {
        let digest = Sha256Digest::of(b"manifest");
        let file = sigstore_file(b"der", &Sha256Digest::of(b"key"), &digest);
        let bundle = SignatureBundle::parse(&file).unwrap();
        assert_eq!(bundle.signature(), b"der");
        assert_eq!(bundle.stated_digest().unwrap().1, digest.to_hex());
    }
}
