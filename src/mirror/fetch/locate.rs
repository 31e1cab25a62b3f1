//! What is known of an item before anything of it is fetched.

use super::task::FetchTask;
use crate::mirror::FoundImage;
use crate::mirror::urls::redacted;
use crate::mirror::wanted::WantedItem;
use crate::verdict::Fault;

/// What is known of an item before anything of it is fetched.
pub(in crate::mirror) enum Located<'a> {
    /// An image.
    Image(Box<dyn FoundImage + 'a>),
    /// A package, and its size.
    Package(Option<u64>),
}

impl Located<'_> {
    /// Its size, if that is known.
    pub(in crate::mirror) fn size(&self) -> Option<u64> {
        match self {
            Self::Image(found) => found.description().size,
            Self::Package(size) => *size,
        }
    }

    /// Whether its size is certain, because it is a file on this machine.
    pub(in crate::mirror) fn is_local(&self) -> bool {
        matches!(self, Self::Image(found) if found.description().whole.is_some())
    }
}

impl<'a> FetchTask<'a> {
    /// Asks what an item is and how large.
    pub(in crate::mirror) fn locate(&self, wanted: &WantedItem) -> Result<Located<'a>, Fault> {
        match &wanted.url {
            None => self.source.find(&wanted.reference, self.watch).map(Located::Image),
            Some(url) => {
                let hosts = self.hosts.and(url);
                self.http.head(url, &hosts).map(|file| Located::Package(file.size))
            }
        }
    }

    /// The URLs that will be requested for an item, as far as they are known before it is fetched.
    pub(in crate::mirror) fn urls(
        &self,
        wanted: &WantedItem,
        located: &Located<'_>,
    ) -> Vec<String> {
        let profile = self.sealing.profile;
        let site = profile.mirror.as_ref();
        match (located, &wanted.url) {
            (Located::Image(found), _) => {
                let mut urls = Vec::new();
                for labels in &found.description().labels {
                    urls.extend(labels.get(&profile.image.bundle_label).cloned());
                    let key = labels.get(&profile.image.key_label);
                    urls.extend(site.zip(key).map(|(site, key)| site.key_url.url_for(key)));
                }
                urls
            }
            (Located::Package(_), Some(url)) => {
                let file = wanted.spelled();
                let material = site
                    .map(|site| [site.bundle_url.url_for(file), site.key_file_url.url_for(file)]);
                std::iter::once(redacted(url)).chain(material.into_iter().flatten()).collect()
            }
            (Located::Package(_), None) => Vec::new(),
        }
    }

    /// Whether an item's file is here already, as far as that is known without the network.
    pub(in crate::mirror) fn is_here(&self, wanted: &WantedItem, located: &Located<'_>) -> bool {
        let record = self.store.last(&wanted.path);
        let there = self.store.folder.file(&wanted.path).is_ok();
        match located {
            Located::Image(found) => {
                there && record.is_some_and(|record| record.url == found.description().source)
            }
            Located::Package(size) => {
                there && record.is_some_and(|record| Some(record.size) == *size)
            }
        }
    }

    /// Whether an earlier transfer carried an item that is not here; for a package, as far as its size shows.
    pub(in crate::mirror) fn is_carried(&self, wanted: &WantedItem, located: &Located<'_>) -> bool {
        let there = self.store.folder.file(&wanted.path).is_ok();
        self.earlier.filter(|_| !there).is_some_and(|earlier| match located {
            Located::Image(found) => earlier.image(wanted, found.description()).is_some(),
            Located::Package(size) => earlier.may_have(wanted, *size),
        })
    }
}
