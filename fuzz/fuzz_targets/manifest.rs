//! Any bytes as a transfer's manifest and as a state file: no panic, and what is accepted is the same
//! when it was written and read again. The second line of a manifest says what the document says.
//! `tests/transfer/random_documents.rs` is the same without a nightly toolchain.
//!
//! `cargo +nightly fuzz run manifest`; `bundle-format/vectors/*/transfer/manifest.json` are seeds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealift::path::portable;
use sealift::transfer::{Manifest, AcceptedTransfers};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::parse(bytes) {
        let line = format!("{{\n  \"sha256sums\": \"{}\",\n", manifest.sha256sums.to_hex());
        assert!(bytes.starts_with(line.as_bytes()));
        let written = manifest.to_bytes().expect("a manifest can be written");
        assert!(written.starts_with(line.as_bytes()));
        assert_eq!(Manifest::parse(&written).expect("what was written can be read"), manifest);
        assert!(manifest.files.iter().all(|file| portable(&file.path).is_ok()));
    }
    if let Ok(state) = AcceptedTransfers::parse(bytes) {
        let written = state.to_bytes().expect("a state can be written");
        assert_eq!(AcceptedTransfers::parse(&written).expect("what was written can be read"), state);
    }
});
