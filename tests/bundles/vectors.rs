//! The shared vectors: bundles by real clients, and mutations of them. Skipped where they are not.

use std::fs;
use std::path::Path;

use sealift::digest::Sha256Digest;
use sealift::key::{HashAlgorithm, PublicKey};
use sealift::sigstore::{
    FoundDocument, HashRule, Matcher, SignatureBundle, Signer, Subject, Transparency,
    TrustMaterial, VerifyRequest, found_document, verify,
};
use sealift::verdict::{CheckName, Code, Status};
use serde_json::Value;

use crate::common::{Refused, shared, status};

/// Reads and judges one bundle file with a key, over a file.
fn judge(
    directory: &Path,
    (bundle, key, artifact): (&str, &str, &str),
    hash: HashRule,
    transparency: Transparency,
) -> Result<sealift::sigstore::Proof, Refused> {
    let read = |name: &str| fs::read(directory.join(name)).unwrap();
    let key = PublicKey::from_pem(&read(key)).unwrap();
    let trust = TrustMaterial::production().unwrap();
    let request = VerifyRequest {
        signer: Signer::Key { key: &key, hash },
        trust: &trust,
        transparency,
        now: jiff::Timestamp::now(),
    };
    let bundle = SignatureBundle::parse(&read(bundle))?;
    Ok(verify(&bundle, Subject::Bytes(&read(artifact)), &request)?)
}

#[test]
fn bundles_by_cosign_2_and_3() {
    let Some(directory) = shared("vectors/cosign") else { return };
    let no_log = Transparency::AbsentAllowed;
    for (bundle, key) in [
        ("v2.bundle", "test.pub"),
        ("v3old.bundle", "test.pub"),
        ("v2new.bundle", "test.pub"),
        ("v3new.bundle", "test.pub"),
        ("m_highs.bundle", "test.pub"),
        ("m_nl.bundle", "test.pub"),
        ("m_unknown.bundle", "test.pub"),
        ("p384/s256.b", "p384/i.pub"),
        ("p384/s384.b", "p384/i.pub"),
        ("p384/c3.new", "p384/i.pub"),
        ("rsa/pkcs.b", "rsa/i.pub"),
        ("ed25519/c2.old", "ed25519/i.pub"),
        ("ed25519/c2.new", "ed25519/i.pub"),
        ("ed25519/c3.old", "ed25519/i.pub"),
        ("ed25519/c3.new", "ed25519/i.pub"),
    ] {
        let files = (bundle, key, "digest.txt");
        let proof = judge(&directory, files, HashRule::Known, no_log)
            .unwrap_or_else(|refused| panic!("{bundle}: {refused:?}"));
        assert!(proof.signature_only(), "{bundle}");
        let expected = match bundle {
            "p384/s384.b" | "p384/c3.new" => Some(HashAlgorithm::Sha384),
            _ if bundle.starts_with("ed25519") => None,
            _ => Some(HashAlgorithm::Sha256),
        };
        assert_eq!(proof.hash(), expected, "{bundle}");
        if bundle == "m_unknown.bundle" {
            assert!(proof.notes().iter().any(|note| note.contains("foo")));
        }
        let required = judge(&directory, files, HashRule::Known, Transparency::Required);
        assert_eq!(required.unwrap_err().code(), Code::LogEntryMissing, "{bundle}");
    }
    let real = ("real-old.bundle", "real-old.pub", "real-old.artifact");
    let proof = judge(&directory, real, HashRule::Known, Transparency::Required).unwrap();
    assert_eq!(status(proof.checks(), CheckName::LogPromise), Status::Passed);
    assert_eq!(proof.times()[0].source, "https://rekor.sigstore.dev");
    let null = ("r_null.bundle", "real-old.pub", "real-old.artifact");
    assert!(judge(&directory, null, HashRule::Known, no_log).unwrap().signature_only());
}

#[test]
fn broken_bundles_by_cosign() {
    let Some(directory) = shared("vectors/cosign") else { return };
    for (bundle, artifact, code) in [
        ("evil.bundle", "evil.txt", Code::BundleKeyMismatch),
        ("m_p1363.bundle", "digest.txt", Code::SignatureInvalid),
        ("m_trail.bundle", "digest.txt", Code::SignatureInvalid),
        ("m_dup.bundle", "digest.txt", Code::BundleMalformed),
        ("m_case.bundle", "digest.txt", Code::BundleMalformed),
        ("m_trailjson.bundle", "digest.txt", Code::BundleMalformed),
        ("rsa/pss.b", "digest.txt", Code::SignatureInvalid),
        ("r_time.bundle", "real-old.artifact", Code::LogPromiseInvalid),
        ("r_logid.bundle", "real-old.artifact", Code::LogUnknown),
        ("r_idxfloat.bundle", "real-old.artifact", Code::LogEntryMalformed),
    ] {
        let key = match bundle {
            _ if bundle.starts_with("r_") => "real-old.pub",
            "rsa/pss.b" => "rsa/i.pub",
            _ => "test.pub",
        };
        for transparency in [Transparency::Required, Transparency::AbsentAllowed] {
            let answer = judge(&directory, (bundle, key, artifact), HashRule::Known, transparency);
            assert_eq!(answer.unwrap_err().code(), code, "{bundle}");
        }
    }
    let raw = ("m_p1363.bundle", "test.pub", "digest.txt");
    let refused = judge(&directory, raw, HashRule::Known, Transparency::Required).unwrap_err();
    assert!(refused.refusal().likely_causes[0].contains("P1363"));
}

#[test]
fn the_hash_rule_is_kept_and_its_breach_explained() {
    let Some(directory) = shared("vectors/cosign") else { return };
    let no_log = Transparency::AbsentAllowed;
    for (bundle, right, wrong) in [
        ("p384/s256.b", HashAlgorithm::Sha256, HashAlgorithm::Sha384),
        ("p384/s384.b", HashAlgorithm::Sha384, HashAlgorithm::Sha256),
    ] {
        let files = (bundle, "p384/i.pub", "digest.txt");
        judge(&directory, files, HashRule::Exactly(right), no_log).unwrap();
        let refused = judge(&directory, files, HashRule::Exactly(wrong), no_log).unwrap_err();
        assert_eq!(refused.code(), Code::SignatureInvalid);
        assert!(refused.refusal().likely_causes[0].contains(right.name()));
    }
}

#[test]
fn ed25519_needs_the_whole_message() {
    let Some(directory) = shared("vectors/cosign") else { return };
    let read = |name: &str| fs::read(directory.join(name)).unwrap();
    let key = PublicKey::from_pem(&read("ed25519/i.pub")).unwrap();
    let trust = TrustMaterial::production().unwrap();
    let request = VerifyRequest {
        signer: Signer::Key { key: &key, hash: HashRule::Known },
        trust: &trust,
        transparency: Transparency::AbsentAllowed,
        now: jiff::Timestamp::now(),
    };
    let bundle = SignatureBundle::parse(&read("ed25519/c3.new")).unwrap();
    let message = read("digest.txt");
    verify(&bundle, Subject::Reader(&mut &message[..]), &request).unwrap();
    let digest = Subject::Digest(Sha256Digest::of(&message));
    let refusal = verify(&bundle, digest, &request).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::WholeMessageNeeded);
    let mut endless = std::io::repeat(b'x');
    let refusal = verify(&bundle, Subject::Reader(&mut endless), &request).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::WholeMessageNeeded);
}

#[test]
fn a_keyless_bundle_is_not_for_a_key() {
    let Some(directory) = shared("vectors") else { return };
    let key = "../../cosign/test.pub";
    let old = directory.join("bundles/old-rs-something");
    let files = ("bundle.cosign.bundle", key, "artifact");
    let refused = judge(&old, files, HashRule::Known, Transparency::Required).unwrap_err();
    assert_eq!(refused.code(), Code::BundleKeyMismatch);
    assert!(refused.refusal().likely_causes[0].contains("keyless"));
    let new_format = directory.join("bundles/py-bundle-v3-github-whl");
    let files = ("bundle.sigstore.json", key, "artifact");
    let refused = judge(&new_format, files, HashRule::Known, Transparency::Required).unwrap_err();
    assert_eq!(refused.code(), Code::SignerKindMismatch);
}

/// One `case.json`.
struct Case {
    name: String,
    directory: std::path::PathBuf,
    json: Value,
}

impl Case {
    fn path(&self, field: &str) -> Option<std::path::PathBuf> {
        self.json[field].as_str().map(|name| self.directory.join(name))
    }

    fn judge(
        &self,
        change: impl Fn(&mut Matcher, &mut Matcher),
    ) -> Result<sealift::sigstore::Proof, Refused> {
        let read = |field: &str| self.path(field).map(|path| fs::read(path).unwrap());
        let trust = TrustMaterial::from_json(&read("trusted_root").unwrap()).unwrap();
        let key = read("key").map(|file| PublicKey::from_pem(&file).unwrap());
        let signer = match &key {
            Some(key) => Signer::Key { key, hash: HashRule::Known },
            None => {
                let text =
                    |field: &str| Matcher::exact(self.json[field].as_str().unwrap()).unwrap();
                let (mut identity, mut issuer) = (text("identity"), text("issuer"));
                change(&mut identity, &mut issuer);
                Signer::Identity { identity, issuer }
            }
        };
        let request = VerifyRequest {
            signer,
            trust: &trust,
            transparency: Transparency::Required,
            now: jiff::Timestamp::now(),
        };
        let bundle = SignatureBundle::parse(&read("bundle").unwrap())?;
        let artifact = read("artifact");
        let subject = match &artifact {
            Some(bytes) => Subject::Bytes(bytes),
            None => Subject::Digest(self.json["digest"].as_str().unwrap().parse().unwrap()),
        };
        Ok(verify(&bundle, subject, &request)?)
    }
}

fn cases() -> Vec<Case> {
    let Some(directory) = shared("vectors/bundles") else { return Vec::new() };
    let mut cases = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let directory = entry.unwrap().path();
        let json: Value =
            serde_json::from_slice(&fs::read(directory.join("case.json")).unwrap()).unwrap();
        cases.push(Case { name: json["name"].as_str().unwrap().to_owned(), directory, json });
    }
    cases
}

#[test]
fn bundles_by_other_clients() {
    let mut judged = 0;
    for case in cases() {
        let format = case.json["format"].as_str().unwrap();
        let gate = matches!(format, "sigstore-bundle" | "cosign-old" | "cosign-old-key");
        let answer = case.judge(|_, _| {});
        if gate || case.name == "rust-managed-key-no-tlog" {
            let good = case.json["expect"] == "pass";
            assert_eq!(answer.is_ok(), good, "{}: {answer:?}", case.name);
            judged += 1;
        }
    }
    assert!(judged == 0 || judged > 40);
}

#[test]
fn a_keyless_proof_says_who_signed_and_patterns_find_it() {
    let wanted = ["py-bundle-v3-github-whl", "old-rs-something", "rust-conda-attestation-rekor2"];
    for case in cases().into_iter().filter(|case| wanted.contains(&&*case.name)) {
        let proof = case.judge(|_, _| {}).unwrap();
        for name in [CheckName::Certificate, CheckName::Identity, CheckName::Library] {
            assert_eq!(status(proof.checks(), name), Status::Passed, "{}", case.name);
        }
        let identity =
            proof.checks().iter().find(|check| check.name == CheckName::Identity).unwrap();
        assert_eq!(identity.values["identity"], case.json["identity"].as_str().unwrap());
        assert!(!proof.times().is_empty() && !proof.signature_only());

        case.judge(|identity, _| *identity = Matcher::pattern("github|gmail|goto").unwrap())
            .unwrap();
        let refused = case.judge(|_, issuer| *issuer = Matcher::pattern("^nobody").unwrap());
        assert_eq!(refused.unwrap_err().code(), Code::IdentityMismatch);
    }
}

#[test]
fn an_attestation_by_sha512_needs_more_than_a_sha256() {
    for case in cases().into_iter().filter(|case| case.name == "go-npm-provenance") {
        case.judge(|_, _| {}).unwrap();
        let mut case = case;
        case.json["artifact"] = Value::Null;
        let refused = case.judge(|_, _| {}).unwrap_err();
        assert_eq!(refused.code(), Code::WholeMessageNeeded);
    }
}

#[test]
fn what_is_genuine_counts_where_it_is_found_as_where_it_is_named() {
    let mut counts = [0, 0, 0];
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release");
    for directory in shared("vectors").into_iter().chain([example]) {
        for entry in walk(&directory) {
            let bytes = fs::read(&entry).unwrap();
            let name = entry.display();
            if let Ok(key) = PublicKey::from_pem(&bytes) {
                assert_eq!(PublicKey::from_found("k.pub", &bytes).unwrap(), key, "{name}");
                counts[0] += 1;
            }
            if SignatureBundle::parse(&bytes).is_ok() && !name.to_string().contains("m_unknown") {
                assert!(
                    matches!(found_document(&bytes), Ok(Some(FoundDocument::Bundle(_)))),
                    "{name}"
                );
                counts[1] += 1;
            }
            if TrustMaterial::from_json(&bytes).is_ok() {
                assert!(
                    matches!(found_document(&bytes), Ok(Some(FoundDocument::TrustedRoot))),
                    "{name}"
                );
                counts[2] += 1;
            }
        }
    }
    eprintln!("keys, bundles, roots: {counts:?}");
    let production = TrustMaterial::production_bytes();
    assert!(matches!(found_document(&production), Ok(Some(FoundDocument::TrustedRoot))));
}

/// Files of at most a few MiB, at every depth.
fn walk(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.metadata().is_ok_and(|it| it.len() < 4 << 20) {
                files.push(path);
            }
        }
    }
    files
}
