//! Makes the test vectors of the transfer format, `bundle-format/vectors`: `make_vectors FOLDER`
//! writes every case into FOLDER, which has the throwaway keys in `keys/`, and takes the vendor's
//! files from `examples/release`. Equal keys and equal files give equal vectors, to the byte.
//!
//! It writes what a sealer writes and, for the cases that must be refused, what no sealer writes. It
//! checks nothing: `tests/transfer/vectors.rs` does.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::json;

mod bad;
mod bad_manifest;
mod draft;
mod good;
mod kit;

/// Paths and contents below one directory.
type Files = BTreeMap<String, Vec<u8>>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What three programs that know less say: whether they accept.
#[derive(Clone, Copy)]
struct Others {
    /// `scripts/verify-with-openssl.sh`.
    openssl: bool,
    /// `cosign verify-blob` on the manifest and its signature.
    cosign: bool,
    /// `sha256sum -c SHA256SUMS`.
    sha256sum: bool,
}

const ALL: Others = Others { openssl: true, cosign: true, sha256sum: true };
/// The seal does not hold, the files are unharmed.
const SEAL: Others = Others { openssl: false, cosign: false, sha256sum: true };
/// Only the script sees it.
const SCRIPT: Others = Others { openssl: false, cosign: true, sha256sum: true };
/// A file is not as the list says.
const FILE: Others = Others { openssl: false, cosign: true, sha256sum: false };

/// One case.
struct Case {
    name: &'static str,
    description: &'static str,
    arguments: Vec<&'static str>,
    exit: u8,
    code: Option<&'static str>,
    others: Others,
    /// Whether the manifest validates against the JSON Schema; none if it is not there.
    schema: Option<bool>,
    transfer: Files,
    /// Files beside the transfer directory.
    beside: Files,
}

impl Case {
    /// An accepted transfer.
    fn good(name: &'static str, description: &'static str, transfer: Files) -> Self {
        Self {
            name,
            description,
            arguments: vec!["--time", kit::NOW],
            exit: 0,
            code: None,
            others: ALL,
            schema: Some(true),
            transfer,
            beside: Files::new(),
        }
    }

    /// A transfer that is refused with exit code 1.
    fn bad(
        name: &'static str,
        description: &'static str,
        code: &'static str,
        others: Others,
        transfer: Files,
    ) -> Self {
        Self { exit: 1, code: Some(code), others, ..Self::good(name, description, transfer) }
    }

    fn exits(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }

    fn schema(mut self, schema: Option<bool>) -> Self {
        self.schema = schema;
        self
    }

    fn with(mut self, arguments: &[&'static str]) -> Self {
        self.arguments.extend_from_slice(arguments);
        self
    }

    fn beside(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.beside.insert(name.to_owned(), bytes.into());
        self
    }

    /// Files in a folder beside the transfer directory.
    fn folder(mut self, name: &str, files: Files) -> Self {
        let files = files.into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes));
        self.beside.extend(files);
        self
    }

    /// Judged at another time.
    fn at(mut self, time: &'static str) -> Self {
        if let Some(slot) = self.arguments.get_mut(1) {
            *slot = time;
        }
        self
    }

    fn write(&self, folder: &Path, transfer_pub: &str) -> Result<()> {
        let folder = folder.join(self.name);
        let mut case = json!({
            "description": self.description,
            "arguments": self.arguments,
            "exit": self.exit,
            "code": self.code,
            "openssl": self.others.openssl,
            "cosign": self.others.cosign,
            "sha256sum": self.others.sha256sum,
        });
        if let (Some(schema), Some(case)) = (self.schema, case.as_object_mut()) {
            case.insert("schema".to_owned(), schema.into());
        }
        let case = format!("{}\n", serde_json::to_string_pretty(&case)?);
        write(&folder.join("case.json"), case.as_bytes())?;
        write(&folder.join("transfer.pub"), transfer_pub.as_bytes())?;
        for (path, bytes) in &self.transfer {
            write(&folder.join("transfer").join(path), bytes)?;
        }
        self.beside.iter().try_for_each(|(path, bytes)| write(&folder.join(path), bytes))
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, bytes)?)
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        return Err("usage: make_vectors FOLDER".into());
    };
    let folder = Path::new(&folder);
    let kit = kit::Kit::read(&folder.join("keys"), Path::new("examples/release"))?;
    let mut cases = good::cases(&kit)?;
    cases.extend(bad::cases(&kit)?);
    cases.extend(bad_manifest::cases(&kit)?);
    let transfer_pub = kit.transfer.public().to_pem();
    cases.iter().try_for_each(|case| case.write(folder, &transfer_pub))
}
