//! Any bytes as a private key file: read or refused without a panic. The password is asked for at
//! most once, after everything else was found sound; it is never given, since the work of scrypt
//! for each input would leave no time to look for anything. What lies inside is reached
//! unencrypted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealift::key::{HashAlgorithm, PrivateKey};
use sealift::verdict::{Code, Fault};

fuzz_target!(|bytes: &[u8]| {
    let mut asked = 0;
    let read = PrivateKey::from_pem(bytes, &mut || {
        asked += 1;
        Err(Fault::new(Code::PasswordMissing, "none"))
    });
    assert!(asked <= 1);
    match read {
        Ok(key) => {
            assert_eq!(asked, 0);
            let signature = key.sign(b"a message");
            let holds =
                key.public().verify_message(HashAlgorithm::Sha256, b"a message", &signature);
            assert!(holds.is_ok());
        }
        Err(fault) => {
            let codes =
                [Code::PasswordMissing, Code::PrivateKeyMalformed, Code::PrivateKeyUnsupported];
            assert!(codes.contains(&fault.code()));
            assert_eq!(fault.code() == Code::PasswordMissing, asked == 1);
        }
    }
});
