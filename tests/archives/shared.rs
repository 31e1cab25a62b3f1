//! The archives of the folder that lies beside the project, where it does.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use sealift::digest::Sha256Digest;
use serde_json::Value;

use crate::equal;
use crate::sample::{read_all_ways, verify};

pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("SEALIFT_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")),
        PathBuf::from,
    );
    let folder = shared.join("archives").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: ../shared is not here");
    None
}

fn json(path: PathBuf) -> BTreeMap<String, Value> {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn expectations(name: &str) {
    let Some(folder) = folder(name) else { return };
    let mut wrong = Vec::new();
    let cases = json(folder.join("expectations.json"));
    for (case, facts) in &cases {
        let bytes = fs::read(folder.join(facts["archive"].as_str().unwrap())).unwrap();
        let signed: Vec<Sha256Digest> = match &facts["signed_digests"] {
            Value::Array(list) => {
                list.iter().map(|d| d.as_str().unwrap().parse().unwrap()).collect()
            }
            _ => vec![facts["signed_digest"].as_str().unwrap().parse().unwrap()],
        };
        let answer = verify(&bytes, &signed);
        println!("{case}: {answer:?}");
        // Loaders tolerate blobs that nothing refers to; nobody vouches for them, so this reader doesn't.
        let stray = case == "58-oci-extra-blobs";
        if answer.is_ok() != (facts["expect"] == "verified" && !stray) {
            wrong.push(format!("{case}: {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases.len() > 30);
}

#[test]
fn hostile_archives_get_the_expected_answer() {
    expectations("hostile");
}

#[test]
fn real_archives_get_the_expected_answer() {
    expectations("real");
}

/// What the facts files say was found by other programs must be what we find.
#[test]
fn real_archives_hold_what_their_facts_say() {
    let Some(folder) = folder("real") else { return };
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "tar") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let archive = read_all_ways(&bytes).unwrap_or_else(|refusal| panic!("{path:?}: {refusal}"));
        equal::check_layout(&bytes, &archive);
        let facts = json(path.with_extension("json"));
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().map_or_else(Vec::new, |list| {
                list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
            })
        };
        for image in facts["images"].as_array().unwrap() {
            let (Some(config), diff_ids) =
                (image.get("config_digest").and_then(Value::as_str), texts(&image["diff_ids"]))
            else {
                continue;
            };
            let Some(found) = archive.images.iter().find(|i| i.config.to_string() == config) else {
                // The only configs that are no image's are those of attestations.
                assert!(!archive.attestations.is_empty(), "{path:?}: {config}");
                continue;
            };
            let layers: Vec<_> = found.layers.iter().map(ToString::to_string).collect();
            assert_eq!(layers, diff_ids, "{path:?}");
            for tag in texts(image.get("repo_tags").unwrap_or(&Value::Null)) {
                assert!(found.unsigned_tags.contains(&tag), "{path:?}: {tag}");
            }
        }
    }
}

#[test]
fn ids_after_load_are_what_engines_printed() {
    let Some(folder) = folder("real") else { return };
    let multi = "sha256:338ebca023850d25022a544aecfa4cacdf2d3d098db45a79145ba5e509cedc0b";
    let made_up = "sha256:400757e1442ef7cc60c286bada0ed571034bb8469a48d2c4e45495ee4a9a648e";
    let cases: [(&str, Option<&str>, &str); 5] = [
        ("docker20-multi-alltags", Some(multi), made_up),
        ("buildah-docker-archive", Some(multi), made_up),
        ("docker29-classic-multi", Some("sha256:82f42d0f"), "sha256:e8fcbbf9"),
        ("docker29-containerd-multi", Some("sha256:fb2dfc5b"), "sha256:c6b8edd3"),
        ("podman-oci-archive-multi", None, "sha256:f0334a8e"),
    ];
    for (name, classic, containerd) in cases {
        let bytes = fs::read(folder.join(format!("{name}.tar"))).unwrap();
        let ids = read_all_ways(&bytes).unwrap().images.remove(0).ids_after_load;
        let found = ids.get("docker-classic");
        assert_eq!(found.is_some(), classic.is_some(), "{name}");
        if let (Some(found), Some(classic)) = (found, classic) {
            assert!(found.starts_with(classic), "{name}: {found}");
        }
        assert!(ids["docker-containerd"].starts_with(containerd), "{name}: {ids:?}");
        assert_eq!(ids["podman"].len(), 64);
    }
}
