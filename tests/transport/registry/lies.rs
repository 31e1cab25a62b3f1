//! Registries that send something else.

use std::fs;

use sealift::verdict::Code;
use serde_json::Value;

use super::layout::Two;
use super::mirror::{Mirror, text};
use super::server::DockerRegistry;
use super::wire::endless;

#[test]
fn a_registry_that_lies() {
    let two = Two::new();
    let Some(registry) = DockerRegistry::open() else { return };
    registry.push(two.folder.path(), "two:1", &[]);
    let mirror = Mirror::from(&registry.host);
    let (index, amd64) = (text(&two.index["digest"]), text(&two.amd64["digest"]));
    let tag = format!("{}/two:1", registry.host);
    let named = format!("{}/two@{index}", registry.host);
    let layer = text(&two.layers[1].descriptor["digest"]);
    let config = two.config(&two.amd64);
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        // Still JSON: the last line break becomes a blank.
        match bytes.iter().rposition(|it| *it == b'\n') {
            Some(at) if bytes.starts_with(b"{") => bytes[at] = b' ',
            _ => bytes[1000] ^= 1,
        }
        bytes
    };
    let short = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let long = |bytes: &[u8]| [bytes, b" "].concat();
    type Lie<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    let lies: [(&str, &str, Lie<'_>); 8] = [
        (layer, &tag, &flipped),
        (layer, &tag, &short),
        (layer, &tag, &long),
        (&config, &tag, &flipped),
        (&config, &tag, &long),
        (amd64, &tag, &flipped),
        (amd64, &tag, &long),
        (index, &named, &flipped),
    ];
    for (number, (digest, reference, lie)) in lies.into_iter().enumerate() {
        let file = registry.blob(digest);
        let good = fs::read(&file).unwrap();
        fs::write(&file, lie(&good)).unwrap();
        let fault = mirror.refused(reference);
        assert_eq!(fault.code(), Code::SourceDisagrees, "{number}: {fault}");
        fs::write(&file, good).unwrap();
    }
    // A manifest that states another size than its config has.
    let mut manifest: Value = serde_json::from_slice(&two.layout.read(amd64)).unwrap();
    manifest["config"]["size"] = Value::from(manifest["config"]["size"].as_u64().unwrap() + 1);
    let kind = text(&two.amd64["mediaType"]);
    registry.put("two", "size", kind, manifest.to_string().as_bytes());
    let fault = mirror.refused(&format!("{}/two:size", registry.host));
    assert_eq!(fault.code(), Code::SourceDisagrees, "{fault}");
    // A manifest without end.
    let host = endless();
    let endless = Mirror::from(&host);
    assert_eq!(endless.refused(&format!("{host}/a:1")).code(), Code::ResponseTooLarge);
    // What was half-way here does no harm.
    mirror.bring(&tag).unwrap().verifies(index);
}
