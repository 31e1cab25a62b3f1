//! The test vectors in `bundle-format/vectors`: Sealift answers each as its `case.json` says, and so do
//! the independent check, cosign and sha256sum, which know less. Then the manifest and the state file
//! at random.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cosign::{Cosign, programs};
use crate::support::schema::{Schema, toml_as_json};
use crate::support::sealift;
use crate::support::shell::{Shell, script, shells};
use crate::support::tools::{Ran, broken, run};
use serde_json::Value;

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bundle-format/vectors")
}

/// One case.
struct Case {
    name: String,
    folder: PathBuf,
    says: Value,
}

impl Case {
    /// Every case, by name.
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for entry in fs::read_dir(vectors()).unwrap() {
            let folder = entry.unwrap().path();
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            if folder.is_file() || name == "keys" {
                continue;
            }
            let says =
                serde_json::from_slice(&fs::read(folder.join("case.json")).unwrap()).unwrap();
            cases.push(Self { name, folder, says });
        }
        assert!(cases.len() > 60, "{}", cases.len());
        cases.sort_by(|one, other| one.name.cmp(&other.name));
        cases
    }

    /// What one of the others answers.
    fn accepted_by(&self, whom: &str) -> bool {
        self.says[whom].as_bool().unwrap_or_else(|| panic!("{}: {whom}", self.name))
    }

    fn exit(&self) -> u64 {
        self.says["exit"].as_u64().unwrap()
    }

    fn arguments(&self) -> Vec<&str> {
        self.says["arguments"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
    }

    fn transfer(&self) -> PathBuf {
        self.folder.join("transfer")
    }

    /// The bytes of `manifest.json`, if it is there.
    fn manifest(&self) -> Option<Vec<u8>> {
        fs::read(self.transfer().join("manifest.json")).ok()
    }

    /// A copy that may be written to.
    fn copy(&self) -> tempfile::TempDir {
        let room = tempfile::tempdir().unwrap();
        for (path, bytes) in everything(&self.folder) {
            let path = room.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        room
    }
}

/// Every file below a folder.
fn everything(folder: &Path) -> Files {
    let mut files = Files::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        assert!(!entry.file_type().is_symlink(), "{}", entry.path().display());
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder).unwrap().to_owned();
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// Sealift in a folder that is a case.
fn verify(case: &Case, folder: &Path) -> Ran {
    let mut command = sealift();
    command.current_dir(folder).env_remove("SEALIFT_TRUST");
    command.args(["verify", "transfer", "--transfer-key", "transfer.pub", "-o", "json"]);
    run(command.args(case.arguments()))
}

/// What is wrong with Sealift's answer, or nothing.
fn judge(case: &Case, ran: &Ran, schema: &Schema) -> Result<(), String> {
    let fail = |what: &str| Err(format!("{}: {what}: {}", case.name, ran.text()));
    if ran.status.map(i64::from) != Some(case.exit().try_into().unwrap()) {
        return fail("the exit code is another one");
    }
    let Ok(report) = serde_json::from_str::<Value>(&ran.stdout) else {
        return fail("the report is no JSON");
    };
    if !schema.fits(&report) || report["exit_status"] != case.says["exit"] {
        return fail("the report is not one of its schema, or has another exit code");
    }
    let codes: BTreeSet<&str> = report["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|artifact| artifact["code"].as_str())
        .collect();
    match case.says["code"].as_str() {
        Some(code) if codes.contains(code) => Ok(()),
        None if codes.is_empty() => Ok(()),
        _ => fail("the codes are others"),
    }
}

#[test]
fn sealift_answers_every_case_as_it_says_and_changes_nothing() {
    let report = Schema::new("report-v1");
    let mut problems = Vec::new();
    let mut codes = BTreeSet::new();
    for case in Case::all() {
        let fails = case.name.ends_with("_fail");
        assert_eq!(fails, case.exit() != 0, "{}", case.name);
        assert_eq!(fails, case.says["code"].is_string(), "{}", case.name);
        let room = case.copy();
        let mut before = everything(room.path());
        let ran = verify(&case, room.path());
        problems.extend(judge(&case, &ran, &report).err());
        if let Some(after) = before.get(Path::new("state-after.json")).cloned() {
            before.insert("state.json".into(), after);
        }
        if everything(room.path()) != before {
            problems.push(format!("{}: files were changed", case.name));
        }
        codes.extend(case.says["code"].as_str().map(str::to_owned));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(codes.len() > 25, "{codes:?}");
}

#[test]
fn the_comparison_sees_a_wrong_answer() {
    let report = Schema::new("report-v1");
    let mut case = Case::all().into_iter().find(|case| case.name == "file-extra_fail").unwrap();
    let ran = verify(&case, &case.folder);
    judge(&case, &ran, &report).unwrap();
    case.says["code"] = "file-missing".into();
    judge(&case, &ran, &report).unwrap_err();
    case.says["code"] = Value::Null;
    judge(&case, &ran, &report).unwrap_err();
    case.says["code"] = "file-extra".into();
    case.says["exit"] = 3.into();
    judge(&case, &ran, &report).unwrap_err();
}

#[test]
fn the_cases_are_complete_and_small() {
    let members = ["description", "arguments", "exit", "code", "openssl", "cosign", "sha256sum"];
    for case in Case::all() {
        let mut there: BTreeSet<&str> =
            case.says.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(there.remove("schema"), case.manifest().is_some(), "{}", case.name);
        assert_eq!(there, BTreeSet::from(members), "{}", case.name);
        // No clock need be turned back for it, which a policy may forbid.
        let [option, now, ..] = case.arguments()[..] else { panic!("{}: no time", case.name) };
        assert!(option == "--time" && now > "2099", "{}: {option} {now}", case.name);
        let known: BTreeSet<&str> = [
            "base",
            "case.json",
            "outside.txt",
            "state-after.json",
            "state.json",
            "transfer",
            "transfer.pub",
            "trust.toml",
        ]
        .into();
        for path in everything(&case.folder).keys() {
            let top = path.iter().next().unwrap().to_str().unwrap();
            assert!(known.contains(top), "{}: {}", case.name, path.display());
            let path = path.to_str().unwrap();
            let own = path.ends_with(".sealift-tmp");
            assert!(own || sealift::path::portable(path).is_ok(), "{}: {path}", case.name);
        }
    }
    let size: usize = everything(&vectors()).values().map(Vec::len).sum();
    assert!(size < 2 << 20, "{size}");
}

#[test]
fn manifests_and_policies_fit_their_schemas_as_the_cases_say() {
    let (manifest, policy) = (Schema::new("transfer-manifest-v1"), Schema::new("trust-policy-v1"));
    let mut policies = 0;
    let mut refused = 0;
    for case in Case::all() {
        if let Some(bytes) = case.manifest() {
            let document: Result<Value, _> = serde_json::from_slice(&bytes);
            let fits = document.is_ok_and(|document| manifest.fits(&document));
            assert_eq!(fits, case.accepted_by("schema"), "{}", case.name);
            refused += usize::from(!fits);
        }
        if let Ok(text) = fs::read_to_string(case.folder.join("trust.toml")) {
            policies += 1;
            policy.accepts(&toml_as_json(&text));
            policy.refuses(&case.name, &toml_as_json(&text.replace("version = 1", "version = 2")));
        }
        let base = case.folder.join("base/manifest.json");
        if let Ok(bytes) = fs::read(base) {
            manifest.accepts(&serde_json::from_slice(&bytes).unwrap());
        }
    }
    assert!(policies > 5 && refused > 10, "{policies} {refused}");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/trust.toml");
    policy.accepts(&toml_as_json(&fs::read_to_string(example).unwrap()));
}

/// Holds one of the others to what the cases say of it: what ended with 0, and with 1 as a refusal.
fn others(whom: &str, how: &str, refusals: &[i32], answer: impl Fn(&Case) -> Ran) {
    let (mut accepts, mut refuses) = (0, 0);
    let mut problems = Vec::new();
    for case in Case::all() {
        let ran = answer(&case);
        let accepted = ran.status == Some(0);
        if !accepted && !ran.status.is_some_and(|status| refusals.contains(&status)) {
            problems.push(format!("{how}, {}: neither yes nor no: {}", case.name, ran.text()));
        }
        if accepted != case.accepted_by(whom) {
            problems.push(format!("{how}, {}: {accepted}: {}", case.name, ran.text()));
        }
        *(if accepted { &mut accepts } else { &mut refuses }) += 1;
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(accepts > 10 && refuses >= 5, "{accepts} {refuses}");
}

#[test]
fn the_independent_check_answers_as_the_cases_say() {
    for shell in shells() {
        let Shell { name, command, path, .. } = &shell;
        others("openssl", name, &[1], |case| {
            run(Command::new(&command[0])
                .args(&command[1..])
                .arg(script())
                .arg(case.transfer())
                .arg(case.folder.join("transfer.pub"))
                .env("PATH", path))
        });
    }
}

#[test]
fn sha256sum_answers_as_the_cases_say() {
    if Command::new("sha256sum").arg("--version").output().is_err() {
        broken("sha256sum is not installed");
        return;
    }
    others("sha256sum", "sha256sum", &[1], |case| {
        run(Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(case.transfer()))
    });
}

#[test]
fn cosign_answers_as_the_cases_say() {
    let Some(programs) = programs() else { return };
    let home = tempfile::tempdir().unwrap();
    for cosign in [Cosign::Two, Cosign::Three] {
        others("cosign", &format!("cosign {cosign:?}"), &[1, 10], |case| {
            let mut command = cosign.command(programs, home.path(), "");
            command.args(["verify-blob", "--insecure-ignore-tlog", "--key", "../transfer.pub"]);
            command.args(["--signature", "manifest.json.sig", "manifest.json"]);
            run(command.current_dir(case.transfer()))
        });
    }
}
