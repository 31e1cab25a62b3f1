//! An archive as a list of entries, before it is written: every header block can be spoiled.

use tar::Header;

/// Size of a tar block in bytes.
pub(crate) const BLOCK: usize = 512;

/// One entry: what stands in front of its header, the header and the content.
#[derive(Clone)]
pub(crate) struct Member {
    /// Blocks in front of the header: PAX and GNU headers, or anything else.
    pub(crate) before: Vec<u8>,
    pub(crate) header: [u8; BLOCK],
    pub(crate) content: Vec<u8>,
}

impl Member {
    pub(crate) fn new(kind: u8, name: &str, link: &str, content: Vec<u8>) -> Self {
        let mut header = Header::new_ustar();
        let old = header.as_old_mut();
        old.linkflag[0] = kind;
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_mode(if kind == b'5' { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        let mut member = Self { before: Vec::new(), header: *header.as_bytes(), content };
        member.rename(name.as_bytes());
        member
    }

    pub(crate) fn file(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self::new(b'0', name, "", content.into())
    }

    pub(crate) fn name(&self) -> String {
        let field = &self.header[..100];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        String::from_utf8_lossy(&field[..end]).into_owned()
    }

    /// Sets the name field, cut where it is too long, and the checksum.
    pub(crate) fn rename(&mut self, name: &[u8]) {
        self.set(0, 100, name);
    }

    pub(crate) const fn kind(&self) -> u8 {
        self.header[156]
    }

    /// Fills a field with these bytes and NULs behind them, and sets the checksum.
    pub(crate) fn set(&mut self, at: usize, width: usize, bytes: &[u8]) {
        let field = &mut self.header[at..at + width];
        field.fill(0);
        let length = bytes.len().min(width);
        field[..length].copy_from_slice(&bytes[..length]);
        self.sum();
    }

    /// Sets the checksum.
    pub(crate) fn sum(&mut self) {
        self.header[148..156].fill(b' ');
        let sum: u32 = self.header.iter().map(|byte| u32::from(*byte)).sum();
        self.header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    /// Replaces the content and states its size.
    pub(crate) fn refill(&mut self, content: Vec<u8>) {
        self.set(124, 12, format!("{:011o}", content.len()).as_bytes());
        self.content = content;
    }

    /// The blocks of an entry that speaks of the next one.
    pub(crate) fn special(kind: u8, name: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Self::new(kind, name, "", data.to_vec()).write(&mut bytes);
        bytes
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend(&self.before);
        to.extend(self.header);
        to.extend(&self.content);
        to.resize(to.len().next_multiple_of(BLOCK), 0);
    }
}

/// A PAX record.
pub(crate) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [format!(" {key}=").as_bytes(), value, b"\n"].concat();
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length += 1;
    }
    [length.to_string().as_bytes(), &rest].concat()
}

/// A whole archive.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) members: Vec<Member>,
    /// What stands behind the last entry.
    pub(crate) end: Vec<u8>,
}

impl Draft {
    pub(crate) fn new(members: Vec<Member>) -> Self {
        Self { members, end: vec![0; 2 * BLOCK] }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for member in &self.members {
            member.write(&mut bytes);
        }
        bytes.extend(&self.end);
        bytes
    }
}
