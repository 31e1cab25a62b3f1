//! What a signature costs: packages, each with a bundle, judged on one thread by one key and one trusted
//! root, beside the work that can't be left out: hashing the package, and verifications on P-256. A bundle of
//! the old form takes three (ours, the library's, the log's promise), one of the new form four (the log's
//! checkpoint too), one without a log entry ours alone. It also makes such packages for the scripts that
//! measure the program.
//!
//!     cargo bench --bench signature -- [--packages N] [--bytes B] [--form old|new|unlogged] [--rounds N]
//!     cargo bench --bench signature -- --make DIR [--packages N] [--bytes B] [--form old|new|unlogged]
//!
//! `--make` measures nothing and leaves in a folder: `packages/`, each package beside its bundle under the
//! vendor's name for it; `key.pub`; `trusted_root.json`; and `log.pub`, the log's key as older programs want it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark may stop at the first surprise, and prints"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use sealift::artifact::{
    ArtifactContent, ArtifactSigner, ArtifactVerifier, BundleRules, NamedBundle, OfferedBundles,
    TryBudget,
};
use sealift::digest::{FileDigest, Sha256Digest};
use sealift::key::PublicKey;
use sealift::sigstore::{HashRule, SignatureBundle, Transparency, TrustMaterial};
use sealift::trust::VendorProfile;
use sealift::verdict::{ArtifactReport, Outcome};

#[path = "../tests/support/log.rs"]
mod log;

use log::{TestKey, TestLog};

/// 2025-01-01T00:00:00Z: inside the window of the test log's key.
const TIME: u64 = 1_735_689_600;

/// What is made or measured.
struct Plan {
    packages: usize,
    bytes: usize,
    form: Form,
    rounds: usize,
}

#[derive(Clone, Copy)]
enum Form {
    /// An old cosign bundle with the log's promise.
    Old,
    /// A Sigstore bundle with the log's promise and its checkpoint.
    New,
    /// An old cosign bundle without a log entry.
    Unlogged,
}

impl Form {
    /// How many verifications on P-256 a bundle of this form takes.
    fn verifications(self) -> u32 {
        match self {
            Self::Unlogged => 1,
            Self::Old => 3,
            Self::New => 4,
        }
    }
}

struct Package {
    bytes: Vec<u8>,
    bundle: Vec<u8>,
}

fn main() {
    let mut plan = Plan { packages: 2_000, bytes: 64 << 10, form: Form::New, rounds: 5 };
    let mut folder = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().unwrap().parse().unwrap();
        match argument.as_str() {
            "--packages" => plan.packages = number(),
            "--bytes" => plan.bytes = number(),
            "--rounds" => plan.rounds = number(),
            "--make" => folder = Some(PathBuf::from(arguments.next().unwrap())),
            "--form" => {
                plan.form = match arguments.next().unwrap().as_str() {
                    "old" => Form::Old,
                    "new" => Form::New,
                    "unlogged" => Form::Unlogged,
                    other => panic!("--form {other}: old, new or unlogged"),
                }
            }
            "--bench" => {} // what cargo says to every benchmark
            other => panic!("{other}: no such option"),
        }
    }
    assert!(plan.packages > 0 && plan.rounds > 0 && plan.bytes >= 8, "nothing to measure");
    let maker = Maker { signer: TestKey::new(1), log: TestLog::new(7, "log.test") };
    match folder {
        Some(folder) => leave(&folder, &plan, &maker),
        None => measure(&plan, &maker),
    }
}

/// Whoever signs and logs the packages.
struct Maker {
    signer: TestKey,
    log: TestLog,
}

impl Maker {
    fn make(&self, number: usize, plan: &Plan) -> Package {
        let mut bytes = vec![0; plan.bytes];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let message = format!("{}\n", log::hex(&log::sha256(&bytes)));
        let signature = self.signer.sign(message.as_bytes());
        let digest = log::sha256(&message);
        let entry = || {
            let body = log::hashedrekord(&digest, &signature, &self.signer.pem()).to_string();
            self.log.clone().add(body.as_bytes(), TIME)
        };
        let bundle = match plan.form {
            Form::Old => log::old_bundle(&signature, Some(&entry())),
            Form::New => log::new_bundle(&digest, &signature, Some(&entry())),
            Form::Unlogged => log::old_bundle(&signature, None),
        };
        Package { bytes, bundle: bundle.to_string().into_bytes() }
    }
}

/// Makes and writes the packages with all cores, none held longer than that takes.
fn leave(folder: &Path, plan: &Plan, maker: &Maker) {
    let packages = folder.join("packages");
    std::fs::create_dir_all(&packages).unwrap();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let packages = &packages;
            scope.spawn(move || {
                for number in (first..plan.packages).step_by(threads) {
                    let Package { bytes, bundle } = maker.make(number, plan);
                    let name = format!("package-{number:06}.bin");
                    std::fs::write(packages.join(format!("{name}_signature.bundle")), bundle)
                        .unwrap();
                    std::fs::write(packages.join(name), bytes).unwrap();
                }
            });
        }
    });
    std::fs::write(folder.join("key.pub"), maker.signer.pem()).unwrap();
    std::fs::write(folder.join("log.pub"), maker.log.pem()).unwrap();
    std::fs::write(folder.join("trusted_root.json"), maker.log.trusted_root().to_string()).unwrap();
    println!("{} packages in {}", plan.packages, packages.display());
}

fn measure(plan: &Plan, maker: &Maker) {
    let Maker { signer, log } = maker;
    let packages: Vec<Package> =
        (0..plan.packages).map(|number| maker.make(number, plan)).collect();
    let key = PublicKey::from_pem(signer.pem().as_bytes()).unwrap();
    let trust = TrustMaterial::from_json(log.trusted_root().to_string().as_bytes()).unwrap();
    let profile = VendorProfile::k2view().unwrap();
    let rules = BundleRules {
        trust: &trust,
        transparency: match plan.form {
            Form::Unlogged => Transparency::AbsentAllowed,
            Form::Old | Form::New => Transparency::Required,
        },
        hash: HashRule::Known,
        now: jiff::Timestamp::now(),
    };
    let signers = [ArtifactSigner { signer: rules.signer(&key, None), profile: &profile }];
    let verifier = ArtifactVerifier { signers: &signers, tries: &TryBudget::default() };

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
    for _ in 0..plan.rounds {
        let times = [
            time(&packages, |package| {
                black_box(digest_of(package));
            }),
            time(&packages, |_| {
                plain.verify_prehash(black_box(&digest), &signature).unwrap();
            }),
            time(&packages, |package| {
                black_box(bundle_of(package).content.unwrap());
            }),
            time(&packages, |it| {
                let report = ArtifactReport::new("package");
                let content = ArtifactContent::Package(digest_of(it), None, None);
                let bundles = [bundle_of(it)];
                let mut offered = OfferedBundles { bundles: &bundles, ..OfferedBundles::default() };
                let report = verifier.verify(report, "package".into(), content, &mut offered);
                assert_eq!(report.outcome(), Outcome::Ok, "{:?}", report.reason);
            }),
        ];
        for (best, time) in best.iter_mut().zip(times) {
            *best = time.min(*best);
        }
    }
    let [hashing, verification, parsing, judging] = best.map(|it| it.as_secs_f64() * 1e6);
    let verifications = plan.form.verifications();
    let needed = hashing + f64::from(verifications) * verification;
    println!(
        "{} packages of {} bytes, best of {} rounds, each on one thread",
        plan.packages, plan.bytes, plan.rounds
    );
    println!("SHA-256 of the package     {hashing:8.1} us");
    println!("one P-256 verification     {verification:8.1} us");
    println!("parsing the bundle         {parsing:8.1} us");
    println!("the whole judgement        {judging:8.1} us");
    println!(
        "hash and {verifications} verifications   {needed:8.1} us   judgement / this: {:.2}",
        judging / needed
    );
}

/// The time for one package.
fn time(packages: &[Package], work: impl Fn(&Package)) -> Duration {
    let begin = Instant::now();
    packages.iter().for_each(work);
    begin.elapsed() / u32::try_from(packages.len()).unwrap()
}
