//! Work is done once for a bundle, however many digests it is held against: counted, not timed.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::artifact::{ArtifactSigner, BundleRules, Clues, TryBudget};
use crate::image::{CandidateKind, Container, Image};
use crate::key::{PrivateKey, PublicKey};
use crate::sigstore::{self, HashRule, Transparency, TrustMaterial};
use crate::trust::VendorProfile;

/// An archive of that many images, each with one digest.
fn archive(images: usize) -> Archive {
    let image = |number: usize| {
        let config = Sha256Digest::of(number.to_string().as_bytes());
        Image {
            config,
            unsigned_tags: Vec::new(),
            labels: BTreeMap::new(),
            platform: "linux/amd64".to_owned(),
            candidates: vec![Candidate { kind: CandidateKind::Config, digest: config }],
            layers: Vec::new(),
            ids_after_load: BTreeMap::new(),
        }
    };
    Archive {
        container: Container::Tar,
        docker: true,
        oci: false,
        images: (0..images).map(image).collect(),
        attestations: Vec::new(),
        claims: Vec::new(),
        notes: Vec::new(),
        if_not_covered: Vec::new(),
        segments: Vec::new(),
    }
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    use base64ct::Encoding as _;
    base64ct::Base64::encode_string(bytes.as_ref())
}

/// A cosign bundle whose log entry states this digest under this algorithm.
fn logged(algorithm: &str, digest: &str, key: &PublicKey) -> NamedBundle {
    let body = json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
        "data": {"hash": {"algorithm": algorithm, "value": digest}},
        "signature": {"content": "AAAA", "publicKey": {"content": base64(key.to_pem())}},
    }});
    let payload = json!({"body": base64(body.to_string()), "integratedTime": 1_700_000_000,
        "logIndex": 1, "logID": "00".repeat(32)});
    bundle(json!({"base64Signature": "AAAA",
        "rekorBundle": {"SignedEntryTimestamp": "AAAA", "Payload": payload}}))
}

fn bundle(value: serde_json::Value) -> NamedBundle {
    let content = Ok(SignatureBundle::parse(value.to_string().as_bytes()).unwrap());
    NamedBundle { name: "x.bundle".to_owned(), content }
}

/// How many log entries were parsed and how many signatures tried, and the answer.
fn judged(
    archive: &Archive,
    bundles: &[NamedBundle],
    key: &PublicKey,
    tries: &TryBudget,
) -> (usize, usize, ArtifactReport) {
    let trust = TrustMaterial::production().unwrap();
    let profile = VendorProfile::k2view().unwrap();
    let rules = BundleRules {
        trust: &trust,
        transparency: Transparency::AbsentAllowed,
        hash: HashRule::Known,
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let by = ArtifactSigner { signer: rules.signer(key, None), profile: &profile };
    let clues = Clues::default();
    let context = VerificationContext { by: &by, called: "a.tar".into(), tries, clues: &clues };
    let before = (sigstore::PARSED.get(), sigstore::TRIED.get());
    let report = image(ArtifactReport::new("a.tar"), archive, bundles, &context);
    (sigstore::PARSED.get() - before.0, sigstore::TRIED.get() - before.1, report)
}

#[test]
fn a_log_entry_is_parsed_once_for_all_digests() {
    let key = PrivateKey::generate().unwrap().public().clone();
    let bundles = [
        logged("sha256", &"ab".repeat(32), &key),
        logged("sha384", &"ab".repeat(48), &key),
        logged("sha512", &"ab".repeat(64), &key),
    ];
    let (parsed, tried, report) = judged(&archive(400), &bundles, &key, &TryBudget::default());
    assert_eq!(report.outcome(), Outcome::Failed);
    assert_eq!(parsed, bundles.len());
    assert_eq!(tried, 0, "a stated digest costs no signature check");
}

#[test]
fn signatures_are_tried_within_one_budget() {
    let key = PrivateKey::generate().unwrap().public().clone();
    let unstated = || bundle(json!({"base64Signature": base64([0x30, 6, 2, 1, 1, 2, 1, 1])}));
    let tries = TryBudget::new(50);
    let (_, tried, report) = judged(&archive(40), &[unstated(), unstated()], &key, &tries);
    assert_eq!(report.code(), Some(Code::ArchiveTooLarge));
    // The diagnosis of the first has a bound of its own.
    assert!(tried <= 50 + 5 * limits::DIAGNOSIS_TRIES, "{tried}");
    let (_, again, _) = judged(&archive(40), &[unstated()], &key, &tries);
    assert_eq!(again, 0, "another key has what is left");
}
