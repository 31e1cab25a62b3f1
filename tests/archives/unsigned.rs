//! What nobody signs: attestations, members that no specification knows, annotations and names.

use std::io::{self, Read};

use sealift::image::{Input, Tree, TreeEntry, TreeKind};
use sealift::verdict::Code;

use crate::equal::unpack;
use crate::sample::{
    INDEX, Image, LAYOUT, MANIFEST, blob, descriptor, digest, docker, index, item, manifest, oci,
    read, read_all_ways, refused, verify,
};
use crate::support::tar::Tar;

const IN_TOTO: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"x","subject":[],"predicate":{}}"#;

/// An index of the image and of an attestation with these statements.
fn attested(statements: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let good = Image::new("good");
    let ids: Vec<_> = statements.iter().map(digest).collect();
    let config = crate::sample::config(&ids, "attestation");
    let layers: Vec<_> = statements.iter().map(|it| descriptor(IN_TOTO, it, "")).collect();
    let attestation = manifest(&config, &layers);
    let announced = r#","annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#;
    let list = index(&[
        descriptor(MANIFEST, &good.manifest(), ""),
        descriptor(MANIFEST, &attestation, announced),
    ]);
    let mut blobs = good.blobs();
    blobs.extend([config, attestation.clone(), list.clone()].map(blob));
    blobs.extend(statements.iter().cloned().map(blob));
    (oci(&blobs, &[descriptor(INDEX, &list, "")]).finish(), attestation, list)
}

#[test]
fn an_attestation_holds_statements_of_in_toto_and_nothing_that_an_engine_could_run() {
    let (bytes, attestation, list) = attested(&[STATEMENT.into()]);
    let archive = read_all_ways(&bytes).unwrap();
    let told = |signed| archive.unsigned_attestations(&[signed].into()).count();
    assert_eq!(told(Image::new("good").id()), 1);
    assert_eq!((told(digest(&list)), told(digest(&attestation))), (0, 0));
    let evil = Image::new("evil");
    let member = |more: &str| STATEMENT.replacen('{', &format!("{{{more},"), 1).into_bytes();
    for other in [
        evil.config.clone(),
        evil.manifest(),
        index(&[evil.index_entry()]),
        b"{}".to_vec(),
        STATEMENT.replace("v0.1", "v0.2").into(),
        STATEMENT.replace("_type", "_Type").into(),
        STATEMENT.replace(r#","subject":[]"#, "").into(),
        member(r#""predicate":{}"#),
        member(r#""layers":[]"#),
        member(r#""rootfs":{}"#),
        member(r#""mediaType":"x""#),
        format!("[{STATEMENT}]").into(),
        format!("{STATEMENT}{STATEMENT}").into(),
    ] {
        let (bytes, ..) = attested(&[STATEMENT.into(), other.clone()]);
        let refusal = refused(&bytes);
        assert_eq!(refusal.fault.code(), Code::MediaTypeMismatch, "{other:?} {refusal}");
    }
    // A statement may be as long as it likes.
    let text = STATEMENT.replace("{}", &format!(r#"{{"a":[{}1]}}"#, "\"b\\\"\",".repeat(1 << 20)));
    assert!(read_all_ways(&attested(&[text.into()]).0).is_ok());
}

#[test]
fn documents_that_nobody_signs_hold_only_what_is_specified() {
    let good = Image::new("good");
    let signed = [good.id()];
    let with_files = |layout: &str, index: &str| {
        Tar::new()
            .file("oci-layout", layout)
            .files(&good.blobs())
            .file("index.json", index)
            .finish()
    };
    let entry = descriptor(MANIFEST, &good.manifest(), "");
    let list = String::from_utf8(index(std::slice::from_ref(&entry))).unwrap();
    assert_eq!(verify(&with_files(LAYOUT, &list), &signed), Ok(()));
    let layout = LAYOUT.replace('}', r#","config":{}}"#);
    let mut bad = vec![with_files(&layout, &list)];
    for (before, after) in [
        (r#"{"schema"#, r#"{"rootfs":{},"schema"#),
        (r#"{"schema"#, r#"{"history":[],"schema"#),
        (r#""size":"#, r#""layers":[],"size":"#),
        (r#""size":"#, r#""platform":{"os":"linux","x":1},"size":"#),
        (r#"{"schema"#, r#"{"subject":{"Cmd":1},"schema"#),
    ] {
        let changed = list.replacen(before, after, 1);
        assert_ne!(changed, list);
        bad.push(with_files(LAYOUT, &changed));
    }
    let files = Tar::new().files(&good.docker_files("g"));
    let items = good.item("g").replace("\"Config\"", "\"Evil\":1,\"Config\"");
    bad.push(files.file("manifest.json", format!("[{items}]")).finish());
    for bytes in bad {
        let refusal = refused(&bytes);
        assert_eq!(refusal.fault.code(), Code::JsonMalformed, "{refusal}");
    }
    let platform = r#"{"os":"linux","architecture":"arm64","variant":"v8","os.version":"1","os.features":[],"features":[]}"#;
    let known = list.replacen(r#""size":"#, &format!(r#""platform":{platform},"size":"#), 1);
    assert_eq!(verify(&with_files(LAYOUT, &known), &signed), Ok(()));
}

#[test]
fn members_and_annotations_in_a_manifest_are_told_unless_it_is_signed() {
    let good = Image::new("good");
    let text = String::from_utf8(good.manifest()).unwrap();
    for (more, member, annotation) in [
        (r#""rootfs":{}"#, Some("rootfs"), None),
        (r#""manifest":{}"#, Some("manifest"), None),
        (r#""annotations":{"cdi.k8s.io/x":"1"}"#, None, Some("cdi.k8s.io/x")),
        (r#""annotations":{"dev.gvisor.spec":"1"}"#, None, Some("dev.gvisor.spec")),
        (r#""annotations":{"RUN.oci.handler":"1"}"#, None, Some("RUN.oci.handler")),
        (
            r#""annotations":{"org.opencontainers.image.titled":"1"}"#,
            None,
            Some("org.opencontainers.image.titled"),
        ),
        (r#""annotations":{"org.opencontainers.image.base.name":"1"}"#, None, None),
        (r#""annotations":{"containerd.io/distribution.source.x.io":"1"}"#, None, None),
    ] {
        let text = text.replacen('{', &format!("{{{more},"), 1).into_bytes();
        let mut blobs = good.blobs();
        blobs.retain(|(_, bytes)| *bytes != good.manifest());
        blobs.push(blob(text.clone()));
        let bytes = oci(&blobs, &[descriptor(MANIFEST, &text, "")]).finish();
        let archive = read_all_ways(&bytes).unwrap();
        let signed = [good.id()].into();
        let said: Vec<_> = archive.unvouched(&signed).collect();
        assert_eq!(said.first().and_then(|it| it.member.as_deref()), member);
        assert_eq!(said.first().and_then(|it| it.annotation.as_deref()), annotation);
        assert_eq!(archive.unvouched(&[digest(&text)].into()).count(), 0);
    }
}

#[test]
fn a_name_with_a_digest_has_one_of_its_image() {
    let good = Image::new("good");
    let named = |full: &str, short: &str| {
        let notes = format!(
            r#","annotations":{{"io.containerd.image.name":"{full}","org.opencontainers.image.ref.name":"{short}"}}"#
        );
        oci(&good.blobs(), &[descriptor(MANIFEST, &good.manifest(), &notes)]).finish()
    };
    let tags = |bytes: &[u8]| read_all_ways(bytes).unwrap().images[0].unsigned_tags.clone();
    let own = format!("@{}", digest(good.manifest()));
    let other = format!("@{}", digest("other"));
    assert_eq!(tags(&named(&format!("x.io/app{own}"), &own)), [format!("x.io/app{own}")]);
    assert_eq!(tags(&named("docker.io/vendor/app:1", "1")), ["vendor/app:1"]);
    assert_eq!(tags(&named("docker.io/vendor/app:1", "vendor/app:1")), ["vendor/app:1"]);
    let both = tags(&named("docker.io/vendor/app:1", "docker.io/library/postgres:16"));
    assert_eq!(both, ["postgres:16", "vendor/app:1"]);
    let tagged = item("g.json", r#""g0/layer.tar","g1/layer.tar""#)
        .replace("vendor/app:1", &format!("vendor/app{other}"));
    let tar = Tar::new().files(&good.docker_files("g"));
    for bytes in [
        named(&format!("x.io/app{other}"), "1"),
        named(&format!("x.io/app:1{other}"), "1"),
        named("x.io/app:1", &format!("x.io/app{other}")),
        named("x.io/app@sha256:abc", "1"),
        tar.file("manifest.json", format!("[{tagged}]")).finish(),
    ] {
        let refusal = refused(&bytes);
        assert_eq!(refusal.fault.code(), Code::BlobMismatch, "{refusal}");
    }
}

/// A directory in which some files are sparse: larger than anyone would read.
struct Sparse<'a>(Vec<(String, &'a [u8])>, Vec<String>);

impl Tree for Sparse<'_> {
    fn entries(&self) -> io::Result<Vec<TreeEntry>> {
        let entry =
            |name: &String, size| TreeEntry { name: name.clone(), kind: TreeKind::File, size };
        let files = self.0.iter().map(|(name, bytes)| entry(name, bytes.len() as u64));
        Ok(files.chain(self.1.iter().map(|name| entry(name, 1 << 43))).collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send + '_>> {
        let (_, bytes) = self.0.iter().find(|(it, _)| it == name).expect("a sparse file is read");
        Ok(Box::new(*bytes))
    }
}

#[test]
fn sparse_files_that_nothing_names_are_not_read() {
    let good = Image::new("good");
    for bytes in [docker(&good).finish(), oci(&good.blobs(), &[good.index_entry()]).finish()] {
        let files = unpack(&bytes).unwrap();
        let answer = |sparse: &str| {
            let kept = files
                .0
                .iter()
                .filter(|(name, (kind, _))| *kind == TreeKind::File && *name != sparse);
            let kept = kept.map(|(name, (_, bytes))| (name.clone(), bytes.as_slice())).collect();
            read(Input::Layout(&Sparse(kept, vec![sparse.to_owned()])), 2).unwrap_err().fault.code()
        };
        assert_eq!(answer(&blob(b"x".to_vec()).0), Code::EntryUnreferenced);
        assert_eq!(answer("other"), Code::EntryUnreferenced);
        for document in ["index.json", "manifest.json", "repositories", "oci-layout"] {
            let code = answer(document);
            let layout = document == "oci-layout" && !files.0.contains_key(document);
            let expected = if layout { Code::LayoutInvalid } else { Code::ArchiveTooLarge };
            assert!(
                [expected, Code::LayoutInvalid, Code::EntryUnreferenced].contains(&code),
                "{document} {code}"
            );
        }
        let layer = files.0.keys().find(|name| files.0[*name].1 == good.layers[1]).unwrap();
        if layer.starts_with("blobs/") {
            assert_eq!(answer(layer), Code::BlobMismatch);
        }
    }
}
