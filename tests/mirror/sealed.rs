//! What arrives is sealed, laid out as documented, and verifies on the far side.

use serde_json::{Value, json};

use crate::made::Vendor;
use crate::side::Side;

#[test]
fn an_image_and_packages_arrive_and_verify() {
    let Some(vendor) = Vendor::new("arrive") else { return };
    let side = Side::new(&vendor);
    let image = vendor.pushed("team/app:1.2", "one");
    let url = vendor.package_in("downloads", "pack-1.tgz", "a package");
    vendor.package("tool-2.tgz", "another package");
    let answer = side.fetch(&format!("--image {image} --package {url}?token=hush tool-2.tgz"));
    answer
        .exit(0)
        .says(&format!("{image}: OK (image"))
        .says(&format!("{url}: OK (package"))
        .says("tool-2.tgz: OK (package")
        .says("preflight: 3 artifacts verified offline")
        .never_mentions("hush");
    let beside = |name: &str| {
        ["", "_publickey.json", "_signature.bundle"]
            .map(|end| format!("packages/{name}/{name}{end}"))
    };
    let mut expected: Vec<String> = ["team-app-1.2_signature.bundle", "app_1.2.tar", "vendor.pub"]
        .map(|name| format!("images/app_1.2/{name}"))
        .into();
    expected.extend(beside("pack-1.tgz"));
    expected.extend(beside("tool-2.tgz"));
    expected.extend(["pack-1.tgz", "tool-2.tgz"].map(|name| format!("packages/{name}/vendor.pub")));
    let mut here = side.files();
    here.retain(|name| !name.starts_with("trust/") && !name.starts_with("tools/"));
    expected.sort();
    assert_eq!(here, expected);

    let manifest = side.manifest();
    let requested = json!([
        { "kind": "image", "name": image },
        { "kind": "package", "name": url },
        { "kind": "package", "name": "tool-2.tgz" },
    ]);
    assert_eq!((&manifest["requested"], &manifest["omitted"]), (&requested, &json!([])));
    let source = |name: &str| {
        let all = manifest["artifacts"].as_array().unwrap();
        all.iter().find(|it| it["name"] == name).unwrap()["source"].as_str().unwrap()
    };
    let (repository, _) = image.rsplit_once(':').unwrap();
    assert!(source(&image).contains(repository) && source(&image).contains("@sha256:"));
    assert_eq!(source(&url), url);
    assert_eq!(source("tool-2.tgz"), vendor.url("packages/tool-2.tgz"));

    let log = side.text("d/trust/fetches.jsonl");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!log.contains("hush") && !log.contains("token"), "{log}");
    for path in here {
        assert!(lines.iter().any(|line| line["path"] == path), "{path}:\n{log}");
    }
    let pack = lines.iter().find(|line| line["path"] == "packages/pack-1.tgz/pack-1.tgz").unwrap();
    assert_eq!(
        (&pack["url"], &pack["status"], &pack["size"]),
        (&json!(url), &json!(200), &json!(9))
    );
    assert!(pack["etag"].is_string(), "{pack}");
    side.verify("").exit(0).says(&format!("{image}: OK")).says("d: OK (transfer");
}

#[test]
fn a_tool_goes_along() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(vendor) = Vendor::new("tool") else { return };
    let side = Side::new(&vendor);
    vendor.package("pack.tgz", "a package");
    side.write("sealift-airgap", "#!/bin/sh\n");
    side.fetch("--package pack.tgz --tool sealift-airgap").exit(0);
    let mode = side.path("d/tools/sealift-airgap").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    side.verify("").exit(0);
    side.write("d/tools/sealift-airgap", "#!/bin/bad");
    side.verify("").exit(1).mentions("tools/sealift-airgap");
}
