//! What a signature costs: packages of 64 KiB, each with a bundle and a log entry, judged on one thread by
//! one key and one trusted root, beside the work that can't be left out: hashing the package, and three
//! verifications on P-256 (the signature, the log's promise, the log's checkpoint).
//!
//!     cargo bench --bench signature [-- --packages N] [-- --make DIR]
//!
//! `--make` leaves the packages, their bundles, `key.pub` and `trusted_root.json` in a folder and measures
//! nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may stop at the first surprise, and prints"
)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use sealift::artifact::{FileDigest, Judge, NamedBundle, package};
use sealift::digest::Sha256Digest;
use sealift::key::PublicKey;
use sealift::sigstore::{HashRule, Request, SignatureBundle, Signer, Transparency, TrustMaterial};
use sealift::trust::VendorProfile;
use sealift::verdict::{ArtifactReport, Outcome};

#[path = "../tests/support/log.rs"]
mod log;

use log::{TestKey, TestLog};

/// 2025-01-01T00:00:00Z: inside the window of the test log's key.
const TIME: u64 = 1_735_689_600;
const BYTES: usize = 64 << 10;
const ROUNDS: usize = 5;

struct Package {
    bytes: Vec<u8>,
    bundle: Vec<u8>,
}

fn main() {
    let mut count = 2_000;
    let mut folder = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--packages" => count = arguments.next().unwrap().parse().unwrap(),
            "--make" => folder = Some(PathBuf::from(arguments.next().unwrap())),
            _ => {} // what cargo says to every benchmark
        }
    }
    let signer = TestKey::new(1);
    let log = TestLog::new(7, "log.test");
    let packages: Vec<Package> = (0..count).map(|number| make(number, &signer, &log)).collect();
    match folder {
        Some(folder) => leave(&folder, &packages, &signer, &log),
        None => measure(&packages, &signer, &log),
    }
}

fn make(number: usize, signer: &TestKey, log: &TestLog) -> Package {
    let mut bytes = vec![0; BYTES];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let message = format!("{}\n", log::hex(&log::sha256(&bytes)));
    let signature = signer.sign(message.as_bytes());
    let digest = log::sha256(&message);
    let body = log::hashedrekord(&digest, &signature, &signer.pem()).to_string();
    let entry = log.clone().add(body.as_bytes(), TIME);
    let bundle = log::new_bundle(&digest, &signature, Some(&entry)).to_string().into_bytes();
    Package { bytes, bundle }
}

fn leave(folder: &std::path::Path, packages: &[Package], signer: &TestKey, log: &TestLog) {
    std::fs::create_dir_all(folder).unwrap();
    for (number, package) in packages.iter().enumerate() {
        let name = folder.join(format!("package-{number:05}.bin"));
        std::fs::write(&name, &package.bytes).unwrap();
        std::fs::write(name.with_extension("bin.sigstore.json"), &package.bundle).unwrap();
    }
    std::fs::write(folder.join("key.pub"), signer.pem()).unwrap();
    std::fs::write(folder.join("trusted_root.json"), log.trusted_root().to_string()).unwrap();
    println!("{} packages in {}", packages.len(), folder.display());
}

fn measure(packages: &[Package], signer: &TestKey, log: &TestLog) {
    let key = PublicKey::from_pem(signer.pem().as_bytes()).unwrap();
    let trust = TrustMaterial::from_json(log.trusted_root().to_string().as_bytes()).unwrap();
    let profile = VendorProfile::k2view().unwrap();
    let request = Request {
        signer: Signer::Key { key: &key, hash: HashRule::Known },
        trust: &trust,
        transparency: Transparency::Required,
        now: jiff::Timestamp::now(),
    };
    let judge = Judge { request: &request, profile: &profile, terms: None };

    let plain = VerifyingKey::from_public_key_pem(&signer.pem()).unwrap();
    let digest = log::sha256("message");
    let signature = Signature::from_der(&signer.sign(b"message")).unwrap();

    let digest_of = |package: &Package| FileDigest {
        sha256: Sha256Digest::of(&package.bytes),
        size: package.bytes.len() as u64,
    };
    let bundle_of = |package: &Package| NamedBundle {
        name: "bundle".to_owned(),
        content: SignatureBundle::parse(&package.bundle),
    };
    let mut best = [Duration::MAX; 4];
    for _ in 0..ROUNDS {
        let times = [
            time(packages, |package| {
                black_box(digest_of(package));
            }),
            time(packages, |_| {
                plain.verify_prehash(black_box(&digest), &signature).unwrap();
            }),
            time(packages, |package| {
                black_box(bundle_of(package).content.unwrap());
            }),
            time(packages, |it| {
                let report = ArtifactReport::new("package");
                let report = package(report, digest_of(it), Some(&bundle_of(it)), &judge);
                assert_eq!(report.outcome, Outcome::Ok, "{:?}", report.reason);
            }),
        ];
        for (best, time) in best.iter_mut().zip(times) {
            *best = time.min(*best);
        }
    }
    let [hashing, verification, parsing, judging] = best.map(|it| it.as_secs_f64() * 1e6);
    let needed = hashing + 3.0 * verification;
    println!("{} packages of 64 KiB, best of {ROUNDS} rounds, each on one thread", packages.len());
    println!("SHA-256 of the package     {hashing:8.1} us");
    println!("one P-256 verification     {verification:8.1} us");
    println!("parsing the bundle         {parsing:8.1} us");
    println!("the whole judgement        {judging:8.1} us");
    println!(
        "hash and 3 verifications   {needed:8.1} us   judgement / this: {:.2}",
        judging / needed
    );
}

/// The time for one package.
fn time(packages: &[Package], work: impl Fn(&Package)) -> Duration {
    let begin = Instant::now();
    packages.iter().for_each(work);
    begin.elapsed() / u32::try_from(packages.len()).unwrap()
}
