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
    // Nothing of it is read, so nothing of it reads OK.
    room.verify(STATE).refused_as_a_whole(1, "FAILED (serial-rolled-back").never_mentions(": OK");
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
            answer.error("usage").mentions("which is being checked");
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
        room.verify(&at(late)).refused_as_a_whole(1, "FAILED (transfer-expired");
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
        room.verify_made(&early).refused_as_a_whole(1, "FAILED (created-in-future");
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
    verify(48 * 3600 + 1).refused_as_a_whole(1, "FAILED (transfer-too-old");
}

#[test]
fn what_became_of_the_serial_is_always_said() {
    let room = Room::sealed();
    let serial = room.manifest().serial;
    room.verify("").accepted(2).mentions("\n  rollback not checked: no --state\n");
    let json = room.verify("-o json").exit(0);
    json.mentions("\"rollback not checked: no --state\"");
    let said = |before: &str| format!("state: serial {serial} accepted (before: {before})");
    room.verify(&format!("{STATE} --init-state")).accepted(2).mentions(&said("none"));
    room.verify(STATE).accepted(2).mentions(&format!("\n  {}\n", said(&serial.to_string())));
    room.verify(&format!("{STATE} -o json")).exit(0).mentions(&said(&serial.to_string()));
    room.verify(&format!("{STATE} -o html")).exit(0).mentions(&said(&serial.to_string()));
    room.write("hello-image.tar", b"x");
    let answer = room.verify(STATE).exit(1);
    answer.mentions(&format!("state: serial {serial} not accepted (before: {serial})"));
}

/// Copies `d` to a directory of a folder beside it.
fn shelve(room: &Room, name: &str) {
    for file in room.files() {
        let to = room.beside(name).join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, room.read(&file)).unwrap();
    }
}

const SHELF: &str = "verify shelf --transfer-key transfer.pub --state state.json";

#[test]
fn transfers_of_several_streams_begin_a_state_file_together() {
    let room = Room::sealed();
    shelve(&room, "shelf/one");
    room.reseal(|it| it.stream = "weekly".to_owned());
    shelve(&room, "shelf/two");
    for words in ["--init-state", "", ""] {
        let answer = room.run(&format!("{SHELF} {words}")).exit(0);
        answer.says("shelf/one: OK (").says("shelf/two: OK (");
        let value: serde_json::Value = serde_json::from_str(&room.state()).unwrap();
        assert_eq!(value["streams"].as_object().unwrap().len(), 2);
    }
}

#[test]
fn a_run_over_two_serials_of_a_stream_says_the_same_every_time() {
    let serial = Room::sealed().manifest().serial;
    // Whichever comes first by its name.
    for (old, new) in [("a", "b"), ("b", "a")] {
        let room = Room::sealed();
        shelve(&room, &format!("shelf/{old}"));
        room.reseal(|it| it.serial = serial + 1);
        shelve(&room, &format!("shelf/{new}"));
        for words in ["--init-state", "", ""] {
            let answer = room.run(&format!("{SHELF} {words}")).exit(1);
            let answer = answer.says(&format!("shelf/{new}: OK ("));
            let answer = answer.says(&format!("shelf/{old}: FAILED (serial-rolled-back: "));
            assert_eq!(answer.results().len(), 4, "{}", answer.0.text());
        }
        // Two paths are no different from one folder.
        let (one, two) = (format!("shelf/{old}"), format!("shelf/{new}"));
        let words = format!("verify {one} {two} --transfer-key transfer.pub --state state.json");
        for _ in 0..2 {
            let answer = room.run(&words).exit(1).says(&format!("{two}: OK ("));
            answer.says(&format!("{one}: FAILED (serial-rolled-back: "));
        }
        // What is left out stands in nobody's way.
        fs::remove_file(room.beside("state.json")).unwrap();
        let answer = room.run(&format!("{SHELF} --init-state --exclude {new}"));
        answer.exit(0).says(&format!("shelf/{old}: OK ("));
    }
}

#[test]
fn a_transfer_that_is_refused_stands_in_nobody_s_way() {
    let room = Room::sealed();
    shelve(&room, "shelf/a");
    room.reseal(|it| {
        it.serial += 1;
        it.expires = Some("2026-11-01T00:00:00Z".to_owned());
        it.created = "2026-10-31T00:00:00Z".to_owned();
        it.serial = 1_793_404_800;
    });
    shelve(&room, "shelf/b");
    let answer = room.run(&format!("{SHELF} --init-state")).exit(1);
    answer.says("shelf/a: OK (").says("shelf/b: FAILED (transfer-expired: ");
}

#[test]
fn one_serial_and_two_manifests_is_nobody_s_transfer() {
    let room = Room::sealed();
    shelve(&room, "shelf/a");
    room.reseal(|it| it.notes = Some("other".to_owned()));
    shelve(&room, "shelf/b");
    let answer = room.run(&format!("{SHELF} --init-state")).exit(1);
    answer.says("shelf/a: FAILED (serial-reused: ").says("shelf/b: FAILED (serial-reused: ");
    // A copy is the same transfer.
    let room = Room::sealed();
    shelve(&room, "shelf/a");
    shelve(&room, "shelf/b");
    room.run(&format!("{SHELF} --init-state")).exit(0);
}

#[test]
fn a_serial_is_at_most_a_day_ahead_of_its_sealing() {
    const DAY: u64 = 86400;
    let room = Room::sealed();
    let created: Timestamp = room.manifest().created.parse().unwrap();
    let created = u64::try_from(created.as_second()).unwrap();
    room.with_serial(created + DAY);
    room.verify("").accepted(2);
    let manifest = room.manifest();
    for serial in [created + DAY + 1, (1 << 53) - 1] {
        let room = Room::sealed();
        let manifest = sealift::transfer::Manifest { serial, ..manifest.clone() };
        room.sign(&manifest.to_bytes().unwrap(), &crate::room::keys().private);
        room.verify("").refused_as_a_whole(1, "FAILED (manifest-malformed");
    }
}

#[test]
fn a_stream_whose_clock_ran_ahead_goes_on_as_a_new_one() {
    let room = Room::sealed();
    room.reseal(|it| {
        it.created = "2999-01-01T00:00:00Z".to_owned();
        it.serial = 32_472_144_000;
    });
    let before = room.state_of_disk();
    let answer = room.seal_as_usual("").error("usage");
    answer.mentions("go on as a new stream with --stream NAME");
    assert_eq!(room.state_of_disk(), before);
    room.seal_as_usual("--stream default-2").exit(0);
    room.verify("").accepted(2);
}

#[test]
fn a_stream_is_pinned_by_option_and_by_policy() {
    let policy = |transfer: &str, key: &str| {
        format!(
            "version = 1\n[transfer]\n{transfer}\n[[transfer.key]]\nname = \"us\"\nfile = \"transfer.pub\"\n{key}\n"
        )
    };
    let trust = "verify d --trust trust.toml";
    let room = Room::sealed();
    room.verify("--stream default").accepted(2);
    room.verify("--stream weekly --stream default").accepted(2);
    room.verify("--stream weekly").refused_as_a_whole(1, "FAILED (stream-refused");
    room.verify("--stream Weekly").error("usage");
    room.write_beside("trust.toml", policy("streams = [\"default\", \"a\"]", ""));
    room.run(trust).accepted(2);
    room.run(&format!("{trust} --stream a")).refused_as_a_whole(1, "FAILED (stream-refused");
    room.run(&format!("{trust} --stream b")).error("policy-forbids");
    for (transfer, key) in [("streams = [\"a\"]", ""), ("", "streams = [\"a\"]")] {
        room.write_beside("trust.toml", policy(transfer, key));
        room.run(trust).refused_as_a_whole(1, "FAILED (stream-refused");
        room.seal_as_usual("--trust trust.toml").error("policy-forbids");
    }
    for bad in ["streams = []", "streams = [\"A\"]", "streams = [\"a\", \"a\"]", "streams = \"a\""]
    {
        for (transfer, key) in [(bad, ""), ("", bad)] {
            room.write_beside("trust.toml", policy(transfer, key));
            room.run(trust).error("policy-malformed");
        }
    }
}

#[test]
fn a_transfer_key_has_terms() {
    let room = Room::sealed();
    let with = |terms: &str| {
        room.write_beside(
            "trust.toml",
            format!(
                "version = 1\n[[transfer.key]]\nname = \"us\"\nfile = \"transfer.pub\"\n{terms}\n"
            ),
        );
    };
    let trust = "verify d --trust trust.toml";
    const RETIRED: &str = "status = \"retired\"\nretired_at = 2026-01-01T00:00:00Z";
    for (terms, code) in [
        (RETIRED, "key-retired"),
        ("status = \"revoked\"", "key-revoked"),
        ("status = \"revoked\"\ncompromised_at = 2999-01-01T00:00:00Z", "key-revoked"),
        ("valid_from = 2999-01-01T00:00:00Z", "key-not-valid"),
        ("valid_until = 2026-01-01T00:00:00Z", "key-not-valid"),
    ] {
        with(terms);
        for words in ["", "--transfer-key transfer.pub"] {
            let answer = room.run(&format!("{trust} {words}"));
            answer.refused_as_a_whole(1, &format!("FAILED ({code}"));
        }
        room.seal_as_usual("--trust trust.toml").error("policy-forbids");
    }
    for terms in [
        "status = \"active\"",
        "status = \"retired\"\nretired_at = 2999-01-01T00:00:00Z",
        "valid_from = 2026-01-01T00:00:00Z\nvalid_until = 2999-01-01T00:00:00Z",
    ] {
        with(terms);
        room.run(trust).accepted(2);
    }
    // What this side remembers that it accepted stays good after a rotation, and not after a theft.
    room.verify(&format!("{STATE} --init-state")).accepted(2);
    with(RETIRED);
    room.run(&format!("{trust} {STATE}")).accepted(2);
    with("status = \"revoked\"");
    room.run(&format!("{trust} {STATE}")).refused_as_a_whole(1, "FAILED (key-revoked");
    for bad in [
        "status = \"retired\"",
        "retired_at = 2026-01-01T00:00:00Z",
        "status = \"old\"",
        "artifacts = [\"*\"]",
    ] {
        with(bad);
        room.run(trust).error("policy-malformed");
    }
}

#[test]
fn what_was_asked_for_has_an_answer() {
    use sealift::transfer::{ManifestKind, OmittedItem, Requested};
    let asked = |kind, name: &str| Requested { kind, name: name.to_owned() };
    let room = Room::sealed();
    room.reseal(|it| {
        it.requested.push(asked(ManifestKind::Image, "hello-image.tar"));
        it.requested.push(asked(ManifestKind::Package, "tools-1.0.tar.gz"));
    });
    room.verify("").accepted(2);
    // A name of the other kind is another thing.
    for (kind, name) in [(ManifestKind::Package, "hello-image.tar"), (ManifestKind::Image, "app:2")]
    {
        let room = Room::sealed();
        room.reseal(|it| it.requested = vec![asked(kind, name), asked(kind, name)]);
        let answer = room.verify("").exit(1).says(&format!("{name}: MISSING (requested-missing: "));
        let answer = answer.says("d: FAILED (transfer-not-verified: 1 of ");
        assert_eq!(answer.results().len(), 4, "{}", answer.0.text());
        room.reseal(|it| {
            let (code, reason) = ("no-bundle".to_owned(), "none there".to_owned());
            it.omitted = vec![OmittedItem { kind, name: name.to_owned(), code, reason }];
        });
        room.verify("").exit(3).says(&format!("{name}: OMITTED ("));
    }
}

#[test]
fn sealing_takes_no_leave_that_the_policy_does_not_give() {
    let room = Room::release();
    room.write_beside(
        "trust.toml",
        "version = 1\n[[vendor]]\nname = \"k2view\"\nallow_unsigned = [\"*.txt\"]\n\
         [[vendor.key]]\nname = \"key\"\nfile = \"vendor.pub\"\n",
    );
    room.write("notes.txt", b"x");
    room.write("app.bin", b"x");
    let seal = "--trust trust.toml --trusted-root trusted_root.json --allow-unsigned";
    room.seal(&format!("{seal} app.bin")).error("policy-forbids");
    room.remove("app.bin");
    room.seal(&format!("{seal} notes.txt")).exit(0);
}
