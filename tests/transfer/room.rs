//! A room with a release, the operator's keys beside it, and ways to run the program in it, to damage
//! what was sealed, and to seal what the program would not.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sealift::digest::Sha256Digest;
use sealift::key::PrivateKey;
use sealift::transfer::{self, MANIFEST, Manifest, SIGNATURE, SIGSTORE, SUMS};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::support::sealift;
use crate::support::tools::{Ran, run};

const PASSWORD: &str = "pw";
/// The files of the example that make one good release.
pub(crate) const RELEASE: [&str; 7] = [
    "hello-image.tar",
    "hello_signature.bundle",
    "tools-1.0.tar.gz",
    "tools-1.0.tar.gz_publickey.json",
    "tools-1.0.tar.gz_signature.bundle",
    "trusted_root.json",
    "vendor.pub",
];

/// The bytes of a file of the example.
pub(crate) fn example(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release").join(name);
    fs::read(path).unwrap()
}

/// The operator's transfer key, made by `sealift keygen` once.
pub(crate) struct Keys {
    pub(crate) private: PrivateKey,
    key: Vec<u8>,
    public: Vec<u8>,
}

pub(crate) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = sealift();
        command.arg("keygen").current_dir(folder.path()).env("SEALIFT_PASSWORD", PASSWORD);
        run(&mut command).succeeded();
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        let key = read("transfer.key");
        let password = || Ok(Zeroizing::new(PASSWORD.as_bytes().to_vec()));
        let private = PrivateKey::from_pem(&key, &mut { password }).unwrap();
        Keys { private, key, public: read("transfer.pub") }
    })
}

/// A temporary folder: `d` is the directory that is sealed and checked; beside it lie the operator's
/// `transfer.key`, `transfer.pub`, `vendor.pub` and `trusted_root.json`.
pub(crate) struct Room(TempDir);

impl Room {
    /// Nothing in `d` yet.
    pub(crate) fn empty() -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        fs::create_dir(room.dir()).unwrap();
        fs::write(room.beside("transfer.key"), &keys().key).unwrap();
        fs::write(room.beside("transfer.pub"), &keys().public).unwrap();
        for name in ["vendor.pub", "trusted_root.json"] {
            fs::write(room.beside(name), example(name)).unwrap();
        }
        room
    }

    /// The release, not sealed.
    pub(crate) fn release() -> Self {
        let room = Self::empty();
        for name in RELEASE {
            room.write(name, example(name));
        }
        room
    }

    /// The release as the program sealed it (once; this is a copy).
    pub(crate) fn sealed() -> Self {
        static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
        let files = FILES.get_or_init(|| {
            let room = Self::release();
            room.seal_as_usual("").exit(0);
            room.files().into_iter().map(|name| (name.clone(), room.read(&name))).collect()
        });
        let room = Self::empty();
        for (name, bytes) in files {
            room.write(name, bytes);
        }
        room
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.0.path().join("d")
    }

    /// A path beside `d`.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path in `d`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn write_beside(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.beside(name), bytes).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        let to = self.path(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.path(from), to).unwrap();
    }

    /// The names of all files in `d`, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let dir = self.dir();
        let entries = walkdir::WalkDir::new(&dir).into_iter().map(Result::unwrap);
        let mut names: Vec<String> = entries
            .filter(|entry| !entry.file_type().is_dir())
            .map(|entry| entry.path().strip_prefix(&dir).unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// All that can be seen of `d`: names, kinds, permissions, times, sizes and contents.
    pub(crate) fn state_of_disk(&self) -> BTreeMap<PathBuf, String> {
        let entries = walkdir::WalkDir::new(self.dir()).into_iter().map(Result::unwrap);
        entries
            .map(|entry| {
                let meta = entry.metadata().unwrap();
                let content = if meta.is_file() {
                    Sha256Digest::of(&fs::read(entry.path()).unwrap()).to_hex()
                } else {
                    String::new()
                };
                let (mode, size) = (meta.mode(), meta.size());
                let times = (meta.mtime(), meta.mtime_nsec(), meta.ino());
                (entry.into_path(), format!("{mode:o} {size} {times:?} {content}"))
            })
            .collect()
    }

    /// The program with these arguments, beside `d`, without anybody's environment.
    #[track_caller]
    pub(crate) fn run(&self, words: &str) -> Answer {
        let mut command = sealift();
        command.current_dir(self.0.path()).args(words.split_whitespace());
        command.env_remove("SEALIFT_TRUST").env_remove("COSIGN_PASSWORD");
        command.env("SEALIFT_PASSWORD", PASSWORD);
        Answer(run(&mut command))
    }

    /// `seal d` with the operator's key.
    #[track_caller]
    pub(crate) fn seal(&self, words: &str) -> Answer {
        self.run(&format!("seal d --key transfer.key {words}"))
    }

    /// `seal d` with the vendor's key and log named.
    #[track_caller]
    pub(crate) fn seal_as_usual(&self, words: &str) -> Answer {
        self.seal(&format!("--vendor-key vendor.pub --trusted-root trusted_root.json {words}"))
    }

    /// `verify d` with the operator's public key.
    #[track_caller]
    pub(crate) fn verify(&self, words: &str) -> Answer {
        self.run(&format!("verify d --transfer-key transfer.pub {words}"))
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::parse(&self.read(MANIFEST)).unwrap()
    }

    /// Changes the manifest and seals it by the operator's key, whatever it says now; all forms
    /// agree with it.
    pub(crate) fn reseal(&self, change: impl FnOnce(&mut Manifest)) {
        let mut manifest = self.manifest();
        change(&mut manifest);
        manifest.sha256sums = Sha256Digest::of(&manifest.sums());
        self.write(SUMS, manifest.sums());
        self.sign(&manifest.to_bytes().unwrap(), &keys().private);
    }

    /// Changes the text of the manifest and signs it; `SHA256SUMS` stays.
    #[track_caller]
    pub(crate) fn reseal_text(&self, from: &str, to: &str) {
        let text = String::from_utf8(self.read(MANIFEST)).unwrap();
        assert!(text.contains(from), "{from} is not in the manifest");
        self.sign(text.replacen(from, to, 1).as_bytes(), &keys().private);
    }

    /// Writes a manifest and the two forms of a signature over it.
    pub(crate) fn sign(&self, manifest: &[u8], key: &PrivateKey) {
        let der = key.sign(manifest);
        let digest = Sha256Digest::of(manifest);
        self.write(MANIFEST, manifest);
        self.write(SIGNATURE, transfer::signature_file(&der));
        let signer = key.public().fingerprint();
        self.write(SIGSTORE, transfer::sigstore_file(&der, &signer, &digest));
    }
}

/// How the program answered.
pub(crate) struct Answer(pub(crate) Ran);

impl Answer {
    #[track_caller]
    pub(crate) fn exit(self, status: i32) -> Self {
        assert_eq!(self.0.status, Some(status), "{}", self.0.text());
        self
    }

    /// Some result line begins like this.
    #[track_caller]
    pub(crate) fn says(self, begin: &str) -> Self {
        let said = self.0.stdout.lines().any(|line| line.starts_with(begin));
        assert!(said, "no line begins with {begin:?}:\n{}", self.0.text());
        self
    }

    /// The text stands somewhere in either stream.
    #[track_caller]
    pub(crate) fn mentions(self, text: &str) -> Self {
        assert!(self.0.text().contains(text), "{text:?} is not in\n{}", self.0.text());
        self
    }

    #[track_caller]
    pub(crate) fn never_mentions(self, text: &str) -> Self {
        assert!(!self.0.text().contains(text), "{text:?} is in\n{}", self.0.text());
        self
    }

    /// Nothing was judged: exit 2, and the code on standard error.
    #[track_caller]
    pub(crate) fn error(self, code: &str) -> Self {
        self.exit(2).mentions(&format!("error[{code}]"))
    }

    /// The seal was refused, so there is one line, for the directory.
    #[track_caller]
    pub(crate) fn refused_as_a_whole(self, status: i32, answer: &str) -> Self {
        let lines = self.results().len();
        assert_eq!(lines, 1, "{}", self.0.text());
        self.exit(status).says(&format!("d: {answer}: "))
    }

    /// Everything in `d` is OK and there are so many artifacts; nobody warned.
    #[track_caller]
    pub(crate) fn accepted(self, artifacts: usize) -> Self {
        let text = self.0.text();
        let results = self.results();
        assert_eq!(self.0.status, Some(0), "{text}");
        assert!(results.iter().all(|line| line.contains(": OK (")), "{text}");
        assert_eq!(results.len(), artifacts + 1, "{text}");
        let whole = format!(
            "d: OK (transfer, sealed by key {}, stream ",
            keys().private.public().fingerprint()
        );
        assert!(results[artifacts].starts_with(&whole), "{text}");
        assert!(results[artifacts].contains(&format!(": {artifacts} artifacts, ")), "{text}");
        assert_eq!(self.0.stderr, "", "{text}");
        self
    }

    /// The same with details between the result lines.
    #[track_caller]
    pub(crate) fn accepted_but_verbose(self) -> Self {
        let text = self.0.text();
        assert!(self.results().iter().all(|line| line.contains(": OK (")), "{text}");
        self.exit(0)
    }

    /// The result lines, without what follows each.
    pub(crate) fn results(&self) -> Vec<&str> {
        self.0.stdout.lines().filter(|line| crate::support::is_answer(line)).collect()
    }
}
