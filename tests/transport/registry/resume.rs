//! Transfers that break, and go on.

use std::fs;
use std::sync::atomic::Ordering::SeqCst;

use sealift::image::CandidateKind;
use sealift::verdict::Code;
use serde_json::Value;
use tempfile::TempDir;

use super::mirror::{MIB, Mirror, plain, text};
use super::server::DockerRegistry;
use super::wire::Wire;

#[test]
fn a_broken_transfer_goes_on_inside_a_layer() {
    let folder = TempDir::new().unwrap();
    let (_, _, layers) = plain(folder.path(), &[6 * MIB, MIB / 2]);
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(folder.path(), "big:1", &[]);
    let wire = Wire::to(&registry.host);
    let reference = format!("{}/big:1", wire.host);
    let mut mirror = Mirror::from(&wire.host);
    mirror.options.jobs = 1;
    mirror.http.retries = 0;

    let broken = |bytes: usize| {
        drop(fs::remove_file(mirror.folder.path().join("image.tar")));
        let result = mirror.bring_after(&reference, || wire.cut_after(bytes as u64));
        let fault = result.err().unwrap();
        assert_eq!(fault.code(), Code::NetworkFailed, "{fault}");
        assert_eq!(mirror.left(), ["image.tar.resume.sealift-tmp", "image.tar.sealift-tmp"]);
        wire.cut_after(u64::MAX);
    };
    // 4 MiB of the 6.5 arrive; then only the rest is fetched.
    broken(4 * MIB);
    let before = fs::read(mirror.folder.path().join("image.tar.sealift-tmp")).unwrap();
    let whole = mirror.bring_after(&reference, || wire.cut_after(u64::MAX)).unwrap();
    let rest = usize::try_from(wire.counted()).unwrap();
    assert!((2 * MIB..3 * MIB).contains(&rest), "{rest}");
    whole.read();
    assert_eq!(before.len(), fs::read(&whole.archive).unwrap().len());
    let resumed: Vec<u64> = whole.fetched.iter().map(|it| it.resumed_from).collect();
    assert!(resumed.iter().any(|it| *it > 3 * MIB as u64), "{resumed:?}");
    let fresh = fs::read(&whole.archive).unwrap();

    // A medium that lost what the journal counts: that layer comes once more, and whole.
    broken(4 * MIB);
    let part = mirror.folder.path().join("image.tar.sealift-tmp");
    let mut bytes = fs::read(&part).unwrap();
    let blobs = fresh.windows(64).position(|it| it == &[b'\0'; 64][..]).unwrap();
    assert!(blobs < bytes.len());
    for chunk in bytes.chunks_mut(1 << 16) {
        chunk[7] ^= 1;
    }
    fs::write(&part, bytes).unwrap();
    let again = mirror.bring_after(&reference, || wire.cut_after(u64::MAX)).unwrap();
    assert!(wire.counted() > 6 * MIB as u64, "{}", wire.counted());
    assert_eq!(fs::read(&again.archive).unwrap(), fresh);

    // A journal of something else, or of no sense, is no journal.
    for journal in ["{", "{\"layout\":\"sha256:00\",\"blobs\":{}}", ""] {
        broken(4 * MIB);
        fs::write(mirror.folder.path().join("image.tar.resume.sealift-tmp"), journal).unwrap();
        assert_eq!(fs::read(mirror.bring(&reference).unwrap().archive).unwrap(), fresh);
    }
    // A journal that lags behind, as after a sudden end.
    broken(4 * MIB);
    let journal = mirror.folder.path().join("image.tar.resume.sealift-tmp");
    let mut said: Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    for here in said["blobs"].as_object_mut().unwrap().values_mut() {
        *here = Value::from(here.as_u64().unwrap() / 2);
    }
    fs::write(&journal, said.to_string()).unwrap();
    assert_eq!(fs::read(mirror.bring(&reference).unwrap().archive).unwrap(), fresh);
    // A server that knows no ranges.
    broken(4 * MIB);
    wire.state.whole.store(true, SeqCst);
    let whole = mirror.bring_after(&reference, || wire.cut_after(u64::MAX)).unwrap();
    assert!(wire.counted() > 6 * MIB as u64, "{}", wire.counted());
    assert!(whole.fetched.iter().all(|it| it.resumed_from == 0 && it.status == 200));
    assert_eq!(fs::read(whole.archive).unwrap(), fresh);
    wire.state.whole.store(false, SeqCst);
    // A journal that says that all is there.
    broken(4 * MIB);
    let journal = mirror.folder.path().join("image.tar.resume.sealift-tmp");
    let mut said: Value = serde_json::from_slice(&fs::read(&journal).unwrap()).unwrap();
    for layer in &layers {
        said["blobs"][text(&layer.descriptor["digest"])] = layer.descriptor["size"].clone();
    }
    fs::write(&journal, said.to_string()).unwrap();
    assert_eq!(fs::read(mirror.bring(&reference).unwrap().archive).unwrap(), fresh);
}

#[test]
fn what_fails_is_tried_again() {
    let folder = TempDir::new().unwrap();
    let (_, manifest, _) = plain(folder.path(), &[6 * MIB]);
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(folder.path(), "big:1", &[]);
    let wire = Wire::to(&registry.host);
    let reference = format!("{}/big:1", wire.host);
    let mut mirror = Mirror::from(&wire.host);
    // Each connection breaks after 2 MiB, more often than one retry allows: but it goes on.
    wire.state.each.store(2 * MIB as u64, SeqCst);
    wire.cut_after(u64::MAX);
    let brought = mirror.bring(&reference).unwrap();
    brought.proves(CandidateKind::Manifest, text(&manifest["digest"]));
    assert!(wire.counted() < 7 * MIB as u64, "{}", wire.counted());
    wire.state.each.store(u64::MAX, SeqCst);
    // Busy once, and busy for ever; while finding, and while fetching.
    for (busy, retries, code) in [(1, 1, None), (1, 0, Some(Code::HttpRefused))] {
        mirror.http.retries = retries;
        wire.state.busy.store(busy, SeqCst);
        assert_eq!(mirror.bring(&reference).err().map(|it| it.code()), code);
        let busy = || wire.state.busy.store(busy, SeqCst);
        assert_eq!(mirror.bring_after(&reference, busy).err().map(|it| it.code()), code);
    }
}
