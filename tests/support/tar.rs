//! Builds tar archives block by block, broken ones included.

use tar::Header;

/// An archive in the making.
#[derive(Clone, Default)]
pub(crate) struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// An entry of any type; `change` may spoil the header before its checksum is set.
    pub(crate) fn entry(
        mut self,
        kind: u8,
        name: &str,
        link: &str,
        content: &[u8],
        change: impl FnOnce(&mut Header),
    ) -> Self {
        let mut header = Header::new_ustar();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        old.linkflag[0] = kind;
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        change(&mut header);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(content);
        self.pad();
        self
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', name, "", content.as_ref(), |_| {})
    }

    pub(crate) fn files(self, files: &[(String, Vec<u8>)]) -> Self {
        files.iter().fold(self, |tar, (name, content)| tar.file(name, content))
    }

    pub(crate) fn directory(self, name: &str) -> Self {
        self.entry(b'5', name, "", &[], |_| {})
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.entry(b'2', name, target, &[], |_| {})
    }

    /// A PAX header: `x` for the next entry, `g` for all.
    pub(crate) fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let mut data = String::new();
        for (key, value) in records {
            let rest = format!(" {key}={value}\n");
            let mut length = rest.len() + 1;
            while length != rest.len() + length.to_string().len() {
                length += 1;
            }
            data += &format!("{length}{rest}");
        }
        let name = if kind == b'g' { "pax_global_header" } else { "PaxHeader" };
        self.entry(kind, name, "", data.as_bytes(), |_| {})
    }

    /// A GNU long name (`L`) or long link (`K`).
    pub(crate) fn long(self, kind: u8, value: &str) -> Self {
        self.entry(kind, "././@LongLink", "", format!("{value}\0").as_bytes(), |_| {})
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn zero_block(self) -> Self {
        self.raw(&[0; 512])
    }

    /// The archive with its two zero blocks.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.zero_block().zero_block().bytes
    }

    /// The archive as it stands.
    pub(crate) fn cut(self) -> Vec<u8> {
        self.bytes
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
    }
}
