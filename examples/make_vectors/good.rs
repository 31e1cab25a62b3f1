//! Transfers that are accepted.

use p256::ecdsa::Signature;
use sealift::digest::Sha256Digest;
use sealift::transfer::{
    AcceptedTransfers, Artifact, Base, BaseArtifact, FETCH_LOG, MANIFEST, Manifest, ManifestKind,
    OmittedItem, Requested, key_path,
};

use crate::draft::{self, manifest_of};
use crate::kit::{IMAGE, IMAGE_BUNDLE, Kit, PACKAGE, SERIAL, segment};
use crate::{Case, Files, Result};

pub(crate) fn cases(kit: &Kit) -> Result<Vec<Case>> {
    let key = &kit.transfer;
    let package = kit.package();
    let sealed = package.seal(key)?;
    let first_use = package.seal_as(
        key,
        |manifest| manifest.artifacts.iter_mut().for_each(|it| it.first_use = true),
        |text| text,
    )?;
    let every_member = kit.both().seal_as(key, everything, |text| text)?;
    let based = based(kit)?;
    let later = package.seal_as(key, |it| it.serial = SERIAL + 9, |text| text)?;
    let elsewhere = package.seal_as(key, |it| it.stream = "station-b".to_owned(), |text| text)?;
    Ok(vec![
        Case::good("package", "A package, its bundle, the vendor's key.", sealed.clone()),
        Case::good("image", "An image archive.", kit.image().seal(key)?),
        Case::good("image-and-package", "Two artifacts of one vendor.", kit.both().seal(key)?),
        Case::good(
            "image-segments",
            "An image archive with a layer of more than 256 KiB, cut into segments.",
            kit.large()?.seal(key)?,
        )
        .with(&["--insecure-ignore-tlog"]),
        Case::good(
            "image-segments-full-digest",
            "The same archive hashed as a whole, its segments left aside.",
            kit.large()?.seal(key)?,
        )
        .with(&["--insecure-ignore-tlog", "--full-digest"]),
        Case::good(
            "image-segments-other-cuts",
            "Segments that are true and do not begin and end where members of the tar do.",
            other_cuts(kit)?,
        ),
        Case::good(
            "unsigned-agreed",
            "A file that no vendor signed: the seal says so, and the far side agrees.",
            kit.unsigned().seal(key)?,
        )
        .with(&["--allow-unsigned", "README.txt"]),
        Case::good(
            "first-use",
            "The sealing side accepted the vendor's key unseen; the report says so.",
            first_use,
        ),
        Case::good("every-member", "Every optional member of the manifest but `base`.", every_member),
        Case::good(
            "layout-of-the-manifest",
            "A manifest whose members stand in another order and without white space, but for the \
             first two lines.",
            packed(kit)?,
        ),
        Case::good(
            "path-with-escapes",
            "A path of `files` written with escapes of JSON, which mean the same path.",
            package.seal_as(key, |_| {}, escaped)?,
        ),
        Case::good(
            "trust-with-fetches",
            "A log of fetches, and a key that no artifact names.",
            with_fetches(kit)?,
        ),
        Case::good(
            "signature-other-half",
            "A signature whose s lies in the other half of its range; both are good.",
            other_half(kit)?,
        ),
        Case::good("policy", "The far side's policy lists the vendor's key.", sealed.clone())
            .with(&["--trust", "trust.toml"])
            .beside("trust.toml", policy(kit, "")),
        Case::good(
            "policy-key-retired-later",
            "The policy says that the vendor's key was retired after the log entry was made.",
            sealed.clone(),
        )
        .with(&["--trust", "trust.toml"])
        .beside("trust.toml", policy(kit, "status = \"retired\"\nretired_at = 2026-11-24T00:00:00Z\n")),
        Case::good(
            "policy-transfer-key-only",
            "The far side's policy lists the transfer key and no vendor: the vendor's key counts by the \
             seal alone.",
            sealed.clone(),
        )
        .with(&["--trust", "trust.toml"])
        .beside("trust.toml", transfer_policy(kit, "", "")),
        Case::good(
            "policy-transfer-key-retired-accepted-before",
            "The transfer key was retired, and the state file shows that this transfer was accepted before.",
            sealed.clone(),
        )
        .with(&["--trust", "trust.toml", "--state", "state.json"])
        .beside("state.json", state(&sealed)?)
        .beside(
            "trust.toml",
            transfer_policy(kit, "", "status = \"retired\"\nretired_at = 2099-12-01T12:00:00Z\n"),
        ),
        Case::good(
            "policy-stream",
            "The policy lists the stream, for the key too, and the key's validity window holds.",
            sealed.clone(),
        )
        .with(&["--trust", "trust.toml", "--stream", "default"])
        .beside(
            "trust.toml",
            transfer_policy(
                kit,
                "[transfer]\nstreams = [\"default\", \"station-b\"]\n",
                "streams = [\"default\"]\nvalid_from = 2099-11-01T00:00:00Z\nvalid_until = 2100-01-01T00:00:00Z\n",
            ),
        ),
        Case::good(
            "serial-a-day-ahead",
            "The serial is as far ahead of the time of sealing as it may be.",
            package.seal_as(key, |it| it.serial = SERIAL + 86400, |text| text)?,
        ),
        Case::good("checked-again", "The transfer that the state file remembers.", sealed.clone())
            .with(&["--state", "state.json"])
            .beside("state.json", state(&sealed)?),
        Case::good(
            "another-stream",
            "The state file remembers a higher serial, of another stream. The transfer is new, so the \
             state file is written.",
            elsewhere.clone(),
        )
        .with(&["--state", "state.json"])
        .beside("state.json", state_of(&[&later])?)
        .beside("state-after.json", state_of(&[&later, &elsewhere])?),
        Case::good(
            "base",
            "A transfer that builds on an earlier one, which is given.",
            based,
        )
        .with(&["--base", "base"])
        .folder("base", sealed),
    ])
}

/// The path of a file in other spelling.
fn escaped(text: String) -> String {
    let from = "\"path\": \"packages/tools-1.0.tar.gz\",\n      \"size\"";
    text.replace(from, "\"path\": \"packages\\/tools-1.0.t\\u0061r.gz\",\n      \"size\"")
}

fn with_fetches(kit: &Kit) -> Result<Files> {
    let mut draft = kit.package();
    let other = kit.other.public();
    let fetch = b"{\"url\":\"https://vendor.example/a\"}\n";
    draft.files.insert(FETCH_LOG.to_owned(), fetch.to_vec());
    draft.files.insert(key_path(&other.fingerprint()), other.to_pem().into_bytes());
    draft.seal(&kit.transfer)
}

fn everything(manifest: &mut Manifest) {
    manifest.expires = Some("2100-03-01T00:00:00Z".to_owned());
    manifest.notes =
        Some("Two lines,\nthe second with \u{e4}, \u{1f980} and \u{1b}[31m.".to_owned());
    manifest.requested.extend([
        Requested { kind: ManifestKind::Image, name: "vendor.example/hello:1.0".to_owned() },
        Requested { kind: ManifestKind::Package, name: "tools-1.0.tar.gz".to_owned() },
    ]);
    for artifact in &mut manifest.artifacts {
        artifact.source = Some("https://vendor.example/releases/1.0".to_owned());
    }
    manifest.stream = "station-b_2.x".to_owned();
}

/// A transfer of the image that builds on the one of the package.
pub(crate) fn based(kit: &Kit) -> Result<Files> {
    let earlier = kit.package().seal(&kit.transfer)?;
    based_on(kit, &earlier)
}

/// A transfer of the image that says that it builds on this one, with the package in it.
pub(crate) fn based_on(kit: &Kit, earlier: &Files) -> Result<Files> {
    let digest = Sha256Digest::of(&manifest_of(earlier));
    let package = earlier.get(PACKAGE).map(|bytes| Sha256Digest::of(bytes));
    let base = Base {
        transfer_id: kit.package().manifest.transfer_id,
        manifest: digest,
        stream: "default".to_owned(),
        serial: SERIAL,
        artifacts: vec![BaseArtifact {
            kind: ManifestKind::Package,
            name: "tools-1.0.tar.gz".to_owned(),
            path: PACKAGE.to_owned(),
            sha256: package.ok_or("the earlier transfer has no package")?,
        }],
    };
    let later = |manifest: &mut Manifest| {
        manifest.transfer_id = "ffeeddccbbaa99887766554433221100".to_owned();
        manifest.serial = SERIAL + 1;
        manifest.base = Some(base);
    };
    kit.image().seal_as(&kit.transfer, later, |text| text)
}

/// The state file of a far side that accepted this transfer.
pub(crate) fn state(transfer: &Files) -> Result<Vec<u8>> {
    state_of(&[transfer])
}

/// The same for several transfers, one after the other.
fn state_of(transfers: &[&Files]) -> Result<Vec<u8>> {
    let mut state = AcceptedTransfers::default();
    for transfer in transfers {
        let bytes = manifest_of(transfer);
        state.accept(&Manifest::parse(&bytes)?, &Sha256Digest::of(&bytes))?;
    }
    Ok(state.to_bytes()?)
}

/// A policy that lists the key of the example release, with more lines about that key.
pub(crate) fn policy(kit: &Kit, more: &str) -> String {
    policy_of(&kit.release_key.to_pem(), more)
}

/// A policy that lists the transfer key only.
pub(crate) fn transfer_policy(kit: &Kit, transfer: &str, terms: &str) -> String {
    let pem = kit.transfer.public().to_pem();
    let key = format!("name = \"station\"\npublic_key = \"\"\"\n{pem}\"\"\"\n{terms}");
    format!("version = 1\n\n{transfer}[[transfer.key]]\n{key}")
}

/// The same for any key.
pub(crate) fn policy_of(pem: &str, more: &str) -> String {
    format!(
        "version = 1\n\n[[vendor]]\nname = \"k2view\"\n\n[[vendor.key]]\nname = \"2026\"\n\
         public_key = \"\"\"\n{pem}\"\"\"\n{more}"
    )
}

/// Cut in two where no member of the tar begins or ends.
fn other_cuts(kit: &Kit) -> Result<Files> {
    let mut draft = kit.image();
    let bytes = draft.files.get(IMAGE).cloned().unwrap_or_default();
    let (first, second) = bytes.split_at(1000);
    draft.segments = Some((IMAGE.to_owned(), vec![segment(first), segment(second)]));
    draft.seal(&kit.transfer)
}

fn packed(kit: &Kit) -> Result<Files> {
    let mut problem = None;
    let files = kit.package().seal_as(
        &kit.transfer,
        |_| {},
        |text| match pack(&text) {
            Ok(text) => text,
            Err(error) => {
                problem = Some(error);
                text
            }
        },
    )?;
    problem.map_or(Ok(files), Err)
}

/// The document in alphabetical order on the third line, `sha256sums` before it.
fn pack(text: &str) -> Result<String> {
    let mut lines = text.lines();
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut document: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)?;
    document.remove("sha256sums").ok_or("no sha256sums")?;
    let rest = serde_json::to_string(&document)?;
    Ok(format!("{first}\n{second}\n{}", rest.trim_start_matches('{')))
}

fn other_half(kit: &Kit) -> Result<Files> {
    let mut files = kit.package().seal(&kit.transfer)?;
    let bytes = files.get(MANIFEST).cloned().unwrap_or_default();
    let signature = Signature::from_der(&kit.transfer.sign(&bytes))?;
    let (r, s) = (signature.r(), -*signature.s());
    let other = Signature::from_scalars(r.to_bytes(), s.to_bytes())?;
    draft::forms(&mut files, other.to_der().as_bytes(), &kit.transfer);
    Ok(files)
}

/// The artifacts of both, each with the bundle of the other.
pub(crate) fn exchanged(artifacts: &mut [Artifact]) {
    if let [image, package] = artifacts {
        std::mem::swap(&mut image.bundles, &mut package.bundles);
    }
}

/// What could not be brought.
pub(crate) fn omitted(manifest: &mut Manifest) {
    manifest.requested.push(Requested { kind: ManifestKind::Image, name: IMAGE.to_owned() });
    manifest.omitted.push(OmittedItem {
        kind: ManifestKind::Image,
        name: IMAGE.to_owned(),
        code: "no-bundle".to_owned(),
        reason: format!("{IMAGE_BUNDLE} was not found"),
    });
}
