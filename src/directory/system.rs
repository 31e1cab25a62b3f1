//! Files that operating systems write onto media and into folders that they show, known by name.
//!
//! Most likely they are no attack. But anybody can give a file such a name, so they are never accepted;
//! they only get a message of their own.

use crate::verdict::{Code, Fault};

const WINDOWS: &str = "Windows writes it onto a medium that it is plugged into";
const EXPLORER: &str = "Windows' Explorer writes it into folders that it shows";
const MACOS: &str = "macOS writes it onto media and into folders that it shows";
const LINUX: &str = "Linux desktops and file systems write it onto a medium";

/// Names of files and directories, in lower case, and who writes them.
const NAMES: &[(&str, &str)] = &[
    ("system volume information", WINDOWS),
    ("$recycle.bin", WINDOWS),
    ("recycler", WINDOWS),
    ("thumbs.db", EXPLORER),
    ("ehthumbs.db", EXPLORER),
    ("desktop.ini", EXPLORER),
    (".ds_store", MACOS),
    (".localized", MACOS),
    (".apdisk", MACOS),
    (".volumeicon.icns", MACOS),
    (".trashes", MACOS),
    (".spotlight-v100", MACOS),
    (".fseventsd", MACOS),
    (".temporaryitems", MACOS),
    (".documentrevisions-v100", MACOS),
    (".com.apple.timemachine.donotpresent", MACOS),
    ("__macosx", MACOS),
    ("lost+found", LINUX),
    (".directory", LINUX),
];

/// Which system writes a file of this path, by its name or that of a directory above it.
#[must_use]
pub fn system_file(path: &str) -> Option<&'static str> {
    path.split('/').find_map(part)
}

fn part(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if let Some((_, who)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(who);
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if name.starts_with("._") && name.len() > 2 {
        // AppleDouble: what a file system without room for it can't hold of a file `name`.
        Some(MACOS)
    } else if name.strip_prefix("found.").is_some_and(|number| number.len() == 3 && digits(number))
    {
        Some(WINDOWS)
    } else {
        let trash = name == ".trash" || name.strip_prefix(".trash-").is_some_and(digits);
        // What a file system keeps of a file that was removed while it was open.
        let removed = name.starts_with(".fuse_hidden") || name.starts_with(".nfs0");
        (trash || removed).then_some(LINUX)
    }
}

/// The refusal of a system's own file; none for any other.
#[must_use]
pub fn system_fault(path: &str) -> Option<Fault> {
    system_file(path).map(|who| Fault::new(Code::SystemFile, format!("{who}; nobody signed it")))
}

/// The refusal of a directory that can't be listed; a system's own directory gets its own message.
pub(super) fn of_system(name: &str, fault: Fault) -> Fault {
    match system_file(name) {
        Some(who) => {
            let message = format!("{who}; nobody signed it, and it can't be listed");
            Fault::new(Code::SystemFile, message)
        }
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_files_are_known_in_any_case_and_at_any_depth() {
        for name in [
            "System Volume Information/WPSettings.dat",
            "SYSTEM VOLUME INFORMATION/x",
            "a/$RECYCLE.BIN/S-1-5/x",
            "a/b/.DS_Store",
            "._hello.tar",
            ".Trashes/501/x",
            ".Trash-1000/info/x",
            ".Spotlight-V100/Store-V2/x",
            ".fseventsd/0000",
            "x/Thumbs.db",
            "desktop.ini",
            "lost+found/#12",
            "FOUND.000/FILE0000.CHK",
        ] {
            assert!(system_file(name).is_some(), "{name}");
        }
        for name in
            ["hello.tar", "_x", "._", "found.tar", "FOUND.0000", ".Trash-", "thumbs.db.tar", "lost"]
        {
            assert!(system_file(name).is_none(), "{name}");
        }
    }
}
