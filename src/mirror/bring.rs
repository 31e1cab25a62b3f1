//! One image or package: found, its bundle and key fetched, itself fetched, and judged at once by the
//! rules of sealing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use url::Url;

use super::earlier_transfer::EarlierTransfer;
use super::http::{Http, is_page, page};
use super::stage::{SMALL, Stage};
use super::store::Store;
use super::urls::redacted;
use super::wanted::WantedItem;
use super::{FoundImage, Hosts, ImageDescription, ImageSource, Watch, WatchedTransfer};
use crate::digest::Sha256Digest;
use crate::directory::TEMPORARY;
use crate::image::Options;
use crate::key::PublicKey;
use crate::limits;
use crate::pairing;
use crate::path;
use crate::sigstore::SignatureBundle;
use crate::transfer::{self, BaseArtifact, ExaminedFiles, Foreseen, Kind, Origin, SealRequest};
use crate::trust::SiteRules;
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault, Outcome, ServerAnswer};

/// Everything that fetching needs.
pub(super) struct FetchTask<'a> {
    pub(super) store: &'a Store<'a>,
    pub(super) http: &'a Http,
    pub(super) hosts: Hosts,
    pub(super) order: SealRequest<'a>,
    pub(super) source: &'a dyn ImageSource,
    pub(super) earlier: Option<&'a EarlierTransfer>,
    pub(super) watch: &'a dyn Watch,
}

/// What is known of a wanted before anything of it is fetched.
pub(super) enum Located<'a> {
    /// An image.
    Image(Box<dyn FoundImage + 'a>),
    /// A package, and its size.
    Package(Option<u64>),
}

impl Located<'_> {
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Image(found) => found.description().size,
            Self::Package(size) => *size,
        }
    }
}

impl Located<'_> {
    /// Whether its size is known for sure, because it lies on this machine.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Image(found) if found.description().whole.is_some())
    }
}

/// What became of a wanted.
pub(super) enum FetchOutcome {
    /// It is here and right.
    Accepted { report: Box<ArtifactReport>, seen: ExaminedFiles, origin: Origin },
    /// An earlier transfer carried it; the verdict, where it was judged again.
    Carried(BaseArtifact, Option<Box<ArtifactReport>>),
}

impl<'a> FetchTask<'a> {
    /// Asks what a wanted is and how large.
    pub(super) fn locate(&self, wanted: &WantedItem) -> Result<Located<'a>, Fault> {
        match &wanted.url {
            None => self.source.find(&wanted.reference, self.watch).map(Located::Image),
            Some(url) => {
                let hosts = self.hosts.and(url);
                self.http.head(url, &hosts).map(|asked| Located::Package(asked.size))
            }
        }
    }

    /// The URLs that will be asked for a wanted, as far as they are known before it is fetched.
    pub(super) fn urls(&self, wanted: &WantedItem, located: &Located<'_>) -> Vec<String> {
        let profile = self.order.profile;
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
                let material =
                    site.map(|it| [it.bundle_url.url_for(file), it.key_file_url.url_for(file)]);
                std::iter::once(redacted(url)).chain(material.into_iter().flatten()).collect()
            }
            (Located::Package(_), None) => Vec::new(),
        }
    }

    /// Whether the file of a wanted is here already, as far as that can be told without the network.
    pub(super) fn is_here(&self, wanted: &WantedItem, located: &Located<'_>) -> bool {
        let entry = self.store.last(&wanted.path);
        let there = self.store.folder.file(&wanted.path).is_ok();
        match located {
            Located::Image(found) => {
                there && entry.is_some_and(|it| it.url == found.description().source)
            }
            Located::Package(size) => there && entry.is_some_and(|it| Some(it.size) == *size),
        }
    }

    /// Whether an earlier transfer carried a wanted that is not here; of a package as far as its size tells.
    pub(super) fn is_carried(&self, wanted: &WantedItem, located: &Located<'_>) -> bool {
        let there = self.store.folder.file(&wanted.path).is_ok();
        self.earlier.filter(|_| !there).is_some_and(|earlier| match located {
            Located::Image(found) => earlier.image(wanted, found.description()).is_some(),
            Located::Package(size) => earlier.may_have(wanted, *size),
        })
    }

    /// Fetches a wanted with its material and judges it.
    pub(super) fn fetch(
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

    /// What lies there of a wanted as an earlier run left it, judged again.
    pub(super) fn in_place(
        &self,
        wanted: &WantedItem,
    ) -> Result<(ArtifactReport, ExaminedFiles, Origin), Fault> {
        let mut stage = Stage::new(self.store, wanted);
        let below = self.store.folder.folder(&wanted.directory)?;
        for entry in below.list()?.files() {
            let path = format!("{}/{}", wanted.directory, entry.name);
            if path == wanted.path || self.store.last(&path).is_some() {
                stage.put(&path.clone(), path);
            }
        }
        let (report, seen) = self.judge(&stage, &ImageDescription::default())?;
        let source = self.store.last(&wanted.path).map_or_else(String::new, |it| it.url);
        match self.fits(wanted, &report) {
            true => Ok((report, seen, Origin { name: wanted.name.clone(), source })),
            false => Err(refusal(wanted, report)),
        }
    }

    fn image(&self, wanted: &WantedItem, found: &dyn FoundImage) -> Result<FetchOutcome, Fault> {
        let description = found.description();
        let there = |path: &str| self.store.folder.file(path).is_ok();
        // What lies here need not be fetched, and nothing is taken away.
        if !there(&wanted.path)
            && let Some(item) = self.earlier.and_then(|it| it.image(wanted, description))
        {
            Stage::new(self.store, wanted).give_up()?;
            return Ok(FetchOutcome::Carried(item, None));
        }
        for note in &description.notes {
            self.watch.say(&format!("{}: {note}", wanted.name));
        }
        let mut stage = Stage::new(self.store, wanted);
        let mut alone = None;
        // An archive shows its labels only when it is read.
        if !description.labels.is_empty() {
            let bundles = self.image_material(&mut stage, &description.labels)?;
            // Of a registry every digest is known that the archive will prove.
            if description.source.starts_with("docker://") {
                self.foresee(&stage, &bundles, Foreseen::Image(&description.stated))?;
                // An index that lists what is not brought goes along only if somebody signed it.
                alone = found.without_index().filter(|(index, _)| {
                    let index = Foreseen::Image(std::slice::from_ref(index));
                    bundles.is_empty() || self.foresee(&stage, &bundles, index).is_err()
                });
            }
        }
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
        let recorded =
            |place: &str| self.store.last(place).is_some_and(|it| it.url == description.source);
        // A run that ended before it had read what it fetched did not record it: what the source
        // states tells whether it is the same.
        let mut here = None;
        for place in stage.places() {
            if here.is_none()
                && there(&place)
                && (recorded(&place) || !description.stated.is_empty())
            {
                stage.put(&wanted.path, place.clone());
                let judged = self.judge(&stage, description).ok();
                here = judged.filter(|it| self.is_it(&stage, description, recorded(&place), it));
                if here.is_none() && recorded(&place) {
                    self.watch.say(&format!("{place}: not what was fetched before; fetched again"));
                }
            }
        }
        let new = here.is_none() || !stage.place().is_some_and(recorded);
        let mut judged = match here {
            Some(judged) => judged,
            None => {
                self.store.may_replace(&wanted.path)?;
                self.fetch_image(&mut stage, found)?;
                self.judge(&stage, description)?
            }
        };
        if description.labels.is_empty() {
            let labels: Vec<_> =
                judged.1.images(&wanted.path).iter().map(|image| image.labels.clone()).collect();
            self.image_material(&mut stage, &labels)?;
            judged = self.judge(&stage, description)?;
        }
        stated(wanted, description, &judged.1)?;
        if new
            && let (Some(it), Some(place)) = (judged.1.digest(&wanted.path), stage.place())
            && (place != wanted.path || self.store.last(place).is_some())
        {
            let source = description.source.clone();
            self.store.record([super::FetchRecord::local(source, place, it.size, it.sha256)])?;
        }
        self.accept(&mut stage, judged, description.source.clone())
    }

    /// Whether the archive that lies here is the image that was found: the one that was recorded, or
    /// one that verifies; with the digests that the source states, among them those of the chosen
    /// platforms.
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
        let beside = stage.beside(path);
        let fetched = found.fetch(self.store.folder, &beside, self.watch)?;
        self.store.came();
        stage.put(path, beside);
        // The whole archive is recorded when it was read and is right.
        let blobs = fetched.into_iter().filter(|it| it.url != found.description().source);
        self.store.record(blobs)
    }

    fn package(&self, wanted: &WantedItem, url: &Url) -> Result<FetchOutcome, Fault> {
        let site = self.site()?;
        let file = wanted.path.rsplit('/').next().unwrap_or_default();
        let names = pairing::for_package(self.order.profile, file);
        let (Some(bundle), Some(key_file)) = (names.bundle, names.key) else {
            return Err(Fault::new(Code::ReferenceInvalid, "no name for its bundle").at(file));
        };
        let mut stage = Stage::new(self.store, wanted);
        let path = format!("{}/{bundle}", wanted.directory);
        let bundle = match self.vendor_file(
            &mut stage,
            &site.bundle_url.url_for(wanted.spelled()),
            &bundle,
            SMALL,
        ) {
            // Nobody signed it, and the operator knows.
            Err(fault) if absent(&fault) && self.may_be_unsigned(wanted) => None,
            other => Some(other?),
        };
        if bundle.is_some() {
            self.package_key(&mut stage, &site.key_file_url.url_for(wanted.spelled()), &key_file)?;
            self.foresee(&stage, &[path], Foreseen::Package)?;
        }
        let there = self.store.folder.file(&wanted.path).is_ok();
        let signed = bundle.and_then(|bytes| SignatureBundle::parse_found(&bytes).ok());
        if let (Some(earlier), Some(bundle), false) = (self.earlier, signed, there)
            && let Some((item, digest)) = earlier.package(wanted, &bundle, self.order.profile)
        {
            // What a bundle states is only believed when it verifies.
            let (view, material) = (stage.view()?, stage.material());
            let known =
                transfer::examine_absent(&view, &self.order, &wanted.path, &material, digest);
            match known {
                Ok(judged) if judged.report.outcome() == Outcome::Ok => {
                    stage.give_up()?;
                    return Ok(FetchOutcome::Carried(item, Some(Box::new(judged.report))));
                }
                _ => self.watch.say(&format!(
                    "{}: the bundle does not prove what the earlier transfer carried; fetched",
                    wanted.name
                )),
            }
        }
        let description = ImageDescription::default();
        // What nobody fetched is taken if it is what the vendor signed, and is in the way if not.
        if there && self.store.last(&wanted.path).is_none() {
            stage.put(&wanted.path, wanted.path.clone());
            let judged = self.judge(&stage, &description)?;
            if judged.0.outcome() != Outcome::Ok {
                self.store.may_replace(&wanted.path)?;
            }
            return self.accept(&mut stage, judged, redacted(url));
        }
        let hosts = self.hosts.and(url);
        let mut fetched = stage.large(self.http, url, &hosts, false, self.watch)?;
        let mut judged = self.judge(&stage, &description)?;
        let other = !fetched && !self.is_fetched(&stage, &judged);
        // A medium that lost power may have lost what was believed to be there: once more in one piece.
        let joined = fetched
            && stage
                .place()
                .and_then(|it| self.store.last(it))
                .is_some_and(|it| it.resumed_from > 0);
        if other || (joined && judged.0.outcome() == Outcome::Failed) {
            let why =
                if other { "not what was fetched before" } else { "continued, and not right" };
            self.watch.say(&format!("{}: {why}; fetched again", wanted.path));
            fetched = stage.large(self.http, url, &hosts, true, self.watch)?;
            judged = self.judge(&stage, &description)?;
        }
        if fetched && !self.is_fetched(&stage, &judged) {
            let message = "what lies on the disk is not what arrived";
            return Err(
                Fault::new(Code::SourceDisagrees, message).at(self.store.folder.show(&wanted.path))
            );
        }
        self.accept(&mut stage, judged, redacted(url))
    }

    /// Whether what was judged is what was fetched, now or by an earlier run.
    fn is_fetched(&self, stage: &Stage<'_>, judged: &Judgement) -> bool {
        let digest = digest(judged, stage.wanted());
        let mut places = stage.place().into_iter().chain([stage.wanted().path.as_str()]);
        places.any(|place| self.store.is_recorded(place, digest))
    }

    /// The bundles and keys that an image's labels name; answers where the bundles will lie.
    fn image_material(
        &self,
        stage: &mut Stage<'_>,
        labels: &[BTreeMap<String, String>],
    ) -> Result<Vec<String>, Fault> {
        let wanted = stage.wanted();
        let rules = &self.order.profile.image;
        let mut named = BTreeSet::new();
        for labels in labels {
            if let Some(url) = labels.get(&rules.bundle_label) {
                named.insert((url.as_str(), labels.get(&rules.key_label).map(String::as_str)));
            }
        }
        if named.is_empty() && !self.may_be_unsigned(wanted) {
            let message = format!("its config has no label {}", rules.bundle_label);
            return Err(Fault::new(Code::NoBundle, message).at(&wanted.name).advise(NO_BUNDLE));
        }
        let mut bundles = Vec::new();
        for (url, key) in named.into_iter().take(limits::BUNDLES) {
            let Some(name) = pairing::base_name(url) else {
                let message = "the bundle's label is no URL that ends in a plain file name";
                return Err(Fault::new(Code::HostNotAllowed, message).at(url));
            };
            match self.vendor_file(stage, url, &name, SMALL) {
                // Nobody signed it, and the operator knows: as for a package.
                Err(fault) if absent(&fault) && self.may_be_unsigned(wanted) => continue,
                other => drop(other?),
            }
            bundles.push(format!("{}/{name}", wanted.directory));
            let key = key.map(|key| match pairing::base_name(key) {
                Some(name) if name == key => Ok((self.site()?.key_url.url_for(&name), name)),
                _ => {
                    Err(Fault::new(Code::HostNotAllowed, "the key's label is no file name").at(key))
                }
            });
            self.key(stage, key)?;
        }
        Ok(bundles)
    }

    /// Stops where no bundle can count, before anything large is fetched.
    fn foresee(
        &self,
        stage: &Stage<'_>,
        bundles: &[String],
        artifact: Foreseen<'_>,
    ) -> Result<(), Fault> {
        let (view, material, wanted) = (stage.view()?, stage.material(), stage.wanted());
        transfer::foresee(&view, &self.order, &wanted.name, &material, bundles, artifact)
    }

    fn package_key(&self, stage: &mut Stage<'_>, url: &str, name: &str) -> Result<(), Fault> {
        let path = format!("{}/{name}", stage.wanted().directory);
        let found = self.vendor_file(stage, url, name, limits::KEY_BYTES).and_then(|bytes| {
            pairing::key_url(&bytes)
                .and_then(|url| Ok((url, pairing::key_name(&bytes)?)))
                .inspect_err(|_| stage.drop(&path))
        });
        self.key(stage, Some(found))
    }

    /// Fetches the key that the vendor names, and stops where no key can count: before the large
    /// download, not behind it.
    fn key(
        &self,
        stage: &mut Stage<'_>,
        named: Option<Result<(String, String), Fault>>,
    ) -> Result<(), Fault> {
        let named_keys = &self.order.named_keys;
        let wanted = stage.wanted();
        let fetched = match named {
            Some(named) => named.and_then(|(url, name)| {
                let bytes = self.vendor_file(stage, &url, &name, limits::KEY_BYTES)?;
                PublicKey::from_found(&name, &bytes).map_err(|fault| {
                    // It would lie there as a file that nobody signed.
                    stage.drop(&format!("{}/{name}", wanted.directory));
                    fault.at(url)
                })
            }),
            None => Err(Fault::new(Code::KeyNotNamed, "the vendor names no key").at(&wanted.name)),
        };
        match fetched {
            Ok(key) if named_keys.admits(&key.fingerprint()) => Ok(()),
            // What this machine could not write or read says nothing of the vendor's key.
            Err(fault)
                if matches!(fault.code(), Code::WriteFailed | Code::NoSpace | Code::Unreadable) =>
            {
                Err(fault)
            }
            // The operator's own keys decide.
            Ok(_) if named_keys.has_keys() => Ok(()),
            Err(_) if named_keys.has_keys() => {
                stage.keep_keys();
                Ok(())
            }
            Ok(key) => {
                let fingerprint = key.fingerprint();
                let message = format!(
                    "the vendor's site names the key {fingerprint}, which nobody named here; compare \
                     it with the vendor out of band, then say --pin-key {fingerprint}"
                );
                Err(Fault::new(Code::KeyNotNamed, message).at(&wanted.name))
            }
            Err(fault) => Err(fault),
        }
    }

    /// A small file from one of the vendor's hosts, stored beside the artifact.
    fn vendor_file(
        &self,
        stage: &mut Stage<'_>,
        url: &str,
        name: &str,
        cap: u64,
    ) -> Result<Vec<u8>, Fault> {
        let url = Url::parse(url)
            .map_err(|error| Fault::new(Code::HostNotAllowed, error.to_string()).at(url))?;
        let wanted = stage.wanted();
        let path = format!("{}/{name}", wanted.directory);
        if path.to_ascii_lowercase().ends_with(TEMPORARY) {
            let message = "the vendor's name for a bundle or key is that of a half-written file";
            return Err(Fault::new(Code::NameCollision, message).at(path));
        }
        path::portable(&path)
            .map_err(|reason| Fault::new(Code::PathNotPortable, reason.to_string()).at(&*path))?;
        if path.eq_ignore_ascii_case(&wanted.path) {
            let message = "the vendor's name for a bundle or key is the artifact's own";
            return Err(Fault::new(Code::NameCollision, message).at(path));
        }
        stage.small(self.http, &url, &self.hosts, &path, cap)
    }

    fn site(&self) -> Result<&SiteRules, Fault> {
        self.order.profile.mirror.as_ref().ok_or_else(|| {
            let message = format!(
                "the profile of {} has no [mirror] section, which says where its site is",
                self.order.profile.name
            );
            Fault::new(Code::ProfileMalformed, message)
        })
    }

    fn may_be_unsigned(&self, wanted: &WantedItem) -> bool {
        let image = wanted.kind == Kind::Image;
        self.order.allows_unsigned(&wanted.name, &wanted.path, image)
    }

    /// Reads and judges the files of a wanted, where they are now.
    fn judge(&self, stage: &Stage<'_>, description: &ImageDescription) -> Result<Judgement, Fault> {
        let wanted = stage.wanted();
        let view = stage.view()?;
        let size = view.file(&wanted.path)?.metadata().map_or(0, |it| it.len());
        let task = WatchedTransfer::reading(self.watch, &format!("verify {}", wanted.name), size);
        let progress = ReadingProgress(task);
        let origin = Origin { name: wanted.name.clone(), source: description.source.clone() };
        let origins = BTreeMap::from([(wanted.path.clone(), origin)]);
        let order = SealRequest {
            origins: &origins,
            reading: Options { progress: &progress, ..self.order.reading },
            ..self.order
        };
        let (judged, seen) = transfer::examine(&view, &order, &stage.names())?;
        let kind = match wanted.kind {
            Kind::Image => ArtifactKind::Image,
            Kind::Package => ArtifactKind::Package,
        };
        if judged.report.kind.is_some_and(|found| found != kind) {
            let message = match wanted.kind {
                Kind::Image => "what was brought as an image is a package",
                Kind::Package => "what was brought as a package is an image archive",
            };
            return Err(Fault::new(Code::SourceDisagrees, message).at(judged.path));
        }
        if judged.path != wanted.path {
            let message = "another file than the one that was asked for is the artifact";
            return Err(Fault::new(Code::SourceDisagrees, message).at(judged.path));
        }
        Ok((judged.report, seen))
    }

    fn fits(&self, wanted: &WantedItem, report: &ArtifactReport) -> bool {
        let unsigned = report.outcome() == Outcome::Unsigned && self.may_be_unsigned(wanted);
        report.outcome() == Outcome::Ok || unsigned
    }

    fn accept(
        &self,
        stage: &mut Stage<'_>,
        judged: Judgement,
        source: String,
    ) -> Result<FetchOutcome, Fault> {
        let (mut report, mut seen) = judged;
        let wanted = stage.wanted();
        if !self.fits(wanted, &report) {
            if wanted.kind == Kind::Package && Self::is_page(stage) {
                // No half of anything: the next run has no use for it, and the others need not wait.
                stage.give_up()?;
                return Err(page().at(source));
            }
            return Err(refusal(wanted, report));
        }
        stage.accept(&mut seen, self.watch)?;
        // As the far side will call it, and as what is left out is called here.
        report.name.clone_from(&wanted.name);
        let origin = Origin { name: wanted.name.clone(), source };
        Ok(FetchOutcome::Accepted { report: Box::new(report), seen, origin })
    }

    /// Whether what came in place of a package is a web page, which explains why it is not what was
    /// signed.
    fn is_page(stage: &Stage<'_>) -> bool {
        let mut begin = Vec::new();
        let read = stage
            .view()
            .and_then(|view| view.file(&stage.wanted().path))
            .map(|file| file.take(limits::DIAGNOSIS_BYTES as u64).read_to_end(&mut begin));
        matches!(read, Ok(Ok(_))) && is_page(&begin)
    }
}

/// What to do where the vendor offers no bundle.
const NO_BUNDLE: &str = "Ask the vendor for an image or package that is signed, and check the name. To bring it knowingly \
    unsigned, which every later check shows, say --allow-unsigned NAME.";

/// Why an artifact does not fit, as a fault.
fn refusal(wanted: &WantedItem, report: ArtifactReport) -> Fault {
    let code = report.code().unwrap_or(Code::NoBundle);
    let reason = report.reason.unwrap_or_else(|| code.meaning().to_owned());
    let fault = Fault::new(code, reason).at(&wanted.name);
    match report.next {
        _ if code == Code::NoBundle => fault.advise(NO_BUNDLE),
        Some(next) => fault.advise(next),
        None => fault,
    }
}

/// The digests that a source stated are among those that the archive proves.
fn stated(
    wanted: &WantedItem,
    description: &ImageDescription,
    seen: &ExaminedFiles,
) -> Result<(), Fault> {
    if let (Some(whole), Some(found)) = (description.whole, seen.digest(&wanted.path))
        && whole != found.sha256
    {
        let message = "the archive changed while it was copied; run the same command again";
        return Err(Fault::new(Code::SourceDisagrees, message)
            .expected_found(whole, found.sha256)
            .at(&wanted.name));
    }
    let images = seen.images(&wanted.path);
    let proven: BTreeSet<Sha256Digest> =
        images.iter().flat_map(|it| &it.candidates).map(|candidate| candidate.digest).collect();
    match description.stated.iter().find(|digest| !proven.contains(digest)) {
        Some(digest) if !images.is_empty() => {
            let proven: Vec<String> = proven.iter().map(ToString::to_string).collect();
            let message =
                format!("{} says one id, and the archive proves others", description.source);
            Err(Fault::new(Code::SourceDisagrees, message)
                .expected_found(digest.to_string(), proven.join(", "))
                .at(&wanted.name))
        }
        _ => Ok(()),
    }
}

/// Whether a refusal says that there is no such file, rather than that it can't be had now.
fn absent(fault: &Fault) -> bool {
    matches!(fault.answer(), Some(ServerAnswer::Status(404 | 410)))
}

type Judgement = (ArtifactReport, ExaminedFiles);

fn digest(judged: &Judgement, wanted: &WantedItem) -> Option<Sha256Digest> {
    judged.1.digest(&wanted.path).map(|it| it.sha256)
}

/// Progress of reading as a transfer.
struct ReadingProgress<'a>(WatchedTransfer<'a>);

impl crate::image::Progress for ReadingProgress<'_> {
    fn expect(&self, _: u64) {}
    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}
