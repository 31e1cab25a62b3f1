//! Reports to write and read again.

use sealift::digest::Sha256Digest;
use sealift::report::{Detail, Form, ReportSource};
use sealift::verdict::{
    ArtifactKind, ArtifactReport, Basis, BundleReport, Check, CheckName, Code, Cover, Coverage,
    CoveredFile, ImageReport, KeyTrust, MatchedDigest, Outcome, Profile, Report, Shard, Status,
    Summary, TrustedRoot,
};

/// Every outcome, with a code that means it.
pub(crate) const OUTCOMES: [(Outcome, Option<Code>); 9] = [
    (Outcome::Ok, None),
    (Outcome::Failed, Some(Code::DigestMismatch)),
    (Outcome::Missing, Some(Code::FileMissing)),
    (Outcome::Extra, Some(Code::FileExtra)),
    (Outcome::Unsigned, Some(Code::NoBundle)),
    (Outcome::Undecided, Some(Code::Unreadable)),
    (Outcome::Omitted, Some(Code::Omitted)),
    (Outcome::Usage, Some(Code::NoKey)),
    (Outcome::Network, Some(Code::NetworkFailed)),
];

/// Names that no form may let through as they are.
pub(crate) const HOSTILE: [&str; 12] = [
    "<script>document.title='owned'</script>",
    "\"><img src=http://127.0.0.1:9/x onerror=alert(1)>.tar",
    "'><style>@import url(http://127.0.0.1:9/x);body{display:none}</style>",
    "</td></tr></table><h1>VERIFIED</h1>",
    "</title><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/x'>",
    "]]></error><!-- & &amp; &#x41;",
    "a\u{0}b\u{1b}[2J\u{7f}\u{85}\u{9b}c\r\nd\te",
    "invoice\u{202e}gnp.exe\u{2066}\u{200f}",
    "\u{fffe}\u{ffff}\u{1ffff}\u{feff}\u{200b}zero",
    "javascript:alert(1)",
    "packages/Straße 文件 🚀.tar.gz",
    "same",
];

pub(crate) fn digest(of: &str) -> Sha256Digest {
    Sha256Digest::of(of.as_bytes())
}

/// The same report with another answer, as somebody could write it into a file.
pub(crate) fn answered(
    report: &ArtifactReport,
    outcome: Outcome,
    code: Option<Code>,
) -> ArtifactReport {
    let mut json = serde_json::to_value(report).unwrap();
    json["outcome"] = serde_json::to_value(outcome).unwrap();
    json["code"] = serde_json::to_value(code).unwrap();
    serde_json::from_value(json).unwrap()
}

/// A verified image as the program describes one.
pub(crate) fn ok(name: &str) -> ArtifactReport {
    let mut report = answered(&ArtifactReport::new(name), Outcome::Ok, None);
    report.kind = Some(ArtifactKind::Image);
    report.detected = Some("image archive: docker archive".to_owned());
    report.matched = vec![MatchedDigest { digest: digest(name), kind: "config".to_owned() }];
    report.key = Some(digest("key"));
    report.key_trust = Some(KeyTrust::Policy);
    report.checks = vec![
        Check::new(CheckName::Archive, Status::Passed),
        Check::new(CheckName::Layers, Status::Passed).with("layers", 12),
        Check::new(CheckName::Coverage, Status::Passed),
    ];
    report.images = vec![ImageReport {
        unsigned_tags: vec!["registry.vendor.example/fabric:8.1".to_owned()],
        candidates: report.matched.clone(),
        platform: "linux/amd64".to_owned(),
        covered: true,
        layers: 12,
        ids_after_load: [("podman".into(), digest(name).to_hex())].into(),
    }];
    let log = |check: Check| {
        check
            .with("log", "https://rekor.sigstore.dev")
            .with("index", 123_456_789)
            .with("log-id", digest("log").to_hex())
    };
    report.bundles = vec![BundleReport {
        name: format!("{name}_signature.bundle"),
        format: Some("cosign".to_owned()),
        verified: true,
        code: None,
        reason: None,
        checks: vec![
            Check::new(CheckName::Signature, Status::Passed)
                .with("fingerprint", digest("key"))
                .with("hash", "sha256")
                .with("key", "ECDSA P-256"),
            Check::new(CheckName::BundleKey, Status::NotPresent),
            Check::new(CheckName::Library, Status::Passed),
            log(Check::new(CheckName::LogEntry, Status::Passed)),
            log(Check::new(CheckName::LogPromise, Status::Passed))
                .with("time", "2026-11-23T22:39:28Z"),
            log(Check::new(CheckName::InclusionProof, Status::NotPresent)),
            log(Check::new(CheckName::Checkpoint, Status::NotPresent)),
            Check::new(CheckName::Timestamp, Status::NotPresent),
            Check::new(CheckName::Certificate, Status::NotPresent),
        ],
        notes: Vec::new(),
    }];
    report.notes = vec!["tags and the file name are not signed".to_owned()];
    report
}

/// An artifact with this outcome.
pub(crate) fn artifact(name: &str, outcome: Outcome, code: Option<Code>) -> ArtifactReport {
    if outcome == Outcome::Ok {
        return ok(name);
    }
    let mut report = answered(&ok(name), outcome, code);
    report.reason = code.map(|code| format!("{name}: {}", code.summary()));
    report.next = code.map(|code| code.next().to_owned());
    report.likely_causes = vec![format!("{name} was changed on the way")];
    report.key = None;
    report.key_trust = None;
    report.matched.clear();
    report.sha256 = Some(digest("file"));
    for bundle in &mut report.bundles {
        bundle.verified = false;
        bundle.code = code;
        bundle.reason = Some(format!("{name}: refused"));
        bundle.checks[0].status = Status::Failed;
        bundle.checks[2].status = Status::NotChecked;
    }
    report
}

/// A report with all that a run can say.
pub(crate) fn report(artifacts: Vec<ArtifactReport>) -> Report {
    let mut report = Report::new("2026-11-26T08:00:00.123456789Z".to_owned(), artifacts);
    let run = &mut report.run;
    run.program = Some(digest("program"));
    run.finished = Some("2026-11-26T08:00:03.523456789Z".to_owned());
    run.paths = vec!["/media/usb/release-8.1".to_owned()];
    run.basis = Some(Basis {
        keys: vec![digest("key"), digest("older key")],
        identity: Some("release@vendor.example".to_owned()),
        transfer_keys: vec![digest("transfer key")],
        policy: Some(digest("policy")),
        trusted_root: Some(TrustedRoot { sha256: digest("root"), source: "policy".to_owned() }),
        profiles: vec![
            Profile { name: "k2view".to_owned(), sha256: None },
            Profile { name: "vendor".to_owned(), sha256: Some(digest("profile")) },
        ],
        map: Some(digest("map")),
        options: vec!["--insecure-ignore-tlog".to_owned()],
    });
    let mut summary = Summary { bytes: 1_288_490_189, milliseconds: 3_400, ..Summary::default() };
    let mut coverage = Coverage::default();
    for (place, artifact) in report.artifacts.iter().enumerate() {
        summary.count(artifact.outcome());
        let verified = artifact.outcome() == Outcome::Ok;
        let mut file = |name: String, cover| coverage.add(CoveredFile { name, size: 512, cover });
        file(artifact.name.clone(), if verified { Cover::Vendor } else { Cover::Uncovered });
        file(format!("{}_signature.bundle", artifact.name), Cover::Material);
        if place % 5 == 0 {
            file(format!("docs/{place}.pdf"), Cover::SealOnly);
            file(format!("tmp/{place}"), Cover::Excluded);
        }
    }
    run.summary = Some(summary);
    run.coverage = Some(coverage);
    report
}

/// Every outcome, under each of these names.
pub(crate) fn everything(names: &[&str]) -> Report {
    let mut artifacts = Vec::new();
    for (outcome, code) in OUTCOMES {
        artifacts.extend(names.iter().map(|name| artifact(name, outcome, code)));
    }
    report(artifacts)
}

/// Nothing but OK.
pub(crate) fn good() -> Report {
    report(["images/fabric.tar", "images/studio.tar", "packages/tools.tgz"].map(ok).into())
}

/// Part 2 of 5.
pub(crate) fn shard() -> Shard {
    Shard {
        part: 2,
        of: 5,
        listing: digest("listing"),
        files: 800,
        bundles: vec!["images/<b>other</b>.bundle".to_owned()],
    }
}

/// The report in this form.
pub(crate) fn written(form: Form, source: &dyn ReportSource) -> String {
    let mut out = Vec::new();
    form.write(&mut out, source, Detail::Full).unwrap();
    String::from_utf8(out).unwrap()
}
