//! One image or package: located, its bundle and key fetched, itself fetched, and judged at once by
//! the rules of sealing.

mod image;
mod locate;
mod material;
mod package;
mod task;
mod verify_fetched;

pub(super) use locate::Located;
pub(super) use task::{FetchOutcome, FetchTask};

use super::wanted::WantedItem;
use crate::verdict::{Code, Fault};

impl FetchTask<'_> {
    /// Fetches an item with its bundles and keys, and judges it.
    pub(in crate::mirror) fn fetch(
        &self,
        wanted: &WantedItem,
        located: &Located<'_>,
    ) -> Result<FetchOutcome, Fault> {
        match (located, &wanted.url) {
            (Located::Image(found), _) => self.image(wanted, &**found),
            (Located::Package(_), Some(url)) => self.package(wanted, url),
            (Located::Package(_), None) => {
                Err(Fault::new(Code::ReferenceInvalid, "a package without a URL").at(&wanted.name))
            }
        }
    }
}
