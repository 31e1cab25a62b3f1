//! Detects media that should be read by one thread at a time: rotating and optical disks.

use std::fs;
use std::path::Path;

/// The kind of the medium that holds a path, if several readers would make it seek back and forth.
#[cfg(target_os = "linux")]
pub(super) fn seeks(path: &Path) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt as _;

    let device = fs::metadata(path).ok()?.dev();
    // As the kernel packs them (`makedev(3)`).
    let major = ((device >> 32) & 0xffff_f000) | ((device >> 8) & 0xfff);
    let minor = ((device >> 12) & 0xffff_ff00) | (device & 0xff);
    let block = fs::canonicalize(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    of_block(&block)
}

/// The same for a block device by its directory in `/sys`.
#[cfg(target_os = "linux")]
fn of_block(block: &Path) -> Option<&'static str> {
    // A partition is below its disk, and only the disk says whether it rotates.
    let disk = if block.join("queue").is_dir() { block } else { block.parent()? };
    let name = disk.file_name()?.to_string_lossy();
    if name.starts_with("sr") {
        return Some("an optical disk");
    }
    // A virtual disk claims to rotate by default, whatever holds its data.
    let vendor = fs::read_to_string(disk.join("device/vendor")).unwrap_or_default();
    let is_virtual =
        disk.components().any(|part| part.as_os_str().to_string_lossy().starts_with("virtio"))
            || ["QEMU", "VMware", "Msft", "VBOX", "Xen"].contains(&vendor.trim());
    let rotational = fs::read_to_string(disk.join("queue/rotational")).ok()?;
    (rotational.trim() == "1" && !is_virtual).then_some("a rotating disk")
}

/// Other systems are not asked about the medium.
#[cfg(not(target_os = "linux"))]
pub(super) fn seeks(_path: &Path) -> Option<&'static str> {
    None
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn disk(below: &Path, name: &str, rotational: &str, vendor: &str) -> std::path::PathBuf {
        let disk = below.join(name);
        fs::create_dir_all(disk.join("queue")).unwrap();
        fs::create_dir_all(disk.join("device")).unwrap();
        fs::create_dir_all(disk.join(format!("{name}1"))).unwrap();
        fs::write(disk.join("queue/rotational"), rotational).unwrap();
        fs::write(disk.join("device/vendor"), vendor).unwrap();
        disk
    }

    #[test]
    fn rotating_and_optical_disks_are_told() {
        let sys = tempfile::tempdir().unwrap();
        let sda = disk(sys.path(), "sda", "1\n", "ATA     \n");
        assert_eq!(of_block(&sda), Some("a rotating disk"));
        assert_eq!(of_block(&sda.join("sda1")), Some("a rotating disk"));
        let sr0 = disk(sys.path(), "sr0", "1\n", "HL-DT-ST\n");
        assert_eq!(of_block(&sr0), Some("an optical disk"));
        assert_eq!(of_block(&disk(sys.path(), "nvme0n1", "0\n", "")), None);
        assert_eq!(of_block(&disk(sys.path(), "sdb", "1\n", "QEMU    \n")), None);
        assert_eq!(of_block(&disk(&sys.path().join("virtio1"), "vda", "1\n", "")), None);
        assert_eq!(seeks(Path::new("/proc")), None);
    }
}
