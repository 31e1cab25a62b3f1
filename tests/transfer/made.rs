//! A second vendor, whose private key the tests have: images with large layers, packages of any
//! content, bundles without a log entry.

use sealift::digest::Sha256Digest;
use sealift::key::PublicKey;

use crate::room::{Answer, Room};
use crate::support::log::TestKey;
use crate::support::tar::Tar;

/// The made vendor's key; the public half lies beside `d` as `made.pub`.
pub(crate) fn vendor() -> TestKey {
    TestKey::new(77)
}

pub(crate) fn vendor_public() -> PublicKey {
    PublicKey::from_pem(vendor().pem().as_bytes()).unwrap()
}

/// A layer with one file of so many bytes.
pub(crate) fn layer(bytes: u32) -> Vec<u8> {
    let content: Vec<u8> =
        (0..bytes).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    Tar::new().file("data", content).finish()
}

/// A docker archive whose label names `bundle`, and the text that its vendor signs.
pub(crate) fn image(bundle: &str, layers: &[Vec<u8>]) -> (Vec<u8>, String) {
    let ids: Vec<String> =
        layers.iter().map(|layer| format!("{:?}", Sha256Digest::of(layer).to_string())).collect();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Labels":{{"org.opencontainers.image.signature.bundle":"{bundle}"}}}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let names: Vec<String> = (0..layers.len()).map(|n| format!("{n}/layer.tar")).collect();
    let listed: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let manifest =
        format!(r#"[{{"Config":"config.json","RepoTags":null,"Layers":[{}]}}]"#, listed.join(","));
    let mut tar = Tar::new().file("config.json", &config);
    for (name, layer) in names.iter().zip(layers) {
        tar = tar.file(name, layer);
    }
    let archive = tar.file("manifest.json", manifest).finish();
    (archive, Sha256Digest::of(config.as_bytes()).to_string())
}

impl Room {
    /// The made vendor's key beside `d`.
    pub(crate) fn knowing_the_made_vendor(self) -> Self {
        self.write_beside("made.pub", vendor().pem());
        self
    }

    /// A signed image in `d`.
    pub(crate) fn add_image(&self, name: &str, layers: &[Vec<u8>]) {
        let bundle = format!("{name}.bundle");
        let (archive, message) = image(&bundle, layers);
        self.write(&format!("{name}.tar"), archive);
        self.write(&bundle, vendor().bundle(&message));
    }

    /// A signed package in `d`.
    pub(crate) fn add_package(&self, name: &str, content: &[u8]) {
        self.write(name, content);
        let message = format!("{}\n", Sha256Digest::of(content).to_hex());
        self.write(&format!("{name}_signature.bundle"), vendor().bundle(&message));
    }

    /// `app.tar` with one large and one small layer, and `pkg.bin`; not sealed.
    pub(crate) fn made_release() -> Self {
        let room = Self::empty().knowing_the_made_vendor();
        room.add_image("app", &[layer(700 << 10), layer(100)]);
        room.add_package("pkg.bin", b"a package");
        room
    }

    /// The same, sealed.
    pub(crate) fn made() -> Self {
        let room = Self::made_release();
        room.seal_made("").exit(0);
        room
    }

    #[track_caller]
    pub(crate) fn seal_made(&self, words: &str) -> Answer {
        self.seal(&format!("--vendor-key made.pub --insecure-ignore-tlog {words}"))
    }

    #[track_caller]
    pub(crate) fn verify_made(&self, words: &str) -> Answer {
        self.verify(&format!("--insecure-ignore-tlog {words}"))
    }
}
