//! The strict reading of bundles: one text, one meaning.

use proptest::prelude::*;
use sealift::sigstore::{Format, SignatureBundle};
use sealift::verdict::Code;
use serde_json::{Value, json};

use crate::common::World;
use crate::support::log;

#[track_caller]
fn refused(text: &[u8]) -> Code {
    SignatureBundle::parse(text).expect_err("accepted").code()
}

#[test]
fn texts_that_two_programs_could_read_differently() {
    let world = World::new();
    let (old, new_format) = (world.old().to_string(), world.new_format().to_string());
    for good in [&old, &new_format] {
        SignatureBundle::parse(good.as_bytes()).unwrap();
        SignatureBundle::parse(format!(" \r\n\t{good}\n").as_bytes()).unwrap();
        for text in [
            format!("{good}{{}}"),
            format!("{good}x"),
            format!("\u{feff}{good}"),
            good[..good.len() - 1].to_owned(),
            format!("[{good}]"),
            good.replacen('{', r#"{"messageSignature":null,"messageSignature":null,"#, 1),
        ] {
            assert_eq!(refused(text.as_bytes()), Code::BundleMalformed, "{text:.40}");
        }
    }
    for (name, folded) in [
        ("base64Signature", "BASE64SIGNATURE"),
        ("base64Signature", "base64\u{17f}ignature"),
        ("rekorBundle", "rekorbundle"),
        ("rekorBundle", "re\u{212a}orBundle"),
        ("cert", "Cert"),
    ] {
        // Beside the right name: Go would let the second one win.
        let text = old.replacen('{', &format!("{{{folded:?}:\"\","), 1);
        assert_eq!(refused(text.as_bytes()), Code::BundleMalformed, "{folded}");
        // Instead of it.
        let text = old.replace(name, folded);
        if text != old {
            assert_eq!(refused(text.as_bytes()), Code::BundleMalformed, "{folded}");
        }
    }
    for (name, other) in [
        ("SignedEntryTimestamp", "signedEntryTimestamp"),
        ("Payload", "payload"),
        ("logID", "logId"),
        ("body", "Body"),
    ] {
        let text = old.replace(&format!("\"{name}\""), &format!("\"{other}\""));
        assert_eq!(refused(text.as_bytes()), Code::LogEntryMalformed, "{other}");
    }
}

#[test]
fn each_json_name_occurs_once_at_every_level() {
    let world = World::new();
    for bundle in [world.old(), world.new_format()] {
        let text = bundle.to_string();
        let mut names = 0;
        for (at, _) in text.match_indices("\":") {
            let start = text[..at].rfind('"').unwrap();
            let name = &text[start..=at];
            // In front of each member, the same member with another value.
            let doubled = format!("{}{name}:0,{}", &text[..start], &text[start..]);
            assert_eq!(refused(doubled.as_bytes()), Code::BundleMalformed, "{name}");
            names += 1;
        }
        assert!(names > 6);
    }
}

#[test]
fn unknown_fields_are_noted_in_old_bundles_and_refused_in_new_ones() {
    let world = World::new();
    let mut old = world.old();
    old["foo"] = 1.into();
    old["rekorBundle"]["bar\u{1b}[2J"] = 1.into();
    old["rekorBundle"]["Payload"]["baz"] = 1.into();
    let proof = world.judge_value(&old).unwrap();
    let notes = proof.notes().join("\n");
    assert!(notes.contains("foo") && notes.contains("rekorBundle.Payload.baz"), "{notes}");
    assert!(!notes.contains('\u{1b}'));

    let new_format = world.new_format();
    for place in [
        "",
        "/verificationMaterial",
        "/verificationMaterial/publicKey",
        "/verificationMaterial/tlogEntries/0",
        "/verificationMaterial/tlogEntries/0/logId",
        "/verificationMaterial/tlogEntries/0/kindVersion",
        "/verificationMaterial/tlogEntries/0/inclusionPromise",
        "/verificationMaterial/tlogEntries/0/inclusionProof",
        "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint",
        "/messageSignature",
        "/messageSignature/messageDigest",
    ] {
        let mut bundle = new_format.clone();
        bundle.pointer_mut(place).unwrap()["foo"] = Value::Null;
        let code = refused(bundle.to_string().as_bytes());
        assert!(matches!(code, Code::BundleMalformed | Code::LogEntryMalformed), "{place}: {code}");
    }
    // ProtoJSON readers take the names of the .proto file too; writers never write them.
    for (name, snake) in [
        ("mediaType", "media_type"),
        ("tlogEntries", "tlog_entries"),
        ("messageDigest", "message_digest"),
        ("logIndex", "log_index"),
    ] {
        let text = new_format.to_string().replace(name, snake);
        let code = refused(text.as_bytes());
        assert!(matches!(code, Code::BundleMalformed | Code::LogEntryMalformed), "{snake}: {code}");
    }
}

#[test]
fn numbers_of_an_old_bundle_are_integers_that_canonical_json_can_tell_apart() {
    let world = World::new();
    let text = world.old().to_string();
    for field in ["integratedTime", "logIndex"] {
        let old = &world.old()["rekorBundle"]["Payload"][field].to_string();
        for number in [
            "1.0",
            "1e3",
            "-1",
            "9007199254740992",
            "18446744073709551616",
            "\"5\"",
            "null",
            "true",
        ] {
            let text =
                text.replace(&format!("\"{field}\":{old}"), &format!("\"{field}\":{number}"));
            assert_eq!(refused(text.as_bytes()), Code::LogEntryMalformed, "{field} {number}");
        }
    }
    let zero = text.replace(&format!("{}", crate::common::TIME), "0");
    assert_eq!(refused(zero.as_bytes()), Code::LogEntryMalformed);
}

#[test]
fn numbers_of_a_new_bundle() {
    let world = World::new();
    for number in [
        json!(-1),
        json!("-1"),
        json!("+1"),
        json!("0x1"),
        json!(""),
        json!(1.5),
        json!("1e3"),
        json!([]),
    ] {
        for field in ["logIndex", "integratedTime"] {
            let mut bundle = world.new_format();
            bundle["verificationMaterial"]["tlogEntries"][0][field] = number.clone();
            let code = refused(bundle.to_string().as_bytes());
            assert_eq!(code, Code::LogEntryMalformed, "{field} {number}");
        }
    }
}

#[test]
fn base64_has_one_spelling_in_old_bundles() {
    let world = World::new();
    let old = world.old();
    let signature = old["base64Signature"].as_str().unwrap();
    let mut bundle = old.clone();
    bundle["base64Signature"] = format!("{signature}\n").into();
    world.judge_value(&bundle).unwrap();
    for text in [
        signature.trim_end_matches('=').to_owned(),
        // Loose bits in the last digit.
        signature.replace("U=", "V="),
        signature.replacen('A', "\n", 1),
        format!("{signature}="),
        signature[..8].to_owned() + " " + &signature[8..],
    ] {
        bundle["base64Signature"] = text.clone().into();
        assert_eq!(refused(bundle.to_string().as_bytes()), Code::BundleMalformed, "{text:?}");
    }
    // The log signs the base64 text of the body, so another spelling of it is another entry.
    let body = old["rekorBundle"]["Payload"]["body"].as_str().unwrap();
    for text in [format!("{body}\n"), body.trim_end_matches('=').to_owned() + "\n"] {
        let mut bundle = old.clone();
        bundle["rekorBundle"]["Payload"]["body"] = text.into();
        assert_eq!(refused(bundle.to_string().as_bytes()), Code::LogEntryMalformed);
    }
    let mut bundle = old.clone();
    let id = old["rekorBundle"]["Payload"]["logID"].as_str().unwrap().to_uppercase();
    bundle["rekorBundle"]["Payload"]["logID"] = id.into();
    assert_eq!(refused(bundle.to_string().as_bytes()), Code::LogEntryMalformed);
}

#[test]
fn a_new_bundle_has_one_version_one_content_and_one_signer() {
    let world = World::new();
    let good = world.new_format();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut bundle = good.clone();
        change(&mut bundle);
        refused(bundle.to_string().as_bytes())
    };
    for (media_type, code) in [
        (json!("application/vnd.dev.sigstore.bundle.v0.4+json"), Code::BundleUnsupported),
        (json!("application/vnd.dev.sigstore.bundle+json;version=1.0"), Code::BundleUnsupported),
        (json!("application/json"), Code::BundleMalformed),
        (json!(3), Code::BundleMalformed),
        (json!(null), Code::BundleMalformed),
    ] {
        assert_eq!(changed(&|bundle| bundle["mediaType"] = media_type.clone()), code);
    }
    let envelope = json!({
        "payload": "e30=", "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": "AAAA"}],
    });
    let both = changed(&|bundle| bundle["dsseEnvelope"] = envelope.clone());
    assert_eq!(both, Code::BundleMalformed);
    let none = changed(&|bundle| bundle["messageSignature"] = Value::Null);
    assert_eq!(none, Code::BundleMalformed);
    for signatures in [json!([]), json!([{"sig": "AAAA"}, {"sig": "AAAA"}])] {
        let code = changed(&|bundle| {
            bundle["messageSignature"] = Value::Null;
            bundle["dsseEnvelope"] = envelope.clone();
            bundle["dsseEnvelope"]["signatures"] = signatures.clone();
        });
        assert_eq!(code, Code::BundleUnsupported);
    }
    let two = changed(&|bundle| {
        bundle["verificationMaterial"]["certificate"] = json!({"rawBytes": "AAAA"});
    });
    assert_eq!(two, Code::BundleMalformed);
    let nobody = changed(&|bundle| bundle["verificationMaterial"]["publicKey"] = Value::Null);
    assert_eq!(nobody, Code::BundleMalformed);
    let not_one = changed(&|bundle| {
        bundle["verificationMaterial"]["publicKey"] = Value::Null;
        bundle["verificationMaterial"]["certificate"] = json!({"rawBytes": "MAA="});
    });
    assert_eq!(not_one, Code::CertificateInvalid);
    let digest = |algorithm: &str, digest: &str| {
        let stated = json!({"algorithm": algorithm, "digest": digest});
        changed(&|bundle| bundle["messageSignature"]["messageDigest"] = stated.clone())
    };
    assert_eq!(digest("SHA2_256", "AAAA"), Code::BundleMalformed);
    assert_eq!(digest("SHA2_256", ""), Code::BundleMalformed);
    assert_eq!(digest("SHA1", "AAAA"), Code::BundleUnsupported);
    // Never from one format into the other.
    let mixed = changed(&|bundle| bundle["base64Signature"] = "AAAA".into());
    assert_eq!(mixed, Code::BundleMalformed);
}

#[test]
fn sizes_and_counts_are_bounded() {
    let world = World::new();
    let padded = format!("{}{}", world.old(), " ".repeat(1 << 20));
    assert_eq!(refused(padded.as_bytes()), Code::BundleTooLarge);
    assert_eq!(refused(&vec![b'['; 100_000]), Code::BundleMalformed);
    let values = format!("{{\"base64Signature\":[{}0]}}", "0,".repeat(250_000));
    assert_eq!(refused(values.as_bytes()), Code::BundleTooLarge);
    let deep = format!("{{\"cert\":{}{}}}", "[".repeat(70), "]".repeat(70));
    assert_eq!(refused(deep.as_bytes()), Code::BundleMalformed);

    let mut bundle = world.new_format();
    let entry = bundle["verificationMaterial"]["tlogEntries"][0].clone();
    let entries = (0..33).map(|index| {
        let mut entry = entry.clone();
        entry["logIndex"] = index.into();
        entry
    });
    bundle["verificationMaterial"]["tlogEntries"] = entries.collect();
    assert_eq!(refused(bundle.to_string().as_bytes()), Code::BundleTooLarge);
    let mut bundle = world.new_format();
    bundle["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": vec![json!({"signedTimestamp": "MAA="}); 33]});
    assert_eq!(refused(bundle.to_string().as_bytes()), Code::BundleTooLarge);
}

#[test]
fn files_that_are_no_bundle_are_told_what_they_are() {
    for (file, word) in [
        (&b""[..], "empty"),
        (b" \n", "empty"),
        (b"-----BEGIN PUBLIC KEY-----\n", "PEM"),
        (b"{\"publicKey\": \"https://example.com/key.pub\"}", "neither"),
        (b"{}", "neither"),
        (b"\"text\"", "object"),
        (b"\xff\xfe", "UTF-16"),
    ] {
        let fault = SignatureBundle::parse(file).unwrap_err();
        assert_eq!(fault.code(), Code::BundleMalformed);
        assert!(fault.to_string().contains(word), "{fault}");
    }
}

/// Values as they lie in bundles, and values that don't.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..80).prop_map(|bytes| log::base64(bytes).into()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            inner.prop_map(|value| json!({"rawBytes": value, "hint": "x"})),
        ]
    })
}

/// Every place in a bundle, as a JSON pointer.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                places(value, &format!("{at}/{name}"), out);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                places(value, &format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        SignatureBundle::parse(&bytes).ok();
        SignatureBundle::detached(&bytes).ok();
        sealift::key::PublicKey::from_pem(&bytes).ok();
        sealift::sigstore::TrustMaterial::from_json(&bytes).ok();
    }

    #[test]
    fn any_value_anywhere_is_read_or_refused(at in any::<prop::sample::Index>(), value in value(), new in any::<bool>()) {
        let world = World::new().ignoring_log();
        let mut bundle = if new { world.new_format() } else { world.old() };
        let mut all = Vec::new();
        places(&bundle, "", &mut all);
        let place: &String = at.get(&all);
        *bundle.pointer_mut(place).unwrap() = value;
        let text = bundle.to_string();
        if let Ok(read) = SignatureBundle::parse(text.as_bytes()) {
            let format = if new { Format::Sigstore03 } else { Format::Cosign };
            prop_assert_eq!(read.format(), format);
            prop_assert_eq!(read.describe(Some(&world.trust)).format, format);
            world.judge(text.as_bytes()).ok();
        }
    }
}
