//! Every bound on untrusted input, in one place.
//!
//! Each limit is far above what real tools write and low enough that hostile input can neither
//! exhaust memory nor hide behind a size that other readers would refuse.

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
/// Values (objects, arrays, strings, numbers, …) in one JSON document.
pub const JSON_VALUES: usize = 200_000;
/// One JSON document inside an image archive (manifest, index, config): 8 MiB.
pub const ARCHIVE_JSON_BYTES: u64 = 8 << 20;
/// All JSON documents kept while one archive is read: 24 MiB.
pub const ARCHIVE_JSON_TOTAL_BYTES: u64 = 24 << 20;
/// Entries in one tar archive.
pub const ARCHIVE_ENTRIES: usize = 1_000_000;
/// A PAX or GNU long-name record (Go's `maxSpecialFileSize`): 1 MiB.
pub const TAR_SPECIAL_BYTES: u64 = 1 << 20;
/// A name inside an archive, in bytes.
pub const ARCHIVE_NAME_BYTES: usize = 4096;
/// Decompressed bytes of one archive, all members together: 1 TiB.
pub const INFLATED_TOTAL_BYTES: u64 = 1 << 40;
/// Images in one archive.
pub const ARCHIVE_IMAGES: usize = 10_000;
/// A message held in memory because its signature scheme needs it whole (Ed25519): 64 MiB.
pub const WHOLE_MESSAGE_BYTES: u64 = 64 << 20;
/// `--bundle` options for one file.
pub const BUNDLES: usize = 1_000;
/// A regular expression for an identity or issuer, in bytes.
pub const PATTERN_BYTES: usize = 4096;
/// Digests of one archive that a bundle which states none is tried on.
pub const CANDIDATE_TRIES: usize = 1_000;
/// Digests and images that the diagnosis of a refusal looks at.
pub const DIAGNOSIS_TRIES: usize = 16;
