//! Finds and loads the trust policy in force; `sealift policy check`, which explains one.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::apart::Named;
use super::{
    files,
    output::{shown, warn},
};
use crate::limits;
use crate::trust::TrustPolicy;
use crate::verdict::{Code, ExitStatus, Fault, line};

/// The environment variable that names a policy for every run.
const VARIABLE: &str = "SEALIFT_TRUST";

/// Work with trust policies
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    Check(PolicyCheckArgs),
}

/// Check a trust policy and the files it names, and explain what it means
///
/// Warnings name what the policy allows but may not be meant to allow. Exit codes: 0 the policy can
/// be used; 2 it can't.
#[derive(Debug, Args)]
struct PolicyCheckArgs {
    /// Trust policy (TOML); by default, the one that SEALIFT_TRUST names
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(arguments: &PolicyArgs) -> Result<ExitStatus, Fault> {
    match &arguments.command {
        PolicyCommand::Check(arguments) => check(arguments),
    }
}

fn check(arguments: &PolicyCheckArgs) -> Result<ExitStatus, Fault> {
    let (policy, _) = search(arguments.file.as_deref())?.ok_or_else(|| {
        Fault::new(Code::Usage, format!("no FILE was given, and {VARIABLE} is not set"))
    })?;
    for warning in policy.warnings(jiff::Timestamp::now()) {
        warn(&warning);
    }
    let mut out = io::stdout().lock();
    shown(policy.describe().iter().try_for_each(|line| line!(out, "{line}")))
}

/// Loads the policy in force and lists the files that it was read from.
///
/// That is the policy that a flag names, else the environment's, else none. A variable that is set must
/// name a policy by an absolute path: what is in force must not depend on the current directory.
///
/// # Errors
/// [`Code::Usage`] for a variable that names no absolute path, and those of [`load`].
pub(super) fn search(flag: Option<&Path>) -> Result<Option<(TrustPolicy, Vec<Named>)>, Fault> {
    if let Some(path) = flag {
        return load(path, "--trust").map(Some);
    }
    let Some(path) = env::var_os(VARIABLE) else { return Ok(None) };
    let path = Path::new(&path);
    if !path.is_absolute() {
        let found = if path.as_os_str().is_empty() { "nothing".into() } else { files::show(path) };
        let message =
            "the variable is set, but not to the absolute path of a policy; correct or unset it";
        return Err(Fault::new(Code::Usage, message)
            .at(VARIABLE)
            .expected_found("an absolute path", found));
    }
    load(path, VARIABLE).map(Some).map_err(|fault| fault.at(VARIABLE))
}

/// Reads a policy and the files that it names, relative to its own folder. The operator decides where
/// they are, as on the command line: `..` and absolute paths are followed.
///
/// # Errors
/// [`Code::FileNotFound`] for the policy itself, else [`Code::PolicyMalformed`].
fn load(path: &Path, role: &str) -> Result<(TrustPolicy, Vec<Named>), Fault> {
    let mut named = vec![Named::new(role, path)];
    let bytes = files::read_config(path, limits::POLICY_BYTES, Code::PolicyMalformed)?;
    // Never an empty folder: a file called `-` is a file here, not standard input.
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The limit of the largest kind of file that a policy can name; the parsers have lower ones.
    let mut read = |name: &str| {
        let file = folder.join(name);
        let bytes = files::read_config(&file, limits::TRUSTED_ROOT_BYTES, Code::PolicyMalformed)?;
        named.push(Named::new(format!("a file that {role} names"), file));
        Ok(bytes)
    };
    let policy = TrustPolicy::from_toml(&bytes, &mut read);
    policy.map(|policy| (policy, named)).map_err(|fault| fault.at(files::show(path)))
}
