//! A folder in parts, as the examples for Slurm and Kubernetes have it: their own scripts and command lines
//! are run, as processes with the environment that the engine sets, and the merge must say what one
//! run says. That the engines do set it so is shown by `scripts/validate-engines.sh`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::sealift;
use crate::support::tools::{Ran, run};
use crate::support::transfers::example;
use serde_json::Value;

/// A release of several folders, the keys beside it, and a folder for reports.
struct Place {
    place: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        for folder in ["a", "b", "c/d", "e"] {
            let folder = place.path().join("release/1.0").join(folder);
            fs::create_dir_all(&folder).unwrap();
            for name in [
                "hello-image.tar",
                "hello_signature.bundle",
                "tools-1.0.tar.gz",
                "tools-1.0.tar.gz_publickey.json",
                "tools-1.0.tar.gz_signature.bundle",
            ] {
                fs::copy(example(name), folder.join(name)).unwrap();
            }
        }
        // One of each that is not fine, and what only all parts together can tell.
        let release = place.path().join("release/1.0");
        fs::copy(example("tampered-image.tar"), release.join("e/tampered-image.tar")).unwrap();
        fs::write(release.join("README.txt"), "unsigned").unwrap();
        let bundle = fs::read(example("tools-1.0.tar.gz_signature.bundle")).unwrap();
        fs::write(release.join("lost.bundle"), bundle).unwrap();
        fs::create_dir(place.path().join("trust")).unwrap();
        for name in ["vendor.pub", "trusted_root.json"] {
            fs::copy(example(name), place.path().join("trust").join(name)).unwrap();
        }
        fs::create_dir(place.path().join("reports")).unwrap();
        Self { place }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// The options that every run over this release has.
    fn trust(&self) -> [String; 2] {
        let option = |name: &str, file: &str| format!("{name}={}", self.path(file).display());
        [option("--key", "trust/vendor.pub"), option("--trusted-root", "trust/trusted_root.json")]
    }

    /// The report of one run over everything.
    fn one_run(&self) -> Value {
        let mut command = sealift();
        command.args(["verify", "-q", "-o", "json"]).args(self.trust());
        let ran = run(command.arg(self.path("release/1.0")));
        assert_eq!(ran.status, Some(1), "{}", ran.text());
        let report = whole(&ran.stdout);
        let codes: Vec<&str> = report["artifacts"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it["code"].as_str())
            .collect();
        assert_eq!(codes, ["no-bundle", "layer-mismatch", "material-unpaired"]);
        report
    }

    /// One task of `verify.sbatch`.
    fn task(&self, job: &str, environment: &[(&str, &str)]) -> Ran {
        let mut command = slurm("verify.sbatch", job);
        command.arg(self.path("release/1.0")).arg(self.path("reports")).args(self.trust());
        run(command.envs(environment.iter().copied()))
    }

    /// `merge.sbatch`, and the report that it wrote.
    fn merge(&self, job: &str) -> (Ran, Option<Value>) {
        let reports = self.path("reports").join(job);
        let ran = run(slurm("merge.sbatch", job).arg(&reports));
        let text = fs::read_to_string(reports.join("whole.json")).unwrap_or_default();
        let report = (!text.is_empty()).then(|| whole(&text));
        (ran, report)
    }
}

/// A report without what differs from run to run.
fn whole(text: &str) -> Value {
    let mut report: Value = serde_json::from_str(text).unwrap();
    for member in ["time", "finished", "merged"] {
        report.as_object_mut().unwrap().remove(member);
    }
    report["summary"].as_object_mut().unwrap().remove("milliseconds");
    report
}

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name)
}

/// A script as Slurm runs it, by the shell in its first line.
fn slurm(script: &str, job: &str) -> Command {
    let text = fs::read_to_string(page("slurm").join(script)).unwrap();
    assert!(text.starts_with("#!/bin/sh\n") && text.contains("\n#SBATCH --"), "{script}");
    let mut command = Command::new("/bin/sh");
    command.arg(page("slurm").join(script)).env("SEALIFT", env!("CARGO_BIN_EXE_sealift"));
    command.env("SLURM_CPUS_PER_TASK", "1").env("SLURM_ARRAY_JOB_ID", job);
    command
}

/// What Slurm 22.05 tells the tasks of an array, by their numbers.
fn tasks(ids: &[u32], step: u32) -> Vec<Vec<(&'static str, String)>> {
    ids.iter()
        .map(|id| {
            vec![
                ("SLURM_ARRAY_TASK_ID", id.to_string()),
                ("SLURM_ARRAY_TASK_MIN", ids.iter().min().unwrap().to_string()),
                ("SLURM_ARRAY_TASK_MAX", ids.iter().max().unwrap().to_string()),
                ("SLURM_ARRAY_TASK_STEP", step.to_string()),
                ("SLURM_ARRAY_TASK_COUNT", ids.len().to_string()),
            ]
        })
        .collect()
}

fn borrowed<'t>(task: &'t [(&'static str, String)]) -> Vec<(&'static str, &'t str)> {
    task.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn the_slurm_scripts_say_what_one_run_says() {
    let place = Place::new();
    let one = place.one_run();
    let text = fs::read_to_string(page("slurm/verify.sbatch")).unwrap();
    let array = text.lines().find_map(|line| line.strip_prefix("#SBATCH --array=1-")).unwrap();
    let as_it_stands: Vec<u32> = (1..=array.parse().unwrap()).collect();
    // More parts than artifacts: a part with nothing to check is no failure of the whole.
    let many: Vec<u32> = (0..16).collect();
    for (job, ids, step) in [("1", as_it_stands, 1), ("2", vec![4, 7, 10], 3), ("3", many, 1)] {
        let mut statuses = Vec::new();
        for task in tasks(&ids, step) {
            let ran = place.task(job, &borrowed(&task));
            assert!(matches!(ran.status, Some(0 | 1 | 3)), "{task:?}: {}", ran.text());
            statuses.push(ran.status.unwrap());
        }
        assert_eq!(statuses.iter().filter(|it| **it == 1).count(), 1, "{statuses:?}");
        let (ran, merged) = place.merge(job);
        assert_eq!(ran.status, Some(1), "{}", ran.text());
        assert_eq!(merged.unwrap(), one, "job {job}");
    }
}

#[test]
fn a_part_that_is_missing_or_of_another_folder_is_no_whole() {
    let place = Place::new();
    let tasks = tasks(&[1, 2, 3], 1);
    for task in &tasks[..2] {
        place.task("1", &borrowed(task));
    }
    let (ran, merged) = place.merge("1");
    assert_eq!((ran.status, merged), (Some(3), None), "{}", ran.text());
    assert!(ran.stderr.contains("shards-incomplete"), "{}", ran.stderr);
    // The folder changed before the last part ran.
    fs::write(place.path("release/1.0/new.txt"), "new").unwrap();
    place.task("1", &borrowed(&tasks[2]));
    let (ran, merged) = place.merge("1");
    assert_eq!((ran.status, merged), (Some(3), None), "{}", ran.text());
    assert!(ran.stderr.contains("shards-differ"), "{}", ran.stderr);
}

#[test]
fn gaps_in_an_array_and_a_task_alone_write_no_report_that_fits() {
    let place = Place::new();
    for task in tasks(&[1, 3, 7], 1) {
        let ran = place.task("1", &borrowed(&task));
        assert_eq!(ran.status, Some(2), "{}", ran.text());
        assert!(ran.stderr.contains("the array has gaps"), "{}", ran.stderr);
    }
    assert!(fs::read_dir(place.path("reports/1")).unwrap().next().is_none());
    // Task 2 of 3, submitted alone: it is part 1 of 1.
    let three = tasks(&[1, 2, 3], 1);
    place.task("2", &borrowed(&three[0]));
    place.task("2", &borrowed(&tasks(&[2], 1)[0]));
    place.task("2", &borrowed(&three[2]));
    let (ran, merged) = place.merge("2");
    assert_eq!((ran.status, merged), (Some(3), None), "{}", ran.text());
    // By hand it is what it was.
    let mut command = sealift();
    command
        .args(["verify", "-q", "--shard", "2/3", "--report"])
        .args([place.path("reports/2/part-2.json")]);
    run(command.args(place.trust()).arg(place.path("release/1.0")));
    let (ran, merged) = place.merge("2");
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert_eq!(merged.unwrap(), place.one_run());
}

/// The `args` of the one container in a manifest: a list of plain words, one a line.
fn arguments(manifest: &str) -> Vec<String> {
    let mut lines = manifest.lines().skip_while(|line| line.trim() != "args:");
    let list = lines.next().unwrap();
    let indent = list.len() - list.trim_start().len();
    let item = format!("{}- ", " ".repeat(indent + 2));
    lines.map_while(|line| line.strip_prefix(&item)).map(str::to_owned).collect()
}

/// A number in a manifest.
fn number(manifest: &str, name: &str) -> u32 {
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix(name));
    line.unwrap().trim().parse().unwrap()
}

/// Runs the container's command with its volumes where they are here.
fn container(place: &Place, arguments: &[String], index: Option<u32>) -> Ran {
    let mut command = sealift();
    for argument in arguments {
        let mut argument = argument.clone();
        for volume in ["release", "trust", "reports"] {
            let here = place.path(volume).display().to_string();
            for (before, after) in [("=/", "="), ("/", "")] {
                let mounted = format!("{before}{volume}/");
                if argument.starts_with(&mounted) || (before == "=/" && argument.contains(&mounted))
                {
                    argument = argument.replacen(&mounted, &format!("{after}{here}/"), 1);
                    break;
                }
            }
        }
        if let Some(index) = index {
            argument = argument.replace("$(JOB_COMPLETION_INDEX)", &index.to_string());
        }
        assert!(!argument.contains("$("), "{argument}");
        command.arg(argument);
    }
    if let Some(index) = index {
        command.env("JOB_COMPLETION_INDEX", index.to_string());
    }
    run(&mut command)
}

#[test]
fn the_containers_of_the_kubernetes_jobs_say_what_one_run_says() {
    let place = Place::new();
    let one = place.one_run();
    let manifest = fs::read_to_string(page("kubernetes/verify-job.yaml")).unwrap();
    let part = arguments(&manifest);
    let completions = number(&manifest, "completions:");
    assert!(part.contains(&format!("--shard=auto/{completions}")), "{part:?}");
    for index in 0..completions {
        let ran = container(&place, &part, Some(index));
        assert!(matches!(ran.status, Some(0 | 1 | 3)), "{index}: {}", ran.text());
    }
    let merge = arguments(&fs::read_to_string(page("kubernetes/merge-job.yaml")).unwrap());
    let ran = container(&place, &merge, None);
    assert_eq!(ran.status, Some(1), "{}", ran.text());
    assert_eq!(whole(&fs::read_to_string(place.path("reports/whole.json")).unwrap()), one);
    // Without an index there is no part.
    let part: Vec<String> = part.into_iter().filter(|it| !it.starts_with("--report")).collect();
    let ran = container(&place, &part, None);
    assert_eq!(ran.status, Some(2), "{}", ran.text());
    assert!(ran.stderr.contains("JOB_COMPLETION_INDEX is not set"), "{}", ran.stderr);
}
