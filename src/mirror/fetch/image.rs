//! Fetches an image: its bundles and keys first, then the archive.

use super::task::{FetchOutcome, FetchTask};
use super::verify_fetched::{Judgement, digest, stated};
use crate::digest::Sha256Digest;
use crate::mirror::stage::Stage;
use crate::mirror::wanted::WantedItem;
use crate::mirror::{FetchRecord, FoundImage, ImageDescription};
use crate::transfer::Foreseen;
use crate::verdict::{Fault, Outcome};

/// The digest of an index, and the image without it.
type WithoutIndex<'f> = (Sha256Digest, Box<dyn FoundImage + 'f>);

impl FetchTask<'_> {
    pub(super) fn image(
        &self,
        wanted: &WantedItem,
        found: &dyn FoundImage,
    ) -> Result<FetchOutcome, Fault> {
        let description = found.description();
        // An archive that is here already stays; it is not left to the earlier transfer.
        if self.store.folder.file(&wanted.path).is_err()
            && let Some(item) = self.earlier.and_then(|earlier| earlier.image(wanted, description))
        {
            Stage::new(self.store, wanted).give_up()?;
            return Ok(FetchOutcome::Carried(item, None));
        }
        for note in &description.notes {
            self.watch.say(&format!("{}: {note}", wanted.name));
        }
        let mut stage = Stage::new(self.store, wanted);
        let alone = self.material_before(&mut stage, found)?;
        let found = match &alone {
            None => found,
            Some((index, alone)) => {
                let name = &wanted.name;
                self.watch
                    .say(&format!("{name}: left out: the index {index}, which nobody signed"));
                &**alone
            }
        };
        let description = found.description();
        let recorded = |place: &str| self.is_recorded_from(place, description);
        let here = self.archive_here(&mut stage, description);
        let new = here.is_none() || !stage.place().is_some_and(recorded);
        let mut judged = match here {
            Some(judged) => judged,
            None => {
                self.store.may_replace(&wanted.path)?;
                self.fetch_image(&mut stage, found)?;
                self.verify_fetched(&stage, description)?
            }
        };
        if description.labels.is_empty() {
            let labels: Vec<_> =
                judged.1.images(&wanted.path).iter().map(|image| image.labels.clone()).collect();
            self.image_material(&mut stage, &labels)?;
            judged = self.verify_fetched(&stage, description)?;
        }
        stated(wanted, description, &judged.1)?;
        if new
            && let (Some(digest), Some(place)) = (judged.1.digest(&wanted.path), stage.place())
            && (place != wanted.path || self.store.last(place).is_some())
        {
            let source = description.source.clone();
            self.store.record([FetchRecord::local(source, place, digest.size, digest.sha256)])?;
        }
        self.accept(&mut stage, judged, description.source.clone())
    }

    /// Fetches the bundles and keys, if the labels that name them are known before the archive is read.
    /// Returns the digest of the image's index and the image without it, if nobody signed the index.
    fn material_before<'f>(
        &self,
        stage: &mut Stage<'_>,
        found: &'f dyn FoundImage,
    ) -> Result<Option<WithoutIndex<'f>>, Fault> {
        let description = found.description();
        if description.labels.is_empty() {
            return Ok(None);
        }
        let bundles = self.image_material(stage, &description.labels)?;
        // Only a registry states every digest that the archive will prove.
        if !description.is_from_registry() {
            return Ok(None);
        }
        self.foresee(stage, &bundles, Foreseen::Image(&description.stated))?;
        // An index that lists what is not fetched goes along only if somebody signed it.
        Ok(found.without_index().filter(|(index, _)| {
            let index = Foreseen::Image(std::slice::from_ref(index));
            bundles.is_empty() || self.foresee(stage, &bundles, index).is_err()
        }))
    }

    /// The archive of an earlier run, if it is still the image that was found.
    fn archive_here(
        &self,
        stage: &mut Stage<'_>,
        description: &ImageDescription,
    ) -> Option<Judgement> {
        let path = &stage.wanted().path;
        for place in stage.places() {
            let recorded = self.is_recorded_from(&place, description);
            // A run that was interrupted before it read the archive did not record it. What the source
            // states shows whether it is the same.
            if self.store.folder.file(&place).is_err() || !recorded && description.stated.is_empty()
            {
                continue;
            }
            stage.put(path, place.clone());
            let judged = self.verify_fetched(stage, description).ok();
            let same = judged.filter(|judged| self.is_it(stage, description, recorded, judged));
            if same.is_some() {
                return same;
            }
            if recorded {
                self.watch.say(&format!("{place}: not what was fetched before; fetching it again"));
            }
        }
        None
    }

    fn is_recorded_from(&self, place: &str, description: &ImageDescription) -> bool {
        self.store.last(place).is_some_and(|record| record.url == description.source)
    }

    /// Whether an archive is the image that was found: it is the one that was recorded, or it verifies,
    /// and it proves the digests that the source states, among them those of the chosen platforms.
    fn is_it(
        &self,
        stage: &Stage<'_>,
        description: &ImageDescription,
        recorded: bool,
        judged: &Judgement,
    ) -> bool {
        let wanted = stage.wanted();
        let same = match stage.place() {
            Some(place) if recorded => self.store.is_recorded(place, digest(judged, wanted)),
            _ => judged.0.outcome() == Outcome::Ok,
        };
        same && stated(wanted, description, &judged.1).is_ok()
    }

    fn fetch_image(&self, stage: &mut Stage<'_>, found: &dyn FoundImage) -> Result<(), Fault> {
        stage.begin()?;
        let path = &stage.wanted().path;
        let staged = stage.staged(path);
        let fetched = found.fetch(self.store.folder, &staged, self.watch)?;
        self.store.came();
        stage.put(path, staged);
        // The archive itself is recorded only after it was read and found right.
        let blobs = fetched.into_iter().filter(|record| record.url != found.description().source);
        self.store.record(blobs)
    }
}
