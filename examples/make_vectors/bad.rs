//! Transfers that are refused although their manifest is well-formed: a seal that does not hold, files
//! that are not the sealed ones, signatures of vendors, time, serial, policy.

use sealift::digest::Sha256Digest;
use sealift::transfer::{MANIFEST, SEAL_FILES, SIGNATURE, SIGSTORE, SUMS, key_path};

use crate::draft::{self, edit, flip};
use crate::good::{based, based_on, exchanged, omitted, policy, policy_of, state, transfer_policy};
use crate::kit::{IMAGE, Kit, LARGE, PACKAGE, PACKAGE_BUNDLE, SERIAL};
use crate::{ALL, Case, FILE, Files, Others, Result, SCRIPT, SEAL};

pub(crate) fn cases(kit: &Kit) -> Result<Vec<Case>> {
    let mut cases = seal(kit)?;
    cases.extend(files(kit)?);
    cases.extend(vendor(kit)?);
    cases.extend(policies(kit)?);
    cases.extend(times(kit)?);
    Ok(cases)
}

/// A sealed package to which something was done.
fn after(kit: &Kit, change: impl FnOnce(&mut Files)) -> Result<Files> {
    let mut files = kit.package().seal(&kit.transfer)?;
    change(&mut files);
    Ok(files)
}

fn seal(kit: &Kit) -> Result<Vec<Case>> {
    let mut cases = vec![
        Case::bad(
            "seal-of-another-key_fail",
            "A whole seal, by a key that the far side does not know.",
            "seal-invalid",
            SEAL,
            kit.package().seal(&kit.other)?,
        ),
        Case::bad(
            "manifest-edited_fail",
            "One digit of the serial was changed after sealing.",
            "seal-invalid",
            SEAL,
            after(kit, |files| {
                edit(files, MANIFEST, |bytes| {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    *bytes = text.replace("\"serial\": 4099", "\"serial\": 4098").into_bytes();
                });
            })?,
        ),
        Case::bad(
            "signature-without-newline_fail",
            "manifest.json.sig is the right base64 without the newline at its end.",
            "seal-malformed",
            SCRIPT,
            after(kit, |files| edit(files, SIGNATURE, |bytes| bytes.truncate(bytes.len() - 1)))?,
        ),
        Case::bad(
            "signature-on-two-lines_fail",
            "manifest.json.sig is the right base64, broken after 64 characters.",
            "seal-malformed",
            SCRIPT,
            after(kit, |files| edit(files, SIGNATURE, |bytes| bytes.insert(64, b'\n')))?,
        ),
        Case::bad(
            "signature-der-long-form_fail",
            "Both forms have a signature whose DER states its length in two bytes where one is enough.",
            "seal-invalid",
            SEAL,
            after(kit, |files| {
                let mut der = kit.transfer.sign(&draft::manifest_of(files));
                der.insert(1, 0x81);
                draft::forms(files, &der, &kit.transfer);
            })?,
        ),
        Case::bad(
            "sigstore-with-space_fail",
            "manifest.json.sigstore.json says the same, with one space more.",
            "seal-not-canonical",
            SCRIPT,
            after(kit, |files| edit(files, SIGSTORE, |bytes| bytes.insert(1, b' ')))?,
        ),
        Case::bad(
            "sigstore-of-another-manifest_fail",
            "manifest.json.sigstore.json is that of an earlier seal by the same key.",
            "seal-not-canonical",
            SCRIPT,
            after(kit, |files| {
                let earlier = kit.image().seal(&kit.transfer).unwrap_or_default();
                edit(files, SIGSTORE, |bytes| {
                    *bytes = earlier.get(SIGSTORE).cloned().unwrap_or_default();
                });
            })?,
        ),
        Case::bad(
            "sums-reordered_fail",
            "The lines of SHA256SUMS in reverse order.",
            "seal-not-canonical",
            SCRIPT,
            after(kit, |files| edit(files, SUMS, |bytes| *bytes = reversed(bytes)))?,
        ),
        Case::bad(
            "sealing-interrupted_fail",
            "The marker of a sealing that did not end lies beside the files of the old seal.",
            "seal-incomplete",
            SCRIPT,
            after(kit, |files| drop(files.insert("manifest.json.sealift-tmp".to_owned(), vec![])))?,
        ),
    ];
    let names = [
        "sums-missing_fail",
        "manifest-missing_fail",
        "signature-missing_fail",
        "sigstore-missing_fail",
    ];
    for (name, file) in names.into_iter().zip(SEAL_FILES) {
        let others = Others {
            openssl: false,
            cosign: ![MANIFEST, SIGNATURE].contains(&file),
            sha256sum: file != SUMS,
        };
        let files = after(kit, |files| drop(files.remove(file)))?;
        let schema = (file != MANIFEST).then_some(true);
        let description = "One of the four files of the seal is not there.";
        cases.push(Case::bad(name, description, "seal-missing", others, files).schema(schema));
    }
    Ok(cases)
}

fn reversed(sums: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(sums);
    text.lines().rev().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

fn files(kit: &Kit) -> Result<Vec<Case>> {
    let mut large = kit.large()?.seal(&kit.transfer)?;
    flip(&mut large, LARGE);
    let mut wrong = kit.image_in_segments()?;
    if let Some((_, segments)) = &mut wrong.segments
        && let Some(segment) = segments.first_mut()
    {
        segment.sha256 = Sha256Digest::of(b"something else");
    }
    Ok(vec![
        Case::bad(
            "file-missing_fail",
            "A sealed bundle is not there.",
            "file-missing",
            FILE,
            after(kit, |files| drop(files.remove(PACKAGE_BUNDLE)))?,
        ),
        Case::bad(
            "file-extra_fail",
            "A file lies there that was not sealed.",
            "file-extra",
            SCRIPT,
            after(kit, |files| drop(files.insert("packages/more.txt".to_owned(), b"more\n".to_vec())))?,
        ),
        Case::bad(
            "file-flipped_fail",
            "One bit of the package was changed after sealing.",
            "file-mismatch",
            FILE,
            after(kit, |files| flip(files, PACKAGE))?,
        ),
        Case::bad(
            "file-longer_fail",
            "A byte was added to the vendor's key.",
            "file-mismatch",
            FILE,
            after(kit, |files| {
                edit(files, &key_path(&kit.release_key.fingerprint()), |bytes| bytes.push(b'\n'));
            })?,
        ),
        Case::bad(
            "segment-flipped_fail",
            "One bit in a layer that is a segment was changed after sealing.",
            "file-mismatch",
            FILE,
            large,
        )
        .with(&["--insecure-ignore-tlog"]),
        Case::bad(
            "segment-digest-wrong_fail",
            "The digest of the first segment was wrong when it was sealed; the file's is right.",
            "file-mismatch",
            ALL,
            wrong.seal(&kit.transfer)?,
        ),
        Case::bad(
            "file-digest-wrong_fail",
            "The digest of a file with segments was wrong when it was sealed; its segments are right. \
             Seen with --full-digest only.",
            "file-mismatch",
            FILE,
            kit.image_in_segments()?.seal_as(
                &kit.transfer,
                |manifest| {
                    if let Some(file) = manifest.files.iter_mut().find(|it| it.path == IMAGE) {
                        file.sha256 = Sha256Digest::of(b"something else");
                    }
                },
                |text| text,
            )?,
        )
        .with(&["--full-digest"]),
    ])
}

fn vendor(kit: &Kit) -> Result<Vec<Case>> {
    let other = kit.other.public();
    let claimed = |with_key: bool| {
        let mut draft = kit.package();
        draft.manifest.artifacts.iter_mut().for_each(|it| it.key = Some(other.fingerprint()));
        if with_key {
            draft.files.insert(key_path(&other.fingerprint()), other.to_pem().into_bytes());
        }
        draft.seal(&kit.transfer)
    };
    let key = &kit.transfer;
    let mut changed = kit.package();
    edit(&mut changed.files, PACKAGE, |bytes| bytes.push(0));
    let mut swapped = kit.package();
    swapped.files.insert(key_path(&kit.release_key.fingerprint()), other.to_pem().into_bytes());
    let kinds = |manifest: &mut sealift::transfer::Manifest| {
        for artifact in &mut manifest.artifacts {
            artifact.digest_kinds = vec!["config".to_owned(), "manifest".to_owned()];
        }
    };
    let kept = |path: &str, bytes: &[u8]| {
        let mut draft = kit.package();
        draft.files.insert(path.to_owned(), bytes.to_vec());
        draft.seal(&kit.transfer)
    };
    let unused = kit.other.public().to_pem();
    let around = format!("{unused}#!/bin/sh\n");
    Ok(vec![
        Case::bad(
            "trust-key-is-a-script_fail",
            "A file under the name of a vendor key, which no artifact names, is a shell script.",
            "claim-mismatch",
            ALL,
            kept("trust/keys/0123456789abcdef.pub", b"#!/bin/sh\n")?,
        ),
        Case::bad(
            "trust-key-with-more_fail",
            "A key file has more in it than the key.",
            "claim-mismatch",
            ALL,
            kept(&key_path(&other.fingerprint()), around.as_bytes())?,
        ),
        Case::bad(
            "trust-key-of-another-name_fail",
            "A key lies under the name of another one.",
            "claim-mismatch",
            ALL,
            kept("trust/keys/0123456789abcdef.pub", unused.as_bytes())?,
        ),
        Case::bad(
            "trust-fetches-is-a-script_fail",
            "The log of fetches is a shell script.",
            "claim-mismatch",
            ALL,
            kept("trust/fetches.jsonl", b"#!/bin/sh\n")?,
        ),
        Case::bad(
            "vendor-signature-invalid_fail",
            "A package that its vendor did not sign, under a seal that holds: no sealer makes one.",
            "digest-mismatch",
            ALL,
            changed.seal(key)?,
        ),
        Case::bad(
            "bundles-exchanged_fail",
            "The image and the package each name the bundle of the other.",
            "digest-mismatch",
            ALL,
            kit.both().seal_as(key, |it| exchanged(&mut it.artifacts), |text| text)?,
        ),
        Case::bad(
            "vendor-key-of-another_fail",
            "The artifact names a key that is there and did not sign it.",
            "signature-invalid",
            ALL,
            claimed(true)?,
        ),
        Case::bad(
            "vendor-key-absent_fail",
            "The artifact names a key that the transfer does not carry.",
            "claim-mismatch",
            ALL,
            claimed(false)?,
        ),
        Case::bad(
            "vendor-key-exchanged_fail",
            "Under the name of the vendor's key lies another key.",
            "claim-mismatch",
            ALL,
            swapped.seal(key)?,
        ),
        Case::bad(
            "digest-kinds-wrong_fail",
            "The manifest says that the manifest of the image was signed too; only its config was.",
            "claim-mismatch",
            ALL,
            kit.image().seal_as(key, kinds, |text| text)?,
        ),
        Case::bad(
            "unsigned-not-agreed_fail",
            "A file that no vendor signed: the seal says so, and the far side does not agree.",
            "no-bundle",
            ALL,
            kit.unsigned().seal(key)?,
        )
        .exits(3),
        Case::bad(
            "omitted_fail",
            "Something that was asked for is not there, and the manifest says so.",
            "omitted",
            ALL,
            kit.package().seal_as(key, omitted, |text| text)?,
        )
        .exits(3),
        Case::bad(
            "no-artifact_fail",
            "The seal holds and there is nothing to check.",
            "transfer-undecided",
            ALL,
            kit.package().seal_as(key, |it| it.artifacts.clear(), |text| text)?,
        )
        .exits(3),
    ])
}

fn policies(kit: &Kit) -> Result<Vec<Case>> {
    let sealed = kit.package().seal(&kit.transfer)?;
    let case = |name, description, code, policy: String| {
        Case::bad(name, description, code, ALL, sealed.clone())
            .with(&["--trust", "trust.toml"])
            .beside("trust.toml", policy)
    };
    let other = kit.vendor.public().to_pem();
    let nameless = |it: &mut sealift::transfer::Manifest| {
        it.artifacts.iter_mut().for_each(|artifact| artifact.vendor = None);
    };
    Ok(vec![
        case(
            "policy-key-revoked_fail",
            "The policy says that the vendor's key was revoked.",
            "key-revoked",
            policy(kit, "status = \"revoked\"\n"),
        ),
        case(
            "policy-key-retired_fail",
            "The policy says that the vendor's key was retired before the log entry was made.",
            "key-retired",
            policy(kit, "status = \"retired\"\nretired_at = 2026-11-01T00:00:00Z\n"),
        ),
        case(
            "policy-key-not-listed_fail",
            "The policy lists another key for this vendor.",
            "key-not-trusted",
            policy_of(&other, ""),
        ),
        Case::bad(
            "policy-vendor-not-named_fail",
            "The policy lists vendors; the artifact names none, and a key that is in no place of the \
             policy.",
            "key-not-trusted",
            ALL,
            kit.package().seal_as(&kit.transfer, nameless, |text| text)?,
        )
        .with(&["--trust", "trust.toml"])
        .beside("trust.toml", policy_of(&other, "")),
        case(
            "policy-transfer-key-retired_fail",
            "The policy says that the transfer key was retired, and nothing proves that the seal is older.",
            "key-retired",
            transfer_policy(kit, "", "status = \"retired\"\nretired_at = 2099-12-01T12:00:00Z\n"),
        ),
        case(
            "policy-transfer-key-revoked_fail",
            "The policy says that the transfer key was revoked.",
            "key-revoked",
            transfer_policy(kit, "", "status = \"revoked\"\ncompromised_at = 2100-01-01T00:00:00Z\n"),
        ),
        case(
            "policy-transfer-key-outside_fail",
            "The policy says that the transfer key is not valid yet.",
            "key-not-valid",
            transfer_policy(kit, "", "valid_from = 2100-01-01T00:00:00Z\n"),
        ),
        case(
            "policy-stream_fail",
            "The policy lists other streams.",
            "stream-refused",
            transfer_policy(kit, "[transfer]\nstreams = [\"station-b\"]\n", ""),
        ),
        case(
            "policy-transfer-key-stream_fail",
            "The policy lists the transfer key for another stream.",
            "stream-refused",
            transfer_policy(kit, "", "streams = [\"station-b\"]\n"),
        ),
        case(
            "policy-name_fail",
            "The policy believes the key for other names only.",
            "name-not-allowed",
            policy(kit, "artifacts = [\"images/*\"]\n"),
        ),
        case(
            "too-old_fail",
            "The policy says how old a transfer may be.",
            "transfer-too-old",
            policy(kit, "\n[transfer]\nmax_age = \"30d\"\n"),
        )
        .at("2100-01-01T00:00:01Z"),
    ])
}

fn times(kit: &Kit) -> Result<Vec<Case>> {
    let key = &kit.transfer;
    let package = kit.package();
    let sealed = package.seal(key)?;
    let expires = |it: &mut sealift::transfer::Manifest| {
        it.expires = Some("2099-12-15T00:00:00Z".to_owned());
    };
    let later = package.seal_as(key, |it| it.serial = SERIAL + 1, |text| text)?;
    let resealed = package.seal_as(key, |it| it.transfer_id = "0f".repeat(16), |text| text)?;
    let with_state = |name, description, code, remembered: &Files| -> Result<Case> {
        Ok(Case::bad(name, description, code, ALL, sealed.clone())
            .with(&["--state", "state.json"])
            .beside("state.json", state(remembered)?))
    };
    let strange = state(&sealed)?;
    let strange = String::from_utf8(strange)?.replace("sealift-state/v1", "sealift-state/v2");
    Ok(vec![
        Case::bad(
            "expired_fail",
            "The very second of `expires`.",
            "transfer-expired",
            ALL,
            package.seal_as(key, expires, |text| text)?,
        )
        .at("2099-12-15T00:00:00Z"),
        Case::bad(
            "created-in-future_fail",
            "Sealed a day and a second from now.",
            "created-in-future",
            ALL,
            sealed.clone(),
        )
        .at("2099-11-29T23:59:59Z"),
        with_state(
            "serial-rolled-back_fail",
            "A later transfer of the stream was accepted before.",
            "serial-rolled-back",
            &later,
        )?,
        with_state(
            "serial-reused_fail",
            "Another transfer with this serial was accepted before.",
            "serial-reused",
            &resealed,
        )?,
        Case::bad(
            "serial-ahead_fail",
            "The serial is a day and a second ahead of the time of sealing.",
            "manifest-malformed",
            ALL,
            package.seal_as(key, |it| it.serial = SERIAL + 86401, |text| text)?,
        ),
        Case::bad(
            "stream-not-named_fail",
            "The far side accepts another stream only.",
            "stream-refused",
            ALL,
            sealed.clone(),
        )
        .with(&["--stream", "station-b"]),
        Case::bad(
            "requested-missing_fail",
            "Something was asked for, and is neither there nor said to be omitted.",
            "requested-missing",
            ALL,
            package.seal_as(
                key,
                |it| {
                    omitted(it);
                    it.omitted.clear();
                },
                |text| text,
            )?,
        ),
        Case::bad(
            "state-missing_fail",
            "The state file that is named does not exist.",
            "state-missing",
            ALL,
            sealed.clone(),
        )
        .with(&["--state", "state.json"])
        .exits(2),
        Case::bad(
            "state-version_fail",
            "The state file is of a version that is not known.",
            "state-malformed",
            ALL,
            sealed.clone(),
        )
        .with(&["--state", "state.json"])
        .beside("state.json", strange)
        .exits(2),
        Case::bad(
            "base-not-given_fail",
            "A transfer that builds on an earlier one, which is not given.",
            "base-not-given",
            ALL,
            based(kit)?,
        )
        .exits(3),
        Case::bad(
            "base-of-another_fail",
            "A transfer that builds on an earlier one; another one by the same key is given.",
            "base-mismatch",
            ALL,
            based(kit)?,
        )
        .with(&["--base", "base"])
        .folder("base", later),
        Case::bad(
            "base-file-flipped_fail",
            "The earlier transfer is the right one, and a file in it was changed.",
            "file-mismatch",
            ALL,
            based_on(kit, &sealed)?,
        )
        .with(&["--base", "base"])
        .folder("base", after(kit, |files| flip(files, PACKAGE))?),
    ])
}
