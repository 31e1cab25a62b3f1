//! Where a seal is expected: one rule for directories, single files and standard input.
//!
//! A transfer key by option or policy, a state file, an earlier transfer or a stream says that what comes is
//! sealed. No directory is then judged by its vendors' signatures alone. A single file is, under a policy,
//! where nothing else is judged; as soon as the command line speaks of a transfer, by an option or by a
//! directory, a file beside it has no seal, and a shell's `media/*` gets the answer that `media` gets.

use std::path::{Path, PathBuf};

use super::files;
use super::transfer_args::TransferArgs;
use super::verify::Whom;
use crate::verdict::{Code, Fault};

/// Whether a PATH is a directory; `-` is standard input, whatever lies there.
pub(super) fn is_directory(path: &Path) -> bool {
    path.as_os_str() != "-" && path.is_dir()
}

/// Whether all PATHs are files or standard input. One that does not exist has an error of its own.
pub(super) fn no_directory(paths: &[PathBuf]) -> bool {
    let file = |path: &PathBuf| path.as_os_str() == "-" || (path.exists() && !path.is_dir());
    paths.iter().all(file)
}

/// Whether an option names what only a transfer has.
const fn named(arguments: &TransferArgs) -> bool {
    !arguments.transfer_key.is_empty()
        || arguments.state.is_some()
        || !arguments.base.is_empty()
        || !arguments.stream.is_empty()
}

/// Whether directories must have a seal, unless the operator says otherwise.
pub(super) fn of_directories(whom: &Whom<'_>) -> bool {
    !whom.transfer_keys.is_empty() || named(&whom.arguments.transfer)
}

/// Why a PATH that is no directory is not judged, if it is not: a seal is expected, and it lies in none of
/// the transfers that are judged.
pub(super) fn unsealed(whom: &Whom<'_>, path: &Path) -> Option<Fault> {
    let arguments = &whom.arguments.transfer;
    if arguments.unsealed || arguments.loose || !of_directories(whom) || is_directory(path) {
        return None;
    }
    let beside = whom.arguments.files.iter().any(|path| is_directory(path));
    if !named(arguments) && !beside {
        return None;
    }
    let stream = path.as_os_str() == "-";
    // What is not there has an error of its own.
    if !stream && (!path.exists() || whom.transfers.iter().any(|it| it.contains(path))) {
        return None;
    }
    let message = "it lies outside of every transfer directory, and a seal is expected; --loose has such \
                   files judged by their vendors' signatures alone";
    Some(Fault::new(Code::SealMissing, message).at(files::show(path)))
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
