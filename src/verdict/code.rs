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
            summary: "the command line can't be carried out",
            meaning: "Options contradict each other, or one is missing. Nothing was judged.",
            next: Then("Read the message and the command's --help, and call again."),
        }
        FileNotFound {
            name: "file-not-found",
            outcome: Usage,
            summary: "a file named on the command line does not exist",
            meaning: "The path was not found. Nothing was judged.",
            next: Then("Check the spelling of the path, and that the medium is mounted."),
        }
        OptionNotOffline {
            name: "option-not-offline",
            outcome: Usage,
            summary: "an option of cosign that makes no sense offline",
            meaning: "The option asks for a network service, a key service or a registry. Sealift \
                verifies from local files alone, so the option is named instead of being ignored.",
            next: Then("Leave the option out, or use cosign on a connected machine."),
        }
        NoKey {
            name: "no-key",
            outcome: Usage,
            summary: "there is no key to judge with",
            meaning: "A bundle says nothing about whom to trust. A key that the operator names \
                (--key), or a certificate identity and issuer, is needed.",
            next: Then("Name the vendor's public key with --key; compare its fingerprint with the \
                vendor out of band first."),
        }
        NothingFound {
            name: "nothing-found",
            outcome: Undecided,
            summary: "there is nothing to check",
            meaning: "The directory holds no image archive, no package and no transfer directory. \
                Nothing checked is not a success.",
            next: Then("Check the path, and that the medium is mounted."),
        }
        ReportMalformed {
            name: "report-malformed",
            outcome: Usage,
            summary: "the file is not a report that can be read",
            meaning: "It is no JSON report of `sealift verify -o json`, it was cut off, or it was \
                made by a newer version with words that are not known here.",
            next: Then("Give the JSON report itself; reports in other forms can't be read again."),
        }
        ShardsDiffer {
            name: "shards-differ",
            outcome: Undecided,
            summary: "reports of parts don't belong to one whole",
            meaning: "Parts can be merged only if every one of them saw the same listing and \
                judged by the same keys, policy, trusted root, options and program.",
            next: Then("Run all parts again with the same program and options over the same \
                folder."),
        }
        ShardsIncomplete {
            name: "shards-incomplete",
            outcome: Undecided,
            summary: "reports of parts leave something out, or have it twice",
            meaning: "All parts of the whole must be there, each once, together with every file of \
                the listing exactly once, and none of them may have ended early.",
            next: Then("Give the reports of all parts; run the missing ones."),
        }
        Interrupted {
            name: "interrupted",
            outcome: Undecided,
            summary: "the run was interrupted",
            meaning: "It ended before everything was looked at. What was not looked at has no \
                answer.",
            next: Then("Run it again and let it end."),
        }
        ProfileMalformed {
            name: "profile-malformed",
            outcome: Usage,
            summary: "the vendor profile can't be read",
            meaning: "The TOML file given with --vendor-profile has a syntax error, an unknown \
                field or an impossible value.",
            next: Then("Correct the file; docs/vendor-profile.md describes it."),
        }
        PatternInvalid {
            name: "pattern-invalid",
            outcome: Usage,
            summary: "a regular expression can't be used",
            meaning: "The pattern for an identity or issuer is not a valid regular expression, or \
                too large.",
            next: Then("Correct the pattern."),
        }
        Unreadable {
            name: "unreadable",
            outcome: Undecided,
            summary: "a file can't be read",
            meaning: "The operating system refused to read it (permissions, a medium error), or it \
                is neither a file nor a pipe. Nothing was judged.",
            next: Then("Check permissions and the medium, and run again."),
        }
    }
    "Keys and trusted roots" {
        KeyMalformed {
            name: "key-malformed",
            outcome: Usage,
            summary: "the key file is not one PEM public key",
            meaning: "The file must hold exactly one PEM block, PUBLIC KEY (SPKI) or RSA PUBLIC \
                KEY (PKCS#1). A file that you name may have other text around it; in one that was \
                only found (in a folder, on a vendor's site) nothing may stand around the block \
                but empty lines, comments (# …) and what openssl prints of the key.",
            next: Then("Give the vendor's public key file as the vendor published it."),
        }
        KeyIsPrivate {
            name: "key-is-private",
            outcome: Usage,
            summary: "a private key was given in place of a public key",
            meaning: "Verification needs the public half only. If this file came from somebody \
                else, their private key has leaked.",
            next: Then("Give the .pub file. Keep private keys off this machine."),
        }
        KeyNotAKey {
            name: "key-not-a-key",
            outcome: Usage,
            summary: "the file is something else than a key",
            meaning: "For example a signature bundle, a certificate or a signature in place of a \
                public key.",
            next: Then("Give the public key with --key and the bundle with --bundle."),
        }
        KeyUnsupported {
            name: "key-unsupported",
            outcome: Usage,
            summary: "the key's type is not supported",
            meaning: "Supported are ECDSA P-256 and P-384, RSA of 2048 to 8192 bits (PKCS#1 v1.5) \
                and Ed25519. P-521, secp256k1, RSA-PSS and the rest are refused rather than half \
                checked.",
            next: Then("Ask the vendor for a key of a supported type."),
        }
        TrustedRootMalformed {
            name: "trusted-root-malformed",
            outcome: Usage,
            summary: "the trusted root can't be used",
            meaning: "The file is not a Sigstore trusted root (trusted_root.json), or holds a key \
                or certificate that can't be parsed.",
            next: Then("Carry a trusted root made by `cosign trusted-root create`, or leave \
                --trusted-root out to use the built-in one."),
        }
    }
    "Bundles and signatures" {
        NoBundle {
            name: "no-bundle",
            outcome: Unsigned,
            summary: "no signature bundle was found",
            meaning: "Beside the artifact lies no bundle under the names of the vendor profile, \
                and none was named with --bundle. Unsigned is not a success.",
            next: Then("Fetch the bundle that belongs to the artifact. Lay it beside it under a \
                name that the vendor profile knows, or name it: with --bundle for a file, with \
                --map in a folder."),
        }
        BundleMalformed {
            name: "bundle-malformed",
            outcome: Failed,
            summary: "the bundle is not well-formed",
            meaning: "Bundles are read strictly: exact names, no duplicate or case-folded keys, no \
                trailing data, standard base64. A text that two programs could read differently is \
                refused.",
            next: Then("Fetch the bundle again from the vendor; if it stays like this, contact the \
                vendor."),
        }
        BundleTooLarge {
            name: "bundle-too-large",
            outcome: Failed,
            summary: "the bundle is larger than a bundle can be",
            meaning: "More than 1 MiB, or more log entries or timestamps than allowed.",
            next: CONTACT_VENDOR,
        }
        BundleUnsupported {
            name: "bundle-unsupported",
            outcome: Failed,
            summary: "the bundle's version or content is not supported",
            meaning: "For example a Sigstore bundle newer than 0.3, or several signatures in one \
                envelope.",
            next: Then("Ask the vendor for a cosign bundle of the format that its documentation \
                names."),
        }
        BundleUnused {
            name: "bundle-unused",
            outcome: Failed,
            summary: "a bundle covers nothing",
            meaning: "It was named for this archive, and no digest in the archive is the one that \
                it signs.",
            next: Then("Leave the bundle out if it belongs to another archive; otherwise contact \
                the vendor."),
        }
        BundleKeyMismatch {
            name: "bundle-key-mismatch",
            outcome: Failed,
            summary: "the bundle carries another key than the operator's",
            meaning: "A bundle may carry a public key or certificate. It is compared with the \
                operator's key and never used: cosign 2.5 to 3.1.2 used it, so that anybody could \
                sign (GHSA-fx35-mq7g-6g98).",
            next: CONTACT_VENDOR,
        }
        SignerKindMismatch {
            name: "signer-kind-mismatch",
            outcome: Failed,
            summary: "the bundle was signed in another way than asked for",
            meaning: "It was signed with a certificate (keyless) and a key was given, or the other \
                way round.",
            next: Then("Use --key for key-signed bundles, --certificate-identity and \
                --certificate-oidc-issuer for keyless ones; never both."),
        }
        SignatureInvalid {
            name: "signature-invalid",
            outcome: Failed,
            summary: "the signature does not hold",
            meaning: "Under the operator's key the signature is not one over this artifact's text: \
                another artifact, another key, or a changed file.",
            next: CONTACT_VENDOR,
        }
        DigestMismatch {
            name: "digest-mismatch",
            outcome: Failed,
            summary: "the bundle signs another digest",
            meaning: "The bundle states the digest of what it signs, and it is not the digest of \
                this artifact.",
            next: CONTACT_VENDOR,
        }
        WholeMessageNeeded {
            name: "whole-message-needed",
            outcome: Undecided,
            summary: "the signature can only be checked with the whole message in memory",
            meaning: "An Ed25519 signature is over the message itself, not over its digest, and \
                some attestations name another digest than SHA-256. The message is larger than the \
                64 MiB that are held in memory, or only its SHA-256 is known.",
            next: Then("Give the file itself instead of its digest; for a file above 64 MiB ask \
                the vendor for an ECDSA signature."),
        }
        VerifiersDisagree {
            name: "verifiers-disagree",
            outcome: Failed,
            summary: "two independent checks gave different answers",
            meaning: "Sealift's own check and the sigstore-verify library must both say yes. One \
                said no.",
            next: Stop("Stop the deployment, keep the files and report the case to Sealift's \
                developers."),
        }
    }
    "Transparency log, timestamps, certificates" {
        LogEntryMissing {
            name: "log-entry-missing",
            outcome: Failed,
            summary: "the bundle has no log entry where one is required",
            meaning: "By default a vendor's signature must be in a transparency log, as in `cosign \
                verify-blob`.",
            next: Then("Ask the vendor for a bundle with a log entry. Only if the vendor is known \
                to sign without a log, say --insecure-ignore-tlog: then nothing but the signature \
                is checked, and a trust policy that requires a log does not allow it."),
        }
        LogUnknown {
            name: "log-unknown",
            outcome: Undecided,
            summary: "the trusted root does not know the log",
            meaning: "The entry names a log that the trusted root doesn't list: a vendor's own \
                log, a newer log of Sigstore, or a forged entry. That can't be told here.",
            next: Then("If the vendor runs a log of its own, get the trusted root that lists it \
                from the vendor and give it with --trusted-root; else carry a newer one of \
                Sigstore."),
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
            meaning: "The entry's hash, signature or key is not this bundle's (CVE-2022-36056 and \
                its like).",
            next: CONTACT_VENDOR,
        }
        LogEntryUnsupported {
            name: "log-entry-unsupported",
            outcome: Failed,
            summary: "a log entry of this kind can't be checked",
            meaning: "For example an entry over SHA-384 or SHA-512, or of a kind that says nothing \
                about a file's signature.",
            next: Then("Ask the vendor for a bundle whose log entry is a hashedrekord over \
                SHA-256."),
        }
        LogPromiseInvalid {
            name: "log-promise-invalid",
            outcome: Failed,
            summary: "the log's promise (signed entry timestamp) does not hold",
            meaning: "The log's signature over entry, time and index is not valid: one of them was \
                changed.",
            next: CONTACT_VENDOR,
        }
        LogTimeOutsideWindow {
            name: "log-time-outside-window",
            outcome: Failed,
            summary: "the log key was not valid at the stated time",
            meaning: "The trusted root limits when each log key counts; the entry's time lies \
                outside.",
            next: CONTACT_VENDOR,
        }
        InclusionProofInvalid {
            name: "inclusion-proof-invalid",
            outcome: Failed,
            summary: "the inclusion proof does not hold",
            meaning: "The Merkle path from the entry does not lead to the root hash.",
            next: CONTACT_VENDOR,
        }
        CheckpointInvalid {
            name: "checkpoint-invalid",
            outcome: Failed,
            summary: "the log's checkpoint does not hold",
            meaning: "The signed tree head is missing, unsigned by the log, or over another tree.",
            next: CONTACT_VENDOR,
        }
        TimeInFuture {
            name: "time-in-future",
            outcome: Failed,
            summary: "a proven time lies in the future",
            meaning: "A log entry or timestamp is later than this machine's clock.",
            next: Then("Check this machine's clock; if it is right, contact the vendor."),
        }
        TimestampInvalid {
            name: "timestamp-invalid",
            outcome: Failed,
            summary: "the timestamp does not hold",
            meaning: "The RFC 3161 token is not over this signature, not from an authority of the \
                trusted root, or outside its validity.",
            next: CONTACT_VENDOR,
        }
        TimestampMissing {
            name: "timestamp-missing",
            outcome: Failed,
            summary: "no proven signing time",
            meaning: "A certificate is valid for minutes; without a log's or authority's time \
                nothing says that it was valid at signing.",
            next: Then("Ask the vendor for a bundle with a log entry or a timestamp."),
        }
        CertificateInvalid {
            name: "certificate-invalid",
            outcome: Failed,
            summary: "the signing certificate does not hold",
            meaning: "It does not chain to an authority of the trusted root, was not valid at the \
                signing time, or has no valid SCT.",
            next: CONTACT_VENDOR,
        }
        IdentityMismatch {
            name: "identity-mismatch",
            outcome: Failed,
            summary: "signed by somebody else",
            meaning: "The certificate's identity or issuer is not the one asked for.",
            next: Then("Compare the identity with the vendor's documentation; if it should match, \
                stop and contact the vendor."),
        }
    }
    "Image archives" {
        ArchiveUnrecognised {
            name: "archive-unrecognised",
            outcome: Failed,
            summary: "not an image archive",
            meaning: "The file is neither a tar archive (plain or compressed with gzip, xz, bzip2 \
                or zstd) nor does it hold manifest.json or index.json.",
            next: Then("Check which file was given. For any other kind of file use --type \
                package."),
        }
        ArchiveTruncated {
            name: "archive-truncated",
            outcome: Failed,
            summary: "the archive ends too early",
            meaning: "An entry, the end-of-archive blocks or a compressed stream is cut off: an \
                interrupted copy or a full medium.",
            next: Then("Copy or save the archive again and compare its size."),
        }
        ArchiveMalformed {
            name: "archive-malformed",
            outcome: Failed,
            summary: "the archive is not well-formed",
            meaning: "A tar header, PAX record or number is damaged or in a form that no writer \
                uses and loaders read differently, or data follows the end of the archive.",
            next: CONTACT_VENDOR,
        }
        ArchiveTooLarge {
            name: "archive-too-large",
            outcome: Failed,
            summary: "the archive exceeds a limit",
            meaning: "More entries, longer names, more metadata or more decompressed bytes than \
                any real archive has.",
            next: CONTACT_VENDOR,
        }
        WindowTooLarge {
            name: "window-too-large",
            outcome: Undecided,
            summary: "compressed data needs more memory than may be taken",
            meaning: "The stream refers back further than 32 MiB, as zstd --long, zstd --ultra -22 \
                and xz -9 write it for large data, or it is damaged. Memory is bounded whatever \
                the input, so its content was not verified.",
            next: Then("Decompress the file with the program that made it, and verify what it \
                holds."),
        }
        CompressionMalformed {
            name: "compression-malformed",
            outcome: Failed,
            summary: "compressed data is damaged",
            meaning: "A gzip, xz, bzip2 or zstd stream doesn't decode, or something follows it.",
            next: Then("Copy the file again; if it stays like this, contact the vendor."),
        }
        EntryDuplicate {
            name: "entry-duplicate",
            outcome: Failed,
            summary: "two entries have the same name",
            meaning: "Loaders differ in which one they take (attack: good one for the verifier, \
                evil one for the engine). So do file systems with names that differ in upper and \
                lower case alone.",
            next: CONTACT_VENDOR,
        }
        EntryNameUnsafe {
            name: "entry-name-unsafe",
            outcome: Failed,
            summary: "an entry has an unsafe name",
            meaning: "Absolute, with `..`, empty parts, a backslash, a character outside printable \
                ASCII, or of a form that some file system changes or gives to another file (a dot \
                or blank at the end, a colon, `NAME~1`): loaders differ in where it ends up.",
            next: CONTACT_VENDOR,
        }
        EntryTypeRefused {
            name: "entry-type-refused",
            outcome: Failed,
            summary: "an entry has a type that no image writer uses",
            meaning: "Hard links, devices, sparse files and unknown types are refused, and a mode \
                that says another type than the type flag (attack: skopeo and podman follow it as \
                a link); symbolic links only where docker save writes them.",
            next: CONTACT_VENDOR,
        }
        EntryConflict {
            name: "entry-conflict",
            outcome: Failed,
            summary: "a path is used both as a directory and as something else",
            meaning: "Loaders differ in what they then write where.",
            next: CONTACT_VENDOR,
        }
        EntryUnreferenced {
            name: "entry-unreferenced",
            outcome: Failed,
            summary: "a file belongs to no image, and no program that writes images leaves such a \
                file",
            meaning: "No manifest and no index names it, and it is not metadata of layers as \
                Docker, podman and others leave it. Nobody signed it, and some loader may find it \
                all the same.",
            next: Then("Find out who put it there. Save the image again; if the file is there \
                again, contact the vendor."),
        }
        JsonMalformed {
            name: "json-malformed",
            outcome: Failed,
            summary: "a JSON document in the archive is not well-formed",
            meaning: "Or it has duplicate keys, keys that differ only in case, or trailing data: \
                loaders would read it differently.",
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
            meaning: "index.json is there without a proper oci-layout file, so that loaders differ \
                in which of index.json and manifest.json they follow.",
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
            meaning: "The manifest names a file that is not there; such an archive loads only \
                where the layer already is.",
            next: Then("Save the image again, with all its layers."),
        }
        LayerCount {
            name: "layer-count",
            outcome: Failed,
            summary: "the number of layers differs from the config's diff_ids",
            meaning: "Both lists must have one entry for each layer.",
            next: CONTACT_VENDOR,
        }
        LayerMismatch {
            name: "layer-mismatch",
            outcome: Failed,
            summary: "a layer is not the one that the config names",
            meaning: "The decompressed layer does not hash to its diff_id. The config may be the \
                signed one; the files in the layer are not.",
            next: CONTACT_VENDOR,
        }
        BlobMismatch {
            name: "blob-mismatch",
            outcome: Failed,
            summary: "a blob is not what its descriptor says",
            meaning: "The content's SHA-256 or size is not the one that name or descriptor states.",
            next: CONTACT_VENDOR,
        }
        BlobMissing {
            name: "blob-missing",
            outcome: Failed,
            summary: "a manifest or index is not in the archive",
            meaning: "index.json, or an index of which no platform is there, names content that \
                the archive does not hold.",
            next: Then("Save the image again."),
        }
        DigestUnsupported {
            name: "digest-unsupported",
            outcome: Failed,
            summary: "a digest is not SHA-256 in lower-case hexadecimal",
            meaning: "Container engines compute SHA-256 only. A digest of another algorithm or in \
                another spelling would be read differently or not at all.",
            next: Then("Save the image again with a current engine; if it stays like this, contact \
                the vendor."),
        }
        MediaTypeMismatch {
            name: "media-type-mismatch",
            outcome: Failed,
            summary: "a document is not of the kind that it is declared as",
            meaning: "For example a manifest declared as an index. The kind is decided from the \
                bytes, and both must agree.",
            next: CONTACT_VENDOR,
        }
        ContentElsewhere {
            name: "content-elsewhere",
            outcome: Failed,
            summary: "an unsigned document sends engines elsewhere for content that is here",
            meaning: "A descriptor has `urls`, or says how to unpack a layer. Some engines ask \
                there instead of taking what lies in the archive and was verified, and no \
                signature covers the document that says so.",
            next: Then("Save the image again, or have the vendor sign the manifest's digest."),
        }
        ImageNotCovered {
            name: "image-not-covered",
            outcome: Failed,
            summary: "an image in the archive is covered by no verified signature",
            meaning: "Loading the archive would load this image too.",
            next: Then("Give the bundle of every image in the archive (--bundle repeats), or save \
                the signed image alone."),
        }
    }
    "The transfer directory and its seal" {
        NoTransferKey {
            name: "no-transfer-key",
            outcome: Usage,
            summary: "this is a sealed transfer directory, and no transfer key is known",
            meaning: "Files of a seal lie in the directory, so it is judged as a transfer \
                directory. The operator's public transfer key must be known beforehand; one that \
                lies in the directory proves nothing.",
            next: Then("Name the key with --transfer-key, or the trust policy that lists it with \
                --trust; compare its fingerprint with the sealing side out of band. Only if you \
                know that the directory was never sealed (the files are a vendor's own, say), give \
                --unsealed."),
        }
        SealMissing {
            name: "seal-missing",
            outcome: Failed,
            summary: "the seal is not there",
            meaning: "A transfer key, a state file or a policy with transfer keys was named, or \
                some file of a seal lies in the directory, so it must be sealed. A file of the \
                seal is absent: it was removed, or the copy is incomplete.",
            next: Stop("Stop the deployment. Copy the transfer again from the sealing side; only \
                if you know that the directory was never sealed, say --unsealed (or --loose, for \
                what lies beside transfer directories in one folder)."),
        }
        SealIncomplete {
            name: "seal-incomplete",
            outcome: Failed,
            summary: "sealing was interrupted",
            meaning: "A temporary file of a seal lies in the directory, or the seal's last file \
                was never written. Nothing in the directory can be relied on.",
            next: Then("On the sealing side run the same `sealift seal` command again; it \
                completes the seal. Then copy the directory again."),
        }
        SealMalformed {
            name: "seal-malformed",
            outcome: Failed,
            summary: "a file of the seal is not well-formed",
            meaning: "manifest.json.sig must hold one line of standard base64 of a DER signature, \
                manifest.json one JSON document of bounded size.",
            next: Stop("Stop the deployment. Copy the transfer again from the sealing side."),
        }
        SealInvalid {
            name: "seal-invalid",
            outcome: Failed,
            summary: "the seal does not hold",
            meaning: "The signature over manifest.json is not one by any of the transfer keys \
                given: the manifest was changed after it was sealed, or somebody else sealed it.",
            next: Stop("Stop the deployment. Ask the sealing side for the transfer key's \
                fingerprint and the transfer id, and copy the transfer again."),
        }
        SealNotCanonical {
            name: "seal-not-canonical",
            outcome: Failed,
            summary: "the forms of the seal differ from one another",
            meaning: "manifest.json.sigstore.json must be byte for byte what Sealift writes for \
                the signature in manifest.json.sig, and SHA256SUMS what the manifest implies. \
                Otherwise two programs could check two different seals.",
            next: Stop("Stop the deployment. Copy the transfer again from the sealing side."),
        }
        ManifestMalformed {
            name: "manifest-malformed",
            outcome: Failed,
            summary: "the transfer manifest is not well-formed",
            meaning: "The manifest is read strictly: known fields only, no duplicates, portable \
                paths, sorted and distinct. bundle-format/ describes it.",
            next: Stop("Stop the deployment. Seal the directory again with an unmodified program."),
        }
        ManifestVersionUnknown {
            name: "manifest-version-unknown",
            outcome: Undecided,
            summary: "the transfer manifest is of a version that this program does not know",
            meaning: "The seal holds, but the manifest was written by a newer program. Nothing \
                else was judged.",
            next: Then("Use a newer sealift, checked out of band, or seal again in the older \
                form."),
        }
        PathNotPortable {
            name: "path-not-portable",
            outcome: Failed,
            summary: "a name can't be carried on every medium",
            meaning: "Names in a transfer directory are printable ASCII without the characters and \
                device names that FAT and NTFS refuse, so that they mean the same file everywhere.",
            next: Then("Rename the file, and seal again."),
        }
        FileMissing {
            name: "file-missing",
            outcome: Missing,
            summary: "a sealed file is not there",
            meaning: "The manifest lists the file, and the directory does not have it: it was \
                removed or renamed, or the copy is incomplete.",
            next: Then("Copy the transfer again from the sealing side."),
        }
        FileExtra {
            name: "file-extra",
            outcome: Extra,
            summary: "a file lies there that was never sealed",
            meaning: "The manifest does not list the file, so nobody vouches for it.",
            next: Then("Do not use the file. Find out who put it there; remove it, or copy the \
                transfer again."),
        }
        SystemFile {
            name: "system-file",
            outcome: Extra,
            summary: "a file that an operating system wrote",
            meaning: "Windows, macOS and Linux desktops write files of their own onto a medium and \
                into folders that they show. By its name this is one of them. Nobody signed or \
                sealed it, and anybody can give a file such a name, so it is not accepted.",
            next: Then("Remove it, and look into it first if you did not expect it. To keep \
                systems from writing into a transfer, seal a folder below the top of the medium, \
                not the top itself, and name that folder when it is checked. `seal --exclude NAME` \
                leaves such a file out of the seal; it must then be left off the medium too."),
        }
        FileMismatch {
            name: "file-mismatch",
            outcome: Failed,
            summary: "a file is not the one that was sealed",
            meaning: "Size or SHA-256 differ from the manifest: the file was changed, or the \
                medium or the copy is damaged.",
            next: Stop("Stop the deployment. Copy the transfer again from the sealing side and \
                compare."),
        }
        FileTypeRefused {
            name: "file-type-refused",
            outcome: Failed,
            summary: "neither a regular file nor a directory",
            meaning: "Links, devices, sockets and pipes have no place in a release: a link can \
                lead anywhere, and elsewhere tomorrow.",
            next: Then("Replace it by the file itself, or remove it."),
        }
        NameCollision {
            name: "name-collision",
            outcome: Failed,
            summary: "two names differ only in case",
            meaning: "On FAT, NTFS and other file systems they would be one file, so which of the \
                two is meant depends on where the directory lies.",
            next: Then("Rename one of the two, and seal again; on the far side remove the one that \
                was not sealed."),
        }
        NameMangled {
            name: "name-mangled",
            outcome: Failed,
            summary: "the medium changed a file's name",
            meaning: "A sealed file, or a file of the seal itself, is absent, and one lies there \
                whose name is the right one as a file system without long names would cut or \
                change it.",
            next: Then("Write the medium with long file names (ISO 9660 with Rock Ridge and \
                Joliet: `genisoimage -r -J`; UDF; exFAT or VFAT), or carry the directory in a tar \
                archive. Renaming the files back to the names given helps too; the seal then says \
                whether they are the right ones."),
        }
        TransferExpired {
            name: "transfer-expired",
            outcome: Failed,
            summary: "the transfer has expired",
            meaning: "The sealing side said until when this transfer may be used, and that time is \
                over.",
            next: Then("Ask the sealing side for a new transfer. If the clock of this machine is \
                wrong, correct it or give --time."),
        }
        CreatedInFuture {
            name: "created-in-future",
            outcome: Failed,
            summary: "the transfer claims to be from the future",
            meaning: "Its time of sealing lies more than a day ahead of now: one of the two clocks \
                is wrong, so nothing can be said of freshness.",
            next: Then("Correct the clock of this machine or give --time; if it is right, ask the \
                sealing side to seal again."),
        }
        TransferTooOld {
            name: "transfer-too-old",
            outcome: Failed,
            summary: "the transfer is older than the trust policy allows",
            meaning: "The policy's max_age says how old a transfer may be when it is verified.",
            next: Then("Ask the sealing side for a new transfer."),
        }
        SerialRolledBack {
            name: "serial-rolled-back",
            outcome: Failed,
            summary: "an older transfer than the last one accepted",
            meaning: "The state file remembers the highest serial of this stream that was \
                accepted. An older, genuine transfer can bring back software that was replaced for \
                a reason.",
            next: Stop("Stop the deployment, and ask the sealing side which transfer is the \
                current one. To check an old transfer knowingly, leave --state out."),
        }
        StreamRefused {
            name: "stream-refused",
            outcome: Failed,
            summary: "the transfer is of a stream that is not accepted here",
            meaning: "The far side names the streams that it accepts, with --stream or in its \
                trust policy, and this transfer is of another one.",
            next: Then("Check that the right medium was brought. If a stream goes on under a new \
                name, have it added to the policy, or name it with --stream."),
        }
        RequestedMissing {
            name: "requested-missing",
            outcome: Missing,
            summary: "something that was asked for is neither there nor explained",
            meaning: "The manifest lists it as requested, and it is not among the artifacts, nor \
                among what was omitted with a reason, nor in the earlier transfer.",
            next: Then("Ask the sealing side why it is not there, and have it brought."),
        }
        SerialReused {
            name: "serial-reused",
            outcome: Failed,
            summary: "another transfer with the serial of one that was accepted",
            meaning: "Stream and serial are those of an accepted transfer, and the manifest is \
                not: two transfers claim to be the same one.",
            next: Stop("Stop the deployment, and ask the sealing side which of the two is theirs."),
        }
        StateMissing {
            name: "state-missing",
            outcome: Usage,
            summary: "the state file does not exist",
            meaning: "The file named with --state remembers which transfers were accepted. If it \
                is lost, rollbacks can't be noticed, so an absent one is an error.",
            next: Then("Restore the file from a backup, or say --init-state when this is the first \
                transfer on this machine."),
        }
        StateMalformed {
            name: "state-malformed",
            outcome: Usage,
            summary: "the state file can't be used",
            meaning: "It is not a state file of this program, or was damaged.",
            next: Then("Restore the file from a backup. Do not begin a new one without knowing \
                what was accepted before."),
        }
        Omitted {
            name: "omitted",
            outcome: Omitted,
            summary: "the transfer says that it could not bring this",
            meaning: "It was requested on the connected side, and could not be had or did not \
                verify. The manifest says so instead of being silent.",
            next: Then("Ask the sealing side for it; the reason is in the manifest."),
        }
        BaseNotGiven {
            name: "base-not-given",
            outcome: Undecided,
            summary: "the transfer builds on an earlier one that was not given",
            meaning: "A differential transfer leaves out what an earlier one carried. Without that \
                one it can't be said whether everything is there.",
            next: Then("Name the earlier transfer with --base DIR."),
        }
        BaseMismatch {
            name: "base-mismatch",
            outcome: Failed,
            summary: "the earlier transfer is not the one that this one builds on",
            meaning: "The manifest names the transfer that it builds on by the digest of its \
                manifest.",
            next: Then("Name the transfer with the id that the message gives."),
        }
        TransferNotVerified {
            name: "transfer-not-verified",
            outcome: Failed,
            summary: "not everything in the transfer directory is as it was sealed and signed",
            meaning: "The seal holds, but files or artifacts failed, are missing, or were never \
                sealed. Each has a line of its own.",
            next: Stop("Stop the deployment. See the lines of the single files and artifacts."),
        }
        TransferUndecided {
            name: "transfer-undecided",
            outcome: Undecided,
            summary: "not everything in the transfer directory could be decided",
            meaning: "The seal holds and nothing failed, but something is unsigned, omitted, or \
                could not be judged. Each has a line of its own.",
            next: Then("See the lines of the single files and artifacts."),
        }
        ClaimMismatch {
            name: "claim-mismatch",
            outcome: Failed,
            summary: "the manifest says something else of an artifact than was found",
            meaning: "The key that verified, or the kind of digest that is signed, is not the one \
                that was recorded when the transfer was sealed.",
            next: Stop("Stop the deployment, and ask the sealing side to seal again."),
        }
        KeyNotNamed {
            name: "key-not-named",
            outcome: Usage,
            summary: "a vendor key that the operator has not named",
            meaning: "A key that lies in the folder, or that a vendor's file names, is only a \
                claim. What is sealed is believed on the far side, so the operator must say which \
                vendor keys to believe.",
            next: Then("Compare the fingerprint with the vendor over another channel; then give \
                --pin-key FINGERPRINT or --vendor-key FILE, or list the key in the trust policy. \
                --trust-on-first-use accepts it unseen, and says so for ever."),
        }
        PairingAmbiguous {
            name: "pairing-ambiguous",
            outcome: Failed,
            summary: "two bundles could belong to one artifact",
            meaning: "At the first step of the pairing rules that finds anything, more than one \
                file fits, and guessing is not verifying.",
            next: Then("Leave the one bundle that belongs to the artifact in the folder, or name \
                it like the artifact."),
        }
        MaterialUnpaired {
            name: "material-unpaired",
            outcome: Failed,
            summary: "a bundle that belongs to no artifact in the folder",
            meaning: "The artifact that it signs may have been forgotten, renamed or removed.",
            next: Then("Add the artifact, or take the bundle out of the folder."),
        }
        MaterialUnknownMember {
            name: "material-unknown-member",
            outcome: Failed,
            summary: "a file that is a bundle, trusted root or key name, and more than that",
            meaning: "What lies in a folder counts as a bundle, a Sigstore trusted root or a \
                vendor's key name only with exactly the members of its format. This one has \
                another member, so it may be a document of some other program too (package.json, a \
                compose file), which nobody signed.",
            next: Then("Do not use the file. Take it out of the folder, or replace it by the \
                vendor's own. A trusted root that is newer than this program is named with \
                --trusted-root, and lies elsewhere."),
        }
        BundleShared {
            name: "bundle-shared",
            outcome: Failed,
            summary: "one bundle was paired with artifacts that differ",
            meaning: "A bundle signs one artifact. Of several that differ only the one that it \
                signs is OK; equal copies may share it.",
            next: Then("Give each artifact its own bundle: fetch the missing one from the vendor."),
        }
        MapMalformed {
            name: "map-malformed",
            outcome: Usage,
            summary: "the pairing map can't be read",
            meaning: "Each line of the file given with --map is an artifact, a tab and one of its \
                bundles, both as paths below the folder. A name that is not in the folder, or a \
                line that is not of this form, is refused.",
            next: Then("Correct the line that the message names; docs/batch.md describes the \
                file."),
        }
        NotCovered {
            name: "not-covered",
            outcome: Failed,
            summary: "no vendor's signature and no seal covers the file",
            meaning: "With --require-coverage every file in the folder must be covered by a \
                verified signature, by a seal, or be material: a bundle, a key or a trusted root.",
            next: Then("Take the file out of the release, or have it signed."),
        }
    }
    "The trust policy" {
        PolicyMalformed {
            name: "policy-malformed",
            outcome: Usage,
            summary: "the trust policy can't be read",
            meaning: "It has a syntax error, an unknown field, an impossible value, or names a key \
                that can't be read. docs/trust-policy.md describes it.",
            next: Then("Correct the file; `sealift policy check FILE` says in words what it \
                means."),
        }
        PolicyForbids {
            name: "policy-forbids",
            outcome: Usage,
            summary: "an option would allow what the trust policy does not",
            meaning: "Options can narrow the policy, never widen it.",
            next: Then("Leave the option out, or have the policy changed by whoever is responsible \
                for it."),
        }
        KeyNotTrusted {
            name: "key-not-trusted",
            outcome: Failed,
            summary: "signed by a key that the trust policy does not list",
            meaning: "The policy lists this vendor's keys, and the signature is by none of them.",
            next: Stop("Stop the deployment and contact the vendor; if the vendor has a new key, \
                have it added to the policy."),
        }
        KeyRetired {
            name: "key-retired",
            outcome: Failed,
            summary: "signed by a retired key, and not provenly before it was retired",
            meaning: "A retired key counts only for signatures that a log entry or timestamp \
                proves to be earlier than retired_at. A seal proves no time, so from then on a \
                retired transfer key counts only for a transfer that the state file remembers.",
            next: Then("Ask the vendor for a signature by the current key."),
        }
        KeyRevoked {
            name: "key-revoked",
            outcome: Failed,
            summary: "signed by a revoked key",
            meaning: "The policy says that the key must not be believed: at all, or from \
                compromised_at on.",
            next: CONTACT_VENDOR,
        }
        KeyNotValid {
            name: "key-not-valid",
            outcome: Failed,
            summary: "signed outside the time for which the key is valid",
            meaning: "The policy gives the key a validity window, and the proven time of the \
                signature lies outside. For a transfer key it is the present or the time of \
                sealing that lies outside.",
            next: Then("Ask the vendor for a signature by the key that was valid then."),
        }
        TimeNotProven {
            name: "time-not-proven",
            outcome: Failed,
            summary: "when the signature was made is not proven",
            meaning: "The policy judges this key by time, and no verified log entry or timestamp \
                says when the signature was made.",
            next: Then("Ask the vendor for a bundle with a log entry or a timestamp."),
        }
        NameNotAllowed {
            name: "name-not-allowed",
            outcome: Failed,
            summary: "the policy does not allow the key for an artifact of this name",
            meaning: "The key is listed for artifacts whose names match certain patterns, and this \
                name does not.",
            next: Then("Check whether this artifact should be here; else have the pattern added to \
                the policy."),
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
            meaning: "It must hold one PEM block: ENCRYPTED SIGSTORE PRIVATE KEY, ENCRYPTED COSIGN \
                PRIVATE KEY, or an unencrypted PRIVATE KEY (PKCS#8).",
            next: Then("Give the operator's own private key, as `sealift keygen` or `cosign \
                generate-key-pair` wrote it."),
        }
        PrivateKeyUnsupported {
            name: "private-key-unsupported",
            outcome: Usage,
            summary: "the private key's type is not supported",
            meaning: "Seals are made with ECDSA P-256. The key is of another type, or encrypted \
                with parameters outside those that cosign uses.",
            next: Then("Make a pair with `sealift keygen`."),
        }
        PasswordWrong {
            name: "password-wrong",
            outcome: Usage,
            summary: "the password does not open the private key",
            meaning: "Or the key file was damaged: the two can't be told apart.",
            next: Then("Give the right password at the prompt, in SEALIFT_PASSWORD or \
                COSIGN_PASSWORD, or with --password-file."),
        }
        PasswordMissing {
            name: "password-missing",
            outcome: Usage,
            summary: "there is no password for the private key",
            meaning: "Standard input is not a terminal, so none can be asked for.",
            next: Then("Set SEALIFT_PASSWORD or COSIGN_PASSWORD, or give --password-file."),
        }
        OutputExists {
            name: "output-exists",
            outcome: Usage,
            summary: "a file that would be written exists already",
            meaning: "Keys are never overwritten, and sealing overwrites nothing that sealing did \
                not write.",
            next: Then("Move the file that is there: before sealing, a file of your own with a \
                name of the seal's into a subdirectory, where the name is free. For a key, rename \
                it, or choose another --output-key-prefix."),
        }
        WriteFailed {
            name: "write-failed",
            outcome: Undecided,
            summary: "a file could not be written",
            meaning: "The operating system refused: no space, no permission, a read-only medium.",
            next: Then("Make room or correct the permissions, and run the same command again."),
        }
    }
    "Fetching (`sealift mirror`)" {
        NetworkFailed {
            name: "network-failed",
            outcome: Network,
            summary: "the network failed",
            meaning: "No connection, no TLS session, or a transfer that broke off or stood still, \
                also when it was tried again. What arrived is kept and continued.",
            next: Then("Check the network, HTTPS_PROXY and --ca-file, and run the same command \
                again: it continues where it stopped."),
        }
        HttpRefused {
            name: "http-refused",
            outcome: Network,
            summary: "a server refuses",
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
                asked for, or a web page came in place of a file: a proxy or login page. Nothing \
                of it is used.",
            next: Then("Run the same command again; if it stays so, a proxy or the server is at \
                fault: tell whoever runs it. For a login page: log in, or check the URL and the \
                proxy."),
        }
        ResponseTooLarge {
            name: "response-too-large",
            outcome: Network,
            summary: "an answer is larger than it may be",
            meaning: "Bundles, keys, tokens and manifests are small; a larger answer is not read \
                to its end. Nor is a file of which the server says that it is larger than the free \
                space.",
            next: Then("Check the URL; a page of a proxy or a login is often sent in place of the \
                file. If the file is that large, use a larger medium."),
        }
        HostNotAllowed {
            name: "host-not-allowed",
            outcome: Usage,
            summary: "a URL leads to a host or scheme that is not allowed",
            meaning: "Labels, JSON files and redirects are the vendor's text and untrusted: only \
                the hosts of the vendor profile, and the host that you named yourself, are asked, \
                and only over TLS. A registry's credentials go to no other host than its own \
                unless you allow that.",
            next: Then("If the host is the vendor's, or the registry's token service, name it in \
                the vendor profile (`hosts`) or with --allow-host; for plain HTTP on a network \
                that you trust say --allow-http."),
        }
        ReferenceInvalid {
            name: "reference-invalid",
            outcome: Usage,
            summary: "an image reference or package name can't be used",
            meaning: "The text is no image reference, no URL, or no name from which a file name \
                can be made.",
            next: Then("Write HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, or for a package \
                its URL."),
        }
        ReleaseMalformed {
            name: "release-malformed",
            outcome: Usage,
            summary: "the release file can't be used",
            meaning: "Not TOML, an unknown or missing field, or a value that makes no sense. \
                Nothing was fetched.",
            next: Then("Correct the file; `sealift mirror --init` prints one with every field \
                explained."),
        }
        CredentialsFailed {
            name: "credentials-failed",
            outcome: Usage,
            summary: "the registry's credentials can't be used",
            meaning: "The registry wants credentials, and the Docker config file is malformed or a \
                credential helper failed; or a token would be asked for in a way that gives the \
                password away.",
            next: Then("Run `docker login` for this registry again, or name another config \
                directory in DOCKER_CONFIG."),
        }
        EngineFailed {
            name: "engine-failed",
            outcome: Network,
            summary: "the container engine could not bring the image",
            meaning: "`docker` or `podman` is not installed, does not run, or failed; its own \
                words are in the message.",
            next: Then("Make the engine's own pull work, or use --engine registry, which needs no \
                engine."),
        }
        SourceDisagrees {
            name: "source-disagrees",
            outcome: Failed,
            summary: "an image is not what its source said",
            meaning: "The digest that the registry or the engine stated is not that of the bytes \
                which arrived.",
            next: Then("Do not carry it. Run the same command again; if it stays so, the registry, \
                the engine or the way to it changes images."),
        }
        NoSpace {
            name: "no-space",
            outcome: Usage,
            summary: "there is not enough space",
            meaning: "The disk is full, or what lies on this machine and is to be copied is larger \
                than what is free. What arrived is kept.",
            next: Then("Make room or use a larger medium, and run the same command again: it \
                continues where it stopped. Or ask for less, or leave out with --base what an \
                earlier transfer carried."),
        }
        FileTooLarge {
            name: "file-too-large",
            outcome: Usage,
            summary: "a file is too large for the medium",
            meaning: "FAT holds no file of 4 GiB or more. Nothing of it was fetched.",
            next: Then("Format the medium with exFAT, NTFS or ext4, or mirror to a disk and burn \
                the result."),
        }
        NotBrought {
            name: "not-brought",
            outcome: Undecided,
            summary: "it was not brought, because of others",
            meaning: "Another artifact failed, and --fail-fast stops at the first; or nothing at \
                all could be brought, and an empty transfer is not sealed.",
            next: Then("See the lines of the others, each says why and what to do; then run the \
                same command again."),
        }
        PartlyFetched {
            name: "partly-fetched",
            outcome: Network,
            summary: "not sealed, because something is half-way here",
            meaning: "What arrived of it is kept in the directory and would be EXTRA under a seal.",
            next: Then("Run the same command again: it continues where it stopped. To give up on \
                it and seal the rest, add --omit-partial."),
        }
    }
}
