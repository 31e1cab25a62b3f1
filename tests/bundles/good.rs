//! What holds, and what the proof says about it.

use std::io::Read;

use sealift::digest::Sha256Digest;
use sealift::key::{HashAlgorithm, PublicKey};
use sealift::sigstore::{Format, SignatureBundle, Subject, signature_holds, verify};
use sealift::verdict::{CheckName, Code, Outcome, Status};
use serde_json::json;

use crate::common::{MESSAGE, TIME, World, status};
use crate::support::log;

const LOG_CHECKS: [CheckName; 4] =
    [CheckName::LogEntry, CheckName::LogPromise, CheckName::InclusionProof, CheckName::Checkpoint];

#[test]
fn an_old_bundle_proves_signature_promise_and_time() {
    let world = World::new();
    let proof = world.judge_value(&world.old()).unwrap();
    let expected = [
        (CheckName::Signature, Status::Passed),
        (CheckName::BundleKey, Status::NotPresent),
        (CheckName::Library, Status::Passed),
        (CheckName::LogEntry, Status::Passed),
        (CheckName::LogPromise, Status::Passed),
        (CheckName::InclusionProof, Status::NotPresent),
        (CheckName::Checkpoint, Status::NotPresent),
        (CheckName::Timestamp, Status::NotPresent),
        (CheckName::Certificate, Status::NotPresent),
    ];
    let found: Vec<_> = proof.checks().iter().map(|check| (check.name, check.status)).collect();
    assert_eq!(found, expected);
    let promise = &proof.checks()[4].values;
    assert_eq!(promise["log"], "https://log.test");
    assert_eq!(promise["index"], "5");
    assert_eq!(promise["time"], "2025-01-01T00:00:00Z");
    assert_eq!(proof.times().len(), 1);
    assert_eq!(proof.times()[0].time.as_second(), i64::try_from(TIME).unwrap());
    assert_eq!(proof.key(), world.key.fingerprint());
    assert_eq!(proof.hash(), Some(HashAlgorithm::Sha256));
    assert!(!proof.signature_only());
}

#[test]
fn a_new_bundle_proves_all_that_the_log_signs() {
    let world = World::new();
    for media_type in [
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle.v0.1+json",
        "application/vnd.dev.sigstore.bundle.v0.2+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
    ] {
        let mut bundle = world.new_format();
        bundle["mediaType"] = media_type.into();
        let proof = world.judge_value(&bundle).unwrap();
        for name in LOG_CHECKS {
            assert_eq!(status(proof.checks(), name), Status::Passed, "{media_type}: {name:?}");
        }
    }
}

#[test]
fn what_may_be_absent_or_spelt_otherwise_in_a_new_bundle() {
    let world = World::new();
    let entry = "/verificationMaterial/tlogEntries/0";
    let changes: [(&str, &str, serde_json::Value); 8] = [
        ("/messageSignature", "messageDigest", json!({})),
        ("/messageSignature", "messageDigest", json!(null)),
        ("/verificationMaterial", "timestampVerificationData", json!(null)),
        ("/verificationMaterial", "timestampVerificationData", json!({"rfc3161Timestamps": []})),
        ("/verificationMaterial/publicKey", "hint", json!("SHA256:anything at all")),
        ("/verificationMaterial", "publicKey", json!({})),
        (entry, "logIndex", json!(5)),
        (entry, "integratedTime", json!(TIME)),
    ];
    for (place, field, value) in changes {
        let mut bundle = world.new_format();
        bundle.pointer_mut(place).unwrap()[field] = value.clone();
        world.judge_value(&bundle).unwrap_or_else(|refused| {
            panic!("{place}/{field} = {value}: {:?}", refused.code());
        });
    }
    let mut bundle = world.new_format();
    let signature = bundle["messageSignature"]["signature"].as_str().unwrap();
    let url_safe = signature.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
    bundle["messageSignature"]["signature"] = url_safe.into();
    world.judge_value(&bundle).unwrap();
}

#[test]
fn an_entry_without_a_promise_proves_no_time() {
    let world = World::new();
    let mut bundle = world.new_format();
    let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
    entry["inclusionPromise"] = json!(null);
    entry["integratedTime"] = "1".into();
    let proof = world.judge_value(&bundle).unwrap();
    assert_eq!(status(proof.checks(), CheckName::LogPromise), Status::NotPresent);
    assert_eq!(status(proof.checks(), CheckName::InclusionProof), Status::Passed);
    assert!(proof.times().is_empty());
}

#[test]
fn a_rekor_v2_entry_holds_by_its_proof() {
    let world = World::new();
    let body =
        log::hashedrekord_v2(&log::sha256(MESSAGE), &world.signature(), &world.signer.spki());
    let mut bundle = world.new_with(&world.entry(&body));
    let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
    entry["inclusionPromise"] = json!(null);
    entry["integratedTime"] = json!(null);
    let proof = world.judge_value(&bundle).unwrap();
    assert_eq!(status(proof.checks(), CheckName::Checkpoint), Status::Passed);
    assert!(proof.times().is_empty());

    bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"] = json!(null);
    assert_eq!(world.code(&bundle), Code::LogEntryMalformed);
}

#[test]
fn without_an_entry_only_the_signature_is_checked_and_only_on_request() {
    let digest = log::sha256(MESSAGE);
    let world = World::new();
    let bundles = [
        log::old_bundle(&world.signature(), None),
        log::new_bundle(&digest, &world.signature(), None),
    ];
    for bundle in &bundles {
        let refusal = world.judge_value(bundle).unwrap_err().refusal();
        assert_eq!(refusal.fault.code(), Code::LogEntryMissing);
        assert_eq!(status(&refusal.checks, CheckName::Signature), Status::Passed);
    }
    let world = World::new().ignoring_log();
    for bundle in &bundles {
        let proof = world.judge_value(bundle).unwrap();
        assert!(proof.signature_only());
        assert!(proof.notes().iter().any(|note| note.contains("nothing but the signature")));
        assert_eq!(status(proof.checks(), CheckName::Library), Status::NotChecked);
        for name in LOG_CHECKS {
            assert_eq!(status(proof.checks(), name), Status::NotPresent);
        }
    }
}

#[test]
fn a_bare_signature_is_base64_or_raw() {
    let world = World::new().ignoring_log();
    let signature = world.signature();
    for file in [signature.clone(), format!("{}\n", log::base64(&signature)).into_bytes()] {
        let bundle = SignatureBundle::detached(&file).unwrap();
        assert_eq!(bundle.format(), Format::Detached);
        assert!(
            verify(&bundle, Subject::Bytes(MESSAGE), &world.request()).unwrap().signature_only()
        );
        assert!(verify(&bundle, Subject::Bytes(b"other"), &world.request()).is_err());
    }
    assert_eq!(SignatureBundle::detached(b"").unwrap_err().code(), Code::BundleMalformed);
}

#[test]
fn bytes_digest_and_reader_give_one_answer() {
    let world = World::new();
    let bundle = SignatureBundle::parse(world.new_format().to_string().as_bytes()).unwrap();
    for (message, good) in [(MESSAGE, true), (&b"other"[..], false)] {
        let request = world.request();
        let bytes = verify(&bundle, Subject::Bytes(message), &request);
        let digest = verify(&bundle, Subject::Digest(Sha256Digest::of(message)), &request);
        let mut reader = message;
        let read = verify(&bundle, Subject::Reader(&mut reader), &request);
        for answer in [bytes, digest, read] {
            assert_eq!(answer.is_ok(), good);
            if let Err(refusal) = answer {
                assert_eq!(refusal.fault.code(), Code::DigestMismatch);
            }
        }
    }
}

#[test]
fn a_reader_is_read_once_in_any_pieces() {
    /// Gives its bytes in pieces of odd sizes, and is interrupted now and then.
    struct Pieces<'a>(&'a [u8], usize);
    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            let wanted = buffer.len().min(self.1 * 7919 % 100_003 + 1);
            self.0.read(&mut buffer[..wanted])
        }
    }
    let world = World::new().ignoring_log();
    let message: Vec<u8> = (0..700_000_u32).map(|index| (index % 251) as u8).collect();
    let bundle = log::old_bundle(&world.signer.sign(&message), None).to_string();
    let bundle = SignatureBundle::parse(bundle.as_bytes()).unwrap();
    let request = world.request();
    verify(&bundle, Subject::Reader(&mut Pieces(&message, 0)), &request).unwrap();
    let cut = &message[..message.len() - 1];
    let refusal = verify(&bundle, Subject::Reader(&mut Pieces(cut, 0)), &request).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::SignatureInvalid);
}

/// A P-384 signature over a digest, and its key as PEM.
fn p384(digest: &[u8]) -> (Vec<u8>, String) {
    use p384::ecdsa::signature::hazmat::PrehashSigner as _;
    let key = p384::ecdsa::SigningKey::from_slice(&[3; 48]).unwrap();
    let signature: p384::ecdsa::Signature = key.sign_prehash(digest).unwrap();
    let prefix = [
        0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05,
        0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
    ];
    let point = key.verifying_key().to_encoded_point(false);
    let spki = log::base64([&prefix, point.as_bytes()].concat());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{spki}\n-----END PUBLIC KEY-----\n");
    (signature.to_der().as_bytes().to_vec(), pem)
}

#[test]
fn a_logged_p384_signature_over_either_hash() {
    for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384] {
        let mut world = World::new();
        let (signature, pem) = p384(&hash.digest(MESSAGE));
        world.key = PublicKey::from_pem(pem.as_bytes()).unwrap();
        let body = log::hashedrekord(&log::sha256(MESSAGE), &signature, &pem);
        // An old bundle does not say which hash; the library would guess SHA-384.
        let bundle = log::old_bundle(&signature, Some(&world.entry(&body)));
        let proof = world.judge_value(&bundle).unwrap();
        assert_eq!(proof.hash(), Some(hash));
        assert_eq!(status(proof.checks(), CheckName::Library), Status::Passed);

        let bundle = SignatureBundle::parse(bundle.to_string().as_bytes()).unwrap();
        let digest = |message: &[u8]| {
            verify(&bundle, Subject::Digest(Sha256Digest::of(message)), &world.request())
                .map_err(|refusal| refusal.fault.code())
                .map(|proof| proof.hash())
        };
        let expected = match hash {
            HashAlgorithm::Sha384 => Err(Code::WholeMessageNeeded),
            _ => Ok(Some(hash)),
        };
        assert_eq!(digest(MESSAGE), expected);
        assert_eq!(digest(b"other"), Err(Code::DigestMismatch));
    }
}

#[test]
fn an_artifact_that_cant_be_read_is_undecided() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("medium error"))
        }
    }
    let world = World::new();
    let bundle = SignatureBundle::parse(world.old().to_string().as_bytes()).unwrap();
    let refusal = verify(&bundle, Subject::Reader(&mut Broken), &world.request()).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::Unreadable);
    assert_eq!(refusal.fault.outcome(), Outcome::Undecided);
}

#[test]
fn a_bundle_tells_what_it_says_of_itself() {
    let world = World::new();
    for (bundle, format) in [(world.old(), "cosign"), (world.new_format(), "sigstore-0.3")] {
        let bundle = SignatureBundle::parse(bundle.to_string().as_bytes()).unwrap();
        let digest = log::hex(&log::sha256(MESSAGE));
        assert_eq!(bundle.stated_digest(), Some((HashAlgorithm::Sha256, digest.clone())));
        let said = serde_json::to_value(bundle.describe(Some(&world.trust))).unwrap();
        assert_eq!(said["format"], format);
        assert_eq!(said["stated_digest"], format!("sha256:{digest}"));
        assert_eq!(said["log_entries"][0]["log"], "https://log.test");
        assert_eq!(said["log_entries"][0]["fingerprint"], world.key.fingerprint().to_string());
        assert_eq!(said["signer"]["kind"], "key-elsewhere");
    }
}

#[test]
fn signature_holds_is_for_diagnosis_only() {
    let world = World::new();
    // The log entry is nonsense, and still the signature by itself holds.
    let mut bundle = world.old();
    bundle["rekorBundle"]["Payload"]["logIndex"] = 99.into();
    let bundle = SignatureBundle::parse(bundle.to_string().as_bytes()).unwrap();
    let request = world.request();
    assert!(signature_holds(&bundle, MESSAGE, &request.signer));
    assert!(!signature_holds(&bundle, b"other", &request.signer));
    assert!(verify(&bundle, Subject::Bytes(MESSAGE), &request).is_err());
}
