//! Every single-bit flip of a good bundle and of its key is refused, or changes nothing that is
//! covered.

use sealift::key::PublicKey;
use sealift::sigstore::{Proof, SignatureBundle, Subject, verify};
use sealift::verdict::Check;

use crate::common::{MESSAGE, World};

/// All that a proof says of what was checked, but not its notes.
fn essence(proof: &Proof) -> (Vec<Check>, String, bool) {
    let times = format!("{:?} {} {:?}", proof.times(), proof.key(), proof.hash());
    (proof.checks().to_vec(), times, proof.signature_only())
}

/// Flips every bit of the text; returns the flipped texts that were accepted all the same.
fn survivors(world: &World, text: &[u8]) -> Vec<Vec<u8>> {
    let good = essence(&world.judge(text).unwrap());
    let mut accepted = Vec::new();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut flipped = text.to_vec();
            flipped[at] ^= 1 << bit;
            if let Ok(proof) = world.judge(&flipped) {
                assert_eq!(essence(&proof), good, "{}", String::from_utf8_lossy(&flipped));
                accepted.push(flipped);
            }
        }
    }
    accepted
}

#[test]
fn of_an_old_bundle() {
    let world = World::new();
    let survivors = survivors(&world, world.old().to_string().as_bytes());
    assert!(survivors.is_empty(), "{survivors:?}");
}

#[test]
fn of_a_new_bundle() {
    let world = World::new();
    // Two things are not signed: the name on the checkpoint's signature line (the key id beside it
    // is what tells the signer), and the version of the format, whose demands are met here.
    let text = world.new_format().to_string();
    let range = |part: &str| {
        let at = text.find(part).unwrap();
        at..at + part.len()
    };
    let (name, version) = (range("\u{2014} log.test "), range("v0.3+json"));
    for survivor in survivors(&world, text.as_bytes()) {
        let changed = (0..text.len()).find(|at| survivor[*at] != text.as_bytes()[*at]).unwrap();
        assert!(
            name.contains(&changed) || version.contains(&changed),
            "byte {changed}: {}",
            String::from_utf8_lossy(&survivor[changed.saturating_sub(40)..changed + 40])
        );
    }
}

#[test]
fn of_a_key() {
    let world = World::new();
    let bundle = SignatureBundle::parse(world.old().to_string().as_bytes()).unwrap();
    let pem = world.signer.pem();
    for at in 0..pem.len() {
        for bit in 0..8 {
            let mut flipped = pem.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            let Ok(key) = PublicKey::from_pem(&flipped) else { continue };
            let mut request = world.request();
            let same = key == world.key;
            request.signer = sealift::sigstore::Signer::Key {
                key: &key,
                hash: sealift::sigstore::HashRule::Known,
            };
            let accepted = verify(&bundle, Subject::Bytes(MESSAGE), &request).is_ok();
            // Another reading of the file must be the same key, as with a changed line end.
            assert_eq!(accepted, same, "bit {bit} of byte {at}");
        }
    }
}
