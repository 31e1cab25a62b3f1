//! `sealift seal`: turns a folder into a transfer directory, and says what to carry out of band.

use std::io::{self, Write};
use std::time::Duration;

use super::args::{Output, SealArgs};
use super::progress::Bar;
use super::transfer_args::material;
use super::trust_args::load_key;
use super::{complain, files, jobs, load_profile, program_digest, shown, warn};
use crate::digest::Sha256Digest;
use crate::folder::Folder;
use crate::image::Options;
use crate::key::{PrivateKey, random_bytes, words};
use crate::limits;
use crate::report::{self, Detail};
use crate::sigstore::TrustMaterial;
use crate::transfer::{self, Made, Naming, Order, Stop};
use crate::verdict::{ArtifactReport, Code, ExitStatus, Fault, Report};

/// Runs the command.
pub(super) fn run(arguments: &SealArgs) -> Result<ExitStatus, Fault> {
    let now = jiff::Timestamp::now();
    let profile = load_profile(arguments.vendor_profile.as_deref())?;
    let policy = arguments.policy.load()?;
    let keys = arguments
        .vendor_key
        .iter()
        .map(|path| load_key(path))
        .collect::<Result<Vec<_>, Fault>>()?;
    let named = material(&arguments.logs, policy.as_ref())?;
    let built_in = if named.is_none() { Some(TrustMaterial::production()?) } else { None };
    let (root, trusted) = match (&named, &built_in) {
        (Some((bytes, material)), _) => (Some(bytes.as_slice()), material),
        (None, Some(material)) => (None, material),
        (None, None) => return Err(Fault::new(Code::TrustedRootMalformed, "no trusted root")),
    };
    if policy.as_ref().is_some_and(|it| it.vendors().iter().any(|it| it.transparency_required()))
        && arguments.logs.insecure_ignore_tlog
    {
        let message = "--insecure-ignore-tlog, where the policy asks for a log entry";
        return Err(Fault::new(Code::PolicyForbids, message));
    }
    let folder = Folder::open(&arguments.directory)?;
    let key = private_key(arguments)?;
    if let Some(listed) = policy.as_ref().map(|it| it.transfer_keys())
        && !listed.is_empty()
        && listed.iter().all(|it| it.key() != key.public())
    {
        warn("the trust policy does not list this transfer key: the far side will refuse the seal");
    }
    let bar = Bar::new(!arguments.run.quiet && arguments.run.output == Output::Text);
    bar.name(files::show(&arguments.directory));
    let order = Order {
        key: &key,
        naming: Naming {
            keys: &keys,
            pins: &arguments.pin_key,
            policy: policy.as_ref(),
            first_use: arguments.trust_on_first_use,
        },
        profile: &profile,
        transparency: arguments.logs.transparency(),
        material: trusted,
        trusted_root: root,
        allow_unsigned: &arguments.allow_unsigned,
        stream: &arguments.stream,
        expires: arguments.expires.as_deref().map(|text| expiry(text, now)).transpose()?,
        notes: arguments.notes.as_deref(),
        transfer_id: random_bytes()?,
        now,
        reading: Options { jobs: jobs(arguments.run.jobs), progress: &bar, cuts: None },
    };
    let result = transfer::make(&folder, &order);
    bar.clear();
    match result {
        Ok(made) => finished(arguments, &made, &key, now),
        Err(Stop::Artifacts(reports)) => stopped(arguments, reports, now),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

/// Reads the operator's own key; the password is asked for only if it is encrypted.
fn private_key(arguments: &SealArgs) -> Result<PrivateKey, Fault> {
    let path = &arguments.key;
    let bytes = files::read_config(path, limits::KEY_BYTES, Code::PrivateKeyMalformed)?;
    PrivateKey::from_pem(&bytes, &mut || arguments.password.existing())
        .map_err(|fault| fault.at(files::show(path)))
}

/// A time, or how long from now: RFC 3339, or `90d`, `12h`.
fn expiry(text: &str, now: jiff::Timestamp) -> Result<jiff::Timestamp, Fault> {
    let refuse = || {
        let message = "not a time (RFC 3339), nor a number of days or hours such as 90d or 12h";
        Fault::new(Code::Usage, message).at(format!("--expires {text}"))
    };
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(refuse)?;
    let number: u64 = number.parse().map_err(|_| refuse())?;
    let hours = match unit {
        "d" => number.checked_mul(24),
        "h" => Some(number),
        _ => None,
    };
    let seconds = hours.and_then(|hours| hours.checked_mul(3600)).ok_or_else(refuse)?;
    now.checked_add(Duration::from_secs(seconds)).map_err(|_| refuse())
}

fn stopped(
    arguments: &SealArgs,
    reports: Vec<ArtifactReport>,
    now: jiff::Timestamp,
) -> Result<ExitStatus, Fault> {
    let report = Report::new(now.to_string(), reports);
    show(arguments, &report)?;
    let fine = report.artifacts.iter().filter(|it| it.code.is_none()).count();
    let message = format!(
        "not sealed: {} of {} artifacts and files stand against it; nothing was written",
        report.artifacts.len().saturating_sub(fine),
        report.artifacts.len()
    );
    let _ = writeln!(io::stderr().lock(), "sealift: {message}");
    Ok(ExitStatus::of(report.artifacts.iter().map(|artifact| artifact.outcome)))
}

fn show(arguments: &SealArgs, report: &Report) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    let written = if arguments.run.output == Output::Json {
        report::json(&mut out, report)
    } else {
        let detail = if arguments.run.verbose { Detail::Full } else { Detail::Brief };
        report.artifacts.iter().try_for_each(|it| report::artifact(&mut out, it, detail))
    };
    shown(written.and_then(|()| out.flush())).map(drop)
}

fn finished(
    arguments: &SealArgs,
    made: &Made,
    key: &PrivateKey,
    now: jiff::Timestamp,
) -> Result<ExitStatus, Fault> {
    let report = Report::new(now.to_string(), made.reports.clone());
    show(arguments, &report)?;
    if made.manifest.artifacts.iter().any(|it| it.first_use) {
        warn(
            "a vendor key was accepted unseen (--trust-on-first-use); every later check will say so",
        );
    }
    for file in &made.foreign {
        warn(&format!("{file} is covered by this seal only: nobody else signed it"));
    }
    let mut out: Box<dyn Write> = match arguments.run.output {
        Output::Text => Box::new(io::stdout().lock()),
        // Standard output is the JSON report and nothing else.
        Output::Json => Box::new(io::stderr().lock()),
    };
    let fingerprint = key.public().fingerprint();
    let lines = out_of_band(made, &fingerprint);
    let written = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
    if let Err(fault) = shown(written) {
        complain(&fault);
    }
    Ok(ExitStatus::Verified)
}

/// What the far side must know before the medium arrives.
fn out_of_band(made: &Made, fingerprint: &Sha256Digest) -> Vec<String> {
    let manifest = &made.manifest;
    let program = program_digest().map_or_else(|| "unknown".to_owned(), |it| it.to_string());
    let mut lines = vec![
        format!("sealed: {} artifacts, {} files", manifest.artifacts.len(), manifest.files.len()),
        "carry out of band, not on the medium:".to_owned(),
        format!("  transfer key  {fingerprint}"),
        format!("                {}", words(fingerprint)),
        format!("  transfer id   {}", manifest.transfer_id),
        format!("  stream        {}", manifest.stream),
        format!("  serial        {}", manifest.serial),
        format!("  manifest      {}", made.digest),
        format!("  this program  {program}"),
    ];
    if let Some(expires) = &manifest.expires {
        lines.push(format!("  expires       {expires}"));
    }
    lines
}
