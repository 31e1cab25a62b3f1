//! What a run would fetch (`--plan`).

use super::fetch::Located;
use super::mirror_request::MirrorRequest;
use super::stage::Stage;
use super::store::Store;
use super::wanted::WantedItem;
use crate::verdict::Fault;

/// One line of the plan.
#[derive(Debug, Clone)]
pub struct PlanItem {
    /// What was asked for.
    pub wanted: WantedItem,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
    /// Whether it is here already.
    pub here: bool,
    /// Whether an earlier transfer carried it; for a package its bundle has yet to confirm that.
    pub carried: bool,
    /// How many bytes will be fetched: none of those that are here already or were carried.
    pub fetch: Option<u64>,
    /// Where exactly an image is, and what the reader should know about it.
    pub notes: Vec<String>,
    /// The URLs that will be requested, as far as they are known.
    pub urls: Vec<String>,
    /// Why it can't be had.
    pub fault: Option<Fault>,
}

impl MirrorRequest<'_> {
    /// Asks about every item, and fetches nothing but manifests.
    #[must_use]
    pub fn plan(&self) -> Vec<PlanItem> {
        let store = Store::new(self.folder);
        let fetch_task = self.fetch_task(&store);
        let locations = self.locate_all(&fetch_task);
        let items = self.wanted.iter().zip(locations);
        items
            .map(|(wanted, located)| match located {
                Ok(located) => {
                    let (here, carried) = (
                        fetch_task.is_here(wanted, &located),
                        fetch_task.is_carried(wanted, &located),
                    );
                    let left = Stage::new(&store, wanted).bytes();
                    let fetch = located.size().map(|size| match here || carried {
                        true => 0,
                        false => size.saturating_sub(left),
                    });
                    PlanItem {
                        wanted: wanted.clone(),
                        size: located.size(),
                        here,
                        carried,
                        fetch,
                        notes: match &located {
                            Located::Image(found) => {
                                let image = found.description();
                                let notes = image.notes.iter().cloned();
                                std::iter::once(image.source.clone()).chain(notes).collect()
                            }
                            Located::Package(_) => Vec::new(),
                        },
                        urls: fetch_task.urls(wanted, &located),
                        fault: None,
                    }
                }
                Err(fault) => PlanItem {
                    wanted: wanted.clone(),
                    size: None,
                    here: false,
                    carried: false,
                    fetch: None,
                    notes: Vec::new(),
                    urls: Vec::new(),
                    fault: Some(fault),
                },
            })
            .collect()
    }
}
