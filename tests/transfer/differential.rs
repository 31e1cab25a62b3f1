//! A sealer of our own against everything that checks a transfer directory: the program, the independent
//! check under every shell that is here, and `sha256sum -c`. It seals random files under random names, and
//! then something is wrong with them or with the directory.
//!
//! What the program accepts the others accept. What the script can see it answers as the program does.
//!
//! `SEALIFT_SEED` and `SEALIFT_SEALS` say where to begin and how many directories to try; CI tries few.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::log::{TestKey, base64, hex, sha256};
use crate::support::sealift;
use crate::support::shell::{script, shells};
use crate::support::tools::run;
use crate::support::transfers::private_pem;
use sealift::digest::Sha256Digest;
use sealift::key::PrivateKey;
use serde_json::{Value, json};

/// Steele's splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// Parts of paths, good ones and others.
const GOOD: &[&str] =
    &["a", "B", "x y", "-x", "10", "1e1", "[c]", "sub", "z.tar.gz", "manifest.jsonl"];
const BAD: &[&str] = &[
    "-",
    "con",
    "Nul .txt",
    "a.",
    " b",
    "c ",
    "d:e",
    "f\\g",
    "h*",
    "..",
    ".",
    "\u{fc}",
    "i\tj",
    "SHA256SUMS",
    "Manifest.JSON",
    "k.sealift-tmp",
    "l.SEALIFT-TMP",
    "trust",
    "TRUST/x",
    "Tools/y",
    "trust/keys/x.pub",
    "trust/payload",
    "trust/keys/0123456789ABCDEF.pub",
    "tools",
    "/m",
    "n//o",
    "p/",
];

/// What a directory holds and says before it is sealed.
struct Draft {
    files: BTreeMap<String, Vec<u8>>,
    /// Entries that no file belongs to.
    more: Vec<Value>,
    artifact: Value,
}

impl Draft {
    fn new(random: &mut Random) -> Self {
        let vendor = TestKey::new(1);
        let package = b"a package".to_vec();
        let key = sealift::key::PublicKey::from_pem(vendor.pem().as_bytes()).unwrap();
        let path = sealift::transfer::key_path(&key.fingerprint());
        let bundle = vendor.bundle(&format!("{}\n", hex(&sha256(&package))));
        let mut files = BTreeMap::from([
            ("p.bin".to_owned(), package),
            ("p.bin_signature.bundle".to_owned(), bundle.into_bytes()),
            (path, vendor.pem().into_bytes()),
        ]);
        for _ in 0..random.below(4) {
            let mut name = random.of(GOOD).to_owned();
            if random.below(2) == 0 {
                name = format!("d{}/{name}", random.below(3));
            }
            let folded = name.to_ascii_lowercase();
            if files.keys().all(|it| it.to_ascii_lowercase() != folded) {
                let size = random.below(3) * 500;
                files.insert(name, vec![b'x'; size]);
            }
        }
        let artifact = json!({
            "kind": "package", "name": "p.bin", "path": "p.bin", "bundles": ["p.bin_signature.bundle"],
            "key": key.fingerprint().to_string(), "vendor": "k2view", "digest_kinds": ["file"],
        });
        Self { files, more: Vec::new(), artifact }
    }

    /// Writes the directory and seals it, after `change` had the manifest and `list` the list.
    fn seal(
        &self,
        to: &Path,
        change: impl FnOnce(&mut Value, &mut Vec<Value>),
        spell: impl FnOnce(String) -> String,
    ) {
        for (path, bytes) in &self.files {
            let path = to.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let mut entries: Vec<Value> = self
            .files
            .iter()
            .map(|(path, bytes)| {
                json!({"path": path, "size": bytes.len(), "sha256": hex(&sha256(bytes))})
            })
            .chain(self.more.iter().cloned())
            .collect();
        entries.sort_by(|a, b| a["path"].as_str().cmp(&b["path"].as_str()));
        let mut manifest = json!({
            "schema": "sealift-transfer/v1", "transfer_id": "0f".repeat(16), "stream": "default",
            "serial": 1_796_083_200_u64, "created": "2026-12-01T00:00:00Z", "tool": "a test",
            "requested": [], "omitted": [], "artifacts": [self.artifact],
        });
        change(&mut manifest, &mut entries);
        let sums: String = entries
            .iter()
            .map(|it| {
                format!("{}  {}\n", it["sha256"].as_str().unwrap(), it["path"].as_str().unwrap())
            })
            .collect();
        manifest["files"] = entries.into();
        let rest = serde_json::to_string_pretty(&manifest).unwrap();
        let sum = hex(&sha256(&sums));
        let text = format!("{{\n  \"sha256sums\": \"{sum}\",{}\n", rest.strip_prefix('{').unwrap());
        let text = spell(text);
        let none = || -> Result<zeroize::Zeroizing<Vec<u8>>, sealift::verdict::Fault> { panic!() };
        let key = PrivateKey::from_pem(private_pem(201).as_bytes(), &mut { none }).unwrap();
        let signature = base64(key.sign(text.as_bytes()));
        let hint = base64(key.public().fingerprint().as_bytes());
        let digest = base64(Sha256Digest::of(text.as_bytes()).as_bytes());
        let bundle = format!(
            "{{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":\
             {{\"publicKey\":{{\"hint\":\"{hint}\"}}}},\"messageSignature\":{{\"messageDigest\":\
             {{\"algorithm\":\"SHA2_256\",\"digest\":\"{digest}\"}},\"signature\":\"{signature}\"}}}}\n"
        );
        fs::write(to.join("SHA256SUMS"), sums).unwrap();
        fs::write(to.join("manifest.json"), text).unwrap();
        fs::write(to.join("manifest.json.sig"), format!("{signature}\n")).unwrap();
        fs::write(to.join("manifest.json.sigstore.json"), bundle).unwrap();
    }
}

/// Seals one directory, spoilt or not; says what was done, and whether the script can see all of it.
fn case(random: &mut Random, to: &Path) -> (String, bool) {
    let mut draft = Draft::new(random);
    let names: Vec<String> = draft.files.keys().cloned().collect();
    let some = names[random.below(names.len())].clone();
    let keep = |_: &mut Value, _: &mut Vec<Value>| {};
    let same = |text: String| text;
    let kind = random.below(16);
    match kind {
        0 => draft.seal(to, keep, same),
        1 => {
            let path = random.of(BAD).to_owned();
            let path = if random.below(2) == 0 { format!("q/{path}") } else { path };
            let sum = hex(&sha256("x"));
            draft.more.push(json!({"path": path, "size": 1, "sha256": sum}));
            draft.seal(to, keep, same);
            // Where it can lie there, it does.
            if sealift::path::check(&path).is_ok() && path != "SHA256SUMS" {
                let there = to.join(&path);
                let made = fs::create_dir_all(there.parent().unwrap());
                made.and_then(|()| fs::write(there, "x")).unwrap_or_default();
            }
            return (format!("listed {path:?}"), true);
        }
        2 => {
            draft.seal(to, |_, list| list.reverse(), same);
            return ("the list in reverse".to_owned(), true);
        }
        3 => {
            draft.seal(
                to,
                |_, list| {
                    let first = list[0].clone();
                    list.insert(0, first);
                },
                same,
            );
            return ("an entry twice".to_owned(), true);
        }
        4 => {
            let up = random.below(2) == 0;
            draft.seal(
                to,
                |_, list| {
                    let size = list[0]["size"].as_u64().unwrap();
                    list[0]["size"] = (if up { size + 1 } else { 1 << 52 }).into();
                },
                same,
            );
            return ("another size".to_owned(), true);
        }
        5 => {
            draft.seal(to, |_, list| list[0]["sha256"] = "00".repeat(32).into(), same);
            return ("another digest".to_owned(), true);
        }
        6 => {
            draft.seal(to, keep, same);
            let bytes = fs::read(to.join(&some)).unwrap();
            fs::write(to.join(&some), [&bytes[..], b"y"].concat()).unwrap();
            return (format!("{some} is longer"), true);
        }
        7 => {
            draft.seal(to, keep, same);
            fs::remove_file(to.join(&some)).unwrap();
            return (format!("{some} is not there"), true);
        }
        8 => {
            draft.seal(to, keep, same);
            let extra = random.of(&[
                "extra",
                "sha256sums",
                "Manifest.json.sig",
                "a.sealift-tmp",
                "trust/extra",
                "tools/e",
                "MANIFEST.json.SEALIFT-tmp",
                "trust/x.Sealift-Tmp",
                ".hidden",
                "sub2/SHA256SUMS",
            ]);
            let path = to.join(extra);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
            return (format!("{extra} is there too"), true);
        }
        9 => {
            draft.seal(to, keep, same);
            let name = random.of(&["MANIFEST.JSON", "sha256SUMS", "w.sealift-TMP", "empty", "e/f"]);
            fs::create_dir_all(to.join(name)).unwrap();
            return (format!("a directory {name}"), true);
        }
        10 => {
            // The same document in another spelling: both must read it.
            let how = random.below(4);
            draft.seal(to, keep, |text| match how {
                0 => text.replace("\"path\": \"p", "\"path\":\t\"\\u0070"),
                1 => text.replace("\"size\": ", "\"size\"\n:\n"),
                2 => text.replace("\"files\"", "\"f\\u0069les\""),
                _ => {
                    text.replace("tools/", "tools\\/").replace("\"a test\"", "\"a \\\" { [ \\\\\"")
                }
            });
            return (format!("spelling {how}"), true);
        }
        11 => {
            draft.seal(to, |manifest, _| manifest["channel"] = "x".into(), same);
            return ("an unknown member".to_owned(), false);
        }
        12 => {
            draft.seal(to, |_, list| list[0]["mode"] = 1.into(), same);
            return ("an unknown member of a file".to_owned(), false);
        }
        13 => {
            draft.seal(
                to,
                |_, list| list[0]["segments"] = json!([{"size": 1, "sha256": "00".repeat(32)}]),
                same,
            );
            return ("segments of another size".to_owned(), false);
        }
        14 => {
            let name =
                random.of(&["SHA256SUMS", "manifest.json.sig", "manifest.json.sigstore.json"]);
            draft.seal(to, keep, same);
            let text = fs::read_to_string(to.join(name)).unwrap();
            let how = random.below(4);
            let text = match how {
                0 => format!("{text}\n"),
                1 => text.trim_end().to_owned(),
                2 => text.replace('\n', "\r\n"),
                _ => format!(" {text}"),
            };
            fs::write(to.join(name), text).unwrap();
            return (format!("{name} in spelling {how}"), true);
        }
        _ => {
            draft.seal(to, keep, |text| text.replace("1796083200", "1796083200.0"));
            return ("a number with a fraction".to_owned(), false);
        }
    }
    ("nothing".to_owned(), true)
}

#[test]
fn whoever_checks_a_seal_gives_one_answer() {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
    };
    let (seed, count) = (number("SEALIFT_SEED", 11), number("SEALIFT_SEALS", 64));
    eprintln!("SEALIFT_SEED={seed} SEALIFT_SEALS={count}");
    let mut random = Random(seed);
    let room = tempfile::tempdir().unwrap();
    fs::write(room.path().join("transfer.pub"), TestKey::new(201).pem()).unwrap();
    let shells = shells();
    let (mut good, mut problems) = (0, Vec::new());
    for turn in 0..count {
        let to = room.path().join("t");
        fs::create_dir(&to).unwrap();
        let (what, visible) = case(&mut random, &to);
        let mut command = sealift();
        command.current_dir(room.path()).env_remove("SEALIFT_TRUST");
        command.args(["verify", "t", "--transfer-key", "transfer.pub", "--insecure-ignore-tlog"]);
        let ours = run(command.args(["--time", "2026-12-02T00:00:00Z"]));
        let accepted = ours.status == Some(0);
        good += u64::from(accepted);
        // One shell a turn: each has its share.
        for shell in shells.iter().cycle().skip(usize::try_from(turn).unwrap()).take(1) {
            let theirs = run(Command::new(&shell.command[0])
                .args(&shell.command[1..])
                .arg(script())
                .args(["t", "transfer.pub"])
                .env("PATH", &shell.path)
                .current_dir(room.path()));
            let agrees = theirs.status == Some(0);
            if (accepted && !agrees) || (visible && accepted != agrees) {
                problems.push(format!(
                    "turn {turn}, {}, {what}: {}\n{}",
                    shell.name,
                    ours.text(),
                    theirs.text()
                ));
            }
        }
        let sums = run(Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&to));
        if accepted && sums.status != Some(0) {
            problems.push(format!("turn {turn}, sha256sum, {what}: {}", sums.text()));
        }
        fs::remove_dir_all(&to).unwrap();
    }
    assert!(problems.is_empty(), "seed {seed}:\n{}", problems.join("\n"));
    assert!(good > 0 && good < count, "{good} of {count} were accepted");
}
