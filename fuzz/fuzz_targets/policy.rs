//! Any bytes as a trust policy and as a vendor profile, the files that a policy names among them: no
//! panic, and what a policy says in words stays on its lines. Its patterns and terms are asked too.
//!
//! `cargo +nightly fuzz run policy`

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealift::trust::{TrustPolicy, VendorProfile};

fuzz_target!(|bytes: &[u8]| {
    VendorProfile::from_toml(bytes).ok();
    // Each file that the policy names has what follows the first NUL, if there is one.
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (policy, file) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(policy) = TrustPolicy::from_toml(policy, &mut |_| Ok(file.to_vec())) else { return };
    let now = jiff::Timestamp::UNIX_EPOCH;
    for line in policy.describe().iter().chain(&policy.warnings(now)) {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    let name = String::from_utf8_lossy(file);
    for vendor in policy.vendors() {
        let _ = vendor.allows_unsigned(&name, &name, false);
        for key in vendor.keys() {
            assert!(policy.find_key(&key.fingerprint()).is_some());
            for times in [&[][..], &[now], &[now, jiff::Timestamp::MAX]] {
                key.terms().admit(&*name, times).ok();
            }
        }
    }
});
