//! Any bytes as a bundle: parsed, described and judged without a panic, and never accepted, because
//! nobody can sign for this key by chance. Then the same bytes as a key and as a trusted root.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealift::key::PublicKey;
use sealift::sigstore::{
    HashRule, Matcher, VerifyRequest, SignatureBundle, Signer, Subject, Transparency, TrustMaterial,
    signature_holds, verify,
};

/// The key of Sigstore's first public log, which signs no bundles.
const KEY: &[u8] = b"-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwr
kBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==
-----END PUBLIC KEY-----
";

static TRUST: LazyLock<TrustMaterial> = LazyLock::new(|| TrustMaterial::production().unwrap());
static SIGNER: LazyLock<PublicKey> = LazyLock::new(|| PublicKey::from_pem(KEY).unwrap());

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = SignatureBundle::parse(bytes) {
        let description = bundle.describe(Some(&TRUST));
        assert_eq!(description.format, bundle.format());
        let keyless = Signer::Identity {
            identity: Matcher::pattern("^nobody@example\\.invalid$").unwrap(),
            issuer: Matcher::pattern(".").unwrap(),
        };
        for signer in [Signer::Key { key: &SIGNER, hash: HashRule::Known }, keyless] {
            let request = VerifyRequest {
                signer,
                trust: &TRUST,
                transparency: Transparency::AbsentAllowed,
                now: jiff::Timestamp::now(),
            };
            assert!(verify(&bundle, Subject::Bytes(b"a message"), &request).is_err());
            if let Signer::Key { .. } = request.signer {
                assert!(!signature_holds(&bundle, b"a message", &request.signer));
            }
        }
    }
    SignatureBundle::detached(bytes).ok();
    PublicKey::from_pem(bytes).ok();
    TrustMaterial::from_json(bytes).ok();
});
