//! Every bound on untrusted input, in one place.
//!
//! Each limit is far above what real tools write and low enough that hostile input can neither
//! exhaust memory nor hide behind a size that other readers would refuse.

use std::time::Duration;

/// A signature bundle, old or new: 1 MiB. Real ones are 1 to 20 KiB.
pub const BUNDLE_BYTES: u64 = 1 << 20;
/// A public key file: 64 KiB.
pub const KEY_BYTES: u64 = 64 << 10;
/// A trusted root file: 4 MiB.
pub const TRUSTED_ROOT_BYTES: u64 = 4 << 20;
/// A vendor profile: 256 KiB.
pub const PROFILE_BYTES: u64 = 256 << 10;
/// Log entries in one bundle (as in sigstore-go's `internal/limits`).
pub const LOG_ENTRIES: usize = 32;
/// RFC 3161 timestamps in one bundle (as in sigstore-go's `internal/limits`).
pub const TIMESTAMPS: usize = 32;
/// Nesting depth of any JSON document.
pub const JSON_DEPTH: usize = 64;
/// Values (objects, arrays, strings, numbers, …) in one JSON document; an object counts as
/// [`JSON_OBJECT_COST`] values, so that the tree in memory stays below 32 MiB.
pub const JSON_VALUES: usize = 200_000;
/// What an object counts as in [`JSON_VALUES`]: even one with a single key has room for eleven.
pub const JSON_OBJECT_COST: usize = 8;
/// One JSON document inside an image archive (manifest, index, config): 4 MiB. Real ones are below
/// 1 MiB; containerd stops at 20 MiB.
pub const ARCHIVE_JSON_BYTES: u64 = 4 << 20;
/// The metadata of a layer that old writers leave ("v1 JSON"): 1 MiB.
pub const V1_JSON_BYTES: u64 = 1 << 20;
/// All JSON documents kept while one archive is read: 16 MiB.
pub const ARCHIVE_JSON_TOTAL_BYTES: u64 = 16 << 20;
/// Entries in one tar archive.
pub const ARCHIVE_ENTRIES: usize = 1_000_000;
/// The size from which a member of an archive is a segment of its own: 256 KiB, so that hashing it takes
/// longer than handing it to another thread.
pub const SEGMENT_BYTES: u64 = 256 << 10;
/// A PAX or GNU long-name record (Go's `maxSpecialFileSize`): 1 MiB.
pub const TAR_SPECIAL_BYTES: u64 = 1 << 20;
/// A name or link target inside an archive, in bytes. Real ones are below 100.
pub const ARCHIVE_NAME_BYTES: usize = 256;
/// The names of all entries of an archive together: 16 MiB, some hundred thousand real ones.
pub const ARCHIVE_NAMES_BYTES: usize = 16 << 20;
/// A name or tag of an image, in bytes: 4 KiB. Registries allow some hundred.
pub const IMAGE_NAME_BYTES: usize = 4 << 10;
/// The names and tags of all images in one archive, in bytes: 4 MiB.
pub const ARCHIVE_IMAGE_NAMES_BYTES: usize = 4 << 20;
/// The beginning of a name from an archive that a message shows, in characters.
pub const SHOWN_NAME_CHARS: usize = 200;
/// Labels of all images in one archive.
pub const ARCHIVE_LABELS: usize = 50_000;
/// Descriptors followed in one archive, each counted once for every path to it.
pub const ARCHIVE_DESCRIPTORS: usize = 200_000;
/// Image indexes between `index.json` and an image manifest.
pub const INDEX_LEVELS: usize = 2;
/// The window of a zstd frame, or the dictionary of an xz block, that every stream may have: 8 MiB. zstd up
/// to `-19`, xz by default, and all container engines by default ask for no more.
pub const WINDOW_BYTES: u64 = 8 << 20;
/// The largest window or dictionary, which one stream has at a time: 32 MiB, as much as the highest levels of
/// BuildKit, podman and skopeo ask for, and `xz -8`. With it and a small one, two threads stay below 64 MiB.
/// A stream that asks for more gets this: `xz -9`, `zstd --long` and `zstd --ultra -22` reach further back
/// only in larger data.
pub const LARGE_WINDOW_BYTES: u64 = 32 << 20;
/// The most that a zstd frame may ask for: as in `zstd --ultra --long=27`, the most it decodes unasked,
/// 128 MiB.
pub const ZSTD_WINDOW_BYTES: u64 = 128 << 20;
/// The most that an xz block may ask for (as in `xz -9`): 64 MiB.
pub const XZ_DICTIONARY_BYTES: u32 = 64 << 20;
/// Decompressed bytes for each compressed one, beyond [`INFLATED_FREE_BYTES`]. gzip can't exceed 1,032, so
/// no gzip is refused, not even of zeros; xz reaches 7,000, zstd 30,000 and bzip2 a million, but only with
/// gigabytes of zeros and next to nothing else.
pub const INFLATED_RATIO: u64 = 1_100;
/// Decompressed bytes of one archive to which the ratio does not apply: 1 GiB, some seconds of work.
pub const INFLATED_FREE_BYTES: u64 = 1 << 30;
/// Decompressed bytes of one archive, all members together: 1 TiB.
pub const INFLATED_TOTAL_BYTES: u64 = 1 << 40;
/// Images in one archive.
pub const ARCHIVE_IMAGES: usize = 10_000;
/// A message held in memory because its signature scheme (Ed25519) needs all of it: 64 MiB.
pub const WHOLE_MESSAGE_BYTES: u64 = 64 << 20;
/// Bundles for one file, named by `--bundle` or by the labels in an archive.
pub const BUNDLES: usize = 1_000;
/// All bundles for one file together: 16 MiB.
pub const BUNDLES_TOTAL_BYTES: u64 = 16 << 20;
/// A regular expression for an identity or issuer, in bytes.
pub const PATTERN_BYTES: usize = 4096;
/// Likely causes of one refusal.
pub const CAUSES: usize = 4;
/// What the first look at a folder keeps of small archives: 16 MiB. The rest is read again.
pub const SEEN_BYTES: usize = 16 << 20;
/// The beginning of a file that shows what it is if not an image archive: 33 KiB, which includes the mark of
/// an ISO 9660 image.
pub const GUISE_BYTES: u64 = 33 << 10;
/// The beginning of a file that the diagnosis looks at for the text of a digest: 512 bytes.
pub const DIAGNOSIS_BYTES: usize = 512;
/// Signatures that are tried to find out what the bundles of one artifact are about: some seconds of work.
pub const SELECTION_TRIES: usize = 20_000;
/// Digests, images and bundles that the diagnosis of a refusal looks at.
pub const DIAGNOSIS_TRIES: usize = 16;
/// The manifest of a transfer directory: 128 MiB, some hundred thousand files.
pub const MANIFEST_BYTES: u64 = 128 << 20;
/// A manifest that the sealing key did not sign, read only for its serial: 16 MiB.
pub const FOREIGN_MANIFEST_BYTES: u64 = 16 << 20;
/// A file of the seal other than the manifest: its signature in either form.
pub const SEAL_BYTES: u64 = 16 << 10;
/// The state file of the far side: 1 MiB.
pub const STATE_BYTES: u64 = 1 << 20;
/// A trust policy: 1 MiB.
pub const POLICY_BYTES: u64 = 1 << 20;
/// A password file: 4 KiB.
pub const PASSWORD_BYTES: u64 = 4 << 10;
/// Entries (files and directories) below one directory.
pub const FOLDER_ENTRIES: usize = 1_000_000;
/// A path in a transfer directory, in bytes.
pub const PORTABLE_PATH_BYTES: usize = 1024;
/// One part of a path in a transfer directory, in bytes: as much as common file systems take.
pub const PORTABLE_PART_BYTES: usize = 255;
/// The paths of all entries below one directory together: 128 MiB.
pub const FOLDER_NAMES_BYTES: usize = 128 << 20;
/// Directories below one another.
pub const FOLDER_DEPTH: usize = 128;
/// A name or another line of text in a manifest, in bytes.
pub const MANIFEST_TEXT_BYTES: usize = 4096;
/// The free text of a manifest, in bytes.
pub const MANIFEST_NOTES_BYTES: usize = 64 << 10;
/// Comparisons of missing with unexpected files, to find names that a medium cut.
pub const MANGLED_TRIES: usize = 1_000_000;
/// Files that a report names because only the seal covers them; further ones are counted.
pub const NOTED_FILES: usize = 20;
/// What `docker image inspect` and the like print: 4 MiB.
pub const ENGINE_OUTPUT_BYTES: u64 = 4 << 20;
/// An engine's error output, as far as it is shown: 64 KiB.
pub const ENGINE_WORDS_BYTES: u64 = 64 << 10;
/// A buffer for reading, hashing and copying: 256 KiB, large enough for few system calls and small enough
/// for the processor's cache.
pub const COPY_BYTES: usize = 256 << 10;
/// A release file: 1 MiB.
pub const RELEASE_BYTES: u64 = 1 << 20;
/// Images and packages in one `mirror` request.
pub const REQUESTED: usize = 10_000;
/// The log of fetches in a transfer directory: 64 MiB.
pub const FETCH_LOG_BYTES: u64 = 64 << 20;
/// Parts that a folder is split into for several machines.
pub const SHARDS: u32 = 10_000;
/// A pairing map: 64 MiB.
pub const MAP_BYTES: u64 = 64 << 20;
/// A report that is read again: 1 GiB, some hundred thousand artifacts.
pub const REPORT_BYTES: u64 = 1 << 30;
/// A program to add in `tools/`: 256 MiB.
pub const TOOL_BYTES: u64 = 256 << 20;
/// Certificate authorities in one file: 4 MiB.
pub const CA_BYTES: u64 = 4 << 20;
/// Redirects that one request follows.
pub const REDIRECTS: usize = 5;
/// The longest wait that a server may ask for (`Retry-After`): two minutes.
pub const RETRY_AFTER: Duration = Duration::from_secs(120);
/// The longest pause before a retry that the server did not ask for.
pub const RETRY_PAUSE: Duration = Duration::from_secs(30);
/// An `ETag` or `Last-Modified` that is remembered: 1 KiB. Real ones are below 100 bytes.
pub const VALIDATOR_BYTES: usize = 1 << 10;
/// The record next to a partly fetched file: 64 KiB.
pub const RESUME_BYTES: u64 = 64 << 10;
/// What is read of an error answer, to find its message: 64 KiB.
pub const REFUSAL_BYTES: usize = 64 << 10;
/// What must arrive of a large file in the time that a server may send nothing: 64 KiB. Less counts as
/// a stalled connection.
pub const PACE_BYTES: u64 = 64 << 10;
/// A registry's answer with a token in it: 64 KiB.
pub const TOKEN_BYTES: u64 = 64 << 10;
/// Different images fetched from one index.
pub const REGISTRY_IMAGES: usize = 1_000;
/// Docker's `config.json`: 1 MiB.
pub const DOCKER_CONFIG_BYTES: u64 = 1 << 20;
/// What a credential helper prints: 64 KiB.
pub const HELPER_BYTES: u64 = 64 << 10;
/// How long a credential helper may take.
pub const HELPER_TIME: Duration = Duration::from_secs(30);
