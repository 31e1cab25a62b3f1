//! Finding and loading the trust policy, and `sealift policy check`, which says what one means.

use std::env;
use std::io;
use std::path::Path;

use super::args::{PolicyArgs, PolicyCheckArgs, PolicyCommand};
use super::{files, shown, warn};
use crate::limits;
use crate::trust::TrustPolicy;
use crate::verdict::{Code, ExitStatus, Fault, line};

/// The environment variable that names a policy for every run.
const VARIABLE: &str = "SEALIFT_TRUST";

/// Runs the command.
pub(super) fn run(arguments: &PolicyArgs) -> Result<ExitStatus, Fault> {
    match &arguments.command {
        PolicyCommand::Check(arguments) => check(arguments),
    }
}

fn check(arguments: &PolicyCheckArgs) -> Result<ExitStatus, Fault> {
    let policy = search(arguments.file.as_deref())?.ok_or_else(|| {
        Fault::new(Code::Usage, format!("no FILE is given, and {VARIABLE} names none"))
    })?;
    for warning in policy.warnings(jiff::Timestamp::now()) {
        warn(&warning);
    }
    let mut out = io::stdout().lock();
    shown(policy.describe().iter().try_for_each(|line| line!(out, "{line}")))
}

/// The policy in force: the one that a flag names, else the environment's, else none. A variable
/// that is set and empty names none; one that names a file must lead to a policy.
///
/// # Errors
/// Those of [`load`].
pub(super) fn search(flag: Option<&Path>) -> Result<Option<TrustPolicy>, Fault> {
    if let Some(path) = flag {
        return load(path).map(Some);
    }
    match env::var_os(VARIABLE) {
        Some(path) if !path.is_empty() => {
            load(Path::new(&path)).map(Some).map_err(|fault| fault.at(VARIABLE))
        }
        _ => Ok(None),
    }
}

/// Reads a policy and the files that it names, relative to its own folder. Where they lie is the
/// operator's choice, as on the command line: `..` and absolute paths are followed.
///
/// # Errors
/// [`Code::FileNotFound`] for the policy itself, else [`Code::PolicyMalformed`].
pub(super) fn load(path: &Path) -> Result<TrustPolicy, Fault> {
    let bytes = files::read_config(path, limits::POLICY_BYTES, Code::PolicyMalformed)?;
    // Never an empty folder: a file called `-` is a file here, not standard input.
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The largest of what a policy can name; what each file is bounds it further.
    let mut read = |name: &str| {
        files::read_config(&folder.join(name), limits::TRUSTED_ROOT_BYTES, Code::PolicyMalformed)
    };
    TrustPolicy::from_toml(&bytes, &mut read).map_err(|fault| fault.at(files::show(path)))
}
