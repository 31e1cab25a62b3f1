//! The forms in which a log entry may hold the signer's key, on bundles by real clients: a
//! certificate for a key, a key for a certificate, a name that only Fulcio knows.

use std::fs;
use std::path::PathBuf;

use sealift::key::PublicKey;
use sealift::sigstore::{
    HashRule, Matcher, Proof, SignatureBundle, Signer, Subject, Transparency, VerifyRequest, verify,
};
use sealift::verdict::{CheckName, Code, Status};
use serde_json::{Value, json};

use crate::common::{Refused, TIME, shared, status, trust};
use crate::support::log::{self, TestKey, TestLog};

fn json_of(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn bytes_of(base64: &Value) -> Vec<u8> {
    use base64ct::Encoding as _;
    base64ct::Base64::decode_vec(base64.as_str().unwrap()).unwrap()
}

fn judge(
    signer: Signer<'_>,
    bundle: &Value,
    root: &Value,
    message: &[u8],
) -> Result<Proof, Refused> {
    let trust = trust(root);
    let request = VerifyRequest {
        signer,
        trust: &trust,
        transparency: Transparency::Required,
        now: jiff::Timestamp::now(),
    };
    let bundle = SignatureBundle::parse(bundle.to_string().as_bytes())?;
    Ok(verify(&bundle, Subject::Bytes(message), &request)?)
}

#[test]
fn an_entry_with_a_certificate_of_the_operators_key() {
    let Some(directory) = shared("vectors/bundles/js-v1-key") else { return };
    let read = |name: &str| fs::read(directory.join(name)).unwrap();
    let key = PublicKey::from_pem(&read("key.pub")).unwrap();
    let (message, root) = (read("artifact"), json_of(directory.join("trusted_root.json")));
    let good = json_of(directory.join("bundle.sigstore.json"));
    let by = |key| Signer::Key { key, hash: HashRule::Known };
    let proof = judge(by(&key), &good, &root, &message).unwrap();
    assert_eq!(status(proof.checks(), CheckName::LogPromise), Status::Passed);
    assert_eq!(status(proof.checks(), CheckName::Library), Status::Passed);
    assert_eq!(status(proof.checks(), CheckName::Certificate), Status::NotPresent);
    // A timestamp beside the log's promise: the log's time comes first.
    assert_eq!(proof.times().len(), 2);
    assert_eq!(proof.times()[0].time.as_second(), 1_667_957_590);
    assert_eq!(proof.times()[1].source, "timestamp");

    let entry = &good["verificationMaterial"]["tlogEntries"][0];
    for (field, value, code) in [
        ("integratedTime", json!("1667957591"), Code::LogPromiseInvalid),
        ("logIndex", json!("6757504"), Code::LogPromiseInvalid),
    ] {
        let mut bundle = good.clone();
        bundle["verificationMaterial"]["tlogEntries"][0][field] = value;
        assert_eq!(judge(by(&key), &bundle, &root, &message).unwrap_err().code(), code, "{field}");
    }
    let other = PublicKey::from_pem(TestKey::new(2).pem().as_bytes()).unwrap();
    let refusal = judge(by(&other), &good, &root, &message).unwrap_err().refusal();
    assert_eq!(refusal.fault.code(), Code::SignatureInvalid);
    assert!(refusal.likely_causes[0].contains(&key.fingerprint().to_string()));

    // The same as an old cosign bundle, which carries the certificate too.
    let body: Value = serde_json::from_slice(&bytes_of(&entry["canonicalizedBody"])).unwrap();
    let certificate = body["spec"]["signature"]["publicKey"]["content"].clone();
    let seconds: u64 = entry["integratedTime"].as_str().unwrap().parse().unwrap();
    let index: u64 = entry["logIndex"].as_str().unwrap().parse().unwrap();
    let old = json!({
        "base64Signature": good["messageSignature"]["signature"],
        "cert": certificate,
        "rekorBundle": {
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": seconds,
                "logIndex": index,
                "logID": log::hex(&bytes_of(&entry["logId"]["keyId"])),
            },
        },
    });
    let proof = judge(by(&key), &old, &root, &message).unwrap();
    assert_eq!(status(proof.checks(), CheckName::BundleKey), Status::Passed);
    // A certificate of another key than the operator's.
    let mismatch = judge(by(&other), &old, &root, &message).unwrap_err();
    assert_eq!(mismatch.code(), Code::BundleKeyMismatch);
}

#[test]
fn a_rekor_v2_entry_with_the_certificates_key_alone() {
    let Some(suite) = shared("vectors/sigstore-conformance/bundle-verify") else { return };
    let directory = suite.join("rekor2-happy-path");
    let good = json_of(directory.join("bundle.sigstore.json"));
    let mut root = json_of(directory.join("trusted_root.json"));
    let message = fs::read(suite.join("a.txt")).unwrap();
    let signer = || Signer::Identity {
        identity: Matcher::pattern("^https://github.com/sigstore-conformance/").unwrap(),
        issuer: Matcher::exact("https://token.actions.githubusercontent.com").unwrap(),
    };
    judge(signer(), &good, &root, &message).unwrap();

    // The certificate and timestamp are real; the log is ours, and its entry names the key alone.
    let log = TestLog::new(7, "log.test");
    root["tlogs"].as_array_mut().unwrap().push(log.tlog());
    let certificate = bytes_of(&good["verificationMaterial"]["certificate"]["rawBytes"]);
    let prefix = &TestKey::new(1).spki()[..26];
    let at = certificate.windows(26).position(|window| window == prefix).unwrap();
    let spki = &certificate[at..at + 91];
    let with_entry_by = |spki: &[u8]| {
        let signature = bytes_of(&good["messageSignature"]["signature"]);
        let body = log::hashedrekord_v2(&log::sha256(&message), &signature, spki);
        let mut entry = log.clone().add(body.to_string().as_bytes(), TIME).tlog_entry();
        entry["inclusionPromise"] = Value::Null;
        entry["integratedTime"] = Value::Null;
        let mut bundle = good.clone();
        bundle["verificationMaterial"]["tlogEntries"] = json!([entry]);
        bundle
    };
    let bundle = with_entry_by(spki);
    let proof = judge(signer(), &bundle, &root, &message).unwrap();
    for name in [CheckName::Checkpoint, CheckName::Certificate, CheckName::Timestamp] {
        assert_eq!(status(proof.checks(), name), Status::Passed, "{name:?}");
    }
    let code =
        |bundle: &Value, root: &Value| judge(signer(), bundle, root, &message).unwrap_err().code();
    assert_eq!(code(&with_entry_by(&TestKey::new(2).spki()), &root), Code::LogEntryMismatch);
    let mut bad = bundle.clone();
    bad["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["hashes"] = json!([]);
    assert_eq!(code(&bad, &root), Code::InclusionProofInvalid);
    let mut bad = bundle.clone();
    bad["verificationMaterial"]["timestampVerificationData"] = Value::Null;
    assert_eq!(code(&bad, &root), Code::TimestampMissing);
    let mut no_authority = root.clone();
    no_authority["certificateAuthorities"] = json!([]);
    assert_eq!(code(&bundle, &no_authority), Code::CertificateInvalid);
    let mut no_ct_log = root.clone();
    no_ct_log["ctlogs"] = json!([]);
    assert_eq!(code(&bundle, &no_ct_log), Code::CertificateInvalid);
}

#[test]
fn a_keyless_bundle_needs_a_time_even_when_it_needs_no_entry() {
    let Some(suite) = shared("vectors/sigstore-conformance/bundle-verify") else { return };
    let directory = suite.join("rekor2-happy-path");
    let root = trust(&json_of(directory.join("trusted_root.json")));
    let message = fs::read(suite.join("a.txt")).unwrap();
    let mut request = VerifyRequest {
        signer: Signer::Identity {
            identity: Matcher::pattern("sigstore-conformance").unwrap(),
            issuer: Matcher::pattern("token.actions").unwrap(),
        },
        trust: &root,
        transparency: Transparency::AbsentAllowed,
        now: jiff::Timestamp::now(),
    };
    let mut bundle = json_of(directory.join("bundle.sigstore.json"));
    bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    let judge = |bundle: &Value, request: &VerifyRequest<'_>| {
        let bundle = SignatureBundle::parse(bundle.to_string().as_bytes()).unwrap();
        verify(&bundle, Subject::Bytes(&message), request)
    };
    let proof = judge(&bundle, &request).unwrap();
    assert!(!proof.signature_only() && proof.times()[0].source == "timestamp");

    let proven = proof.times()[0].time;
    request.now = proven;
    judge(&bundle, &request).unwrap();
    request.now = proven - jiff::SignedDuration::from_secs(1);
    let refusal = judge(&bundle, &request).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::TimeInFuture);
    assert_eq!(status(&refusal.checks, CheckName::Timestamp), Status::Failed);

    request.now = jiff::Timestamp::now();
    bundle["verificationMaterial"]["timestampVerificationData"] = Value::Null;
    assert_eq!(judge(&bundle, &request).unwrap_err().fault.code(), Code::TimestampMissing);
}

#[test]
fn logged_signatures_by_rsa_and_ed25519() {
    let Some(directory) = shared("vectors/cosign") else { return };
    let read = |name: &str| fs::read(directory.join(name)).unwrap();
    let message = read("digest.txt");
    let log = TestLog::new(7, "log.test");
    for (bundle, key) in [("rsa/pkcs.b", "rsa/i.pub"), ("ed25519/c2.old", "ed25519/i.pub")] {
        let pem = String::from_utf8(read(key)).unwrap();
        let key = PublicKey::from_pem(pem.as_bytes()).unwrap();
        let signature = bytes_of(&json_of(directory.join(bundle))["base64Signature"]);
        let body = log::hashedrekord(&log::sha256(&message), &signature, &pem);
        let entry = log.clone().add(body.to_string().as_bytes(), TIME);
        let signer = || Signer::Key { key: &key, hash: HashRule::Known };
        let good = log::old_bundle(&signature, Some(&entry));
        let proof = judge(signer(), &good, &log.trusted_root(), &message).unwrap();
        assert_eq!(status(proof.checks(), CheckName::LogPromise), Status::Passed, "{bundle}");
        let refused = judge(signer(), &good, &log.trusted_root(), b"other").unwrap_err();
        assert_eq!(refused.code(), Code::DigestMismatch, "{bundle}");
    }
}
