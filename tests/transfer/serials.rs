//! Old transfers, repeated ones, those of the future, and what the checking side remembers.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use sealift::digest::Sha256Digest;
use sealift::key::PrivateKey;
use sealift::transfer::MANIFEST;

use crate::room::Room;

const STATE: &str = "--state state.json";

impl Room {
    fn state(&self) -> String {
        fs::read_to_string(self.beside("state.json")).unwrap()
    }

    /// Accepted once, so that there is a state file.
    fn begun() -> Self {
        let room = Self::sealed();
        room.verify(&format!("{STATE} --init-state")).accepted(2);
        room
    }

    fn with_serial(&self, serial: u64) {
        self.reseal(|it| it.serial = serial);
    }

    /// A time this long after the sealing.
    fn later(&self, by: SignedDuration) -> String {
        let created: Timestamp = self.manifest().created.parse().unwrap();
        format!("--time {}", created.checked_add(by).unwrap())
    }
}

#[test]
fn a_state_file_is_begun_on_purpose_and_only_once() {
    let room = Room::sealed();
    room.verify(STATE).refused_as_a_whole(2, "ERROR (state-missing");
    assert!(!room.beside("state.json").exists());
    room.verify(&format!("{STATE} --init-state")).accepted(2);
    let state = room.state();
    let value: serde_json::Value = serde_json::from_str(&state).unwrap();
    let digest = Sha256Digest::of(&room.read(MANIFEST)).to_string();
    assert_eq!(value["schema"], "sealift-state/v1");
    assert_eq!(value["streams"]["default"]["serial"], room.manifest().serial);
    assert_eq!(value["streams"]["default"]["manifest"], digest);
    room.verify(&format!("{STATE} --init-state")).refused_as_a_whole(2, "ERROR (usage");
    assert_eq!(room.state(), state);
    room.verify("--init-state").exit(2).mentions("--state");
}

#[test]
fn the_same_transfer_may_be_checked_again() {
    let room = Room::begun();
    let state = room.state();
    for _ in 0..2 {
        room.verify(STATE).accepted(2);
        assert_eq!(room.state(), state);
    }
}

#[test]
fn a_newer_one_is_remembered_and_an_older_one_refused() {
    let room = Room::begun();
    let old: Vec<_> = room.files().into_iter().map(|it| (room.read(&it), it)).collect();
    let before = room.manifest().serial;
    room.seal_as_usual("").exit(0);
    assert!(room.manifest().serial > before);
    room.verify(STATE).accepted(2);
    let state = room.state();
    for (bytes, name) in old {
        room.write(&name, bytes);
    }
    assert_eq!(room.manifest().serial, before);
    room.verify("").accepted(2);
    let answer = room.verify(STATE).exit(1).says("d: FAILED (serial-rolled-back: ");
    answer.says("hello-image.tar: OK (");
    assert_eq!(room.state(), state);
}

#[test]
fn a_serial_names_one_transfer() {
    let room = Room::begun();
    let state = room.state();
    room.reseal(|it| it.notes = Some("other".to_owned()));
    room.verify(STATE).exit(1).says("d: FAILED (serial-reused: ");
    assert_eq!(room.state(), state);
}

#[test]
fn streams_do_not_know_each_other() {
    let room = Room::begun();
    room.reseal(|it| {
        it.stream = "weekly".to_owned();
        it.serial = 1;
    });
    room.verify(STATE).accepted(2);
    let value: serde_json::Value = serde_json::from_str(&room.state()).unwrap();
    assert_eq!(value["streams"].as_object().unwrap().len(), 2);
    room.with_serial(7);
    room.verify(STATE).accepted(2);
    room.with_serial(6);
    room.verify(STATE).exit(1).says("d: FAILED (serial-rolled-back: ");
}

#[test]
fn a_second_transfer_key_does_not_bring_an_old_transfer_back() {
    let room = Room::begun();
    let other = PrivateKey::generate().unwrap();
    room.write_beside("other.pub", other.public().to_pem());
    let mut manifest = room.manifest();
    manifest.serial -= 1;
    room.sign(&manifest.to_bytes().unwrap(), &other);
    let words = format!("--transfer-key other.pub {STATE}");
    room.verify(&words).exit(1).says("d: FAILED (serial-rolled-back: ");
    // The same manifest by the other key is the same transfer; another one is not.
    manifest.serial += 1;
    room.sign(&manifest.to_bytes().unwrap(), &other);
    room.verify(&words).exit(0).says("d: OK (");
    manifest.notes = Some("other".to_owned());
    room.sign(&manifest.to_bytes().unwrap(), &other);
    room.verify(&words).exit(1).says("d: FAILED (serial-reused: ");
}

#[test]
fn only_what_was_accepted_is_remembered() {
    type Damage = fn(&Room);
    let damage: [(i32, Damage); 4] = [
        (1, |room| room.write("hello-image.tar", b"x")),
        (1, |room| room.write("extra", b"x")),
        (3, |room| {
            room.reseal(|it| {
                let artifact = &mut it.artifacts[0];
                (artifact.allow_unsigned, artifact.key) = (true, None);
                artifact.bundles.clear();
                artifact.digest_kinds.clear();
            });
        }),
        (1, |room| room.remove(MANIFEST)),
    ];
    for (status, damage) in damage {
        let room = Room::sealed();
        damage(&room);
        room.verify(&format!("{STATE} --init-state")).exit(status);
        assert!(!room.beside("state.json").exists(), "a refused transfer was remembered");

        let room = Room::begun();
        let state = room.state();
        if room.files().contains(&MANIFEST.to_owned()) {
            room.reseal(|it| it.serial += 10);
        }
        damage(&room);
        room.verify(STATE).exit(status);
        assert_eq!(room.state(), state);
    }
    // Expired is not accepted either.
    let room = Room::begun();
    let state = room.state();
    room.reseal(|it| {
        it.serial += 1;
        it.expires = Some("2999-01-01T00:00:00Z".to_owned());
    });
    room.verify(&format!("{STATE} --time 2999-01-01T00:00:00Z")).exit(1);
    assert_eq!(room.state(), state);
    room.verify(STATE).accepted(2);
    assert_ne!(room.state(), state);
}

#[test]
fn a_state_file_that_can_t_be_used_stops_everything() {
    let good = Room::begun().state();
    let digest = "sha256:".to_owned() + &"0".repeat(64);
    let stream = |name: &str, serial: &str| {
        format!(
            r#"{{"schema":"sealift-state/v1","streams":{{"{name}":{{"serial":{serial},"manifest":"{digest}"}}}}}}"#
        )
    };
    let twice = stream("a", "1")
        .replace("}}}", &format!("}},\"a\":{{\"serial\":2,\"manifest\":\"{digest}\"}}}}}}"));
    for bad in [
        "",
        "{}",
        "null",
        "[]",
        &good[..good.len() / 2],
        &format!("{good}{good}"),
        &good.replace("state/v1", "state/v2"),
        &good.replace("\"serial\"", "\"Serial\""),
        &good.replace("\"streams\"", "\"extra\": 1, \"streams\""),
        &stream("Not A Stream", "1"),
        &stream("a", "-1"),
        &stream("a", "1.5"),
        &stream("a", "\"1\""),
        &twice,
        &stream("a", "1").replace("sha256:", "sha512:"),
        &" ".repeat((1 << 20) + 1),
    ] {
        let room = Room::sealed();
        room.write_beside("state.json", bad);
        room.verify(STATE).refused_as_a_whole(2, "ERROR (state-malformed");
        assert_eq!(room.state(), *bad, "a state file that can't be read was changed");
    }
    let room = Room::sealed();
    fs::create_dir(room.beside("state.json")).unwrap();
    room.verify(STATE).error("state-malformed");
}

#[test]
fn the_state_is_not_kept_where_others_write() {
    for place in ["d/state.json", "d/trust/state.json", "./d/../d/state.json"] {
        for init in ["", "--init-state"] {
            let room = Room::sealed();
            if init.is_empty() {
                fs::write(room.beside(place), "{}").unwrap();
            }
            let before = room.state_of_disk();
            let answer = room.verify(&format!("--state {place} {init}"));
            answer.error("usage").mentions("lies in a directory that is checked");
            assert_eq!(room.state_of_disk(), before);
        }
    }
    let room = Room::sealed();
    std::os::unix::fs::symlink(room.path("trust"), room.beside("elsewhere")).unwrap();
    room.verify("--state elsewhere/state.json --init-state").error("usage");
}

#[test]
fn a_transfer_expires() {
    let room = Room::release();
    room.seal_as_usual("--expires 2h").exit(0);
    let at = |seconds| room.later(SignedDuration::from_secs(seconds));
    room.verify("").accepted(2);
    room.verify(&at(7199)).accepted(2);
    for late in [7200, 7201, 1_000_000] {
        let answer = room.verify(&at(late)).exit(1).says("d: FAILED (transfer-expired: ");
        answer.says("hello-image.tar: OK (");
    }
}

#[test]
fn a_transfer_is_not_from_the_future() {
    let room = Room::made();
    let at = |hours, seconds| {
        room.later(SignedDuration::from_hours(hours) - SignedDuration::from_secs(seconds))
    };
    room.verify_made(&at(-24, 0)).accepted(2);
    for early in [at(-24, 1), at(-1000, 0)] {
        let answer = room.verify_made(&early).exit(1).says("d: FAILED (created-in-future: ");
        answer.says("app.tar: OK (");
    }
    room.verify_made("--time yesterday").exit(2);
}

#[test]
fn the_policy_says_how_old_a_transfer_may_be() {
    let room = Room::made();
    let policy = "version = 1\n[transfer]\nmax_age = \"2d\"\n[[transfer.key]]\nname = \"us\"\nfile = \"transfer.pub\"\n";
    room.write_beside("trust.toml", policy);
    let verify = |seconds| {
        let time = room.later(SignedDuration::from_secs(seconds));
        room.run(&format!("verify d --trust trust.toml --insecure-ignore-tlog {time}"))
    };
    verify(48 * 3600).accepted(2);
    verify(48 * 3600 + 1).exit(1).says("d: FAILED (transfer-too-old: ").says("app.tar: OK (");
}
