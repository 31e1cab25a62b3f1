//! Private key files through the library: random damage to every form, and real cosign on the other
//! side. What cosign encrypts we open, what we sign cosign verifies. (That cosign signs with
//! our files is `tests/bundles/cosign.rs`.)

use std::fs;
use std::sync::LazyLock;

use crate::support::cosign::{Cosign, programs};
use crate::support::shared;
use crate::support::tools::run;
use base64ct::{Base64, Encoding as _};
use proptest::prelude::*;
use sealift::key::{HashAlgorithm, PrivateKey, PublicKey};
use sealift::verdict::{Code, Fault};
use zeroize::Zeroizing;

fn open(file: &[u8], password: &str) -> Result<PrivateKey, Fault> {
    PrivateKey::from_pem(file, &mut || Ok(Zeroizing::new(password.as_bytes().to_vec())))
}

#[track_caller]
fn holds(public: &PublicKey, key: &PrivateKey) {
    assert_eq!(key.public(), public);
    let signature = key.sign(b"a message");
    assert!(public.verify_message(HashAlgorithm::Sha256, b"a message", &signature).is_ok());
}

#[test]
fn a_key_of_cosign_opens() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("vectors/cosign");
    let file = fs::read(folder.join("test.key")).unwrap();
    let public = PublicKey::from_pem(&fs::read(folder.join("test.pub")).unwrap()).unwrap();
    holds(&public, &open(&file, "pw").unwrap());
    for wrong in ["", "pw\n", "PW"] {
        assert_eq!(open(&file, wrong).unwrap_err().code(), Code::PasswordWrong, "{wrong:?}");
    }
    // The other key of the same folder is another key.
    assert_ne!(
        PublicKey::from_pem(&fs::read(folder.join("real-old.pub")).unwrap()).unwrap(),
        public
    );
}

#[test]
fn cosign_verifies_what_its_own_key_signs_here() {
    let Some(programs) = programs() else { return };
    for maker in [Cosign::Two, Cosign::Three] {
        for password in ["", "pässword 1"] {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            let cosign = |which: Cosign| which.command(programs, folder.path(), password);
            run(cosign(maker).args(["generate-key-pair", "--output-key-prefix", "pair"]))
                .succeeded();
            let file = fs::read(path("pair.key")).unwrap();
            let key = open(&file, password).unwrap();
            assert_eq!(open(&file, "not it").unwrap_err().code(), Code::PasswordWrong);
            assert_eq!(key.public().to_pem(), fs::read_to_string(path("pair.pub")).unwrap());

            fs::write(path("message"), "a message").unwrap();
            fs::write(path("other"), "a massage").unwrap();
            let signature = Base64::encode_string(&key.sign(b"a message"));
            fs::write(path("bundle"), format!(r#"{{"base64Signature":"{signature}"}}"#)).unwrap();
            fs::write(path("signature"), signature).unwrap();
            for judge in [Cosign::Two, Cosign::Three] {
                for form in ["signature", "bundle"] {
                    let verify = |message: &str| {
                        let mut command = cosign(judge);
                        command.args(["verify-blob", "--key", "pair.pub"]);
                        command.args(["--insecure-ignore-tlog", &format!("--{form}"), form]);
                        run(command.arg(message))
                    };
                    let ran = verify("message");
                    let case = format!("{maker:?} {password:?} {judge:?} {form}: {}", ran.text());
                    assert_eq!(ran.status, Some(0), "{case}");
                    assert!(ran.stderr.contains("Verified OK"), "{case}");
                    assert_ne!(verify("other").status, Some(0), "{case}");
                }
            }
        }
    }
}

/// An encrypted key file, and one in plain PKCS#8 (a throwaway key made by OpenSSL).
static SOUND: LazyLock<[String; 2]> = LazyLock::new(|| {
    let plain = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgP2MnvLeqNFAaOG0e
HcmZ65HrKmStpwJgTYG3ZY+0eXOhRANCAAQO88X5Uz3z1fdDuQMy8JIAIcNCUxU1
DdSqr13L0X+fYdHflhi4DX1SGprJupzZpsPKkEFc6Rsvq1kNpqm5PW6/
-----END PRIVATE KEY-----
";
    [PrivateKey::generate().unwrap().to_encrypted_pem(b"pw").unwrap(), plain.to_owned()]
});

/// Reads a file without giving a password; the fuzz target `private_key` asserts the same.
fn read_or_refuse(file: &[u8]) {
    let mut asked = 0;
    let read = PrivateKey::from_pem(file, &mut || {
        asked += 1;
        Err(Fault::new(Code::PasswordMissing, "none"))
    });
    match read {
        Ok(key) => {
            assert_eq!(asked, 0);
            holds(key.public(), &key);
        }
        Err(fault) => {
            let refusals = [Code::PrivateKeyMalformed, Code::PrivateKeyUnsupported];
            if asked == 0 {
                assert!(refusals.contains(&fault.code()), "{fault}");
            } else {
                assert_eq!((asked, fault.code()), (1, Code::PasswordMissing));
            }
        }
    }
}

/// The block of a PEM text with `bytes` in place of what it held.
fn with_body(pem: &str, bytes: &[u8]) -> String {
    let mut lines = pem.lines();
    let (first, last) = (lines.next().unwrap(), lines.next_back().unwrap());
    format!("{first}\n{}\n{last}\n", Base64::encode_string(bytes))
}

fn body(pem: &str) -> Vec<u8> {
    let lines: Vec<&str> = pem.lines().collect();
    Base64::decode_vec(&lines[1..lines.len() - 1].concat()).unwrap()
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_or_refuse(&bytes);
        for pem in SOUND.iter() {
            read_or_refuse(with_body(pem, &bytes).as_bytes());
        }
    }

    #[test]
    fn one_other_byte_in_the_text(at in any::<prop::sample::Index>(), byte: u8, which in 0..2_usize) {
        let mut file = SOUND[which].clone().into_bytes();
        let at = at.index(file.len());
        file[at] = byte;
        read_or_refuse(&file);
        read_or_refuse(&file[..at]);
    }

    #[test]
    fn one_other_byte_in_what_it_holds(at in any::<prop::sample::Index>(), byte: u8, which in 0..2_usize) {
        let mut bytes = body(&SOUND[which]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        read_or_refuse(with_body(&SOUND[which], &bytes).as_bytes());
        read_or_refuse(with_body(&SOUND[which], &bytes[..at]).as_bytes());
    }
}
