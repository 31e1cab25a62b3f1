//! The options for whole release folders, and what they come to.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;

use super::apart::Named;
use super::expected;
use super::files;
use crate::digest::Sha256Digest;
use crate::limits;
use crate::release::{Filter, PairingMap, ShardIndex};
use crate::verdict::{Code, Fault};

/// What of a folder is checked, and how strictly.
#[derive(Debug, Args)]
pub(super) struct BatchArgs {
    /// Check only artifacts that match this glob (can be repeated)
    ///
    /// A glob without `/` is matched against the last part of the path, a glob with `/` against the
    /// whole path.
    #[arg(long, value_name = "GLOB", help_heading = "Release folder")]
    pub(super) include: Vec<String>,
    /// Leave out artifacts that match this glob, even if they are included (can be repeated)
    #[arg(long, value_name = "GLOB", help_heading = "Release folder")]
    pub(super) exclude: Vec<String>,
    /// File that assigns bundles to artifacts
    ///
    /// Each line has the form `ARTIFACT<TAB>BUNDLE`, with paths relative to the folder.
    #[arg(long, value_name = "FILE", help_heading = "Release folder")]
    map: Option<PathBuf>,
    /// Fail if any file is covered neither by a vendor's signature nor by a seal; bundles, keys and
    /// roots are exempt
    #[arg(long, help_heading = "Release folder")]
    pub(super) require_coverage: bool,
    /// Start nothing new after the first failure; the report is then partial
    #[arg(long, help_heading = "Release folder")]
    pub(super) fail_fast: bool,
    /// Show only what differs from this earlier JSON report; everything is still verified
    #[arg(long, value_name = "REPORT", help_heading = "Release folder")]
    pub(super) changed_since: Option<PathBuf>,
    /// Check one part of the folder: I/N, `auto` or `auto/N`
    ///
    /// `auto` takes the part from a Slurm array, `auto/N` from a Kubernetes indexed job.
    #[arg(long, value_name = "PART", help_heading = "Release folder")]
    shard: Option<String>,
}

impl BatchArgs {
    /// The files that are named here and that change answers, or what is shown of them.
    pub(super) fn named(&self) -> impl Iterator<Item = Named> {
        let map = Named::all("--map", &self.map);
        map.chain(Named::all("--changed-since", &self.changed_since))
    }

    /// Which artifacts are asked for.
    ///
    /// # Errors
    /// [`Code::PatternInvalid`].
    pub(super) fn filter(&self) -> Result<Filter, Fault> {
        Filter::new(&self.include, &self.exclude)
    }

    /// The operator's pairing, with the digest of its file.
    ///
    /// # Errors
    /// [`Code::MapMalformed`] and [`Code::FileNotFound`].
    pub(super) fn map(&self) -> Result<Option<(PairingMap, Sha256Digest)>, Fault> {
        let Some(path) = &self.map else { return Ok(None) };
        let bytes = files::read_config(path, limits::MAP_BYTES, Code::MapMalformed)?;
        let map = PairingMap::parse(&bytes).map_err(|fault| fault.at(files::show(path)))?;
        Ok(Some((map, Sha256Digest::of(&bytes))))
    }

    /// The part that is asked for; the environment is looked at only if it says so.
    ///
    /// # Errors
    /// [`Code::Usage`].
    pub(super) fn part(&self) -> Result<Option<ShardIndex>, Fault> {
        let Some(text) = &self.shard else { return Ok(None) };
        let variable = |name: &str| env::var(name).ok();
        part(text, &variable).map(Some)
    }

    /// Refuses options that need a folder, or just one.
    ///
    /// # Errors
    /// [`Code::Usage`].
    pub(super) fn permitted(&self, paths: &[PathBuf]) -> Result<(), Fault> {
        let usage = |message: &str| Err(Fault::new(Code::Usage, message));
        let one_folder = match paths {
            [only] => only.is_dir() || !only.exists(),
            _ => false,
        };
        if self.shard.is_some() && !one_folder {
            return usage("--shard goes with one PATH, a directory");
        }
        if self.map.is_some() && !one_folder {
            return usage("--map goes with one PATH, a directory");
        }
        // A file alone may hold what no signature covers, so `require_coverage` is for it as well.
        let for_folders = !self.include.is_empty() || !self.exclude.is_empty();
        if for_folders && expected::no_directory(paths) {
            return usage("options for release folders were given, and no PATH is a directory");
        }
        Ok(())
    }
}

/// What `--shard` says.
fn part(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<ShardIndex, Fault> {
    let refuse = |message: String| Fault::new(Code::Usage, message).at("--shard");
    let number = |name: &str| -> Result<Option<u32>, Fault> {
        let Some(value) = variable(name) else { return Ok(None) };
        let parsed = value.parse().map_err(|_| {
            refuse(format!("{name} is not a whole number")).expected_found("a number", &value)
        })?;
        Ok(Some(parsed))
    };
    let needed = |name: &str, engine: &str| {
        number(name)?.ok_or_else(|| {
            refuse(format!("{name} is not set: this process is not part of {engine}"))
        })
    };
    let no_part = |part: u32, of: u32| {
        let most = limits::SHARDS;
        refuse(format!("there is no part {part} of {of} (parts are 1 to N, N at most {most})"))
    };
    if text == "auto" {
        let array = "a Slurm job array";
        let id = needed("SLURM_ARRAY_TASK_ID", array)?;
        let least = needed("SLURM_ARRAY_TASK_MIN", array)?;
        let most = needed("SLURM_ARRAY_TASK_MAX", array)?;
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1);
        let place = |task: u32| {
            let steps = task.checked_sub(least)?;
            steps.checked_div(step).filter(|_| steps.checked_rem(step) == Some(0))
        };
        let last = most.checked_sub(least).and_then(|steps| steps.checked_div(step));
        let (Some(index), Some(last)) = (place(id), last) else {
            let found = format!("id {id}, from {least} to {most} in steps of {step}");
            return Err(refuse("these don't count parts".to_owned())
                .expected_found("an array without gaps", found));
        };
        let of = last.saturating_add(1);
        if let Some(count) = number("SLURM_ARRAY_TASK_COUNT")?
            && count != of
        {
            return Err(refuse("the array has gaps, so that parts would be left out".to_owned())
                .expected_found(format!("{of} tasks"), count));
        }
        let part = index.saturating_add(1);
        return ShardIndex::new(part, of).ok_or_else(|| no_part(part, of));
    }
    let malformed = || refuse("not a part".to_owned()).expected_found("I/N, auto or auto/N", text);
    let (part, of) = text.split_once('/').ok_or_else(malformed)?;
    let whole = |text: &str| -> Result<u32, Fault> {
        let plain = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten().ok_or_else(malformed)
    };
    let of = whole(of)?;
    let part = if part == "auto" {
        needed("JOB_COMPLETION_INDEX", "a Kubernetes indexed job")?.saturating_add(1)
    } else {
        whole(part)?
    };
    ShardIndex::new(part, of).ok_or_else(|| no_part(part, of))
}

/// Refuses a file for reports that can't be written in the end, as far as that is known before anything
/// is read.
///
/// # Errors
/// [`Code::WriteFailed`].
pub(super) fn writable(report: &Path) -> Result<(), Fault> {
    let refuse = |message: &str| {
        Err(Fault::new(Code::WriteFailed, message.to_owned()).at(files::show(report)))
    };
    let parent = report.parent().filter(|parent| !parent.as_os_str().is_empty());
    if !parent.unwrap_or(Path::new(".")).is_dir() {
        return refuse("there is no directory to write it in");
    }
    if report.is_dir() {
        return refuse("this is a directory");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, environment: &[(&str, &str)]) -> Result<(u32, u32), Code> {
        let variable = |name: &str| {
            environment
                .iter()
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| (*value).to_owned())
        };
        part(text, &variable)
            .map(|index| (index.number(), index.count()))
            .map_err(|fault| fault.code())
    }

    fn slurm(id: &str, least: &str, most: &str, step: &str) -> Result<(u32, u32), Code> {
        said(
            "auto",
            &[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", least),
                ("SLURM_ARRAY_TASK_MAX", most),
                ("SLURM_ARRAY_TASK_STEP", step),
            ],
        )
    }

    #[test]
    fn parts_are_said_outright_or_taken_from_the_engine_that_is_named() {
        assert_eq!(said("2/5", &[]), Ok((2, 5)));
        assert_eq!(said("auto/4", &[("JOB_COMPLETION_INDEX", "0")]), Ok((1, 4)));
        assert_eq!(said("auto/4", &[("JOB_COMPLETION_INDEX", "3")]), Ok((4, 4)));
        assert_eq!(slurm("0", "0", "7", "1"), Ok((1, 8)));
        assert_eq!(slurm("7", "3", "11", "2"), Ok((3, 5)));
        assert_eq!(slurm("11", "3", "12", "2"), Ok((5, 5)));
        // Both engines' variables at once: only what is asked for counts.
        assert_eq!(said("2/5", &[("JOB_COMPLETION_INDEX", "0")]), Ok((2, 5)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "0/3", "4/3", "1", "1/", "/3", "+1/3", "a/b", "1/3/5", "auto/", "1/0"] {
            assert_eq!(said(text, &[]), Err(Code::Usage), "{text:?}");
        }
        for environment in
            [&[][..], &[("JOB_COMPLETION_INDEX", "4")], &[("JOB_COMPLETION_INDEX", "x")]]
        {
            assert_eq!(said("auto/4", environment), Err(Code::Usage), "{environment:?}");
        }
        assert_eq!(said("auto", &[("JOB_COMPLETION_INDEX", "0")]), Err(Code::Usage));
        for (id, least, most, step) in
            [("2", "3", "8", "1"), ("9", "3", "8", "1"), ("4", "3", "8", "2"), ("3", "3", "8", "0")]
        {
            assert_eq!(
                slurm(id, least, most, step),
                Err(Code::Usage),
                "{id} {least} {most} {step}"
            );
        }
        let gaps = [
            ("SLURM_ARRAY_TASK_ID", "1"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_MAX", "7"),
            ("SLURM_ARRAY_TASK_COUNT", "3"),
        ];
        assert_eq!(said("auto", &gaps), Err(Code::Usage));
    }
}
