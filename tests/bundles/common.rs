//! A log, a key, a message and good bundles to break; and the shared vectors, where they exist.

use std::path::PathBuf;

use sealift::key::PublicKey;
use sealift::sigstore::{
    HashRule, Proof, Refusal, SignatureBundle, Signer, Subject, Transparency, TrustMaterial,
    VerifyRequest, verify,
};
use sealift::verdict::{Check, CheckName, Code, Fault, Status};
use serde_json::Value;

use crate::support::log::{self, Entry, TestKey, TestLog};

pub(crate) const MESSAGE: &[u8] =
    b"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// 2025-01-01T00:00:00Z: inside the window of the test log's key.
pub(crate) const TIME: u64 = 1_735_689_600;

/// Everything for a verification that holds.
pub(crate) struct World {
    pub(crate) log: TestLog,
    pub(crate) signer: TestKey,
    pub(crate) key: PublicKey,
    pub(crate) trust: TrustMaterial,
    pub(crate) transparency: Transparency,
}

impl World {
    pub(crate) fn new() -> Self {
        let log = TestLog::new(7, "log.test");
        let signer = TestKey::new(1);
        Self {
            key: PublicKey::from_pem(signer.pem().as_bytes()).unwrap(),
            trust: trust(&log.trusted_root()),
            transparency: Transparency::Required,
            log,
            signer,
        }
    }

    pub(crate) fn ignoring_log(mut self) -> Self {
        self.transparency = Transparency::AbsentAllowed;
        self
    }

    pub(crate) fn signature(&self) -> Vec<u8> {
        self.signer.sign(MESSAGE)
    }

    /// The right body for the signature over [`MESSAGE`].
    pub(crate) fn body(&self) -> Value {
        log::hashedrekord(&log::sha256(MESSAGE), &self.signature(), &self.signer.pem())
    }

    /// An entry with this body, made at [`TIME`].
    pub(crate) fn entry(&self, body: &Value) -> Entry {
        self.entry_of_bytes(&serde_json::to_vec(body).unwrap())
    }

    pub(crate) fn entry_of_bytes(&self, body: &[u8]) -> Entry {
        self.log.clone().add(body, TIME)
    }

    /// A good old bundle.
    pub(crate) fn old(&self) -> Value {
        log::old_bundle(&self.signature(), Some(&self.entry(&self.body())))
    }

    /// A good Sigstore bundle v0.3.
    pub(crate) fn new_format(&self) -> Value {
        self.new_with(&self.entry(&self.body()))
    }

    pub(crate) fn new_with(&self, entry: &Entry) -> Value {
        log::new_bundle(&log::sha256(MESSAGE), &self.signature(), Some(entry))
    }

    pub(crate) fn request(&self) -> VerifyRequest<'_> {
        VerifyRequest {
            signer: Signer::Key { key: &self.key, hash: HashRule::Known },
            trust: &self.trust,
            transparency: self.transparency,
            now: jiff::Timestamp::now(),
        }
    }

    /// Parses and verifies over [`MESSAGE`].
    pub(crate) fn judge(&self, bundle: &[u8]) -> Result<Proof, Refused> {
        self.judge_message(bundle, MESSAGE)
    }

    pub(crate) fn judge_message(&self, bundle: &[u8], message: &[u8]) -> Result<Proof, Refused> {
        let bundle = SignatureBundle::parse(bundle)?;
        Ok(verify(&bundle, Subject::Bytes(message), &self.request())?)
    }

    pub(crate) fn judge_value(&self, bundle: &Value) -> Result<Proof, Refused> {
        self.judge(bundle.to_string().as_bytes())
    }

    /// The code that this bundle is refused with.
    #[track_caller]
    pub(crate) fn code(&self, bundle: &Value) -> Code {
        self.judge_value(bundle).expect_err("accepted").code()
    }
}

/// A refusal by the parser or the verifier.
#[derive(Debug)]
pub(crate) enum Refused {
    Parse(Fault),
    Verify(Box<Refusal>),
}

impl Refused {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Parse(fault) => fault.code(),
            Self::Verify(refusal) => refusal.fault.code(),
        }
    }

    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::Parse(fault) => panic!("the parser refused: {fault}"),
            Self::Verify(refusal) => *refusal,
        }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Parse(fault)
    }
}

impl From<Box<Refusal>> for Refused {
    fn from(refusal: Box<Refusal>) -> Self {
        Self::Verify(refusal)
    }
}

pub(crate) fn trust(root: &Value) -> TrustMaterial {
    TrustMaterial::from_json(root.to_string().as_bytes()).unwrap()
}

/// How the check of this name ended.
#[track_caller]
pub(crate) fn status(checks: &[Check], name: CheckName) -> Status {
    checks.iter().find(|check| check.name == name).expect("no such check").status
}

/// The shared reference data beside the project, if it is there.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SEALIFT_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")),
        PathBuf::from,
    );
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: ../shared is not here");
    None
}
