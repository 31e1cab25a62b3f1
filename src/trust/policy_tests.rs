//! Tests of the policy as a whole: the example means what it says, and every mistake is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{KeyStatus, TrustPolicy};
use crate::digest::Sha256Digest;
use crate::limits;
use crate::verdict::{Code, Fault};

const EXAMPLE: &str = include_str!("../../docs/examples/trust.toml");
const PAGE: &str = include_str!("../../docs/trust-policy.md");
const ROOT: &[u8] = include_bytes!("../../examples/release/trusted_root.json");
const PROFILE: &[u8] = include_bytes!("k2view.toml");

/// Two keys and their fingerprints, made with openssl; their private halves were thrown away.
const ONE: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcpjQ6lommXhMJY5OiDBWgGl0kuYP
5MuC0xx/kNkf/IUFFsfeaaZVscIkk6r8QQHh8EnwGKcfD1c1uzCcA5tNyg==
-----END PUBLIC KEY-----
";
const ONE_PRINT: &str = "sha256:5ae6009ded4f3dc18a4ce48a91060dfe0a67a1d2e85f2ac1875008409dd51dd7";
const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAA0I+ghuoUGsgoxZI02rVwilmgvLsEaBBKKeB09+Mbtk=
-----END PUBLIC KEY-----
";
const OTHER_PRINT: &str = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";

fn parse(text: &str) -> Result<TrustPolicy, Fault> {
    let files: BTreeMap<&str, &[u8]> = BTreeMap::from([
        ("one.pub", ONE.as_bytes()),
        ("ed25519.pub", ED25519.as_bytes()),
        ("private.pem", b"-----BEGIN PRIVATE KEY-----\n"),
        ("empty.pub", b""),
        ("root.json", ROOT),
        ("bad.json", b"{}"),
        ("other.toml", PROFILE),
    ]);
    TrustPolicy::from_toml(text.as_bytes(), &mut |name| match files.get(name) {
        Some(bytes) => Ok(bytes.to_vec()),
        None => Err(Fault::new(Code::FileNotFound, "no such file").at(format!("folder/{name}"))),
    })
}

fn time(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

/// A vendor `v` with one key `k`, and more lines in the key's table.
fn with_key(lines: &str) -> String {
    format!(
        "version = 1\n[[vendor]]\nname = \"v\"\n[[vendor.key]]\nname = \"k\"\nfingerprint = \"{ONE_PRINT}\"\n{lines}\n"
    )
}

/// The same vendor with more lines in its own table.
fn with_vendor(lines: &str) -> String {
    with_key("").replace("name = \"v\"\n", &format!("name = \"v\"\n{lines}\n"))
}

#[test]
fn the_example_is_a_policy_and_stands_on_the_page() {
    let policy = parse(EXAMPLE).unwrap();
    assert!(PAGE.contains(EXAMPLE), "docs/trust-policy.md shows docs/examples/trust.toml");
    assert_eq!(policy.max_age(), Some(jiff::SignedDuration::from_hours(30 * 24)));
    assert_eq!(policy.transfer_keys().len(), 1);
    assert_eq!(policy.transfer_keys()[0].name(), "station A");
    assert!(policy.trusted_root().is_none());
    let vendor = policy.vendor("k2view").unwrap();
    assert!(vendor.transparency_required() && vendor.accepts_digest_kind("config"));
    assert!(!vendor.accepts_digest_kind("index") && vendor.accepts_digest_kind("file"));
    assert!(
        vendor.allows_unsigned("README.txt", "README.txt", false)
            && !vendor.names_unsigned("tools.tar.gz")
    );
    assert!(policy.vendor("nobody").is_none());
    let [old, retired, current] = vendor.keys() else { panic!("{:?}", vendor.keys()) };
    assert!(matches!(old.terms().status(), KeyStatus::Revoked { compromised_at: Some(_) }));
    assert!(matches!(retired.terms().status(), KeyStatus::Retired { .. }));
    assert_eq!(current.terms().status(), KeyStatus::Active);
    // The revoked key is pinned, the others are here.
    assert!(old.key().is_none() && retired.key().is_some() && current.key().is_some());
    let (owner, found) = policy.find_key(&current.fingerprint()).unwrap();
    assert_eq!((owner.name(), found.name()), ("k2view", current.name()));
    assert!(policy.find_key(&Sha256Digest::of(b"")).is_none());
    // A transfer key is nobody's vendor key.
    assert!(policy.find_key(&policy.transfer_keys()[0].key().fingerprint()).is_none());
    assert_eq!(policy.warnings(time("2026-06-01T00:00:00Z")), Vec::<String>::new());
}

#[test]
fn the_example_in_words() {
    let words = parse(EXAMPLE).unwrap().describe().join("\n");
    for sentence in [
        "A transfer sealed with the key \"station A\" (ECDSA P-256, sha256:d493c242924463d0ba22460c505a0b96f25cf69bfecb9812b4e91d9960ecbdcc) is trusted.",
        "A transfer may be at most 30 days old.",
        "Vendor \"k2view\" follows the profile \"k2view\"; a transparency log entry is required.",
        "images must be signed by a digest of kind config.",
        "except files with names like \"README.txt\" or \"*.release-notes.pdf\".",
        "is revoked: only signatures proven to be before 2024-03-01T00:00:00Z are trusted, for every name.",
        "is retired: signatures proven to be before 2026-01-01T00:00:00Z are trusted, for every name.",
        "is trusted for names like \"fabric*\" or \"k2view-*.tar.gz\" (by the whole name or what follows its last /), if the signature is proven to be made from 2025-12-01T00:00:00Z on.",
    ] {
        assert!(words.contains(sentence), "{sentence}\n{words}");
    }
}

#[test]
fn the_least_policies() {
    let policy = parse(&with_key("")).unwrap();
    let vendor = policy.vendor("v").unwrap();
    assert_eq!(vendor.profile().name, "k2view");
    assert!(vendor.transparency_required() && vendor.digest_kinds().is_none());
    assert!(vendor.accepts_digest_kind("index") && !vendor.names_unsigned("a"));
    assert_eq!(vendor.keys()[0].terms(), &super::KeyTerms::default());
    assert!(policy.max_age().is_none() && policy.transfer_keys().is_empty());
    assert!(policy.describe().iter().any(|line| line.contains("--transfer-key")));

    let policy = parse(
        "version = 1\ntrusted_root = \"root.json\"\n[transfer]\nmax_age = \"1h\"\n[[transfer.key]]\nname = \"a\"\nfile = \"one.pub\"",
    )
    .unwrap();
    assert_eq!(policy.trusted_root(), Some(ROOT));
    assert!(policy.vendors().is_empty());
    assert!(policy.describe().contains(&"A transfer may be at most 1 hour old.".to_owned()));
}

#[test]
fn files_and_inline_keys_are_the_same() {
    let pinned = format!("name = \"k\"\nfingerprint = \"{ONE_PRINT}\"");
    for key in [
        "name = \"k\"\nfile = \"one.pub\"".to_owned(),
        format!("{pinned}\nfile = \"one.pub\""),
        format!("{pinned}\npublic_key = \"\"\"\n{ONE}\"\"\""),
    ] {
        let policy = parse(&with_key("").replace(&pinned, &key)).unwrap();
        let key = &policy.vendors()[0].keys()[0];
        assert_eq!(key.fingerprint().to_string(), ONE_PRINT);
        assert_eq!(key.key().map(crate::key::PublicKey::fingerprint), Some(key.fingerprint()));
    }
    assert!(parse(&with_vendor("profile = \"other.toml\"")).is_ok());
}

#[test]
fn every_mistake_is_refused_with_its_place() {
    let key = "vendor \"v\", key \"k\"";
    let vendor = "vendor \"v\"";
    let twice = format!("[[vendor.key]]\nname = \"l\"\nfingerprint = \"{ONE_PRINT}\"");
    let second_vendor = format!("[[vendor]]\nname = \"w\"\n{twice}");
    let transfer = |lines: &str| format!("version = 1\n[[transfer.key]]\nname = \"a\"\n{lines}");
    let ed25519 = format!("public_key = \"\"\"{ED25519}\"\"\"");
    let long = "x".repeat(limits::ARCHIVE_NAME_BYTES + 1);
    let cases: Vec<(String, &str, &str)> = vec![
        // The document.
        ("version = 1\n[[vendor]\n".into(), "line 2", ""),
        ("version = 1\nversion = 1".into(), "line 2", "duplicate key"),
        ("".into(), "", "version of the format is missing"),
        ("version = 2\nnew_field = 1".into(), "version", "not known"),
        ("version = \"1\"".into(), "version", "not known"),
        ("version = 1".into(), "", "neither a vendor nor a transfer key"),
        ("version = 1\nvendor = []".into(), "", "list vendor is empty"),
        ("version = 1\n[transfer]\nkey = []".into(), "", "list transfer.key is empty"),
        (with_key("[other]"), "line 7", "unknown field `other`"),
        (with_key("artefacts = [\"a\"]"), "line 7", "unknown field `artefacts`"),
        (with_vendor("transparent = \"optional\""), "line 4", "unknown field `transparent`"),
        (
            transfer("artifacts = [\"a\"]\nfile = \"one.pub\""),
            "line 4",
            "unknown field `artifacts`",
        ),
        (with_vendor("transparency = \"never\""), "line 4", "unknown variant"),
        (with_key("status = \"Retired\""), "line 7", "unknown variant"),
        // Transfers.
        (format!("{}\n[transfer]\nmax_age = \"soon\"", with_key("")), "transfer", "max_age"),
        (transfer(""), "transfer key \"a\"", "needs file or public_key"),
        (
            transfer(&format!("fingerprint = \"{ONE_PRINT}\"")),
            "transfer key \"a\"",
            "needs file or public_key",
        ),
        (transfer(&ed25519), "transfer key \"a\"", "can't seal"),
        (
            transfer("file = \"one.pub\"\n[[transfer.key]]\nname = \"a\"\nfile = \"one.pub\""),
            "transfer key \"a\"",
            "two transfer keys have this name",
        ),
        (
            transfer("file = \"one.pub\"\n[[transfer.key]]\nname = \"b\"\nfile = \"one.pub\""),
            "transfer key \"b\"",
            "the same key as transfer key \"a\"",
        ),
        // Vendors.
        (with_vendor("").replace("\"v\"", "\"\""), "vendor \"\"", "name is empty"),
        (with_vendor("").replace("\"v\"", "\" v\""), "vendor \" v\"", "spaces around"),
        (with_vendor("").replace("\"v\"", "\"a\\u001b\""), "vendor", "control characters"),
        (with_vendor("").replace("\"v\"", &format!("\"{long}\"")), "vendor", "longer than"),
        (with_key(&with_key("")[12..]), vendor, "two vendors have this name"),
        ("version = 1\n[[vendor]]\nname = \"v\"".into(), vendor, "has no key"),
        ("version = 1\n[[vendor]]\nname = \"v\"\nkey = []".into(), vendor, "list key is empty"),
        (with_vendor("digest_kinds = []"), vendor, "list digest_kinds is empty"),
        (with_vendor("digest_kinds = [\"file\"]"), "vendor \"v\": digest_kinds", "no such kind"),
        (with_vendor("allow_unsigned = []"), vendor, "list allow_unsigned is empty"),
        (with_vendor("allow_unsigned = [\"\"]"), "vendor \"v\": allow_unsigned", "empty"),
        (with_vendor("profile = \"no.toml\""), "vendor \"v\": profile: folder/no.toml", "no such"),
        (with_vendor("profile = \"one.pub\""), "vendor \"v\": profile", ""),
        (with_vendor("profile = \"\""), "vendor \"v\": profile", "file name is empty"),
        // Keys.
        (with_key(&twice), "vendor \"v\", key \"l\"", "the same key as vendor \"v\", key \"k\""),
        (with_key(&second_vendor), "vendor \"w\", key \"l\"", "the same key as vendor \"v\""),
        (
            with_key("[[transfer.key]]\nname = \"a\"\nfile = \"one.pub\""),
            key,
            "the same key as transfer key \"a\"",
        ),
        (with_key(&twice.replace("\"l\"", "\"k\"")), key, "two keys have this name"),
        (with_key("").replace("fingerprint", "# "), key, "needs a fingerprint"),
        (with_key("file = \"ed25519.pub\""), key, "not the one that the fingerprint names"),
        (with_key("").replace("sha256:5", "sha256:F"), "key \"k\": fingerprint", "lower-case"),
        (with_key("").replace("sha256:", ""), "key \"k\": fingerprint", "begins with"),
        (with_key("file = \"one.pub\"\npublic_key = \"x\""), key, "one of them"),
        (
            with_key("file = \"no.pub\""),
            "key \"k\": file \"no.pub\": folder/no.pub",
            "no such file",
        ),
        (with_key("file = \"empty.pub\""), "key \"k\": file \"empty.pub\"", "key file is empty"),
        (with_key("file = \"private.pem\""), "file \"private.pem\"", "private key"),
        (with_key("public_key = \"x\""), "key \"k\": public_key", "not a public key"),
        (with_key("artifacts = []"), key, "list artifacts is empty"),
        (with_key("artifacts = [\"a\", \"\"]"), "key \"k\": artifacts", "pattern is empty"),
        // Times.
        (with_key("status = \"retired\""), key, "needs retired_at"),
        (with_key("retired_at = 2026-01-01T00:00:00Z"), key, "retired_at belongs"),
        (
            with_key("status = \"revoked\"\nretired_at = 2026-01-01T00:00:00Z"),
            key,
            "retired_at belongs",
        ),
        (with_key("compromised_at = 2026-01-01T00:00:00Z"), key, "compromised_at belongs"),
        (
            with_key(
                "status = \"retired\"\nretired_at = 2026-01-01T00:00:00Z\ncompromised_at = 2026-01-01T00:00:00Z",
            ),
            key,
            "belongs to status",
        ),
        (with_key("status = \"retired\"\nretired_at = 2026-01-01T00:00:00"), key, "retired_at is"),
        (with_key("valid_from = 2026-01-01"), key, "valid_from is not a time"),
        (with_key("valid_until = 5"), key, "valid_until is not a time"),
        (
            with_key("valid_from = 2026-01-01T00:00:00Z\nvalid_until = 2026-01-01T01:00:00+01:00"),
            key,
            "not after valid_from",
        ),
        // The trusted root.
        (format!("trusted_root = \"no.json\"\n{}", with_key("")), "trusted_root", "no such file"),
        (format!("trusted_root = \"bad.json\"\n{}", with_key("")), "trusted_root", "mediaType"),
        (format!("trusted_root = \"\"\n{}", with_key("")), "trusted_root", "file name is empty"),
    ];
    for (text, place, words) in cases {
        let fault = parse(&text).expect_err(&text);
        assert_eq!(fault.code(), Code::PolicyMalformed, "{text}");
        assert!(fault.place().unwrap_or_default().contains(place), "{text}\n{fault}");
        assert!(fault.message().contains(words), "{text}\n{fault}");
    }
    let different = with_key("file = \"one.pub\"").replace(ONE_PRINT, OTHER_PRINT);
    let fault = parse(&different).unwrap_err();
    assert_eq!((fault.expected(), fault.found()), (Some(OTHER_PRINT), Some(ONE_PRINT)));
}

#[test]
fn what_is_no_text_or_too_large_is_refused() {
    let mut nothing = |_: &str| Err(Fault::new(Code::FileNotFound, "no"));
    let large = format!("{}#{}", with_key(""), "x".repeat(1 << 20));
    for bytes in [&b"\xff"[..], large.as_bytes()] {
        let fault = TrustPolicy::from_toml(bytes, &mut nothing).unwrap_err();
        assert_eq!(fault.code(), Code::PolicyMalformed);
    }
    let deep = format!("version = 1\nx = {}", "[".repeat(100_000));
    assert!(TrustPolicy::from_toml(deep.as_bytes(), &mut nothing).is_err());
}

#[test]
fn what_is_judged_by_the_present_is_known() {
    const RETIRED: &str = "status = \"retired\"\nretired_at = 2026-01-01T00:00:00Z";
    let sealer =
        |lines: &str| format!("\n[[transfer.key]]\nname = \"s\"\nfile = \"one.pub\"\n{lines}\n");
    let depends =
        |text: &str| parse(&text.replace(ONE_PRINT, OTHER_PRINT)).unwrap().depends_on_now();
    for lines in
        [RETIRED, "valid_until = 2026-01-01T00:00:00Z", "valid_from = 2026-01-01T00:00:00Z"]
    {
        assert!(depends(&format!("{}{}", with_key(""), sealer(lines))), "{lines}");
        // A vendor's key is judged by proven times.
        assert!(!depends(&with_key(lines)), "{lines}");
    }
    assert!(depends(&format!("{}\n[transfer]\nmax_age = \"1d\"\n", with_key(""))));
    for lines in ["", "streams = [\"a\"]", "status = \"revoked\""] {
        assert!(!depends(&format!("{}{}", with_key(""), sealer(lines))), "{lines}");
    }
}

#[test]
fn what_may_not_be_meant_is_said() {
    let now = time("2026-06-01T00:00:00Z");
    let said = |text: &str, words: &str| {
        let warnings = parse(text).unwrap().warnings(now);
        assert!(warnings.iter().any(|line| line.contains(words)), "{words}: {warnings:?}");
    };
    said(&with_key(""), "no transfer key");
    said(&with_key(""), "fingerprint only");
    said(&with_vendor("transparency = \"optional\""), "transparency is optional");
    said(&with_vendor("allow_unsigned = [\"a\", \"*\"]"), "matches every name");
    said(&with_key("status = \"revoked\""), "no key is in use");
    said(&with_key("status = \"retired\"\nretired_at = 2026-01-01T00:00:00Z"), "no key is in use");
    said(&with_key("valid_until = 2026-06-01T00:00:00Z"), "no key is in use");
    said(&with_key("status = \"retired\"\nretired_at = 2027-01-01T00:00:00Z"), "in the future");
    said(&with_key("status = \"revoked\"\ncompromised_at = 2027-01-01T00:00:00Z"), "in the future");
    let optional = "name = \"v\"\ntransparency = \"optional\"";
    let timed = with_key("valid_from = 2026-01-01T00:00:00Z").replace("name = \"v\"", optional);
    said(&timed, "limited by time");
}

/// The example with some of its bytes changed, removed or repeated.
fn changed() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..4);
    prop::collection::vec(change, 0..6).prop_map(|changes| {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        for (from, to, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let range = from.min(to)..from.max(to).min(from.min(to) + 80);
            match how {
                0 => bytes[from] = byte,
                1 => drop(bytes.drain(range)),
                2 => bytes.insert(from, byte),
                _ => {
                    let part = bytes[range].to_vec();
                    bytes.splice(to..to, part);
                }
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        TrustPolicy::from_toml(&bytes, &mut |_| Ok(bytes.clone())).ok();
    }

    #[test]
    fn a_changed_example_is_a_policy_or_refused(bytes in changed()) {
        match TrustPolicy::from_toml(&bytes, &mut |_| Ok(ONE.as_bytes().to_vec())) {
            Ok(policy) => prop_assert!(policy.describe().iter().all(|line| !line.contains('\n'))),
            Err(fault) => prop_assert_eq!(fault.code(), Code::PolicyMalformed),
        }
    }
}
