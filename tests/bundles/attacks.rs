//! Attacks on the bundle and its log entry: each part broken by itself, and the code that it gets.

use sealift::key::PublicKey;
use sealift::sigstore::{SignatureBundle, Subject, verify};
use sealift::verdict::{CheckName, Code, Outcome, Status};
use serde_json::{Value, json};

use crate::common::{MESSAGE, TIME, World, status, trust};
use crate::support::log::{self, TestKey, TestLog};

fn tlog_entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// Flips one bit in the middle of a base64 field.
fn flip(value: &mut Value) {
    let mut bytes = decode(value);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *value = log::base64(&bytes).into();
}

fn decode(value: &Value) -> Vec<u8> {
    use base64ct::Encoding as _;
    base64ct::Base64::decode_vec(value.as_str().unwrap()).unwrap()
}

#[test]
fn another_key_is_told_by_both_fingerprints() {
    let mut world = World::new();
    let old = world.old();
    let signer = world.key.fingerprint().to_string();
    world.key = PublicKey::from_pem(TestKey::new(2).pem().as_bytes()).unwrap();
    let refusal = world.judge_value(&old).unwrap_err().refusal();
    assert_eq!(refusal.fault.code(), Code::SignatureInvalid);
    assert_eq!(status(&refusal.checks, CheckName::Signature), Status::Failed);
    assert_eq!(status(&refusal.checks, CheckName::LogPromise), Status::NotChecked);
    let cause = &refusal.likely_causes[0];
    assert!(cause.contains(&signer) && cause.contains(&world.key.fingerprint().to_string()));

    // Without an entry, cosign's key hint tells the same.
    let other = PublicKey::from_pem(TestKey::new(1).pem().as_bytes()).unwrap();
    let mut bundle = log::new_bundle(&log::sha256(MESSAGE), &world.signature(), None);
    bundle["verificationMaterial"]["publicKey"]["hint"] =
        log::base64(other.fingerprint().as_bytes()).into();
    let refusal = world.judge_value(&bundle).unwrap_err().refusal();
    assert_eq!(refusal.fault.code(), Code::SignatureInvalid);
    assert!(refusal.likely_causes[0].contains(&signer), "{:?}", refusal.likely_causes);
}

#[test]
fn another_message_or_a_newline_more() {
    let world = World::new().ignoring_log();
    let newline = [MESSAGE, b"\n"].concat();
    for message in [&b"other"[..], &newline, &MESSAGE[7..], b""] {
        for bundle in [world.old(), world.new_format()] {
            let refused = world.judge_message(bundle.to_string().as_bytes(), message);
            assert_eq!(refused.unwrap_err().code(), Code::DigestMismatch);
        }
        let bare = log::old_bundle(&world.signature(), None).to_string();
        let refused = world.judge_message(bare.as_bytes(), message);
        assert_eq!(refused.unwrap_err().code(), Code::SignatureInvalid);
    }
}

#[test]
fn a_signature_that_is_none() {
    let world = World::new().ignoring_log();
    for signature in ["", "\n", "!", "MEUC", "AAAA"] {
        let code = world.code(&json!({"base64Signature": signature}));
        let expected =
            if signature.len() < 4 { Code::BundleMalformed } else { Code::SignatureInvalid };
        assert_eq!(code, expected, "{signature:?}");
    }
    assert_eq!(world.code(&json!({"rekorBundle": null})), Code::BundleMalformed);
    let mut bundle = world.new_format();
    bundle["messageSignature"]["signature"] = "".into();
    assert_eq!(world.code(&bundle), Code::BundleMalformed);
}

#[test]
fn a_key_in_the_bundle_is_compared_and_never_used() {
    let world = World::new().ignoring_log();
    let attacker = TestKey::new(66);
    // GHSA-fx35-mq7g-6g98: the attacker signs with his key and puts it into the bundle.
    let mut evil = log::old_bundle(&attacker.sign(MESSAGE), None);
    evil["cert"] = log::base64(attacker.pem()).into();
    let refusal = world.judge_value(&evil).unwrap_err().refusal();
    assert_eq!(refusal.fault.code(), Code::BundleKeyMismatch);
    assert_eq!(refusal.fault.expected(), Some(&*world.key.fingerprint().to_string()));
    assert_eq!(status(&refusal.checks, CheckName::BundleKey), Status::Failed);

    // The operator's own key there is what cosign 3.1.0 writes; raw PEM is read too.
    for cert in [log::base64(world.signer.pem()), world.signer.pem()] {
        let mut bundle = world.old();
        bundle["cert"] = cert.into();
        let proof = world.judge_value(&bundle).unwrap();
        assert_eq!(status(proof.checks(), CheckName::BundleKey), Status::Passed);
        bundle["cert"] = log::base64(attacker.pem()).into();
        assert_eq!(world.code(&bundle), Code::BundleKeyMismatch);
    }
    let two_keys = log::base64(world.signer.pem() + &attacker.pem());
    let mut pkcs8 = world.signer.pem();
    pkcs8 = pkcs8.replace("PUBLIC KEY", "SOMETHING");
    for cert in [two_keys, log::base64(pkcs8), log::base64("x"), "?".to_owned()] {
        let mut bundle = world.old();
        bundle["cert"] = cert.into();
        assert_eq!(world.code(&bundle), Code::BundleMalformed);
    }
}

#[test]
fn an_entry_that_belongs_to_something_else() {
    let world = World::new().ignoring_log();
    let (digest, signature, pem) = (log::sha256(MESSAGE), world.signature(), world.signer.pem());
    let other = TestKey::new(2);
    let bodies = [
        // Copied from another signature by the same key over another message.
        log::hashedrekord(&log::sha256(b"o"), &world.signer.sign(b"o"), &pem),
        log::hashedrekord(&log::sha256(b"o"), &signature, &pem),
        log::hashedrekord(&digest, &signature, &other.pem()),
        // Another valid signature, by the same key over the same message.
        log::hashedrekord(&digest, &world.signer.sign_again(MESSAGE), &pem),
        log::hashedrekord(&digest, &other.sign(MESSAGE), &other.pem()),
    ];
    for body in bodies {
        let entry = world.entry(&body);
        for bundle in [log::old_bundle(&signature, Some(&entry)), world.new_with(&entry)] {
            let refusal = world.judge_value(&bundle).unwrap_err().refusal();
            assert_eq!(refusal.fault.code(), Code::LogEntryMismatch, "{body}");
            assert_eq!(status(&refusal.checks, CheckName::LogEntry), Status::Failed);
            assert_eq!(status(&refusal.checks, CheckName::LogPromise), Status::NotChecked);
        }
    }
    // The second signature is a good one by itself: signatures have no one spelling.
    let again = world.signer.sign_again(MESSAGE);
    assert_ne!(again, signature);
    world.judge_value(&log::old_bundle(&again, None)).unwrap();
}

#[test]
fn what_the_promise_signs_cant_be_changed() {
    // Also when no entry is needed: "absent" is relaxed, "present but wrong" is not.
    for world in [World::new(), World::new().ignoring_log()] {
        type Change = fn(&mut Value);
        let changes: [Change; 3] = [
            |bundle| flip(&mut bundle["rekorBundle"]["SignedEntryTimestamp"]),
            |bundle| bundle["rekorBundle"]["Payload"]["integratedTime"] = (TIME + 1).into(),
            |bundle| bundle["rekorBundle"]["Payload"]["logIndex"] = 6.into(),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut bundle = world.old();
            change(&mut bundle);
            let refusal = world.judge_value(&bundle).unwrap_err().refusal();
            assert_eq!(refusal.fault.code(), Code::LogPromiseInvalid, "change {index}");
            assert_eq!(status(&refusal.checks, CheckName::Signature), Status::Passed);
            assert_eq!(status(&refusal.checks, CheckName::LogPromise), Status::Failed);
        }
        let changes: [Change; 3] = [
            |entry| flip(&mut entry["inclusionPromise"]["signedEntryTimestamp"]),
            |entry| entry["integratedTime"] = (TIME + 1).to_string().into(),
            |entry| entry["logIndex"] = "6".into(),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut bundle = world.new_format();
            change(tlog_entry(&mut bundle));
            assert_eq!(world.code(&bundle), Code::LogPromiseInvalid, "change {index}");
        }
    }
}

#[test]
fn an_unknown_log_is_undecided_only_if_all_else_holds() {
    let mut world = World::new();
    let (old, new_format) = (world.old(), world.new_format());
    world.trust = trust(&TestLog::new(8, "other.test").trusted_root());
    for bundle in [&old, &new_format] {
        let refusal = world.judge_value(bundle).unwrap_err().refusal();
        assert_eq!(refusal.fault.code(), Code::LogUnknown);
        assert_eq!(refusal.fault.outcome(), Outcome::Undecided);
        assert_eq!(status(&refusal.checks, CheckName::Signature), Status::Passed);
        assert_eq!(status(&refusal.checks, CheckName::LogEntry), Status::NotChecked);

        let refused = world.judge_message(bundle.to_string().as_bytes(), b"other").unwrap_err();
        assert_eq!(refused.code().outcome(), Outcome::Failed, "a bad signature is FAILED");
    }
    let other = log::hashedrekord(&log::sha256(b"o"), &world.signature(), &world.signer.pem());
    let bundle = log::old_bundle(&world.signature(), Some(&world.entry(&other)));
    assert_eq!(world.code(&bundle), Code::LogEntryMismatch);
    let mut bundle = new_format.clone();
    bundle["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": [{"signedTimestamp": "MAA="}]});
    assert_eq!(world.code(&bundle), Code::TimestampInvalid);

    // A log id that was altered names an unknown log.
    let world = World::new();
    let mut bundle = world.old();
    bundle["rekorBundle"]["Payload"]["logID"] = "ab".repeat(32).into();
    assert_eq!(world.code(&bundle), Code::LogUnknown);
}

#[test]
fn the_log_keys_window_and_the_present() {
    let mut world = World::new();
    let old = world.old();
    // The bounds are inclusive.
    for (start, end, good) in [
        ("2025-01-01T00:00:00Z", json!("2025-01-01T00:00:00Z"), true),
        ("2025-01-01T00:00:01Z", json!(null), false),
        ("2024-01-01T00:00:00Z", json!("2024-12-31T23:59:59Z"), false),
    ] {
        let mut root = world.log.trusted_root();
        root["tlogs"][0]["publicKey"]["validFor"] = json!({"start": start, "end": end});
        world.trust = trust(&root);
        match world.judge_value(&old) {
            Ok(_) => assert!(good, "{start}"),
            Err(refused) => assert_eq!((refused.code(), good), (Code::LogTimeOutsideWindow, false)),
        }
    }
    let mut root = world.log.trusted_root();
    root["tlogs"][0]["publicKey"].as_object_mut().unwrap().remove("validFor");
    world.trust = trust(&root);
    assert_eq!(world.code(&old), Code::LogTimeOutsideWindow);

    let world = World::new();
    let bundle = SignatureBundle::parse(old.to_string().as_bytes()).unwrap();
    let mut request = world.request();
    let time = i64::try_from(TIME).unwrap();
    request.now = jiff::Timestamp::from_second(time).unwrap();
    verify(&bundle, Subject::Bytes(MESSAGE), &request).unwrap();
    request.now = jiff::Timestamp::from_second(time - 1).unwrap();
    let refusal = verify(&bundle, Subject::Bytes(MESSAGE), &request).unwrap_err();
    assert_eq!(refusal.fault.code(), Code::TimeInFuture);
}

#[test]
fn entries_that_say_nothing_about_a_files_signature() {
    let world = World::new().ignoring_log();
    for (kind, version) in [
        ("rekord", "0.0.1"),
        ("intoto", "0.0.2"),
        ("dsse", "0.0.1"),
        ("hashedrekord", "0.0.9"),
        ("hashedrekord", "0.0.2"),
        ("Hashedrekord", "0.0.1"),
    ] {
        let mut body = world.body();
        body["kind"] = kind.into();
        body["apiVersion"] = version.into();
        let entry = world.entry(&body);
        let old = log::old_bundle(&world.signature(), Some(&entry));
        assert_eq!(world.code(&old), Code::LogEntryUnsupported, "{kind} {version}");
        if (kind, version) != ("hashedrekord", "0.0.2") {
            let new_format = world.new_with(&entry);
            assert_eq!(world.code(&new_format), Code::LogEntryUnsupported, "{kind} {version}");
        }
        // The entry claims the right kind, and only its body knows better.
        let mut lying = world.new_with(&entry);
        tlog_entry(&mut lying)["kindVersion"] = json!({"kind": "hashedrekord", "version": "0.0.1"});
        assert_eq!(world.code(&lying), Code::LogEntryMalformed, "{kind} {version}");
    }
    for algorithm in ["sha384", "sha512"] {
        let length = if algorithm == "sha384" { 96 } else { 128 };
        let mut body = world.body();
        body["spec"]["data"]["hash"] = json!({"algorithm": algorithm, "value": "a".repeat(length)});
        let mut bundle = world.new_with(&world.entry(&body));
        bundle["messageSignature"]["messageDigest"] = json!(null);
        assert_eq!(world.code(&bundle), Code::LogEntryUnsupported);
    }
}

#[test]
fn bodies_that_no_log_writes() {
    let world = World::new();
    type Change = fn(&mut Value, &World);
    let changes: [Change; 9] = [
        |body, _| body["spec"]["data"]["hash"]["algorithm"] = "sha512".into(),
        |body, _| body["spec"]["data"]["hash"]["algorithm"] = "SHA256".into(),
        |body, _| {
            let upper = body["spec"]["data"]["hash"]["value"].as_str().unwrap().to_uppercase();
            body["spec"]["data"]["hash"]["value"] = upper.into();
        },
        |body, _| body["spec"]["extra"] = 1.into(),
        |body, _| body["extra"] = 1.into(),
        |body, world| {
            body["spec"]["signature"]["publicKey"]["content"] =
                log::base64(world.signer.pem().repeat(2)).into();
        },
        |body, world| {
            body["spec"]["signature"]["publicKey"]["content"] =
                log::base64(format!("x\n{}", world.signer.pem())).into();
        },
        |body, _| body["spec"]["signature"]["content"] = "".into(),
        |body, _| body["spec"] = json!([]),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut body = world.body();
        change(&mut body, &world);
        // The log signed all this, and the signature is right.
        let entry = world.entry(&body);
        for bundle in [log::old_bundle(&world.signature(), Some(&entry)), world.new_with(&entry)] {
            assert_eq!(world.code(&bundle), Code::LogEntryMalformed, "change {index}");
        }
    }
    let text = world.body().to_string();
    for bytes in [text.replacen('{', r#"{"kind":"hashedrekord","#, 1), format!("{text}{{}}")] {
        let mut entry = world.entry(&world.body());
        let other = world.entry_of_bytes(bytes.as_bytes());
        (entry.body, entry.promise) = (other.body, other.promise);
        let bundle = log::old_bundle(&world.signature(), Some(&entry));
        assert_eq!(world.code(&bundle), Code::LogEntryMalformed, "{bytes}");
    }
}

#[test]
fn the_inclusion_proof_must_lead_to_the_signed_tree() {
    let world = World::new();
    type Change = fn(&mut Value);
    let proof_changes: [Change; 7] = [
        |proof| flip(&mut proof["hashes"][0]),
        |proof| drop(proof["hashes"].as_array_mut().unwrap().pop()),
        |proof| {
            let first = proof["hashes"][0].clone();
            proof["hashes"].as_array_mut().unwrap().push(first);
        },
        |proof| proof["hashes"] = json!(null),
        |proof| proof["logIndex"] = "4".into(),
        |proof| proof["logIndex"] = proof["treeSize"].clone(),
        |proof| proof["logIndex"] = json!(null),
    ];
    for (index, change) in proof_changes.into_iter().enumerate() {
        let mut bundle = world.new_format();
        change(&mut tlog_entry(&mut bundle)["inclusionProof"]);
        let refusal = world.judge_value(&bundle).unwrap_err().refusal();
        assert_eq!(refusal.fault.code(), Code::InclusionProofInvalid, "change {index}");
        assert_eq!(status(&refusal.checks, CheckName::InclusionProof), Status::Failed);
    }
    // A body that the log promised but that is not in the tree.
    let mut entry = world.entry(&world.body());
    let other = world.entry(&json!({"other": 1}));
    (entry.root, entry.checkpoint) = (other.root, other.checkpoint);
    assert_eq!(world.code(&world.new_with(&entry)), Code::InclusionProofInvalid);
}

#[test]
fn the_checkpoint_must_be_the_logs_and_of_this_tree() {
    let mut world = World::new();
    let good = world.entry(&world.body());
    let other_log = TestLog::new(9, "log.test");
    let signature_line = good.checkpoint.lines().last().unwrap().to_owned();
    let checkpoints = [
        String::new(),
        "nonsense".to_owned(),
        good.checkpoint.replace(&signature_line, ""),
        // Signed by a log that nobody knows.
        other_log.checkpoint(good.tree_size, &good.root),
        world.log.checkpoint(good.tree_size + 1, &good.root),
        world.log.checkpoint(good.tree_size, &[0; 32]),
        // Changed after signing: the size, the root, the origin.
        good.checkpoint.replacen("\n7\n", "\n8\n", 1),
        good.checkpoint.replacen(&log::base64(good.root), &log::base64([0; 32]), 1),
        good.checkpoint.replacen("log.test", "lag.test", 1),
        good.checkpoint.replacen("log.test - ", "\n", 1),
        // Laid out in a way that only some readers take: white space, unsigned text at the end.
        good.checkpoint.trim_end().to_owned(),
        format!("{}\nand more\n", good.checkpoint),
        good.checkpoint.replace("\u{2014} ", "\u{2014}  "),
    ];
    for (index, checkpoint) in checkpoints.iter().enumerate() {
        let mut entry = good.clone();
        entry.checkpoint.clone_from(checkpoint);
        let refusal = world.judge_value(&world.new_with(&entry)).unwrap_err().refusal();
        assert_eq!(refusal.fault.code(), Code::CheckpointInvalid, "change {index}");
    }
    // A log that the root knows too must not vouch for the entry's log, alone or beside a line
    // that only claims to be by it. The library takes any known log's key.
    world.trust = trust(&log::trusted_root(&[world.log.tlog(), other_log.tlog()]));
    let mut entry = good.clone();
    entry.checkpoint = other_log.checkpoint(good.tree_size, &good.root);
    assert_eq!(world.code(&world.new_with(&entry)), Code::CheckpointInvalid);
    entry.checkpoint += &format!("{signature_line}\n");
    assert_eq!(world.code(&world.new_with(&entry)), Code::CheckpointInvalid);
    world.judge_value(&world.new_with(&good)).unwrap();
    // A line of somebody unknown, a witness, does no harm.
    let witness = TestLog::new(10, "witness.test").checkpoint(good.tree_size, &good.root);
    let line = witness.lines().last().unwrap();
    entry.checkpoint = format!("{}{line}\n", good.checkpoint);
    world.judge_value(&world.new_with(&entry)).unwrap();
}

#[test]
fn every_entry_must_hold() {
    let mut world = World::new();
    let second_log = TestLog::new(11, "second.test");
    world.trust = trust(&log::trusted_root(&[world.log.tlog(), second_log.tlog()]));
    let body = serde_json::to_vec(&world.body()).unwrap();
    let second = second_log.clone().add(&body, TIME + 5).tlog_entry();
    let with = |entry: &Value| {
        let mut bundle = world.new_format();
        let entries = &mut bundle["verificationMaterial"]["tlogEntries"];
        entries.as_array_mut().unwrap().push(entry.clone());
        bundle
    };
    let proof = world.judge_value(&with(&second)).unwrap();
    assert_eq!(proof.times().len(), 2);
    assert_eq!(proof.times()[1].source, "https://second.test");

    let mut bare = second.clone();
    bare["inclusionPromise"] = json!(null);
    bare["inclusionProof"] = json!(null);
    assert_eq!(world.code(&with(&bare)), Code::LogEntryMalformed);
    let mut bad = second.clone();
    flip(&mut bad["inclusionPromise"]["signedEntryTimestamp"]);
    assert_eq!(world.code(&with(&bad)), Code::LogPromiseInvalid);
    let unknown = TestLog::new(12, "unknown.test").add(&body, TIME).tlog_entry();
    assert_eq!(world.code(&with(&unknown)), Code::LogUnknown);
    // An unknown log does not hide that a known one's entry is bad.
    let mut both = with(&unknown);
    flip(&mut tlog_entry(&mut both)["inclusionPromise"]["signedEntryTimestamp"]);
    assert_eq!(world.code(&both), Code::LogPromiseInvalid);
    let twice = tlog_entry(&mut world.new_format()).clone();
    assert_eq!(world.code(&with(&twice)), Code::BundleMalformed);
}

#[test]
fn what_a_version_demands_of_an_entry() {
    let world = World::new();
    for (version, field) in
        [("0.1", "inclusionPromise"), ("0.2", "inclusionProof"), ("0.3", "inclusionProof")]
    {
        let mut bundle = world.new_format();
        bundle["mediaType"] =
            format!("application/vnd.dev.sigstore.bundle+json;version={version}").into();
        tlog_entry(&mut bundle)[field] = json!(null);
        assert_eq!(world.code(&bundle), Code::LogEntryMalformed, "{version}");
    }
    let mut bundle = world.new_format();
    tlog_entry(&mut bundle)["integratedTime"] = json!(null);
    assert_eq!(world.code(&bundle), Code::LogEntryMalformed);
}

#[test]
fn timestamps_that_are_there_must_hold() {
    for world in [World::new(), World::new().ignoring_log()] {
        let mut bundle = world.new_format();
        bundle["verificationMaterial"]["timestampVerificationData"] =
            json!({"rfc3161Timestamps": [{"signedTimestamp": "MAA="}]});
        let refusal = world.judge_value(&bundle).unwrap_err().refusal();
        assert_eq!(refusal.fault.code(), Code::TimestampInvalid);
        assert_eq!(status(&refusal.checks, CheckName::Timestamp), Status::Failed);
        bundle["verificationMaterial"]["tlogEntries"] = json!([]);
        let expected = match world.transparency {
            sealift::sigstore::Transparency::Required => Code::LogEntryMissing,
            sealift::sigstore::Transparency::AbsentAllowed => Code::TimestampInvalid,
        };
        assert_eq!(world.code(&bundle), expected);
    }
}
