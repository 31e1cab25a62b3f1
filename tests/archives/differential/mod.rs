//! Differential tests of archives: real loaders must see the image that Sealift vouches for.
//!
//! Archives as real writers write them are mutated in their headers, names, order, documents, structure
//! and compression, with the parts of another image at hand. What Sealift accepts as covered by a
//! signature over the good image is given to skopeo, to podman (every n-th) and to Docker (every n-th). A
//! loader may refuse it. What it loads must be the good image, down to the digests of its layers.
//!
//! `SEALIFT_MUTANTS` sets the number of mutants (2,000), `SEALIFT_SEED` where they begin.
//! `scripts/differential.sh` runs the long form.

mod draft;
mod header_changes;
mod images;
mod loaders;
mod mutate;
mod random;
mod whole;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use images::{Pair, Seen};
use loaders::{Docker, Loaded, Podman, Skopeo};
use random::Random;
use sealift::image::{self, Input, NoProgress, Options};

/// Of what is accepted, podman and Docker load one in so many: they take ten times as long.
const EVERY_PODMAN: usize = 10;
const EVERY_DOCKER: usize = 10;

/// How often something happened.
#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    skopeo: [AtomicUsize; 2],
    podman: [AtomicUsize; 2],
    docker: [AtomicUsize; 2],
}

impl Counts {
    /// Counts what a loader did; says what is wrong with it.
    fn note(
        counter: &[AtomicUsize; 2],
        loader: &str,
        loaded: Loaded,
        good: &Seen,
    ) -> Option<String> {
        let [yes, no] = counter;
        match loaded {
            Loaded::Refused => {
                no.fetch_add(1, Ordering::Relaxed);
                None
            }
            Loaded::Images(seen) => {
                yes.fetch_add(1, Ordering::Relaxed);
                let wrong: Vec<_> = seen.iter().filter(|it| *it != good).collect();
                (!wrong.is_empty())
                    .then(|| format!("{loader} loads {wrong:?}, where {good:?} was vouched for"))
            }
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().map_or(default, |text| text.parse().unwrap())
}

/// Whether Sealift accepts the archive when these digests are signed.
fn accepted(bytes: &[u8], signed: &BTreeSet<sealift::digest::Sha256Digest>) -> bool {
    let options = Options { jobs: 1, progress: &NoProgress, cuts: None, threads: None };
    // The reader takes what can be read at any position, as a whole value.
    let bytes = bytes.to_vec();
    image::read(Input::File(&bytes), &options).is_ok_and(|archive| archive.coverage(signed).is_ok())
}

#[test]
fn what_is_accepted_is_what_loaders_load() {
    let folder = tempfile::tempdir().unwrap();
    let Some(skopeo) = Skopeo::new() else { return };
    let podman = Podman::new(&folder.path().join("podman"));
    let docker = Docker::new();
    let (mutants, seed) = (number("SEALIFT_MUTANTS", 2000), number("SEALIFT_SEED", 1));
    let pair = Pair::new();
    let bases = images::bases(&pair);
    let (next, counts) = (AtomicUsize::new(0), Counts::default());
    let wrong = Mutex::new(Vec::new());
    let (podman, docker) = (Mutex::new(podman), Mutex::new(docker));
    let work = |worker: usize| {
        let place = folder.path().join(format!("worker-{worker}"));
        std::fs::create_dir_all(&place).unwrap();
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed) as u64;
            if turn >= mutants {
                return;
            }
            let mut random = Random::new(seed.wrapping_mul(1 << 32).wrapping_add(turn));
            let base = random.pick(&bases);
            let (bytes, story) = mutate::mutant(base, &pair, &mut random);
            if !accepted(&bytes, &base.signed) {
                continue;
            }
            let count = counts.accepted.fetch_add(1, Ordering::Relaxed);
            let file = place.join("mutant.tar");
            std::fs::write(&file, &bytes).unwrap();
            let mut faults = Vec::new();
            for loaded in skopeo.load(&file, &place) {
                faults.extend(Counts::note(&counts.skopeo, "skopeo", loaded, &pair.good.seen()));
            }
            if count % EVERY_PODMAN == 0
                && let Some(podman) = podman.lock().unwrap().as_ref()
            {
                let loaded = podman.load(&file);
                faults.extend(Counts::note(&counts.podman, "podman", loaded, &pair.good.seen()));
            }
            if count % EVERY_DOCKER == 1
                && let Some(docker) = docker.lock().unwrap().as_ref()
            {
                let loaded = docker.load(&file);
                faults.extend(Counts::note(&counts.docker, "Docker", loaded, &pair.good.seen()));
            }
            if !faults.is_empty() {
                let kept = kept(&file, seed, turn);
                wrong.lock().unwrap().push(format!(
                    "mutant {turn} of seed {seed}, from {}, {}: {} ({kept})",
                    base.name,
                    story.join(", "),
                    faults.join("; ")
                ));
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(move || work(worker));
        }
    });
    let shown = |[yes, no]: &[AtomicUsize; 2]| {
        format!("{} loaded, {} refused", yes.load(Ordering::Relaxed), no.load(Ordering::Relaxed))
    };
    let accepted = counts.accepted.load(Ordering::Relaxed);
    eprintln!(
        "differential: seed {seed}, {mutants} mutants, {accepted} accepted; skopeo: {}; podman: {}; \
         Docker: {}",
        shown(&counts.skopeo),
        shown(&counts.podman),
        shown(&counts.docker)
    );
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Without this a reader that refuses everything would pass.
    assert!(accepted as u64 * 20 >= mutants, "only {accepted} of {mutants} were accepted");
    assert!(counts.skopeo[0].load(Ordering::Relaxed) * 2 >= accepted, "skopeo refuses too much");
}

/// Every base is accepted as it is, and every loader that takes it loads the good image.
#[test]
fn archives_that_were_not_changed_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let skopeo = Skopeo::new();
    let pair = Pair::new();
    for base in images::bases(&pair) {
        let bytes = base.draft.to_bytes();
        assert!(accepted(&bytes, &base.signed), "{}", base.name);
        let Some(skopeo) = &skopeo else { continue };
        let file = folder.path().join("base.tar");
        std::fs::write(&file, &bytes).unwrap();
        let loaded = skopeo.load(&file, folder.path());
        assert!(!loaded.is_empty());
        for loaded in loaded {
            let Loaded::Images(seen) = loaded else { panic!("{}: skopeo refuses it", base.name) };
            assert_eq!(seen, [pair.good.seen()], "{}", base.name);
        }
    }
}

/// Keeps an archive on which programs disagree, where cargo puts what tests leave behind.
fn kept(file: &Path, seed: u64, turn: u64) -> String {
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutant-{seed}-{turn}.tar"));
    std::fs::copy(file, &to).unwrap();
    to.display().to_string()
}
