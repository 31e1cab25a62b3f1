//! Keeps the files that a run judges by apart from what it judges, and its outputs apart from both.
//!
//! A key, a policy or a state file on the medium was put there by whoever wrote the medium, who must not
//! choose the rules. A report that replaces a policy, or that is written into a directory that is checked,
//! spoils the next run. Files are compared by identity, not by the spelling of their paths.
//!
//! Contents are not compared here: a copy of a key from the medium can't be distinguished from the key.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::files;
use crate::verdict::{Code, Fault};

/// How many links are followed on the way to a file, as on Linux.
const LINKS: usize = 40;

/// A file or directory that the operator named, and how: an option, or `the policy`.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) role: String,
    pub(super) path: PathBuf,
    /// The run reads it and also writes it again.
    pub(super) rewritten: bool,
}

impl Named {
    pub(super) fn new(role: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { role: role.into(), path: path.into(), rewritten: false }
    }

    /// Those of one role.
    pub(super) fn all<'p>(
        role: &'static str,
        paths: impl IntoIterator<Item = &'p PathBuf>,
    ) -> impl Iterator<Item = Self> {
        paths.into_iter().map(move |path| Self::new(role, path))
    }

    /// A file that the run also writes.
    pub(super) fn rewritten(self) -> Self {
        Self { rewritten: true, ..self }
    }

    fn refuse(&self, message: &str) -> Fault {
        Fault::new(Code::Usage, format!("{} {message}", self.role)).at(files::show(&self.path))
    }
}

/// Refuses files that a run judges by and that are inside what it judges, or are the judged file itself.
///
/// A directory is judged with everything in it; a link that leads into it, a second name (hard link) of a
/// file in it and a second mount of a part of it are found. When a single file is judged, only that file
/// counts: the files next to it are the operator's own affair.
///
/// # Errors
/// [`Code::Usage`].
pub(super) fn from_judged(by: &[Named], judged: &[PathBuf]) -> Result<(), Fault> {
    for path in judged.iter().filter(|path| path.as_os_str() != "-") {
        let Some(target) = identity(path) else { continue };
        let (shown, directory) = (files::show(path), path.is_dir());
        for named in by {
            let hit = if directory {
                leads_into(&named.path, &target)
            } else {
                identity(&named.path).is_some_and(|found| found == target)
            };
            if hit {
                return Err(inside(named, &shown, directory));
            }
        }
        if directory && let Some(named) = second_name(by, path) {
            return Err(inside(named, &shown, true));
        }
    }
    Ok(())
}

fn inside(named: &Named, judged: &str, directory: bool) -> Fault {
    let message = if directory {
        format!(
            "is inside {judged}, which is being checked: its author could choose the rules; take it from \
             another source, and keep it elsewhere"
        )
    } else {
        format!("is {judged} itself, which is judged by it")
    };
    named.refuse(&message)
}

/// Refuses files that a run would write in the place of what it reads, in a directory that it checks, or
/// over each other.
///
/// # Errors
/// [`Code::Usage`].
pub(super) fn outputs(written: &[Named], read: &[Named], judged: &[PathBuf]) -> Result<(), Fault> {
    for (number, named) in written.iter().enumerate() {
        for path in judged.iter().filter(|path| path.as_os_str() != "-") {
            let Some(target) = identity(path) else { continue };
            if path.is_dir() && leads_into(&named.path, &target) {
                let shown = files::show(path);
                let message =
                    format!("is inside {shown}, which is being checked; keep it elsewhere");
                return Err(named.refuse(&message));
            }
            if place(&named.path) == place(path) {
                return Err(named.refuse("would take the place of what is checked"));
            }
        }
        if let Some(path) = hidden(named, judged) {
            let message = format!(
                "is inside {}, which is being checked, through another mount or name; keep it elsewhere",
                files::show(path)
            );
            return Err(named.refuse(&message));
        }
        let others = read.iter().chain(written.iter().take(number));
        let taken = place(&named.path);
        if let Some(other) = others.into_iter().find(|other| place(&other.path) == taken) {
            let message =
                format!("would take the place of {} {}", other.role, files::show(&other.path));
            return Err(named.refuse(&message));
        }
    }
    Ok(())
}

/// Where a file is, or would be: the file's identity, or else the directory that would hold it and its name there,
/// ignoring letter case, since the medium may not distinguish it.
#[derive(Debug, PartialEq, Eq)]
enum Location {
    Existing(Identity),
    New(Option<Identity>, Option<OsString>),
}

fn place(path: &Path) -> Location {
    match identity(path) {
        Some(identity) => Location::Existing(identity),
        None => {
            let parent = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            Location::New(identity(parent), path.file_name().map(|name| name.to_ascii_lowercase()))
        }
    }
}

/// Whether resolving a path passes through a name in a directory, or ends at the directory. Each part is
/// looked at, since whoever wrote the directory chose where a link in it leads.
fn leads_into(path: &Path, directory: &Identity) -> bool {
    let Ok(start) = std::env::current_dir() else { return false };
    // With each directory on the way, whether it is the one in question or is inside it.
    let mut way: Vec<(PathBuf, bool)> = Vec::new();
    let mut parts: VecDeque<PathBuf> = parts(&start.join(path));
    let mut links = 0;
    while let Some(part) = parts.pop_front() {
        let (here, within) = match way.last() {
            Some((here, within)) => (here.clone(), *within),
            None => (PathBuf::new(), false),
        };
        match part.components().next() {
            Some(Component::ParentDir) => {
                // Above the root is the root.
                if way.len() > 1 {
                    way.pop();
                }
            }
            Some(Component::CurDir) | None => {}
            Some(Component::Prefix(_) | Component::RootDir) => {
                if matches!(part.components().next(), Some(Component::Prefix(_))) {
                    way.clear();
                }
                let next = if way.is_empty() { part } else { here.join(&part) };
                let is = identity(&next).is_some_and(|found| found == *directory);
                way = vec![(next, is)];
            }
            Some(Component::Normal(_)) => {
                if within {
                    return true;
                }
                let next = here.join(&part);
                if let Ok(target) = fs::read_link(&next) {
                    links = usize::saturating_add(links, 1);
                    if links > LINKS {
                        return false;
                    }
                    for part in self::parts(&target).into_iter().rev() {
                        parts.push_front(part);
                    }
                    continue;
                }
                let Some(found) = identity(&next) else { return false };
                way.push((next, found == *directory));
            }
        }
    }
    way.last().is_some_and(|(_, within)| *within)
}

fn parts(path: &Path) -> VecDeque<PathBuf> {
    path.components().map(|part| PathBuf::from(part.as_os_str())).collect()
}

/// The directory that is checked and that contains a file to be written under another path, if there is one:
/// the file has a second name there, or the directory that is to hold it has one.
fn hidden<'p>(named: &Named, judged: &'p [PathBuf]) -> Option<&'p PathBuf> {
    let parent = match named.path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // A link leads to where the file is written.
    let target = named.path.canonicalize().ok();
    let above = target.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let places: Vec<Named> = [Some(named.path.clone()), Some(parent.to_path_buf()), above]
        .into_iter()
        .flatten()
        .map(|path| Named::new(named.role.clone(), path))
        .collect();
    judged
        .iter()
        .filter(|path| path.as_os_str() != "-" && path.is_dir())
        .find(|path| second_name(&places, path).is_some())
}

/// The first of the named files and directories that has a second name in a directory: by a hard link, or by a mount of a
/// part of the file system. The directory is walked only where there can be one.
fn second_name<'n>(by: &'n [Named], directory: &Path) -> Option<&'n Named> {
    let files: Vec<(&Named, Identity)> = by
        .iter()
        .filter(|named| named.path.is_file() || named.path.is_dir())
        .filter_map(|named| Some((named, identity(&named.path)?)))
        .collect();
    let mounts = partial_mounts();
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let root = real(directory);
    let can_be = mounts.iter().any(|mount| mount.starts_with(&root))
        || files.iter().any(|(named, _)| {
            (named.path.is_file() && has_links(&named.path)) || {
                let path = real(&named.path);
                mounts.iter().any(|mount| path.starts_with(mount))
            }
        });
    if !can_be {
        return None;
    }
    WalkDir::new(&root).into_iter().filter_map(Result::ok).find_map(|entry| {
        if !entry.file_type().is_file() && !entry.file_type().is_dir() {
            return None;
        }
        let there = identity(entry.path())?;
        files.iter().find(|(_, identity)| *identity == there).map(|(named, _)| *named)
    })
}

/// Where parts of file systems are mounted, so that one file can have two paths without a link. All mount
/// points below the root count that are not a whole file system's.
#[cfg(target_os = "linux")]
fn partial_mounts() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    partial_mounts_of(&text)
}

/// The same, of the text in `proc_pid_mountinfo(5)`: the fourth field is the root within the file system,
/// the fifth the mount point.
#[cfg(target_os = "linux")]
fn partial_mounts_of(text: &str) -> Vec<PathBuf> {
    let mount = |line: &str| {
        let mut fields = line.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        (root != "/").then(|| PathBuf::from(unescaped(point)))
    };
    text.lines().filter_map(mount).collect()
}

/// A path as the kernel writes it there: blanks and backslashes as three octal digits.
#[cfg(target_os = "linux")]
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

/// Elsewhere it is not known.
#[cfg(not(target_os = "linux"))]
fn partial_mounts() -> Vec<PathBuf> {
    Vec::new()
}

/// Which file or directory it is, on this machine.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(unix)]
fn has_links(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.nlink() > 1)
}

#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    path.canonicalize().ok()
}

#[cfg(not(unix))]
fn has_links(_: &Path) -> bool {
    false
}
