//! A file that was found: what counts as a key, a bundle or a root by its exact form can also be named, and is the
//! same then.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealift::key::PublicKey;
use sealift::sigstore::{FoundDocument, SignatureBundle, TrustMaterial, found_document};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = PublicKey::from_found("k.pub", bytes) {
        assert_eq!(Ok(key), PublicKey::from_pem(bytes));
    }
    match found_document(bytes) {
        Ok(Some(FoundDocument::Bundle(bundle))) => {
            let named = SignatureBundle::parse(bytes).expect("what is found can be named");
            assert_eq!(bundle.signature(), named.signature());
        }
        Ok(Some(FoundDocument::TrustedRoot)) => assert!(TrustMaterial::from_json(bytes).is_ok()),
        Ok(None) | Err(_) => {}
    }
});
