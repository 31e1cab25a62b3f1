//! One image or package: found, its bundle and key fetched, itself fetched, and judged at once by the
//! rules of sealing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use url::Url;

use super::base::Earlier;
use super::http::{Http, is_page, page, shown};
use super::store::Store;
use super::want::Want;
use super::{Description, Found, Hosts, Source, Task, Watch};
use crate::digest::Sha256Digest;
use crate::folder::TEMPORARY;
use crate::image::Options;
use crate::key::PublicKey;
use crate::limits;
use crate::pairing;
use crate::path;
use crate::sigstore::SignatureBundle;
use crate::transfer::{self, BaseArtifact, Kind, Order, Origin, Seen};
use crate::trust::SiteRules;
use crate::verdict::{ArtifactKind, ArtifactReport, Code, Fault, Outcome};

/// Everything that fetching needs.
pub(super) struct Errand<'a> {
    pub(super) store: &'a Store<'a>,
    pub(super) http: &'a Http,
    pub(super) hosts: Hosts,
    pub(super) order: Order<'a>,
    pub(super) source: &'a dyn Source,
    pub(super) earlier: Option<&'a Earlier>,
    pub(super) watch: &'a dyn Watch,
}

/// What is known of a want before anything of it is fetched.
pub(super) enum Lead<'a> {
    /// An image.
    Image(Box<dyn Found + 'a>),
    /// A package, and its size.
    Package(Option<u64>),
}

impl Lead<'_> {
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Image(found) => found.description().size,
            Self::Package(size) => *size,
        }
    }
}

impl Lead<'_> {
    /// Whether its size is known for sure, because it lies on this machine.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Image(found) if found.description().whole.is_some())
    }
}

/// What became of a want.
pub(super) enum Brought {
    /// It is here and right.
    Here { report: Box<ArtifactReport>, seen: Seen, origin: Origin },
    /// An earlier transfer carried it; the verdict, where it was judged again.
    Carried(BaseArtifact, Option<Box<ArtifactReport>>),
}

impl<'a> Errand<'a> {
    /// Asks what a want is and how large.
    pub(super) fn look(&self, want: &Want) -> Result<Lead<'a>, Fault> {
        match &want.url {
            None => self.source.find(&want.reference, self.watch).map(Lead::Image),
            Some(url) => {
                let hosts = self.hosts.and(url);
                self.http.ask(url, &hosts).map(|asked| Lead::Package(asked.size))
            }
        }
    }

    /// The URLs that will be asked for a want, as far as they are known before it is fetched.
    pub(super) fn urls(&self, want: &Want, lead: &Lead<'_>) -> Vec<String> {
        let profile = self.order.profile;
        let site = profile.mirror.as_ref();
        match (lead, &want.url) {
            (Lead::Image(found), _) => {
                let mut urls = Vec::new();
                for labels in &found.description().labels {
                    urls.extend(labels.get(&profile.image.bundle_label).cloned());
                    let key = labels.get(&profile.image.key_label);
                    urls.extend(site.zip(key).map(|(site, key)| site.key_url.url_for(key)));
                }
                urls
            }
            (Lead::Package(_), Some(url)) => {
                let file = want.spelled();
                let material =
                    site.map(|it| [it.bundle_url.url_for(file), it.key_file_url.url_for(file)]);
                std::iter::once(shown(url)).chain(material.into_iter().flatten()).collect()
            }
            (Lead::Package(_), None) => Vec::new(),
        }
    }

    /// Whether the file of a want is here already, as far as that can be told without the network.
    pub(super) fn is_here(&self, want: &Want, lead: &Lead<'_>) -> bool {
        let entry = self.store.last(&want.path);
        let there = self.store.folder.file(&want.path).is_ok();
        match lead {
            Lead::Image(found) => {
                there && entry.is_some_and(|it| it.url == found.description().source)
            }
            Lead::Package(size) => there && entry.is_some_and(|it| Some(it.size) == *size),
        }
    }

    /// Fetches a want with its material and judges it.
    pub(super) fn bring(&self, want: &Want, lead: &Lead<'_>) -> Result<Brought, Fault> {
        match (lead, &want.url) {
            (Lead::Image(found), _) => self.image(want, &**found),
            (Lead::Package(_), Some(url)) => self.package(want, url),
            (Lead::Package(_), None) => {
                Err(Fault::new(Code::ReferenceInvalid, "a package without a URL").at(&want.name))
            }
        }
    }

    fn image(&self, want: &Want, found: &dyn Found) -> Result<Brought, Fault> {
        let description = found.description();
        if let Some(item) = self.earlier.and_then(|it| it.image(want, description)) {
            return Ok(Brought::Carried(item, None));
        }
        for note in &description.notes {
            self.watch.say(&format!("{}: {note}", want.name));
        }
        // An archive shows its labels only when it is read.
        if !description.labels.is_empty() {
            self.image_material(want, &description.labels)?;
        }
        let recorded = self.store.last(&want.path).is_some_and(|it| it.url == description.source);
        let there = self.store.folder.file(&want.path).is_ok();
        // A run that ended before it had read what it fetched did not record it: what the source
        // states tells whether it is the same.
        let here = if there && (recorded || !description.stated.is_empty()) {
            let judged = self.judge(want, description).ok();
            judged.filter(|judged| self.is_it(want, description, recorded, judged))
        } else {
            None
        };
        let new = here.is_none() || !recorded;
        let mut judged = match here {
            Some(judged) => judged,
            None => {
                if recorded && there {
                    let path = &want.path;
                    self.watch.say(&format!("{path}: not what was fetched before; fetched again"));
                }
                self.fetch_image(want, found)?;
                self.judge(want, description)?
            }
        };
        if description.labels.is_empty() {
            let labels: Vec<_> =
                judged.1.images(&want.path).iter().map(|image| image.labels.clone()).collect();
            self.image_material(want, &labels)?;
            judged = self.judge(want, description)?;
        }
        stated(want, description, &judged.1)?;
        if new && let Some(it) = judged.1.digest(&want.path) {
            let source = description.source.clone();
            self.store.record([super::Fetched::local(source, &want.path, it.size, it.sha256)])?;
        }
        self.accept(want, judged, description.source.clone())
    }

    /// Whether the archive that lies here is the image that was found: the one that was recorded, or
    /// one that verifies; with the digests that the source states, among them those of the chosen
    /// platforms.
    fn is_it(
        &self,
        want: &Want,
        description: &Description,
        recorded: bool,
        judged: &Judgement,
    ) -> bool {
        let same = if recorded {
            self.store.is_recorded(&want.path, digest(judged, want))
        } else {
            judged.0.outcome == Outcome::Ok
        };
        same && stated(want, description, &judged.1).is_ok()
    }

    fn fetch_image(&self, want: &Want, found: &dyn Found) -> Result<(), Fault> {
        self.store.touch()?;
        self.store.folder.make_folders(&want.directory)?;
        let fetched = found.fetch(self.store.folder, &want.path, self.watch)?;
        // The whole archive is recorded when it was read and is right.
        let blobs = fetched.into_iter().filter(|it| it.url != found.description().source);
        self.store.record(blobs)
    }

    fn package(&self, want: &Want, url: &Url) -> Result<Brought, Fault> {
        let site = self.site()?;
        let file = want.path.rsplit('/').next().unwrap_or_default();
        let names = pairing::for_package(self.order.profile, file);
        let (Some(bundle), Some(key_file)) = (names.bundle, names.key) else {
            return Err(Fault::new(Code::ReferenceInvalid, "no name for its bundle").at(file));
        };
        let material = self
            .vendor_file(want, &site.bundle_url.url_for(want.spelled()), &bundle, Store::SMALL)
            .and_then(|bundle| {
                self.package_key(want, &site.key_file_url.url_for(want.spelled()), &key_file)?;
                Ok(Some(bundle))
            });
        let bundle = match material {
            // Nobody signed it, and the operator knows.
            Err(fault) if absent(&fault) && self.may_be_unsigned(want) => None,
            other => other?,
        };
        let signed = bundle.and_then(|bytes| SignatureBundle::parse(&bytes).ok());
        if let (Some(earlier), Some(bundle)) = (self.earlier, signed)
            && let Some((item, digest)) = earlier.package(want, &bundle, self.order.profile)
        {
            // What a bundle states is only believed when it verifies.
            let known =
                transfer::examine_absent(self.store.folder, &self.order, &want.path, digest);
            match known {
                Ok(judged) if judged.report.outcome == Outcome::Ok => {
                    return Ok(Brought::Carried(item, Some(Box::new(judged.report))));
                }
                _ => self.watch.say(&format!(
                    "{}: the bundle does not prove what the earlier transfer carried; fetched",
                    want.name
                )),
            }
        }
        let hosts = self.hosts.and(url);
        let mut fetched = self.store.large(self.http, url, &hosts, &want.path, self.watch)?;
        let description = Description::default();
        let mut judged = self.judge(want, &description)?;
        let other = !fetched && !self.store.is_recorded(&want.path, digest(&judged, want));
        // A medium that lost power may have lost what was believed to be there: once more in one piece.
        let joined = fetched && self.store.last(&want.path).is_some_and(|it| it.resumed_from > 0);
        if other || (joined && judged.0.outcome == Outcome::Failed) {
            let why =
                if other { "not what was fetched before" } else { "continued, and not right" };
            self.watch.say(&format!("{}: {why}; fetched again", want.path));
            self.store.touch()?;
            self.store.folder.remove(&want.path)?;
            fetched = self.store.large(self.http, url, &hosts, &want.path, self.watch)?;
            judged = self.judge(want, &description)?;
        }
        if fetched && !self.store.is_recorded(&want.path, digest(&judged, want)) {
            let message = "what lies on the disk is not what arrived";
            return Err(
                Fault::new(Code::SourceDisagrees, message).at(self.store.folder.show(&want.path))
            );
        }
        self.accept(want, judged, shown(url))
    }

    /// The bundles and keys that an image's labels name.
    fn image_material(
        &self,
        want: &Want,
        labels: &[BTreeMap<String, String>],
    ) -> Result<(), Fault> {
        let rules = &self.order.profile.image;
        let mut wanted = BTreeSet::new();
        for labels in labels {
            if let Some(url) = labels.get(&rules.bundle_label) {
                wanted.insert((url.as_str(), labels.get(&rules.key_label).map(String::as_str)));
            }
        }
        if wanted.is_empty() && !self.may_be_unsigned(want) {
            let message = format!("its config has no label {}", rules.bundle_label);
            return Err(Fault::new(Code::NoBundle, message).at(&want.name));
        }
        for (url, key) in wanted.into_iter().take(limits::BUNDLES) {
            let Some(name) = pairing::base_name(url) else {
                let message = "the bundle's label is no URL that ends in a plain file name";
                return Err(Fault::new(Code::HostNotAllowed, message).at(url));
            };
            self.vendor_file(want, url, &name, Store::SMALL)?;
            let key = key.map(|key| match pairing::base_name(key) {
                Some(name) if name == key => Ok((self.site()?.key_url.url_for(&name), name)),
                _ => {
                    Err(Fault::new(Code::HostNotAllowed, "the key's label is no file name").at(key))
                }
            });
            self.key(want, key)?;
        }
        Ok(())
    }

    fn package_key(&self, want: &Want, url: &str, name: &str) -> Result<(), Fault> {
        let found = self.vendor_file(want, url, name, limits::KEY_BYTES).and_then(|bytes| {
            pairing::key_url(&bytes)
                .and_then(|url| Ok((url, pairing::key_name(&bytes)?)))
                .inspect_err(|_| self.store.unwanted(&format!("{}/{name}", want.directory)))
        });
        self.key(want, Some(found))
    }

    /// Fetches the key that the vendor names, and stops where no key can count: before the large
    /// download, not behind it.
    fn key(
        &self,
        want: &Want,
        named: Option<Result<(String, String), Fault>>,
    ) -> Result<(), Fault> {
        let naming = &self.order.naming;
        let fetched = match named {
            Some(named) => named.and_then(|(url, name)| {
                let bytes = self.vendor_file(want, &url, &name, limits::KEY_BYTES)?;
                PublicKey::from_found(&bytes).map_err(|fault| {
                    // It would lie there as a file that nobody signed.
                    self.store.unwanted(&format!("{}/{name}", want.directory));
                    fault.at(url)
                })
            }),
            None => Err(Fault::new(Code::KeyNotNamed, "the vendor names no key").at(&want.name)),
        };
        match fetched {
            Ok(key) if naming.admits(&key.fingerprint()) => Ok(()),
            // What this machine could not write or read says nothing of the vendor's key.
            Err(fault)
                if matches!(fault.code(), Code::WriteFailed | Code::NoSpace | Code::Unreadable) =>
            {
                Err(fault)
            }
            // The operator's own keys decide.
            _ if naming.has_keys() => Ok(()),
            Ok(key) => {
                let fingerprint = key.fingerprint();
                let message = format!(
                    "the vendor's site names the key {fingerprint}, which nobody named here; compare \
                     it with the vendor out of band, then say --pin-key {fingerprint}"
                );
                Err(Fault::new(Code::KeyNotNamed, message).at(&want.name))
            }
            Err(fault) => Err(fault),
        }
    }

    /// A small file from one of the vendor's hosts, stored beside the artifact.
    fn vendor_file(&self, want: &Want, url: &str, name: &str, cap: u64) -> Result<Vec<u8>, Fault> {
        let url = Url::parse(url)
            .map_err(|error| Fault::new(Code::HostNotAllowed, error.to_string()).at(url))?;
        let path = format!("{}/{name}", want.directory);
        if path.to_ascii_lowercase().ends_with(TEMPORARY) {
            let message = "the vendor's name for a bundle or key is that of a half-written file";
            return Err(Fault::new(Code::NameCollision, message).at(path));
        }
        path::portable(&path)
            .map_err(|reason| Fault::new(Code::PathNotPortable, reason.to_string()).at(&*path))?;
        if path.eq_ignore_ascii_case(&want.path) {
            let message = "the vendor's name for a bundle or key is the artifact's own";
            return Err(Fault::new(Code::NameCollision, message).at(path));
        }
        self.store.small(self.http, &url, &self.hosts, &path, cap)
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

    fn may_be_unsigned(&self, want: &Want) -> bool {
        let image = want.kind == Kind::Image;
        self.order.allows_unsigned(&want.name, &want.path, image)
    }

    /// Reads and judges what lies in a want's directory.
    fn judge(&self, want: &Want, description: &Description) -> Result<Judgement, Fault> {
        self.store.tidy(&want.directory, &want.path)?;
        let size = self.store.folder.file(&want.path)?.metadata().map_or(0, |it| it.len());
        let task = Task::begin(self.watch, &format!("verify {}", want.name), 0, Some(size));
        let progress = Reading(task);
        let origin = Origin { name: want.name.clone(), source: description.source.clone() };
        let origins = BTreeMap::from([(want.path.clone(), origin)]);
        let order = Order {
            origins: &origins,
            reading: Options { progress: &progress, ..self.order.reading },
            ..self.order
        };
        let (judged, seen) = transfer::examine(self.store.folder, &order, &want.directory)?;
        let kind = match want.kind {
            Kind::Image => ArtifactKind::Image,
            Kind::Package => ArtifactKind::Package,
        };
        if judged.report.kind.is_some_and(|found| found != kind) {
            let message = match want.kind {
                Kind::Image => "what was brought as an image is a package",
                Kind::Package => "what was brought as a package is an image archive",
            };
            return Err(Fault::new(Code::SourceDisagrees, message).at(judged.path));
        }
        if judged.path != want.path {
            let message = "another file than the one that was asked for is the artifact";
            return Err(Fault::new(Code::SourceDisagrees, message).at(judged.path));
        }
        Ok((judged.report, seen))
    }

    fn accept(&self, want: &Want, judged: Judgement, source: String) -> Result<Brought, Fault> {
        let (mut report, seen) = judged;
        // As the far side will call it, and as what is left out is called here.
        report.name.clone_from(&want.name);
        let unsigned = report.outcome == Outcome::Unsigned && self.may_be_unsigned(want);
        if report.outcome == Outcome::Ok || unsigned {
            let origin = Origin { name: want.name.clone(), source };
            return Ok(Brought::Here { report: Box::new(report), seen, origin });
        }
        if want.kind == Kind::Package && self.is_page(&want.path) {
            return Err(page().at(source));
        }
        let code = report.code.unwrap_or(Code::NoBundle);
        let reason = report.reason.unwrap_or_else(|| code.meaning().to_owned());
        Err(Fault::new(code, reason).at(&want.name))
    }
}

impl Errand<'_> {
    /// Whether what came in place of a package is a web page, which explains why it is not what was
    /// signed.
    fn is_page(&self, path: &str) -> bool {
        let mut begin = Vec::new();
        let read = self
            .store
            .folder
            .file(path)
            .map(|file| file.take(limits::DIAGNOSIS_BYTES as u64).read_to_end(&mut begin));
        matches!(read, Ok(Ok(_))) && is_page(&begin)
    }
}

/// The digests that a source stated are among those that the archive proves.
fn stated(want: &Want, description: &Description, seen: &Seen) -> Result<(), Fault> {
    if let (Some(whole), Some(found)) = (description.whole, seen.digest(&want.path))
        && whole != found.sha256
    {
        let message = "the archive changed while it was copied; run the same command again";
        return Err(Fault::new(Code::SourceDisagrees, message)
            .expected_found(whole, found.sha256)
            .at(&want.name));
    }
    let images = seen.images(&want.path);
    let proven: BTreeSet<Sha256Digest> =
        images.iter().flat_map(|it| &it.candidates).map(|candidate| candidate.digest).collect();
    match description.stated.iter().find(|digest| !proven.contains(digest)) {
        Some(digest) if !images.is_empty() => {
            let proven: Vec<String> = proven.iter().map(ToString::to_string).collect();
            let message =
                format!("{} says one id, and the archive proves others", description.source);
            Err(Fault::new(Code::SourceDisagrees, message)
                .expected_found(digest.to_string(), proven.join(", "))
                .at(&want.name))
        }
        _ => Ok(()),
    }
}

/// Whether a refusal says that there is no such file, rather than that it can't be had now.
fn absent(fault: &Fault) -> bool {
    // The words begin with host and status; the path, which the server's side may choose, is behind.
    let status = fault.message().split(" answers ").nth(1).unwrap_or_default();
    fault.code() == Code::HttpRefused && (status.starts_with("404 ") || status.starts_with("410 "))
}

type Judgement = (ArtifactReport, Seen);

fn digest(judged: &Judgement, want: &Want) -> Option<Sha256Digest> {
    judged.1.digest(&want.path).map(|it| it.sha256)
}

/// Progress of reading as a transfer.
struct Reading<'a>(Task<'a>);

impl crate::image::Progress for Reading<'_> {
    fn expect(&self, _: u64) {}
    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}
