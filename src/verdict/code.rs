//! The codes: every way to refuse, stable, documented and explained.
//!
//! A code never changes its meaning. `docs/codes.md` is made from this table (`sealift explain
//! --markdown`), and a test holds the two equal.

use super::Outcome;

/// One row of the table.
#[derive(Debug)]
pub(super) struct CodeRow {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    pub(super) summary: &'static str,
    pub(super) meaning: &'static str,
    pub(super) next: NextStep,
    pub(super) group: &'static str,
}

/// What to do next. Only what stops the deployment may give way to the vendor's own line.
#[derive(Debug, Clone, Copy)]
pub(super) enum NextStep {
    /// Stop the deployment; the artifact must not be used.
    Stop(&'static str),
    /// Anything else.
    Then(&'static str),
}

use NextStep::{Stop, Then};

const CONTACT_VENDOR: NextStep = Stop("Stop the deployment and contact the vendor.");

macro_rules! codes {
    ($($group:literal {
        $($code:ident {
            name: $name:literal,
            outcome: $outcome:ident,
            summary: $summary:literal,
            meaning: $meaning:literal,
            next: $next:expr,
        })*
    })*) => {
        /// A stable name for one way to refuse.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(
                #[doc = $summary]
                $code,
            )*)*
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$($(Self::$code,)*)*];

            pub(super) fn row(self) -> &'static CodeRow {
                match self {
                    $($(Self::$code => &CodeRow {
                        name: $name,
                        outcome: Outcome::$outcome,
                        summary: $summary,
                        meaning: $meaning,
                        next: $next,
                        group: $group,
                    },)*)*
                }
            }
        }
    };
}

codes! {
    "The command line and what it names" {
        Usage {
            name: "usage",
            outcome: Usage,
            summary: "the command line is invalid",
            meaning: "Options contradict each other, or one is missing. Nothing was verified.",
            next: Then("Read the message and the command's --help, then run it again."),
        }
        FileNotFound {
            name: "file-not-found",
            outcome: Usage,
            summary: "a file named on the command line does not exist",
            meaning: "The path does not exist. Nothing was verified.",
            next: Then("Check the spelling of the path and that the medium is mounted."),
        }
        OptionNotOffline {
            name: "option-not-offline",
            outcome: Usage,
            summary: "a cosign option that makes no sense offline",
            meaning: "The option asks for a network service, a key service or a registry. Sealift \
                verifies from local files alone, so it rejects the option instead of ignoring it.",
            next: Then("Leave the option out, or use cosign on a connected machine."),
        }
        NoKey {
            name: "no-key",
            outcome: Usage,
            summary: "there is no key to verify with",
            meaning: "A bundle does not say whom to trust. Sealift needs a key that the operator \
                names (--key), or a certificate identity and issuer.",
            next: Then("Name the vendor's public key with --key. Compare its fingerprint with the \
                vendor out of band first."),
        }
        NothingFound {
            name: "nothing-found",
            outcome: Undecided,
            summary: "there is nothing to check",
            meaning: "The directory holds no image archive, no package and no transfer directory. \
                Checking nothing is not a success.",
            next: Then("Check the path and that the medium is mounted."),
        }
        ReportMalformed {
            name: "report-malformed",
            outcome: Usage,
            summary: "the file is not a readable report",
            meaning: "It is not a JSON report from `sealift verify -o json`, it was cut off, or a \
                newer version wrote it with words that this one does not know.",
            next: Then("Give the JSON report itself. Reports in other forms can't be read back."),
        }
        ShardsDiffer {
            name: "shards-differ",
            outcome: Undecided,
            summary: "the reports of parts don't belong to the same whole",
            meaning: "Reports can be merged only if every part saw the same listing and used the \
                same keys, policy, trusted root, options and program.",
            next: Then("Run all parts again over the same folder, with the same program and \
                options."),
        }
        ShardsIncomplete {
            name: "shards-incomplete",
            outcome: Undecided,
            summary: "the reports of parts leave something out or have it twice",
            meaning: "Every part must be there once, every file of the listing must occur exactly \
                once, and no part may have ended early.",
            next: Then("Give the reports of all parts, and run the missing ones."),
        }
        Interrupted {
            name: "interrupted",
            outcome: Undecided,
            summary: "the run was interrupted",
            meaning: "It ended before everything was checked. What was not checked has no answer.",
            next: Then("Run it again to the end."),
        }
        ProfileMalformed {
            name: "profile-malformed",
            outcome: Usage,
            summary: "the vendor profile can't be read",
            meaning: "The TOML file given with --vendor-profile has a syntax error, an unknown \
                field or an impossible value.",
            next: Then("Correct the file. docs/vendor-profile.md describes it."),
        }
        PatternInvalid {
            name: "pattern-invalid",
            outcome: Usage,
            summary: "a regular expression is invalid",
            meaning: "The pattern for an identity or issuer is not a valid regular expression, or \
                is too large.",
            next: Then("Correct the pattern."),
        }
        Unreadable {
            name: "unreadable",
            outcome: Undecided,
            summary: "a file can't be read",
            meaning: "The operating system refused to read it (permissions, a medium error), or it \
                is neither a file nor a pipe. Nothing was verified.",
            next: Then("Check the permissions and the medium, and run the command again."),
        }
    }
    "Keys and trusted roots" {
        KeyMalformed {
            name: "key-malformed",
            outcome: Usage,
            summary: "the key file does not hold exactly one PEM public key",
            meaning: "The file must hold exactly one PEM block, PUBLIC KEY (SPKI) or RSA PUBLIC \
                KEY (PKCS#1). A file that you name may have other text around the block. A file \
                that was only found (in a folder, on a vendor's site) may have nothing around it \
                but empty lines, comments (# …) and what openssl prints of the key.",
            next: Then("Give the vendor's public key file as the vendor published it."),
        }
        KeyIsPrivate {
            name: "key-is-private",
            outcome: Usage,
            summary: "a private key was given instead of a public key",
            meaning: "Verification needs only the public half. If this file came from somebody \
                else, their private key has leaked.",
            next: Then("Give the .pub file. Keep private keys off this machine."),
        }
        KeyNotAKey {
            name: "key-not-a-key",
            outcome: Usage,
            summary: "the file is not a key",
            meaning: "It is, for example, a signature bundle, a certificate or a signature instead \
                of a public key.",
            next: Then("Give the public key with --key and the bundle with --bundle."),
        }
        KeyUnsupported {
            name: "key-unsupported",
            outcome: Usage,
            summary: "the key's type is not supported",
            meaning: "Supported are ECDSA P-256 and P-384, RSA of 2048 to 8192 bits (PKCS#1 v1.5) \
                and Ed25519. P-521, secp256k1, RSA-PSS and others are refused rather than half \
                checked.",
            next: Then("Ask the vendor for a key of a supported type."),
        }
        TrustedRootMalformed {
            name: "trusted-root-malformed",
            outcome: Usage,
            summary: "the trusted root can't be used",
            meaning: "The file is not a Sigstore trusted root (trusted_root.json), or it holds a \
                key or certificate that can't be parsed.",
            next: Then("Use a trusted root made by `cosign trusted-root create`, or leave \
                --trusted-root out to use the built-in one."),
        }
    }
    "Bundles and signatures" {
        NoBundle {
            name: "no-bundle",
            outcome: Unsigned,
            summary: "no signature bundle was found",
            meaning: "There is no bundle next to the artifact under a name from the vendor \
                profile, and none was named with --bundle. Unsigned is not a success.",
            next: Then("Fetch the bundle that belongs to the artifact. Put it next to the artifact \
                under a name from the vendor profile, or name it: with --bundle for a file, with \
                --map in a folder."),
        }
        BundleMalformed {
            name: "bundle-malformed",
            outcome: Failed,
            summary: "the bundle is not well-formed",
            meaning: "Bundles are read strictly: exact names, no duplicate or case-folded keys, no \
                trailing data, standard base64. Anything that two programs could read differently \
                is refused.",
            next: Then("Fetch the bundle again from the vendor. If it is still malformed, contact \
                the vendor."),
        }
        BundleTooLarge {
            name: "bundle-too-large",
            outcome: Failed,
            summary: "the bundle is larger than a bundle can be",
            meaning: "It is larger than 1 MiB, or has more log entries or timestamps than allowed.",
            next: CONTACT_VENDOR,
        }
        BundleUnsupported {
            name: "bundle-unsupported",
            outcome: Failed,
            summary: "the bundle's version or content is not supported",
            meaning: "For example, it is a Sigstore bundle newer than 0.3, or its envelope holds \
                several signatures.",
            next: Then("Ask the vendor for a cosign bundle in the format that the vendor \
                documents."),
        }
        BundleUnused {
            name: "bundle-unused",
            outcome: Failed,
            summary: "a bundle covers nothing",
            meaning: "It was named for this archive, but no digest in the archive is the one that \
                it signs.",
            next: Then("Leave the bundle out if it belongs to another archive. Otherwise contact \
                the vendor."),
        }
        BundleKeyMismatch {
            name: "bundle-key-mismatch",
            outcome: Failed,
            summary: "the bundle carries another key than the operator's",
            meaning: "A bundle may carry a public key or certificate. Sealift compares it with the \
                operator's key and never verifies with it. Cosign 2.5 to 3.1.2 did, so anybody \
                could sign (GHSA-fx35-mq7g-6g98).",
            next: CONTACT_VENDOR,
        }
        SignerKindMismatch {
            name: "signer-kind-mismatch",
            outcome: Failed,
            summary: "the bundle was not signed in the way asked for",
            meaning: "It was signed with a certificate (keyless) but a key was given, or the other \
                way round.",
            next: Then("Use --key for bundles signed with a key, --certificate-identity and \
                --certificate-oidc-issuer for keyless ones, never both."),
        }
        SignatureInvalid {
            name: "signature-invalid",
            outcome: Failed,
            summary: "the signature is invalid",
            meaning: "The signature was not made over this artifact's text with the operator's \
                key: it is another artifact, another key, or a changed file.",
            next: CONTACT_VENDOR,
        }
        DigestMismatch {
            name: "digest-mismatch",
            outcome: Failed,
            summary: "the bundle signs another digest",
            meaning: "The bundle states the digest of what it signs, and it is not this artifact's \
                digest.",
            next: CONTACT_VENDOR,
        }
        WholeMessageNeeded {
            name: "whole-message-needed",
            outcome: Undecided,
            summary: "the signature can only be checked with the whole message in memory",
            meaning: "An Ed25519 signature covers the message itself, not its digest, and some \
                attestations name another digest than SHA-256. The message is larger than the 64 \
                MiB held in memory, or only its SHA-256 is known.",
            next: Then("Give the file itself instead of its digest. For a file above 64 MiB, ask \
                the vendor for an ECDSA signature."),
        }
        VerifiersDisagree {
            name: "verifiers-disagree",
            outcome: Failed,
            summary: "two independent checks gave different answers",
            meaning: "Sealift's own check and the sigstore-verify library must both accept the \
                bundle. One of them refused it.",
            next: Stop("Stop the deployment, keep the files and report the case to Sealift's \
                developers."),
        }
    }
    "Transparency log, timestamps, certificates" {
        LogEntryMissing {
            name: "log-entry-missing",
            outcome: Failed,
            summary: "the bundle lacks a required log entry",
            meaning: "By default a vendor's signature must be in a transparency log, as in `cosign \
                verify-blob`.",
            next: Then("Ask the vendor for a bundle with a log entry. Use --insecure-ignore-tlog \
                only if you know that the vendor signs without a log. It checks nothing but the \
                signature, and a trust policy that requires a log does not allow it."),
        }
        LogUnknown {
            name: "log-unknown",
            outcome: Undecided,
            summary: "the trusted root does not know the log",
            meaning: "The entry names a log that is not in the trusted root: a vendor's own log, a \
                newer Sigstore log, or a forged entry. Sealift can't tell which.",
            next: Then("If the vendor runs its own log, get the trusted root that lists it from \
                the vendor and give it with --trusted-root. Otherwise use a newer Sigstore trusted \
                root."),
        }
        LogEntryMalformed {
            name: "log-entry-malformed",
            outcome: Failed,
            summary: "the log entry is not well-formed",
            meaning: "The entry's body is not what a log of its kind and version writes.",
            next: CONTACT_VENDOR,
        }
        LogEntryMismatch {
            name: "log-entry-mismatch",
            outcome: Failed,
            summary: "the log entry belongs to another signature",
            meaning: "The entry's hash, signature or key is not this bundle's (as in \
                CVE-2022-36056).",
            next: CONTACT_VENDOR,
        }
        LogEntryUnsupported {
            name: "log-entry-unsupported",
            outcome: Failed,
            summary: "a log entry of this kind can't be checked",
            meaning: "For example, the entry is over SHA-384 or SHA-512, or its kind says nothing \
                about a file's signature.",
            next: Then("Ask the vendor for a bundle whose log entry is a hashedrekord over \
                SHA-256."),
        }
        LogPromiseInvalid {
            name: "log-promise-invalid",
            outcome: Failed,
            summary: "the log's promise (signed entry timestamp) is invalid",
            meaning: "The log's signature over entry, time and index is not valid. One of them was \
                changed.",
            next: CONTACT_VENDOR,
        }
        LogTimeOutsideWindow {
            name: "log-time-outside-window",
            outcome: Failed,
            summary: "the log key was not valid at the stated time",
            meaning: "The trusted root says when each log key is valid, and the entry's time is \
                outside that period.",
            next: CONTACT_VENDOR,
        }
        InclusionProofInvalid {
            name: "inclusion-proof-invalid",
            outcome: Failed,
            summary: "the inclusion proof is invalid",
            meaning: "The Merkle path from the entry does not lead to the root hash.",
            next: CONTACT_VENDOR,
        }
        CheckpointInvalid {
            name: "checkpoint-invalid",
            outcome: Failed,
            summary: "the log's checkpoint is invalid",
            meaning: "The signed tree head is missing, is not signed by the log, or is of another \
                tree.",
            next: CONTACT_VENDOR,
        }
        TimeInFuture {
            name: "time-in-future",
            outcome: Failed,
            summary: "a proven time is in the future",
            meaning: "A log entry or timestamp is later than this machine's clock.",
            next: Then("Check this machine's clock. If it is right, contact the vendor."),
        }
        TimestampInvalid {
            name: "timestamp-invalid",
            outcome: Failed,
            summary: "the timestamp is invalid",
            meaning: "The RFC 3161 token is not over this signature, is not from an authority in \
                the trusted root, or is outside its validity period.",
            next: CONTACT_VENDOR,
        }
        TimestampMissing {
            name: "timestamp-missing",
            outcome: Failed,
            summary: "no proven signing time",
            meaning: "A certificate is valid for minutes. Without a time from a log or a timestamp \
                authority, nothing proves that it was valid at signing.",
            next: Then("Ask the vendor for a bundle with a log entry or a timestamp."),
        }
        CertificateInvalid {
            name: "certificate-invalid",
            outcome: Failed,
            summary: "the signing certificate is invalid",
            meaning: "It does not chain to an authority in the trusted root, was not valid at the \
                signing time, or has no valid SCT.",
            next: CONTACT_VENDOR,
        }
        IdentityMismatch {
            name: "identity-mismatch",
            outcome: Failed,
            summary: "signed by somebody else",
            meaning: "The certificate's identity or issuer is not the one asked for.",
            next: Then("Compare the identity with the vendor's documentation. If it should match, \
                stop and contact the vendor."),
        }
    }
    "Image archives" {
        ArchiveUnrecognised {
            name: "archive-unrecognised",
            outcome: Failed,
            summary: "not an image archive",
            meaning: "The file is not a tar archive (plain, or compressed with gzip, xz, bzip2 or \
                zstd), and it holds neither manifest.json nor index.json.",
            next: Then("Check which file was given. For any other kind of file, use --type \
                package."),
        }
        ArchiveTruncated {
            name: "archive-truncated",
            outcome: Failed,
            summary: "the archive ends too early",
            meaning: "An entry, the end-of-archive blocks or a compressed stream is cut off, by an \
                interrupted copy or a full medium.",
            next: Then("Copy or save the archive again and compare its size."),
        }
        ArchiveMalformed {
            name: "archive-malformed",
            outcome: Failed,
            summary: "the archive is not well-formed",
            meaning: "A tar header, PAX record or number is damaged, or has a form that no writer \
                uses and that loaders read differently. Or data follows the end of the archive.",
            next: CONTACT_VENDOR,
        }
        ArchiveTooLarge {
            name: "archive-too-large",
            outcome: Failed,
            summary: "the archive exceeds a limit",
            meaning: "It has more entries, longer names, more metadata or more decompressed bytes \
                than any real archive.",
            next: CONTACT_VENDOR,
        }
        WindowTooLarge {
            name: "window-too-large",
            outcome: Undecided,
            summary: "decompressing needs more memory than allowed",
            meaning: "The stream refers back further than 32 MiB, as zstd --long, zstd --ultra -22 \
                and xz -9 write it for large data, or it is damaged. Memory is bounded whatever \
                the input, so the content was not verified.",
            next: Then("Decompress the file with the program that made it, and verify the result."),
        }
        CompressionMalformed {
            name: "compression-malformed",
            outcome: Failed,
            summary: "compressed data is damaged",
            meaning: "A gzip, xz, bzip2 or zstd stream can't be decoded, or something follows it.",
            next: Then("Copy the file again. If it is still damaged, contact the vendor."),
        }
        EntryDuplicate {
            name: "entry-duplicate",
            outcome: Failed,
            summary: "two entries have the same name",
            meaning: "Loaders differ in which one they use, so an attacker can show a good entry \
                to the verifier and an evil one to the engine. File systems do the same with names \
                that differ only in case.",
            next: CONTACT_VENDOR,
        }
        EntryNameUnsafe {
            name: "entry-name-unsafe",
            outcome: Failed,
            summary: "an entry has an unsafe name",
            meaning: "The name is absolute, has `..`, an empty part, a backslash or a character \
                outside printable ASCII, or some file system changes it or gives it to another \
                file (a dot or blank at the end, a colon, `NAME~1`). Loaders differ in where such \
                an entry ends up.",
            next: CONTACT_VENDOR,
        }
        EntryTypeRefused {
            name: "entry-type-refused",
            outcome: Failed,
            summary: "an entry has a type that no image writer uses",
            meaning: "Hard links, devices, sparse files and unknown types are refused, and so is a \
                mode that contradicts the type flag (skopeo and podman follow such an entry as a \
                link). Symbolic links are accepted only where docker save writes them.",
            next: CONTACT_VENDOR,
        }
        EntryConflict {
            name: "entry-conflict",
            outcome: Failed,
            summary: "a path is used both as a directory and as something else",
            meaning: "Loaders then differ in what they write where.",
            next: CONTACT_VENDOR,
        }
        EntryUnreferenced {
            name: "entry-unreferenced",
            outcome: Failed,
            summary: "a file belongs to no image, and no image writer leaves such a file",
            meaning: "No manifest and no index names it, and it is not layer metadata as Docker, \
                podman and others leave it. Nobody signed it, yet some loader may use it.",
            next: Then("Find out who put it there. Save the image again. If the file is still \
                there, contact the vendor."),
        }
        JsonMalformed {
            name: "json-malformed",
            outcome: Failed,
            summary: "a JSON document in the archive is not well-formed",
            meaning: "It is not JSON, or it has duplicate keys, keys that differ only in case, or \
                trailing data. Loaders would read it differently.",
            next: CONTACT_VENDOR,
        }
        ManifestMissing {
            name: "manifest-missing",
            outcome: Failed,
            summary: "the archive has no manifest.json and no index.json",
            meaning: "Only archives with one of them say which image they hold. Archives from \
                before Docker 1.10 are refused.",
            next: Then("Save the image again with a current engine."),
        }
        LayoutInvalid {
            name: "layout-invalid",
            outcome: Failed,
            summary: "the OCI layout is not valid",
            meaning: "There is an index.json without a proper oci-layout file, so loaders differ \
                in whether they follow index.json or manifest.json.",
            next: CONTACT_VENDOR,
        }
        ConfigMissing {
            name: "config-missing",
            outcome: Failed,
            summary: "an image's config is not in the archive",
            meaning: "The manifest names a file that is not there.",
            next: Then("Save the image again."),
        }
        LayerMissing {
            name: "layer-missing",
            outcome: Failed,
            summary: "a layer is not in the archive",
            meaning: "The manifest names a file that is not there. Such an archive loads only \
                where the layer already is.",
            next: Then("Save the image again, with all its layers."),
        }
        LayerCount {
            name: "layer-count",
            outcome: Failed,
            summary: "the number of layers differs from the config's diff_ids",
            meaning: "Both lists must have one entry per layer.",
            next: CONTACT_VENDOR,
        }
        LayerMismatch {
            name: "layer-mismatch",
            outcome: Failed,
            summary: "a layer is not the one that the config names",
            meaning: "The decompressed layer does not hash to its diff_id. The config may be the \
                signed one, but the files in the layer are not.",
            next: CONTACT_VENDOR,
        }
        BlobMismatch {
            name: "blob-mismatch",
            outcome: Failed,
            summary: "a blob is not what its descriptor says",
            meaning: "The content's SHA-256 or size is not what its name or descriptor states.",
            next: CONTACT_VENDOR,
        }
        BlobMissing {
            name: "blob-missing",
            outcome: Failed,
            summary: "a manifest or index is not in the archive",
            meaning: "index.json, or an index with no platform in the archive, names content that \
                the archive does not hold.",
            next: Then("Save the image again."),
        }
        DigestUnsupported {
            name: "digest-unsupported",
            outcome: Failed,
            summary: "a digest is not SHA-256 in lower-case hexadecimal",
            meaning: "Container engines compute SHA-256 only. They would read a digest of another \
                algorithm or in another spelling differently, or not at all.",
            next: Then("Save the image again with a current engine. If that does not help, contact \
                the vendor."),
        }
        MediaTypeMismatch {
            name: "media-type-mismatch",
            outcome: Failed,
            summary: "a document is not of its declared kind",
            meaning: "For example, a manifest is declared as an index. Sealift decides the kind \
                from the bytes, and both must agree.",
            next: CONTACT_VENDOR,
        }
        ContentElsewhere {
            name: "content-elsewhere",
            outcome: Failed,
            summary: "an unsigned document sends engines elsewhere for content that is here",
            meaning: "A descriptor has `urls`, or says how to unpack a layer. Some engines then \
                fetch from there instead of using the verified content in the archive, and no \
                signature covers the document that says so.",
            next: Then("Save the image again, or have the vendor sign the manifest's digest."),
        }
        ImageNotCovered {
            name: "image-not-covered",
            outcome: Failed,
            summary: "no verified signature covers an image in the archive",
            meaning: "Loading the archive would load this image too.",
            next: Then("Give the bundle of every image in the archive (--bundle may be repeated), \
                or save the signed image alone."),
        }
    }
    "The transfer directory and its seal" {
        NoTransferKey {
            name: "no-transfer-key",
            outcome: Usage,
            summary: "this is a sealed transfer directory, and no transfer key is known",
            meaning: "The directory holds files of a seal, so it is verified as a transfer \
                directory. The operator's public transfer key must be known beforehand; a key in \
                the directory proves nothing.",
            next: Then("Name the key with --transfer-key, or the trust policy that lists it with \
                --trust. Compare its fingerprint with the sealing side out of band. Use --unsealed \
                only if you know that the directory was never sealed (for example, if the files \
                are a vendor's own)."),
        }
        SealMissing {
            name: "seal-missing",
            outcome: Failed,
            summary: "the seal is missing",
            meaning: "A transfer key, a state file or a policy with transfer keys was named, or \
                the directory holds some file of a seal, so it must be sealed. A file of the seal \
                is missing: it was removed, or the copy is incomplete.",
            next: Stop("Stop the deployment. Copy the transfer again from the sealing side. Only \
                if you know that the directory was never sealed, use --unsealed (or --loose, for \
                files next to transfer directories in one folder)."),
        }
        SealIncomplete {
            name: "seal-incomplete",
            outcome: Failed,
            summary: "sealing was interrupted",
            meaning: "The directory holds a temporary file of a seal, or the seal's last file was \
                never written. Nothing in the directory can be relied on.",
            next: Then("On the sealing side, run the same `sealift seal` command again to complete \
                the seal. Then copy the directory again."),
        }
        SealMalformed {
            name: "seal-malformed",
            outcome: Failed,
            summary: "a file of the seal is not well-formed",
            meaning: "manifest.json.sig must be one line of standard base64 of a DER signature, \
                and manifest.json one JSON document of bounded size.",
            next: Stop("Stop the deployment. Copy the transfer again from the sealing side."),
        }
        SealInvalid {
            name: "seal-invalid",
            outcome: Failed,
            summary: "the seal is invalid",
            meaning: "None of the transfer keys given made the signature over manifest.json. The \
                manifest was changed after it was sealed, or somebody else sealed it.",
            next: Stop("Stop the deployment. Ask the sealing side for the transfer key's \
                fingerprint and the transfer id, and copy the transfer again."),
        }
        SealNotCanonical {
            name: "seal-not-canonical",
            outcome: Failed,
            summary: "the forms of the seal disagree",
            meaning: "manifest.json.sigstore.json must be byte for byte what Sealift writes for \
                the signature in manifest.json.sig, and SHA256SUMS must follow from the manifest. \
                Otherwise two programs could check two different seals.",
            next: Stop("Stop the deployment. Copy the transfer again from the sealing side."),
        }
        ManifestMalformed {
            name: "manifest-malformed",
            outcome: Failed,
            summary: "the transfer manifest is not well-formed",
            meaning: "The manifest is read strictly: known fields only, no duplicates, and paths \
                that are portable, sorted and distinct. bundle-format/ describes it.",
            next: Stop("Stop the deployment. Seal the directory again with an unmodified program."),
        }
        ManifestVersionUnknown {
            name: "manifest-version-unknown",
            outcome: Undecided,
            summary: "this program does not know the transfer manifest's version",
            meaning: "The seal is valid, but a newer program wrote the manifest. Nothing else was \
                verified.",
            next: Then("Use a newer sealift, checked out of band, or seal again in the older \
                format."),
        }
        PathNotPortable {
            name: "path-not-portable",
            outcome: Failed,
            summary: "a name does not work on every medium",
            meaning: "Names in a transfer directory are printable ASCII, without the characters \
                and device names that FAT and NTFS refuse, so that they mean the same file \
                everywhere.",
            next: Then("Rename the file and seal again."),
        }
        FileMissing {
            name: "file-missing",
            outcome: Missing,
            summary: "a sealed file is missing",
            meaning: "The manifest lists the file, but the directory does not hold it. It was \
                removed or renamed, or the copy is incomplete.",
            next: Then("Copy the transfer again from the sealing side."),
        }
        FileExtra {
            name: "file-extra",
            outcome: Extra,
            summary: "a file was never sealed",
            meaning: "The manifest does not list the file, so nobody vouches for it.",
            next: Then("Do not use the file. Find out who put it there; remove it, or copy the \
                transfer again."),
        }
        SystemFile {
            name: "system-file",
            outcome: Extra,
            summary: "a file with the name of an operating system's own",
            meaning: "Windows, macOS and Linux desktops write files of their own onto media and \
                into folders that they show. This file has the name of such a file. Nobody signed \
                or sealed it, and anybody can give a file that name, so it is not accepted.",
            next: Then("Remove it, and look into it first if you did not expect it. To keep \
                systems from writing into a transfer, seal a folder below the top of the medium, \
                not the top itself, and verify that folder. `seal --exclude NAME` leaves such a \
                file out of the seal; then leave it off the medium too."),
        }
        FileMismatch {
            name: "file-mismatch",
            outcome: Failed,
            summary: "a file is not the one that was sealed",
            meaning: "Its size or SHA-256 differs from the manifest. The file was changed, or the \
                medium or the copy is damaged.",
            next: Stop("Stop the deployment. Copy the transfer again from the sealing side and \
                compare."),
        }
        FileTypeRefused {
            name: "file-type-refused",
            outcome: Failed,
            summary: "neither a regular file nor a directory",
            meaning: "Links, devices, sockets and pipes have no place in a release. A link can \
                lead anywhere, and somewhere else tomorrow.",
            next: Then("Replace it with the file itself, or remove it."),
        }
        NameCollision {
            name: "name-collision",
            outcome: Failed,
            summary: "two names differ only in case",
            meaning: "On FAT, NTFS and other file systems they would be one file, so which one is \
                meant depends on where the directory is.",
            next: Then("Rename one of the two and seal again. On the far side, remove the one that \
                was not sealed."),
        }
        NameMangled {
            name: "name-mangled",
            outcome: Failed,
            summary: "the medium changed a file's name",
            meaning: "A sealed file, or a file of the seal itself, is missing, and another file \
                has the name that a file system without long names would make of it.",
            next: Then("Write the medium with long file names (ISO 9660 with Rock Ridge and \
                Joliet: `genisoimage -r -J`; UDF; exFAT or VFAT), or carry the directory in a tar \
                archive. You can also rename the files back to the names given; the seal then \
                tells whether they are the right ones."),
        }
        TransferExpired {
            name: "transfer-expired",
            outcome: Failed,
            summary: "the transfer has expired",
            meaning: "The sealing side said until when the transfer may be used, and that time has \
                passed.",
            next: Then("Ask the sealing side for a new transfer. If this machine's clock is wrong, \
                correct it or give --time."),
        }
        CreatedInFuture {
            name: "created-in-future",
            outcome: Failed,
            summary: "the transfer claims to be from the future",
            meaning: "Its time of sealing is more than a day ahead of now. One of the two clocks \
                is wrong, so its freshness is unknown.",
            next: Then("Correct this machine's clock or give --time. If the clock is right, ask \
                the sealing side to seal again."),
        }
        TransferTooOld {
            name: "transfer-too-old",
            outcome: Failed,
            summary: "the transfer is older than the trust policy allows",
            meaning: "The policy's max_age limits how old a transfer may be when it is verified.",
            next: Then("Ask the sealing side for a new transfer."),
        }
        SerialRolledBack {
            name: "serial-rolled-back",
            outcome: Failed,
            summary: "the transfer is older than the last one accepted",
            meaning: "The state file remembers the highest serial of this stream that was \
                accepted. An older, genuine transfer can bring back software that was replaced for \
                a reason.",
            next: Stop("Stop the deployment, and ask the sealing side which transfer is the \
                current one. To check an old transfer knowingly, leave --state out."),
        }
        StreamRefused {
            name: "stream-refused",
            outcome: Failed,
            summary: "the transfer's stream is not accepted here",
            meaning: "The far side names the streams that it accepts, with --stream or in its \
                trust policy, and this transfer is from another one.",
            next: Then("Check that you have the right medium. If a stream continues under a new \
                name, have it added to the policy, or name it with --stream."),
        }
        RequestedMissing {
            name: "requested-missing",
            outcome: Missing,
            summary: "something requested is neither there nor explained",
            meaning: "The manifest lists it as requested. It is not among the artifacts, not among \
                the items omitted with a reason, and not in the earlier transfer.",
            next: Then("Ask the sealing side why it is missing, and have it sent."),
        }
        SerialReused {
            name: "serial-reused",
            outcome: Failed,
            summary: "an accepted transfer has the same serial",
            meaning: "An accepted transfer has the same stream and serial but another manifest. \
                Two transfers claim to be the same one.",
            next: Stop("Stop the deployment, and ask the sealing side which of the two is theirs."),
        }
        StateMissing {
            name: "state-missing",
            outcome: Usage,
            summary: "the state file does not exist",
            meaning: "The file named with --state remembers which transfers were accepted. If it \
                is lost, rollbacks go unnoticed, so a missing file is an error.",
            next: Then("Restore the file from a backup, or use --init-state if this is the first \
                transfer on this machine."),
        }
        StateMalformed {
            name: "state-malformed",
            outcome: Usage,
            summary: "the state file can't be used",
            meaning: "It is not a state file of this program, or it was damaged.",
            next: Then("Restore the file from a backup. Do not start a new one without knowing \
                what was accepted before."),
        }
        Omitted {
            name: "omitted",
            outcome: Omitted,
            summary: "the transfer leaves this out, and says so",
            meaning: "It was requested on the connected side, and could not be fetched or did not \
                verify. The manifest says so instead of being silent.",
            next: Then("Ask the sealing side for it. The manifest gives the reason."),
        }
        BaseNotGiven {
            name: "base-not-given",
            outcome: Undecided,
            summary: "the transfer builds on an earlier one that was not given",
            meaning: "A differential transfer leaves out what an earlier one carried. Without the \
                earlier one, Sealift can't tell whether everything is there.",
            next: Then("Name the earlier transfer with --base DIR."),
        }
        BaseMismatch {
            name: "base-mismatch",
            outcome: Failed,
            summary: "the earlier transfer is not the one that this one builds on",
            meaning: "The manifest names the transfer that it builds on by the digest of that \
                transfer's manifest.",
            next: Then("Give the transfer whose id is in the message."),
        }
        TransferNotVerified {
            name: "transfer-not-verified",
            outcome: Failed,
            summary: "not everything in the transfer directory is as it was sealed and signed",
            meaning: "The seal is valid, but files or artifacts failed, are missing, or were never \
                sealed. Each has a line of its own.",
            next: Stop("Stop the deployment. See the line of each file and artifact."),
        }
        TransferUndecided {
            name: "transfer-undecided",
            outcome: Undecided,
            summary: "not everything in the transfer directory could be decided",
            meaning: "The seal is valid and nothing failed, but something is unsigned, omitted or \
                undecided. Each has a line of its own.",
            next: Then("See the line of each file and artifact."),
        }
        ClaimMismatch {
            name: "claim-mismatch",
            outcome: Failed,
            summary: "the manifest says something else about an artifact than was found",
            meaning: "The key that verified the artifact, or the kind of digest that is signed, is \
                not the one recorded when the transfer was sealed.",
            next: Stop("Stop the deployment, and ask the sealing side to seal again."),
        }
        KeyNotNamed {
            name: "key-not-named",
            outcome: Usage,
            summary: "a vendor key that the operator has not named",
            meaning: "A key that was found in the folder, or that a vendor's file names, is only a \
                claim. The far side believes what is sealed, so the operator must say which vendor \
                keys to trust.",
            next: Then("Compare the fingerprint with the vendor over another channel. Then give \
                --pin-key FINGERPRINT or --vendor-key FILE, or list the key in the trust policy. \
                --trust-on-first-use accepts it unseen, and every later report says so."),
        }
        PairingAmbiguous {
            name: "pairing-ambiguous",
            outcome: Failed,
            summary: "two bundles could belong to one artifact",
            meaning: "The first pairing rule that finds a bundle finds more than one, and guessing \
                is not verifying.",
            next: Then("Leave only the artifact's own bundle in the folder, or name it like the \
                artifact."),
        }
        MaterialUnpaired {
            name: "material-unpaired",
            outcome: Failed,
            summary: "a bundle that belongs to no artifact in the folder",
            meaning: "The artifact that it signs may have been forgotten, renamed or removed.",
            next: Then("Add the artifact, or remove the bundle from the folder."),
        }
        MaterialUnknownMember {
            name: "material-unknown-member",
            outcome: Failed,
            summary: "a bundle, trusted root or key name with a member too many",
            meaning: "A file in a folder counts as a bundle, a Sigstore trusted root or a vendor's \
                key name only if it has exactly the members of that format. This one has another \
                member, so it may also be a document of some other program (package.json, a \
                compose file) that nobody signed.",
            next: Then("Do not use the file. Remove it from the folder, or replace it with the \
                vendor's own. If it is a trusted root newer than this program, keep it elsewhere \
                and name it with --trusted-root."),
        }
        BundleShared {
            name: "bundle-shared",
            outcome: Failed,
            summary: "one bundle was paired with artifacts that differ",
            meaning: "A bundle signs one artifact. Of several that differ, only the one that it \
                signs is OK. Equal copies may share a bundle.",
            next: Then("Give each artifact its own bundle. Fetch the missing one from the vendor."),
        }
        MapMalformed {
            name: "map-malformed",
            outcome: Usage,
            summary: "the pairing map can't be read",
            meaning: "Each line of the file given with --map is an artifact, a tab and one of its \
                bundles, both as paths below the folder. A line in another form, or with a name \
                that is not in the folder, is refused.",
            next: Then("Correct the line named in the message. docs/batch.md describes the file."),
        }
        NotCovered {
            name: "not-covered",
            outcome: Failed,
            summary: "neither a vendor's signature nor a seal covers the file",
            meaning: "With --require-coverage, every file in the folder must be covered by a \
                verified signature or a seal, or be a bundle, a key or a trusted root.",
            next: Then("Remove the file from the release, or have it signed."),
        }
    }
    "The trust policy" {
        PolicyMalformed {
            name: "policy-malformed",
            outcome: Usage,
            summary: "the trust policy can't be read",
            meaning: "It has a syntax error, an unknown field or an impossible value, or it names \
                a key that can't be read. docs/trust-policy.md describes it.",
            next: Then("Correct the file. `sealift policy check FILE` says in words what it \
                means."),
        }
        PolicyForbids {
            name: "policy-forbids",
            outcome: Usage,
            summary: "an option would allow what the trust policy forbids",
            meaning: "Options can narrow the policy, never widen it.",
            next: Then("Leave the option out, or have whoever is responsible for the policy change \
                it."),
        }
        KeyNotTrusted {
            name: "key-not-trusted",
            outcome: Failed,
            summary: "signed with a key that the trust policy does not list",
            meaning: "The policy lists this vendor's keys, and none of them made the signature.",
            next: Stop("Stop the deployment and contact the vendor. If the vendor has a new key, \
                have it added to the policy."),
        }
        KeyRetired {
            name: "key-retired",
            outcome: Failed,
            summary: "signed with a retired key, and not provably before it was retired",
            meaning: "A retired key counts only for signatures that a log entry or timestamp \
                proves to be earlier than retired_at. A seal proves no time, so from then on a \
                retired transfer key counts only for a transfer that the state file remembers.",
            next: Then("Ask the vendor for a signature with the current key."),
        }
        KeyRevoked {
            name: "key-revoked",
            outcome: Failed,
            summary: "signed with a revoked key",
            meaning: "The policy says that the key must not be trusted, either at all or from \
                compromised_at on.",
            next: CONTACT_VENDOR,
        }
        KeyNotValid {
            name: "key-not-valid",
            outcome: Failed,
            summary: "signed outside the key's validity period",
            meaning: "The policy gives the key a validity period, and the proven signing time is \
                outside it. For a transfer key, the present or the time of sealing is outside it.",
            next: Then("Ask the vendor for a signature with the key that was valid then."),
        }
        TimeNotProven {
            name: "time-not-proven",
            outcome: Failed,
            summary: "nothing proves when the signature was made",
            meaning: "The policy limits this key by time, and no verified log entry or timestamp \
                says when the signature was made.",
            next: Then("Ask the vendor for a bundle with a log entry or a timestamp."),
        }
        NameNotAllowed {
            name: "name-not-allowed",
            outcome: Failed,
            summary: "the policy does not allow the key for an artifact of this name",
            meaning: "The key is listed for artifacts whose names match certain patterns, and this \
                name matches none of them.",
            next: Then("Check whether this artifact should be here. If so, have the pattern added \
                to the policy."),
        }
        DigestKindRefused {
            name: "digest-kind-refused",
            outcome: Failed,
            summary: "the policy does not accept the kind of digest that is signed",
            meaning: "The signature covers, for example, an index digest where the policy asks for \
                the config digest.",
            next: Then("Ask the vendor to sign the kind of digest that the policy names, or have \
                the policy changed."),
        }
    }
    "Private keys and writing" {
        PrivateKeyMalformed {
            name: "private-key-malformed",
            outcome: Usage,
            summary: "the private key file can't be read",
            meaning: "The file must hold one PEM block: ENCRYPTED SIGSTORE PRIVATE KEY, ENCRYPTED \
                COSIGN PRIVATE KEY, or an unencrypted PRIVATE KEY (PKCS#8).",
            next: Then("Give the operator's own private key, as written by `sealift keygen` or \
                `cosign generate-key-pair`."),
        }
        PrivateKeyUnsupported {
            name: "private-key-unsupported",
            outcome: Usage,
            summary: "the private key's type is not supported",
            meaning: "Seals are made with ECDSA P-256. The key is of another type, or is encrypted \
                with parameters that cosign does not use.",
            next: Then("Make a key pair with `sealift keygen`."),
        }
        PasswordWrong {
            name: "password-wrong",
            outcome: Usage,
            summary: "the password does not open the private key",
            meaning: "The password is wrong or the key file is damaged. The two can't be told \
                apart.",
            next: Then("Give the right password at the prompt, in SEALIFT_PASSWORD or \
                COSIGN_PASSWORD, or with --password-file."),
        }
        PasswordMissing {
            name: "password-missing",
            outcome: Usage,
            summary: "there is no password for the private key",
            meaning: "Standard input is not a terminal, so Sealift can't ask for it.",
            next: Then("Set SEALIFT_PASSWORD or COSIGN_PASSWORD, or give --password-file."),
        }
        OutputExists {
            name: "output-exists",
            outcome: Usage,
            summary: "an output file exists already",
            meaning: "Keys are never overwritten, and sealing overwrites only what sealing wrote.",
            next: Then("Move the existing file. Before sealing, move a file of your own that has \
                the name of a seal's file into a subdirectory, where the name is free. For a key, \
                rename the old file, or choose another --output-key-prefix."),
        }
        WriteFailed {
            name: "write-failed",
            outcome: Undecided,
            summary: "a file could not be written",
            meaning: "The operating system refused: no space, no permission, or a read-only \
                medium.",
            next: Then("Free some space or correct the permissions, and run the same command \
                again."),
        }
    }
    "Fetching (`sealift mirror`)" {
        NetworkFailed {
            name: "network-failed",
            outcome: Network,
            summary: "the network failed",
            meaning: "There was no connection or no TLS session, or a transfer broke off or \
                stalled, even after retries. What arrived is kept, and the next run continues it.",
            next: Then("Check the network, HTTPS_PROXY and --ca-file, and run the same command \
                again. It continues where it stopped."),
        }
        HttpRefused {
            name: "http-refused",
            outcome: Network,
            summary: "a server refused the request",
            meaning: "The server answered with a status that means no: not found, not allowed, or \
                an error that lasted through all attempts.",
            next: Then("Check the name or URL and the credentials, or try later, and run the same \
                command again."),
        }
        ResponseInvalid {
            name: "response-invalid",
            outcome: Network,
            summary: "a server's answer contradicts itself",
            meaning: "The length, the range or a redirect is not what HTTP allows or what was \
                requested, or a web page (of a proxy or a login) came instead of a file. Nothing \
                of it is used.",
            next: Then("Run the same command again. If it keeps failing, tell whoever runs the \
                proxy or the server. For a login page, log in, or check the URL and the proxy."),
        }
        ResponseTooLarge {
            name: "response-too-large",
            outcome: Network,
            summary: "an answer is too large",
            meaning: "Bundles, keys, tokens and manifests are small, and a larger answer is not \
                read to its end. Neither is a file that is larger than the free space, as the \
                server states its size.",
            next: Then("Check the URL. A proxy or a login often sends a page instead of the file. \
                If the file is that large, use a larger medium."),
        }
        HostNotAllowed {
            name: "host-not-allowed",
            outcome: Usage,
            summary: "a URL leads to a host or scheme that is not allowed",
            meaning: "Labels, JSON files and redirects come from the vendor and are untrusted. \
                Sealift asks only the hosts in the vendor profile and the host that you named \
                yourself, and only over TLS. A registry's credentials go to no host but its own \
                unless you allow that.",
            next: Then("If the host is the vendor's, or the registry's token service, name it in \
                the vendor profile (`hosts`) or with --allow-host. For plain HTTP on a network \
                that you trust, use --allow-http."),
        }
        ReferenceInvalid {
            name: "reference-invalid",
            outcome: Usage,
            summary: "an image reference or package name is invalid",
            meaning: "It is not an image reference, not a URL, or no file name can be made from \
                it.",
            next: Then("Write HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, or the URL of a \
                package."),
        }
        ReleaseMalformed {
            name: "release-malformed",
            outcome: Usage,
            summary: "the release file can't be used",
            meaning: "It is not TOML, or it has an unknown or missing field or a value that makes \
                no sense. Nothing was fetched.",
            next: Then("Correct the file. `sealift mirror --init` prints one with every field \
                explained."),
        }
        CredentialsFailed {
            name: "credentials-failed",
            outcome: Usage,
            summary: "the registry's credentials can't be used",
            meaning: "The registry wants credentials, but the Docker config file is malformed, a \
                credential helper failed, or asking for a token would give the password away.",
            next: Then("Run `docker login` for this registry again, or name another config \
                directory in DOCKER_CONFIG."),
        }
        EngineFailed {
            name: "engine-failed",
            outcome: Network,
            summary: "the container engine could not supply the image",
            meaning: "`docker` or `podman` is not installed, is not running, or failed. The \
                message quotes it.",
            next: Then("Make the engine's own pull work, or use --engine registry, which needs no \
                engine."),
        }
        SourceDisagrees {
            name: "source-disagrees",
            outcome: Failed,
            summary: "an image is not what its source said",
            meaning: "The bytes that arrived do not have the digest that the registry or the \
                engine stated.",
            next: Then("Do not carry it. Run the same command again. If it keeps failing, the \
                registry, the engine or something in between changes images."),
        }
        NoSpace {
            name: "no-space",
            outcome: Usage,
            summary: "there is not enough space",
            meaning: "The disk is full, or the local files to be copied are larger than the free \
                space. What arrived is kept.",
            next: Then("Free some space or use a larger medium, and run the same command again. It \
                continues where it stopped. Or ask for less, or leave out with --base what an \
                earlier transfer carried."),
        }
        FileTooLarge {
            name: "file-too-large",
            outcome: Usage,
            summary: "a file is too large for the medium",
            meaning: "FAT can't hold a file of 4 GiB or more. Nothing of it was fetched.",
            next: Then("Format the medium with exFAT, NTFS or ext4, or mirror to a disk and burn \
                the result."),
        }
        NotBrought {
            name: "not-brought",
            outcome: Undecided,
            summary: "left out because of other artifacts",
            meaning: "Another artifact failed and --fail-fast stops at the first failure. Or \
                nothing at all could be fetched, and an empty transfer is not sealed.",
            next: Then("See the lines of the others, which say why and what to do. Then run the \
                same command again."),
        }
        PartlyFetched {
            name: "partly-fetched",
            outcome: Network,
            summary: "not sealed, because an artifact is only partly fetched",
            meaning: "What arrived of it is kept in the directory and would be EXTRA under a seal.",
            next: Then("Run the same command again. It continues where it stopped. To give up on \
                it and seal the rest, add --omit-partial."),
        }
    }
}
