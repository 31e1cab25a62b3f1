//! The codes: every way to refuse, stable, documented and explained.
//!
//! A code never changes its meaning. `docs/codes.md` is made from this table (`sealift explain
//! --markdown`), and a test holds the two equal.

use super::Outcome;

/// One row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    pub(super) summary: &'static str,
    pub(super) meaning: &'static str,
    pub(super) next: &'static str,
    pub(super) group: &'static str,
}

macro_rules! codes {
    ($($group:literal { $($code:ident $name:literal $outcome:ident $summary:literal $meaning:literal $next:literal)* })*) => {
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

            pub(super) fn row(self) -> &'static Row {
                match self {
                    $($(Self::$code => &Row {
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
        Usage "usage" Usage
            "the command line can't be carried out"
            "Options contradict each other, or one is missing. Nothing was judged."
            "Read the message and the command's --help, and call again."
        FileNotFound "file-not-found" Usage
            "a file named on the command line does not exist"
            "The path was not found. Nothing was judged."
            "Check the spelling of the path, and that the medium is mounted."
        OptionNotOffline "option-not-offline" Usage
            "an option of cosign that makes no sense offline"
            "The option asks for a network service, a key service or a registry. Sealift verifies from local files alone, so the option is named instead of being ignored."
            "Leave the option out, or use cosign on a connected machine."
        NoKey "no-key" Usage
            "there is no key to judge with"
            "A bundle says nothing about whom to trust. A key that the operator names (--key), or a certificate identity and issuer, is needed."
            "Name the vendor's public key with --key; compare its fingerprint with the vendor out of band first."
        NothingFound "nothing-found" Undecided
            "there is nothing to check"
            "The directory holds no image archive, no package and no transfer directory. Nothing checked is not a success."
            "Check the path, and that the medium is mounted."
        ReportMalformed "report-malformed" Usage
            "the file is not a report that can be read"
            "It is no JSON report of `sealift verify -o json`, it was cut off, or it was made by a newer version with words that are not known here."
            "Give the JSON report itself; reports in other forms can't be read again."
        ShardsDiffer "shards-differ" Undecided
            "reports of parts don't belong to one whole"
            "Parts can be merged only if every one of them saw the same listing and judged by the same keys, policy, trusted root, options and program."
            "Run all parts again with the same program and options over the same folder."
        ShardsIncomplete "shards-incomplete" Undecided
            "reports of parts leave something out, or have it twice"
            "All parts of the whole must be there, each once, together with every file of the listing exactly once, and none of them may have ended early."
            "Give the reports of all parts; run the missing ones."
        Interrupted "interrupted" Undecided
            "the run was interrupted"
            "It ended before everything was looked at. What was not looked at has no answer."
            "Run it again and let it end."
        ProfileMalformed "profile-malformed" Usage
            "the vendor profile can't be read"
            "The TOML file given with --vendor-profile has a syntax error, an unknown field or an impossible value."
            "Correct the file; docs/vendor-profile.md describes it."
        PatternInvalid "pattern-invalid" Usage
            "a regular expression can't be used"
            "The pattern for an identity or issuer is not a valid regular expression, or too large."
            "Correct the pattern."
        Unreadable "unreadable" Undecided
            "a file can't be read"
            "The operating system refused to read it (permissions, a medium error), or it is neither a file nor a pipe. Nothing was judged."
            "Check permissions and the medium, and run again."
    }
    "Keys and trusted roots" {
        KeyMalformed "key-malformed" Usage
            "the key file is not one PEM public key"
            "The file must hold exactly one PEM block, PUBLIC KEY (SPKI) or RSA PUBLIC KEY (PKCS#1). A file that you name may have other text around it; in one that was only found (in a folder, on a vendor's site) nothing may stand around the block but empty lines, comments (# …) and what openssl prints of the key."
            "Give the vendor's public key file as the vendor published it."
        KeyIsPrivate "key-is-private" Usage
            "a private key was given in place of a public key"
            "Verification needs the public half only. If this file came from somebody else, their private key has leaked."
            "Give the .pub file. Keep private keys off this machine."
        KeyNotAKey "key-not-a-key" Usage
            "the file is something else than a key"
            "For example a signature bundle, a certificate or a signature in place of a public key."
            "Give the public key with --key and the bundle with --bundle."
        KeyUnsupported "key-unsupported" Usage
            "the key's type is not supported"
            "Supported are ECDSA P-256 and P-384, RSA of 2048 to 8192 bits (PKCS#1 v1.5) and Ed25519. P-521, secp256k1, RSA-PSS and the rest are refused rather than half checked."
            "Ask the vendor for a key of a supported type."
        TrustedRootMalformed "trusted-root-malformed" Usage
            "the trusted root can't be used"
            "The file is not a Sigstore trusted root (trusted_root.json), or holds a key or certificate that can't be parsed."
            "Carry a trusted root made by `cosign trusted-root create`, or leave --trusted-root out to use the built-in one."
    }
    "Bundles and signatures" {
        NoBundle "no-bundle" Unsigned
            "no signature bundle was found"
            "Beside the artifact lies no bundle under the names of the vendor profile, and none was named with --bundle. Unsigned is not a success."
            "Fetch the bundle that belongs to the artifact. Lay it beside it under a name that the vendor profile knows, or name it: with --bundle for a file, with --map in a folder."
        BundleMalformed "bundle-malformed" Failed
            "the bundle is not well-formed"
            "Bundles are read strictly: exact names, no duplicate or case-folded keys, no trailing data, standard base64. A text that two programs could read differently is refused."
            "Fetch the bundle again from the vendor; if it stays like this, contact the vendor."
        BundleTooLarge "bundle-too-large" Failed
            "the bundle is larger than a bundle can be"
            "More than 1 MiB, or more log entries or timestamps than allowed."
            "Stop the deployment and contact the vendor."
        BundleUnsupported "bundle-unsupported" Failed
            "the bundle's version or content is not supported"
            "For example a Sigstore bundle newer than 0.3, or several signatures in one envelope."
            "Ask the vendor for a cosign bundle of the format that its documentation names."
        BundleUnused "bundle-unused" Failed
            "a bundle covers nothing"
            "It was named for this archive, and no digest in the archive is the one that it signs."
            "Leave the bundle out if it belongs to another archive; otherwise contact the vendor."
        BundleKeyMismatch "bundle-key-mismatch" Failed
            "the bundle carries another key than the operator's"
            "A bundle may carry a public key or certificate. It is compared with the operator's key and never used: cosign 2.5 to 3.1.2 used it, so that anybody could sign (GHSA-fx35-mq7g-6g98)."
            "Stop the deployment and contact the vendor."
        SignerKindMismatch "signer-kind-mismatch" Failed
            "the bundle was signed in another way than asked for"
            "It was signed with a certificate (keyless) and a key was given, or the other way round."
            "Use --key for key-signed bundles, --certificate-identity and --certificate-oidc-issuer for keyless ones; never both."
        SignatureInvalid "signature-invalid" Failed
            "the signature does not hold"
            "Under the operator's key the signature is not one over this artifact's text: another artifact, another key, or a changed file."
            "Stop the deployment and contact the vendor."
        DigestMismatch "digest-mismatch" Failed
            "the bundle signs another digest"
            "The bundle states the digest of what it signs, and it is not the digest of this artifact."
            "Stop the deployment and contact the vendor."
        WholeMessageNeeded "whole-message-needed" Undecided
            "the signature can only be checked with the whole message in memory"
            "An Ed25519 signature is over the message itself, not over its digest, and some attestations name another digest than SHA-256. The message is larger than the 64 MiB that are held in memory, or only its SHA-256 is known."
            "Give the file itself instead of its digest; for a file above 64 MiB ask the vendor for an ECDSA signature."
        VerifiersDisagree "verifiers-disagree" Failed
            "two independent checks gave different answers"
            "Sealift's own check and the sigstore-verify library must both say yes. One said no."
            "Stop the deployment, keep the files and report the case to Sealift's developers."
    }
    "Transparency log, timestamps, certificates" {
        LogEntryMissing "log-entry-missing" Failed
            "the bundle has no log entry where one is required"
            "By default a vendor's signature must be in a transparency log, as in `cosign verify-blob`."
            "Ask the vendor for a bundle with a log entry. Only if the vendor is known to sign without a log, say --insecure-ignore-tlog: then nothing but the signature is checked, and a trust policy that requires a log does not allow it."
        LogUnknown "log-unknown" Undecided
            "the trusted root does not know the log"
            "The entry names a log that the trusted root doesn't list: a vendor's own log, a newer log of Sigstore, or a forged entry. That can't be told here."
            "If the vendor runs a log of its own, get the trusted root that lists it from the vendor and give it with --trusted-root; else carry a newer one of Sigstore."
        LogEntryMalformed "log-entry-malformed" Failed
            "the log entry is not well-formed"
            "The entry's body is not what a log of its kind and version writes."
            "Stop the deployment and contact the vendor."
        LogEntryMismatch "log-entry-mismatch" Failed
            "the log entry belongs to another signature"
            "The entry's hash, signature or key is not this bundle's (CVE-2022-36056 and its like)."
            "Stop the deployment and contact the vendor."
        LogEntryUnsupported "log-entry-unsupported" Failed
            "a log entry of this kind can't be checked"
            "For example an entry over SHA-384 or SHA-512, or of a kind that says nothing about a file's signature."
            "Ask the vendor for a bundle whose log entry is a hashedrekord over SHA-256."
        LogPromiseInvalid "log-promise-invalid" Failed
            "the log's promise (signed entry timestamp) does not hold"
            "The log's signature over entry, time and index is not valid: one of them was changed."
            "Stop the deployment and contact the vendor."
        LogTimeOutsideWindow "log-time-outside-window" Failed
            "the log key was not valid at the stated time"
            "The trusted root limits when each log key counts; the entry's time lies outside."
            "Stop the deployment and contact the vendor."
        InclusionProofInvalid "inclusion-proof-invalid" Failed
            "the inclusion proof does not hold"
            "The Merkle path from the entry does not lead to the root hash."
            "Stop the deployment and contact the vendor."
        CheckpointInvalid "checkpoint-invalid" Failed
            "the log's checkpoint does not hold"
            "The signed tree head is missing, unsigned by the log, or over another tree."
            "Stop the deployment and contact the vendor."
        TimeInFuture "time-in-future" Failed
            "a proven time lies in the future"
            "A log entry or timestamp is later than this machine's clock."
            "Check this machine's clock; if it is right, contact the vendor."
        TimestampInvalid "timestamp-invalid" Failed
            "the timestamp does not hold"
            "The RFC 3161 token is not over this signature, not from an authority of the trusted root, or outside its validity."
            "Stop the deployment and contact the vendor."
        TimestampMissing "timestamp-missing" Failed
            "no proven signing time"
            "A certificate is valid for minutes; without a log's or authority's time nothing says that it was valid at signing."
            "Ask the vendor for a bundle with a log entry or a timestamp."
        CertificateInvalid "certificate-invalid" Failed
            "the signing certificate does not hold"
            "It does not chain to an authority of the trusted root, was not valid at the signing time, or has no valid SCT."
            "Stop the deployment and contact the vendor."
        IdentityMismatch "identity-mismatch" Failed
            "signed by somebody else"
            "The certificate's identity or issuer is not the one asked for."
            "Compare the identity with the vendor's documentation; if it should match, stop and contact the vendor."
    }
    "Image archives" {
        ArchiveUnrecognised "archive-unrecognised" Failed
            "not an image archive"
            "The file is neither a tar archive (plain or compressed with gzip, xz, bzip2 or zstd) nor does it hold manifest.json or index.json."
            "Check which file was given. For any other kind of file use --type package."
        ArchiveTruncated "archive-truncated" Failed
            "the archive ends too early"
            "An entry, the end-of-archive blocks or a compressed stream is cut off: an interrupted copy or a full medium."
            "Copy or save the archive again and compare its size."
        ArchiveMalformed "archive-malformed" Failed
            "the archive is not well-formed"
            "A tar header, PAX record or number is damaged or in a form that no writer uses and loaders read differently, or data follows the end of the archive."
            "Stop the deployment and contact the vendor."
        ArchiveTooLarge "archive-too-large" Failed
            "the archive exceeds a limit"
            "More entries, longer names, more metadata or more decompressed bytes than any real archive has."
            "Stop the deployment and contact the vendor."
        WindowTooLarge "window-too-large" Undecided
            "compressed data needs more memory than may be taken"
            "The stream refers back further than 32 MiB, as zstd --long, zstd --ultra -22 and xz -9 write it for large data, or it is damaged. Memory is bounded whatever the input, so its content was not verified."
            "Decompress the file with the program that made it, and verify what it holds."
        CompressionMalformed "compression-malformed" Failed
            "compressed data is damaged"
            "A gzip, xz, bzip2 or zstd stream doesn't decode, or something follows it."
            "Copy the file again; if it stays like this, contact the vendor."
        EntryDuplicate "entry-duplicate" Failed
            "two entries have the same name"
            "Loaders differ in which one they take (attack: good one for the verifier, evil one for the engine). So do file systems with names that differ in upper and lower case alone."
            "Stop the deployment and contact the vendor."
        EntryNameUnsafe "entry-name-unsafe" Failed
            "an entry has an unsafe name"
            "Absolute, with `..`, empty parts, a backslash, a character outside printable ASCII, or of a form that some file system changes or gives to another file (a dot or blank at the end, a colon, `NAME~1`): loaders differ in where it ends up."
            "Stop the deployment and contact the vendor."
        EntryTypeRefused "entry-type-refused" Failed
            "an entry has a type that no image writer uses"
            "Hard links, devices, sparse files and unknown types are refused, and a mode that says another type than the type flag (attack: skopeo and podman follow it as a link); symbolic links only where docker save writes them."
            "Stop the deployment and contact the vendor."
        EntryConflict "entry-conflict" Failed
            "a path is used both as a directory and as something else"
            "Loaders differ in what they then write where."
            "Stop the deployment and contact the vendor."
        EntryUnreferenced "entry-unreferenced" Failed
            "a file belongs to no image, and no program that writes images leaves such a file"
            "No manifest and no index names it, and it is not metadata of layers as Docker, podman and others leave it. Nobody signed it, and some loader may find it all the same."
            "Find out who put it there. Save the image again; if the file is there again, contact the vendor."
        JsonMalformed "json-malformed" Failed
            "a JSON document in the archive is not well-formed"
            "Or it has duplicate keys, keys that differ only in case, or trailing data: loaders would read it differently."
            "Stop the deployment and contact the vendor."
        ManifestMissing "manifest-missing" Failed
            "the archive has no manifest.json and no index.json"
            "Only archives with one of them say which image they hold. Archives from before Docker 1.10 are refused."
            "Save the image again with a current engine."
        LayoutInvalid "layout-invalid" Failed
            "the OCI layout is not valid"
            "index.json is there without a proper oci-layout file, so that loaders differ in which of index.json and manifest.json they follow."
            "Stop the deployment and contact the vendor."
        ConfigMissing "config-missing" Failed
            "an image's config is not in the archive"
            "The manifest names a file that is not there."
            "Save the image again."
        LayerMissing "layer-missing" Failed
            "a layer is not in the archive"
            "The manifest names a file that is not there; such an archive loads only where the layer already is."
            "Save the image again, with all its layers."
        LayerCount "layer-count" Failed
            "the number of layers differs from the config's diff_ids"
            "Both lists must have one entry for each layer."
            "Stop the deployment and contact the vendor."
        LayerMismatch "layer-mismatch" Failed
            "a layer is not the one that the config names"
            "The decompressed layer does not hash to its diff_id. The config may be the signed one; the files in the layer are not."
            "Stop the deployment and contact the vendor."
        BlobMismatch "blob-mismatch" Failed
            "a blob is not what its descriptor says"
            "The content's SHA-256 or size is not the one that name or descriptor states."
            "Stop the deployment and contact the vendor."
        BlobMissing "blob-missing" Failed
            "a manifest or index is not in the archive"
            "index.json, or an index of which no platform is there, names content that the archive does not hold."
            "Save the image again."
        DigestUnsupported "digest-unsupported" Failed
            "a digest is not SHA-256 in lower-case hexadecimal"
            "Container engines compute SHA-256 only. A digest of another algorithm or in another spelling would be read differently or not at all."
            "Save the image again with a current engine; if it stays like this, contact the vendor."
        MediaTypeMismatch "media-type-mismatch" Failed
            "a document is not of the kind that it is declared as"
            "For example a manifest declared as an index. The kind is decided from the bytes, and both must agree."
            "Stop the deployment and contact the vendor."
        ContentElsewhere "content-elsewhere" Failed
            "an unsigned document sends engines elsewhere for content that is here"
            "A descriptor has `urls`, or says how to unpack a layer. Some engines ask there instead of taking what lies in the archive and was verified, and no signature covers the document that says so."
            "Save the image again, or have the vendor sign the manifest's digest."
        ImageNotCovered "image-not-covered" Failed
            "an image in the archive is covered by no verified signature"
            "Loading the archive would load this image too."
            "Give the bundle of every image in the archive (--bundle repeats), or save the signed image alone."
    }
    "The transfer directory and its seal" {
        NoTransferKey "no-transfer-key" Usage
            "this is a sealed transfer directory, and no transfer key is known"
            "Files of a seal lie in the directory, so it is judged as a transfer directory. The operator's public transfer key must be known beforehand; one that lies in the directory proves nothing."
            "Name the key with --transfer-key, or the trust policy that lists it with --trust; compare its fingerprint with the sealing side out of band. Only if you know that the directory was never sealed (the files are a vendor's own, say), give --unsealed."
        SealMissing "seal-missing" Failed
            "the seal is not there"
            "A transfer key, a state file or a policy with transfer keys was named, or some file of a seal lies in the directory, so it must be sealed. A file of the seal is absent: it was removed, or the copy is incomplete."
            "Stop the deployment. Copy the transfer again from the sealing side; only if you know that the directory was never sealed, say --unsealed (or --loose, for what lies beside transfer directories in one folder)."
        SealIncomplete "seal-incomplete" Failed
            "sealing was interrupted"
            "A temporary file of a seal lies in the directory, or the seal's last file was never written. Nothing in the directory can be relied on."
            "On the sealing side run the same `sealift seal` command again; it completes the seal. Then copy the directory again."
        SealMalformed "seal-malformed" Failed
            "a file of the seal is not well-formed"
            "manifest.json.sig must hold one line of standard base64 of a DER signature, manifest.json one JSON document of bounded size."
            "Stop the deployment. Copy the transfer again from the sealing side."
        SealInvalid "seal-invalid" Failed
            "the seal does not hold"
            "The signature over manifest.json is not one by any of the transfer keys given: the manifest was changed after it was sealed, or somebody else sealed it."
            "Stop the deployment. Ask the sealing side for the transfer key's fingerprint and the transfer id, and copy the transfer again."
        SealNotCanonical "seal-not-canonical" Failed
            "the forms of the seal differ from one another"
            "manifest.json.sigstore.json must be byte for byte what Sealift writes for the signature in manifest.json.sig, and SHA256SUMS what the manifest implies. Otherwise two programs could check two different seals."
            "Stop the deployment. Copy the transfer again from the sealing side."
        ManifestMalformed "manifest-malformed" Failed
            "the transfer manifest is not well-formed"
            "The manifest is read strictly: known fields only, no duplicates, portable paths, sorted and distinct. bundle-format/ describes it."
            "Stop the deployment. Seal the directory again with an unmodified program."
        ManifestVersionUnknown "manifest-version-unknown" Undecided
            "the transfer manifest is of a version that this program does not know"
            "The seal holds, but the manifest was written by a newer program. Nothing else was judged."
            "Use a newer sealift, checked out of band, or seal again in the older form."
        PathNotPortable "path-not-portable" Failed
            "a name can't be carried on every medium"
            "Names in a transfer directory are printable ASCII without the characters and device names that FAT and NTFS refuse, so that they mean the same file everywhere."
            "Rename the file, and seal again."
        FileMissing "file-missing" Missing
            "a sealed file is not there"
            "The manifest lists the file, and the directory does not have it: it was removed or renamed, or the copy is incomplete."
            "Copy the transfer again from the sealing side."
        FileExtra "file-extra" Extra
            "a file lies there that was never sealed"
            "The manifest does not list the file, so nobody vouches for it."
            "Do not use the file. Find out who put it there; remove it, or copy the transfer again."
        SystemFile "system-file" Extra
            "a file that an operating system wrote"
            "Windows, macOS and Linux desktops write files of their own onto a medium and into folders that they show. By its name this is one of them. Nobody signed or sealed it, and anybody can give a file such a name, so it is not accepted."
            "Remove it, and look into it first if you did not expect it. To keep systems from writing into a transfer, seal a folder below the top of the medium, not the top itself, and name that folder when it is checked. `seal --exclude NAME` leaves such a file out of the seal; it must then be left off the medium too."
        FileMismatch "file-mismatch" Failed
            "a file is not the one that was sealed"
            "Size or SHA-256 differ from the manifest: the file was changed, or the medium or the copy is damaged."
            "Stop the deployment. Copy the transfer again from the sealing side and compare."
        FileTypeRefused "file-type-refused" Failed
            "neither a regular file nor a directory"
            "Links, devices, sockets and pipes have no place in a release: a link can lead anywhere, and elsewhere tomorrow."
            "Replace it by the file itself, or remove it."
        NameCollision "name-collision" Failed
            "two names differ only in case"
            "On FAT, NTFS and other file systems they would be one file, so which of the two is meant depends on where the directory lies."
            "Rename one of the two, and seal again; on the far side remove the one that was not sealed."
        NameMangled "name-mangled" Failed
            "the medium changed a file's name"
            "A sealed file, or a file of the seal itself, is absent, and one lies there whose name is the right one as a file system without long names would cut or change it."
            "Write the medium with long file names (ISO 9660 with Rock Ridge and Joliet: `genisoimage -r -J`; UDF; exFAT or VFAT), or carry the directory in a tar archive. Renaming the files back to the names given helps too; the seal then says whether they are the right ones."
        TransferExpired "transfer-expired" Failed
            "the transfer has expired"
            "The sealing side said until when this transfer may be used, and that time is over."
            "Ask the sealing side for a new transfer. If the clock of this machine is wrong, correct it or give --time."
        CreatedInFuture "created-in-future" Failed
            "the transfer claims to be from the future"
            "Its time of sealing lies more than a day ahead of now: one of the two clocks is wrong, so nothing can be said of freshness."
            "Correct the clock of this machine or give --time; if it is right, ask the sealing side to seal again."
        TransferTooOld "transfer-too-old" Failed
            "the transfer is older than the trust policy allows"
            "The policy's max_age says how old a transfer may be when it is verified."
            "Ask the sealing side for a new transfer."
        SerialRolledBack "serial-rolled-back" Failed
            "an older transfer than the last one accepted"
            "The state file remembers the highest serial of this stream that was accepted. An older, genuine transfer can bring back software that was replaced for a reason."
            "Stop the deployment, and ask the sealing side which transfer is the current one. To check an old transfer knowingly, leave --state out."
        StreamRefused "stream-refused" Failed
            "the transfer is of a stream that is not accepted here"
            "The far side names the streams that it accepts, with --stream or in its trust policy, and this transfer is of another one."
            "Check that the right medium was brought. If a stream goes on under a new name, have it added to the policy, or name it with --stream."
        RequestedMissing "requested-missing" Missing
            "something that was asked for is neither there nor explained"
            "The manifest lists it as requested, and it is not among the artifacts, nor among what was omitted with a reason, nor in the earlier transfer."
            "Ask the sealing side why it is not there, and have it brought."
        SerialReused "serial-reused" Failed
            "another transfer with the serial of one that was accepted"
            "Stream and serial are those of an accepted transfer, and the manifest is not: two transfers claim to be the same one."
            "Stop the deployment, and ask the sealing side which of the two is theirs."
        StateMissing "state-missing" Usage
            "the state file does not exist"
            "The file named with --state remembers which transfers were accepted. If it is lost, rollbacks can't be noticed, so an absent one is an error."
            "Restore the file from a backup, or say --init-state when this is the first transfer on this machine."
        StateMalformed "state-malformed" Usage
            "the state file can't be used"
            "It is not a state file of this program, or was damaged."
            "Restore the file from a backup. Do not begin a new one without knowing what was accepted before."
        Omitted "omitted" Omitted
            "the transfer says that it could not bring this"
            "It was requested on the connected side, and could not be had or did not verify. The manifest says so instead of being silent."
            "Ask the sealing side for it; the reason is in the manifest."
        BaseNotGiven "base-not-given" Undecided
            "the transfer builds on an earlier one that was not given"
            "A differential transfer leaves out what an earlier one carried. Without that one it can't be said whether everything is there."
            "Name the earlier transfer with --base DIR."
        BaseMismatch "base-mismatch" Failed
            "the earlier transfer is not the one that this one builds on"
            "The manifest names the transfer that it builds on by the digest of its manifest."
            "Name the transfer with the id that the message gives."
        TransferNotVerified "transfer-not-verified" Failed
            "not everything in the transfer directory is as it was sealed and signed"
            "The seal holds, but files or artifacts failed, are missing, or were never sealed. Each has a line of its own."
            "Stop the deployment. See the lines of the single files and artifacts."
        TransferUndecided "transfer-undecided" Undecided
            "not everything in the transfer directory could be decided"
            "The seal holds and nothing failed, but something is unsigned, omitted, or could not be judged. Each has a line of its own."
            "See the lines of the single files and artifacts."
        ClaimMismatch "claim-mismatch" Failed
            "the manifest says something else of an artifact than was found"
            "The key that verified, or the kind of digest that is signed, is not the one that was recorded when the transfer was sealed."
            "Stop the deployment, and ask the sealing side to seal again."
        KeyNotNamed "key-not-named" Usage
            "a vendor key that the operator has not named"
            "A key that lies in the folder, or that a vendor's file names, is only a claim. What is sealed is believed on the far side, so the operator must say which vendor keys to believe."
            "Compare the fingerprint with the vendor over another channel; then give --pin-key FINGERPRINT or --vendor-key FILE, or list the key in the trust policy. --trust-on-first-use accepts it unseen, and says so for ever."
        PairingAmbiguous "pairing-ambiguous" Failed
            "two bundles could belong to one artifact"
            "At the first step of the pairing rules that finds anything, more than one file fits, and guessing is not verifying."
            "Leave the one bundle that belongs to the artifact in the folder, or name it like the artifact."
        MaterialUnpaired "material-unpaired" Failed
            "a bundle that belongs to no artifact in the folder"
            "The artifact that it signs may have been forgotten, renamed or removed."
            "Add the artifact, or take the bundle out of the folder."
        MaterialUnknownMember "material-unknown-member" Failed
            "a file that is a bundle, trusted root or key name, and more than that"
            "What lies in a folder counts as a bundle, a Sigstore trusted root or a vendor's key name only with exactly the members of its format. This one has another member, so it may be a document of some other program too (package.json, a compose file), which nobody signed."
            "Do not use the file. Take it out of the folder, or replace it by the vendor's own. A trusted root that is newer than this program is named with --trusted-root, and lies elsewhere."
        BundleShared "bundle-shared" Failed
            "one bundle was paired with artifacts that differ"
            "A bundle signs one artifact. Of several that differ only the one that it signs is OK; equal copies may share it."
            "Give each artifact its own bundle: fetch the missing one from the vendor."
        MapMalformed "map-malformed" Usage
            "the pairing map can't be read"
            "Each line of the file given with --map is an artifact, a tab and one of its bundles, both as paths below the folder. A name that is not in the folder, or a line that is not of this form, is refused."
            "Correct the line that the message names; docs/batch.md describes the file."
        NotCovered "not-covered" Failed
            "no vendor's signature and no seal covers the file"
            "With --require-coverage every file in the folder must be covered by a verified signature, by a seal, or be material: a bundle, a key or a trusted root."
            "Take the file out of the release, or have it signed."
    }
    "The trust policy" {
        PolicyMalformed "policy-malformed" Usage
            "the trust policy can't be read"
            "It has a syntax error, an unknown field, an impossible value, or names a key that can't be read. docs/trust-policy.md describes it."
            "Correct the file; `sealift policy check FILE` says in words what it means."
        PolicyForbids "policy-forbids" Usage
            "an option would allow what the trust policy does not"
            "Options can narrow the policy, never widen it."
            "Leave the option out, or have the policy changed by whoever is responsible for it."
        KeyNotTrusted "key-not-trusted" Failed
            "signed by a key that the trust policy does not list"
            "The policy lists this vendor's keys, and the signature is by none of them."
            "Stop the deployment and contact the vendor; if the vendor has a new key, have it added to the policy."
        KeyRetired "key-retired" Failed
            "signed by a retired key, and not provenly before it was retired"
            "A retired key counts only for signatures that a log entry or timestamp proves to be earlier than retired_at. A seal proves no time, so from then on a retired transfer key counts only for a transfer that the state file remembers."
            "Ask the vendor for a signature by the current key."
        KeyRevoked "key-revoked" Failed
            "signed by a revoked key"
            "The policy says that the key must not be believed: at all, or from compromised_at on."
            "Stop the deployment and contact the vendor."
        KeyNotValid "key-not-valid" Failed
            "signed outside the time for which the key is valid"
            "The policy gives the key a validity window, and the proven time of the signature lies outside. For a transfer key it is the present or the time of sealing that lies outside."
            "Ask the vendor for a signature by the key that was valid then."
        TimeNotProven "time-not-proven" Failed
            "when the signature was made is not proven"
            "The policy judges this key by time, and no verified log entry or timestamp says when the signature was made."
            "Ask the vendor for a bundle with a log entry or a timestamp."
        NameNotAllowed "name-not-allowed" Failed
            "the policy does not allow the key for an artifact of this name"
            "The key is listed for artifacts whose names match certain patterns, and this name does not."
            "Check whether this artifact should be here; else have the pattern added to the policy."
        DigestKindRefused "digest-kind-refused" Failed
            "the policy does not accept the kind of digest that is signed"
            "The signature covers, for example, an index digest where the policy asks for the config digest."
            "Ask the vendor to sign the kind of digest that the policy names, or have the policy changed."
    }
    "Private keys and writing" {
        PrivateKeyMalformed "private-key-malformed" Usage
            "the private key file can't be read"
            "It must hold one PEM block: ENCRYPTED SIGSTORE PRIVATE KEY, ENCRYPTED COSIGN PRIVATE KEY, or an unencrypted PRIVATE KEY (PKCS#8)."
            "Give the operator's own private key, as `sealift keygen` or `cosign generate-key-pair` wrote it."
        PrivateKeyUnsupported "private-key-unsupported" Usage
            "the private key's type is not supported"
            "Seals are made with ECDSA P-256. The key is of another type, or encrypted with parameters outside those that cosign uses."
            "Make a pair with `sealift keygen`."
        PasswordWrong "password-wrong" Usage
            "the password does not open the private key"
            "Or the key file was damaged: the two can't be told apart."
            "Give the right password at the prompt, in SEALIFT_PASSWORD or COSIGN_PASSWORD, or with --password-file."
        PasswordMissing "password-missing" Usage
            "there is no password for the private key"
            "Standard input is not a terminal, so none can be asked for."
            "Set SEALIFT_PASSWORD or COSIGN_PASSWORD, or give --password-file."
        OutputExists "output-exists" Usage
            "a file that would be written exists already"
            "Keys are never overwritten, and sealing overwrites nothing that sealing did not write."
            "Move the file that is there: before sealing, a file of your own with a name of the seal's into a subdirectory, where the name is free. For a key, rename it, or choose another --output-key-prefix."
        WriteFailed "write-failed" Undecided
            "a file could not be written"
            "The operating system refused: no space, no permission, a read-only medium."
            "Make room or correct the permissions, and run the same command again."
    }
    "Fetching (`sealift mirror`)" {
        NetworkFailed "network-failed" Network
            "the network failed"
            "No connection, no TLS session, or a transfer that broke off or stood still, also when it was tried again. What arrived is kept and continued."
            "Check the network, HTTPS_PROXY and --ca-file, and run the same command again: it continues where it stopped."
        HttpRefused "http-refused" Network
            "a server refuses"
            "The server answered with a status that means no: not found, not allowed, or an error that lasted through all attempts."
            "Check the name or URL and the credentials, or try later, and run the same command again."
        ResponseInvalid "response-invalid" Network
            "a server's answer contradicts itself"
            "The length, the range or a redirect is not what HTTP allows or what was asked for, or a web page came in place of a file: a proxy or login page. Nothing of it is used."
            "Run the same command again; if it stays so, a proxy or the server is at fault: tell whoever runs it. For a login page: log in, or check the URL and the proxy."
        ResponseTooLarge "response-too-large" Network
            "an answer is larger than it may be"
            "Bundles, keys, tokens and manifests are small; a larger answer is not read to its end. Nor is a file of which the server says that it is larger than the free space."
            "Check the URL; a page of a proxy or a login is often sent in place of the file. If the file is that large, use a larger medium."
        HostNotAllowed "host-not-allowed" Usage
            "a URL leads to a host or scheme that is not allowed"
            "Labels, JSON files and redirects are the vendor's text and untrusted: only the hosts of the vendor profile, and the host that you named yourself, are asked, and only over TLS. A registry's credentials go to no other host than its own unless you allow that."
            "If the host is the vendor's, or the registry's token service, name it in the vendor profile (`hosts`) or with --allow-host; for plain HTTP on a network that you trust say --allow-http."
        ReferenceInvalid "reference-invalid" Usage
            "an image reference or package name can't be used"
            "The text is no image reference, no URL, or no name from which a file name can be made."
            "Write HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, or for a package its URL."
        ReleaseMalformed "release-malformed" Usage
            "the release file can't be used"
            "Not TOML, an unknown or missing field, or a value that makes no sense. Nothing was fetched."
            "Correct the file; `sealift mirror --init` prints one with every field explained."
        CredentialsFailed "credentials-failed" Usage
            "the registry's credentials can't be used"
            "The registry wants credentials, and the Docker config file is malformed or a credential helper failed; or a token would be asked for in a way that gives the password away."
            "Run `docker login` for this registry again, or name another config directory in DOCKER_CONFIG."
        EngineFailed "engine-failed" Network
            "the container engine could not bring the image"
            "`docker` or `podman` is not installed, does not run, or failed; its own words are in the message."
            "Make the engine's own pull work, or use --engine registry, which needs no engine."
        SourceDisagrees "source-disagrees" Failed
            "an image is not what its source said"
            "The digest that the registry or the engine stated is not that of the bytes which arrived."
            "Do not carry it. Run the same command again; if it stays so, the registry, the engine or the way to it changes images."
        NoSpace "no-space" Usage
            "there is not enough space"
            "The disk is full, or what lies on this machine and is to be copied is larger than what is free. What arrived is kept."
            "Make room or use a larger medium, and run the same command again: it continues where it stopped. Or ask for less, or leave out with --base what an earlier transfer carried."
        FileTooLarge "file-too-large" Usage
            "a file is too large for the medium"
            "FAT holds no file of 4 GiB or more. Nothing of it was fetched."
            "Format the medium with exFAT, NTFS or ext4, or mirror to a disk and burn the result."
        NotBrought "not-brought" Undecided
            "it was not brought, because of others"
            "Another artifact failed, and --fail-fast stops at the first; or nothing at all could be brought, and an empty transfer is not sealed."
            "See the lines of the others, each says why and what to do; then run the same command again."
        PartlyFetched "partly-fetched" Network
            "not sealed, because something is half-way here"
            "What arrived of it is kept in the directory and would be EXTRA under a seal."
            "Run the same command again: it continues where it stopped. To give up on it and seal the rest, add --omit-partial."
    }
}
