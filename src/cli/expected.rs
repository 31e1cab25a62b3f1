//! Where a seal is expected: one rule for directories, single files and standard input.
//!
//! A transfer key (by option or policy), a state file, an earlier transfer or a stream says that what
//! comes is sealed. No directory is then judged by its vendors' signatures alone. A single file is,
//! under a policy, if nothing else is judged. As soon as the command line speaks of a transfer, by an
//! option or by a directory, a file outside of it has no seal, and a shell's `media/*` gets the answer that
//! `media` gets.

use std::path::{Path, PathBuf};

use super::transfer_args::TransferArgs;
use crate::verdict::{Code, Fault};

/// Whether a PATH is a directory. `-` is standard input, whatever has that name.
pub(super) fn is_directory(path: &Path) -> bool {
    path.as_os_str() != "-" && path.is_dir()
}

/// Whether all PATHs are files or standard input. One that does not exist has an error of its own.
pub(super) fn no_directory(paths: &[PathBuf]) -> bool {
    // Asked once: a path that can't be asked is not known to be a file.
    let is_file = |path: &PathBuf| path.metadata().is_ok_and(|metadata| !metadata.is_dir());
    paths.iter().all(|path| path.as_os_str() == "-" || is_file(path))
}

/// Why a seal is expected, if it is.
#[derive(Debug)]
pub(super) struct ExpectedSeal {
    reasons: Vec<&'static str>,
    by_option: bool,
}

impl ExpectedSeal {
    /// What the options and the policy say; `has_keys` is whether either names a transfer key.
    pub(super) fn new(arguments: &TransferArgs, has_keys: bool) -> Self {
        let mut reasons = Vec::new();
        if !arguments.transfer_key.is_empty() {
            reasons.push("--transfer-key was given");
        } else if has_keys {
            reasons.push("the trust policy in force lists transfer keys");
        }
        let options = [
            (arguments.state.is_some(), "--state was given"),
            (!arguments.base.is_empty(), "--base was given"),
            (!arguments.stream.is_empty(), "--stream was given"),
        ];
        reasons.extend(options.into_iter().filter(|(given, _)| *given).map(|(_, reason)| reason));
        Self { reasons, by_option: named(arguments) }
    }

    /// Whether directories must have a seal, unless the operator says otherwise.
    pub(super) const fn is_expected(&self) -> bool {
        !self.reasons.is_empty()
    }

    /// Whether an option names what only a transfer has.
    pub(super) const fn by_option(&self) -> bool {
        self.by_option
    }

    /// Why, in words.
    pub(super) fn reasons(&self) -> &[&'static str] {
        &self.reasons
    }
}

/// Whether an option names what only a transfer has.
const fn named(arguments: &TransferArgs) -> bool {
    !arguments.transfer_key.is_empty()
        || arguments.state.is_some()
        || !arguments.base.is_empty()
        || !arguments.stream.is_empty()
}

/// Refuses options that only a transfer has a use for where no PATH can be one.
///
/// # Errors
/// [`Code::Usage`].
pub(super) fn options(arguments: &TransferArgs, paths: &[PathBuf]) -> Result<(), Fault> {
    let given = named(arguments)
        || arguments.full_digest
        || arguments.unsealed
        || arguments.loose
        || !arguments.allow_unsigned.is_empty();
    if given && no_directory(paths) {
        let message = "options for transfer directories were given, and no PATH is a directory";
        return Err(Fault::new(Code::Usage, message));
    }
    Ok(())
}
