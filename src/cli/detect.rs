//! Opens a path and finds out what it leads to; the room `artifact` decides how that is detected.

use std::path::Path;

use super::files::{self, OpenedPath};
use crate::artifact::detect::{self, DetectedKind, Found, OpenedInput};
use crate::directory::Folder;
use crate::image::Options;
use crate::survey::LayoutTree;
use crate::verdict::{Code, Fault};

/// Reads a path as what it is, or as what `forced` says (with words for how that was detected).
///
/// # Errors
/// Those of [`detect::read`], and those of a path that can't be opened or is not an OCI layout.
pub(super) fn read(
    path: &Path,
    forced: Option<(DetectedKind, String)>,
    options: &Options<'_>,
) -> Result<Found, Fault> {
    match files::open(path)? {
        OpenedPath::Pipe(mut pipe) => detect::read(OpenedInput::Pipe(&mut pipe), forced, options)
            .map_err(|fault| fault_at(path, fault)),
        OpenedPath::File(file) => {
            let file = files::positioned(path, &file)?;
            detect::read(OpenedInput::File(&file), forced, options)
                .map_err(|fault| fault_at(path, fault))
        }
        OpenedPath::Directory => {
            let package = matches!(forced, Some((DetectedKind::Package, _)));
            let holds = |name: &str| path.join(name).exists();
            if !package && !holds("index.json") && !holds("oci-layout") {
                let message = "a directory is verified as an OCI layout, and this one holds \
                               neither index.json nor oci-layout; name the files in it";
                return Err(Fault::new(Code::Usage, message).at(files::show(path)));
            }
            let folder = Folder::open(path)?;
            let tree = LayoutTree::whole(&folder)?;
            let read = detect::read(OpenedInput::Layout(&tree), forced, options);
            read.map_err(|fault| match fault.code() {
                Code::Usage => fault.at(files::show(path)),
                _ => fault_at(path, fault),
            })
        }
    }
}

/// Adds the path to what the operating system reports; what is wrong inside it needs no path in front.
fn fault_at(path: &Path, fault: Fault) -> Fault {
    match fault.code() {
        Code::Unreadable => fault.at(files::show(path)),
        _ => fault,
    }
}
