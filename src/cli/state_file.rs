//! The state file: which transfers this side accepted last, so that older ones are refused.

use std::path::PathBuf;

use super::files;
use crate::directory::write_beside;
use crate::limits;
use crate::transfer::{AcceptedTransfers, Sealed};
use crate::verdict::{Code, Fault};

/// A state file that the operator named.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// Whether the file is to be begun.
    init: bool,
}

impl StateFile {
    /// The state file at a path, which must exist unless it is to be begun.
    pub(super) const fn new(path: PathBuf, init: bool) -> Self {
        Self { path, init }
    }

    /// Refuses what is not a regular file, before anything is judged.
    ///
    /// # Errors
    /// [`Code::StateMalformed`].
    pub(super) fn is_file(&self) -> Result<(), Fault> {
        if self.path.exists() && !self.path.is_file() {
            let fault = Fault::new(Code::StateMalformed, "not a regular file");
            return Err(fault.at(files::show(&self.path)));
        }
        Ok(())
    }

    /// What was accepted before. A run asks once, when it begins.
    ///
    /// # Errors
    /// [`Code::StateMissing`], [`Code::StateMalformed`], and [`Code::Usage`] if a file that is to be
    /// begun exists.
    pub(super) fn read(&self) -> Result<AcceptedTransfers, Fault> {
        let place = files::show(&self.path);
        let exists = self.path.symlink_metadata().is_ok();
        if self.init {
            if exists {
                let message = "the state file exists already; leave --init-state out";
                return Err(Fault::new(Code::Usage, message).at(place));
            }
            return Ok(AcceptedTransfers::default());
        }
        if !exists {
            return Err(Fault::new(Code::StateMissing, "there is no such file").at(place));
        }
        let bytes = files::read_config(&self.path, limits::STATE_BYTES, Code::StateMalformed)?;
        AcceptedTransfers::parse(&bytes).map_err(|fault| fault.at(place))
    }

    /// Remembers an accepted transfer, and keeps what other runs may have accepted meanwhile.
    ///
    /// # Errors
    /// The faults of reading and writing the file, and those of [`AcceptedTransfers::accept`].
    pub(super) fn remember(&self, sealed: &Sealed) -> Result<(), Fault> {
        write_beside(&self.path, limits::STATE_BYTES, |before| {
            let mut state = match before {
                Some(bytes) => AcceptedTransfers::parse(&bytes)?,
                None if self.init => AcceptedTransfers::default(),
                None => {
                    let message = "the file disappeared while the transfer was checked";
                    return Err(Fault::new(Code::StateMissing, message));
                }
            };
            let changed = state.accept(sealed.manifest(), &sealed.digest())?;
            if changed { state.to_bytes().map(Some) } else { Ok(None) }
        })
        .map_err(|fault| fault.at(files::show(&self.path)))
    }
}
