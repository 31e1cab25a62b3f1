//! The operator's pairing map: any bytes give pairs of safe names or a fault.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(map) = sealift::release::PairingMap::parse(bytes) else { return };
    for (artifact, bundle) in map.pairs() {
        assert!(sealift::path::check(artifact).is_ok() && sealift::path::check(bundle).is_ok());
    }
});
