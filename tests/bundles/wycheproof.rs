//! Project Wycheproof's cases for every signature scheme, through our keys and through the provider
//! that the sigstore crates call.

use sealift::key::{HashAlgorithm, PublicKey};
use sealift::sigstore::TrustMaterial;
use sigstore_verify::crypto::{SigningScheme, verify_signature};
use sigstore_verify::types::{DerPublicKey, SignatureBytes};
use wycheproof::TestResult;

/// What came out of a set of cases.
#[derive(Default, Debug)]
struct Tally {
    valid: usize,
    invalid: usize,
    /// Cases that are "acceptable" and that we accept, by number.
    accepted: Vec<usize>,
    /// Cases that are "acceptable" and that we refuse.
    refused: usize,
}

struct Case<'a> {
    number: usize,
    message: &'a [u8],
    signature: &'a [u8],
    expected: TestResult,
}

impl Tally {
    fn judge(
        &mut self,
        key: &PublicKey,
        (hash, scheme): (HashAlgorithm, SigningScheme),
        case: &Case<'_>,
    ) {
        let ours = key.verify_message(hash, case.message, case.signature).is_ok();
        let theirs = verify_signature(
            &DerPublicKey::new(key.spki_der().to_vec()),
            case.message,
            &SignatureBytes::from_bytes(case.signature),
            scheme,
        )
        .is_ok();
        assert_eq!(ours, theirs, "{scheme:?} case {}", case.number);
        match case.expected {
            TestResult::Valid => {
                assert!(ours, "{scheme:?} case {} is valid", case.number);
                self.valid += 1;
            }
            TestResult::Invalid => {
                assert!(!ours, "{scheme:?} case {} is invalid", case.number);
                self.invalid += 1;
            }
            TestResult::Acceptable if ours => self.accepted.push(case.number),
            TestResult::Acceptable => self.refused += 1,
        }
    }
}

fn install() {
    TrustMaterial::production().unwrap();
}

#[test]
fn ecdsa() {
    use wycheproof::ecdsa::{TestName, TestSet};
    install();
    for (name, hash, scheme) in [
        (TestName::EcdsaSecp256r1Sha256, HashAlgorithm::Sha256, SigningScheme::EcdsaP256Sha256),
        (TestName::EcdsaSecp384r1Sha384, HashAlgorithm::Sha384, SigningScheme::EcdsaP384Sha384),
        (TestName::EcdsaSecp384r1Sha256, HashAlgorithm::Sha256, SigningScheme::EcdsaP384Sha256),
    ] {
        let set = TestSet::load(name).unwrap();
        let mut tally = Tally::default();
        for group in &set.test_groups {
            let key = PublicKey::from_pem(group.pem.as_bytes()).unwrap();
            for test in &group.tests {
                let case = Case {
                    number: test.tc_id,
                    message: &test.msg,
                    signature: &test.sig,
                    expected: test.result,
                };
                tally.judge(&key, (hash, scheme), &case);
            }
        }
        assert!(tally.valid > 100 && tally.invalid > 100, "{tally:?}");
        assert_eq!((tally.accepted.len(), tally.refused), (0, 0), "{tally:?}");
    }
}

#[test]
fn ed25519() {
    use wycheproof::eddsa::{TestName, TestSet};
    install();
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let key = PublicKey::from_pem(group.pem.as_bytes()).unwrap();
        for test in &group.tests {
            let case = Case {
                number: test.tc_id,
                message: &test.msg,
                signature: &test.sig,
                expected: test.result,
            };
            tally.judge(&key, (HashAlgorithm::Sha512, SigningScheme::Ed25519), &case);
        }
    }
    assert!(tally.valid > 50 && tally.invalid > 50, "{tally:?}");
    assert_eq!((tally.accepted.len(), tally.refused), (0, 0), "{tally:?}");
}

#[test]
fn rsa_pkcs1() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    install();
    let sha256 = (HashAlgorithm::Sha256, SigningScheme::RsaPkcs1Sha256);
    for (name, algorithm) in [
        (TestName::Rsa2048Sha256, sha256),
        (TestName::Rsa3072Sha256, sha256),
        (TestName::Rsa4096Sha256, sha256),
        (TestName::Rsa8192Sha256, sha256),
        (TestName::Rsa2048Sha384, (HashAlgorithm::Sha384, SigningScheme::RsaPkcs1Sha384)),
        (TestName::Rsa2048Sha512, (HashAlgorithm::Sha512, SigningScheme::RsaPkcs1Sha512)),
    ] {
        let set = TestSet::load(name).unwrap();
        let mut tally = Tally::default();
        for group in &set.test_groups {
            let key = PublicKey::from_pem(group.pem.as_bytes()).unwrap();
            for test in &group.tests {
                let case = Case {
                    number: test.tc_id,
                    message: &test.msg,
                    signature: &test.sig,
                    expected: test.result,
                };
                tally.judge(&key, algorithm, &case);
            }
        }
        assert!(tally.valid > 5 && tally.invalid > 100, "{tally:?}");
        // "Acceptable" is a padding whose AlgorithmIdentifier lacks its NULL: RFC 8017 section 9.2
        // lets verifiers take it, and we don't.
        assert_eq!(tally.accepted, [0_usize; 0], "{tally:?}");
    }
}
