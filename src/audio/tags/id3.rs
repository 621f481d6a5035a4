//! ID3v2 (2.2, 2.3, 2.4): the text frames of a tag, as people's libraries have them: frame sizes that are plain numbers where version 2.4 wants them
//! in 7 bits a byte, extended headers of any size, zeros put in and not taken out.

const MAX_FRAMES: usize = 4096;

/// Bytes of a tag that begins with this header.
pub(in crate::audio) fn size(header: &[u8; 10]) -> Option<u64> {
    let [b'I', b'D', b'3', version @ 2..=4, _, flags, size @ ..] = header else { return None };
    let footer = if *version == 4 && flags & 0x10 != 0 { 10 } else { 0 };
    Some(10 + seven_bits(size) + footer)
}

fn seven_bits(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f))
}

fn eight_bits(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The text frames of a tag (from its header on): name, encoding and text as it is written.
pub(super) fn frames(tag: &[u8]) -> Vec<(Vec<u8>, u8, Vec<u8>)> {
    let Some((header, body)) = tag.split_first_chunk::<10>() else { return Vec::new() };
    let Some(size) = size(header) else { return Vec::new() };
    let (version, flags) = (header[3], header[5]);
    let body = &body[..body.len().min((size - 10) as usize)];
    let body = if version < 4 && flags & 0x80 != 0 { synchronised(body) } else { body.to_vec() };
    let skipped = if version > 2 && flags & 0x40 != 0 { extended_header(&body, version) } else { 0 };
    let body = body.get(skipped..).unwrap_or_default();
    let layout = Layout { name: if version == 2 { 3 } else { 4 }, plain: false };
    let plain = Layout { plain: true, ..layout };
    // Of the two ways to read sizes, the one that leads through the tag.
    let layout = match version {
        4 if !layout.leads_through(body) && plain.leads_through(body) => plain,
        4 => layout,
        _ => plain,
    };
    layout.frames(body, version)
}

/// Bytes of the extended header; 0 if what it says cannot be.
fn extended_header(body: &[u8], version: u8) -> usize {
    let Some(size) = body.get(..4) else { return 0 };
    // Its size counts itself in version 2.4 only.
    let size = if version == 4 { seven_bits(size) } else { eight_bits(size) + 4 } as usize;
    // Some write the flag without the header: a frame begins where it should be.
    let names =
        |at: usize| body.get(at..at + 4).is_some_and(|name| name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    if names(0) || size >= body.len() { 0 } else { size }
}

/// Takes out the zeros that keep a tag from looking like sound.
fn synchronised(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut last = 0;
    for &byte in bytes {
        if !(last == 0xff && byte == 0) {
            plain.push(byte);
        }
        last = byte;
    }
    plain
}

/// How frames are written.
#[derive(Clone, Copy)]
struct Layout {
    /// Bytes of a name, and of a size.
    name: usize,
    /// Whether sizes are plain numbers.
    plain: bool,
}

impl Layout {
    fn header(self) -> usize {
        if self.name == 3 { 6 } else { 10 }
    }

    /// Name, flags and content of the frame at `at`, and where the next one is.
    fn frame(self, body: &[u8], at: usize) -> Option<(&[u8], u8, &[u8], usize)> {
        let header = body.get(at..at + self.header())?;
        let (name, size) = (&header[..self.name], &header[self.name..2 * self.name]);
        if !name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ') {
            return None;
        }
        let size = if self.plain { eight_bits(size) } else { seven_bits(size) } as usize;
        let next = at + self.header() + size;
        Some((name, header.get(9).copied().unwrap_or(0), body.get(at + self.header()..next)?, next))
    }

    /// Whether frame follows frame to the end of the tag, or to its padding.
    fn leads_through(self, body: &[u8]) -> bool {
        let mut at = 0;
        while let Some((.., next)) = self.frame(body, at) {
            at = next;
        }
        body[at.min(body.len())..].iter().all(|byte| *byte == 0)
    }

    fn frames(self, body: &[u8], version: u8) -> Vec<(Vec<u8>, u8, Vec<u8>)> {
        let (mut frames, mut at) = (Vec::new(), 0);
        while let Some((name, flags, content, next)) = self.frame(body, at).filter(|_| frames.len() < MAX_FRAMES) {
            at = next;
            let mut content = content.to_vec();
            if version == 4 {
                // The length of what is packed comes first; then the zeros are taken out, frame by frame.
                if flags & 0x01 != 0 && content.len() >= 4 {
                    content.drain(..4);
                }
                if flags & 0x02 != 0 {
                    content = synchronised(&content);
                }
            }
            // Packed or encrypted ones are passed by.
            let closed = match version {
                4 => flags & 0x0c != 0,
                3 => flags & 0xc0 != 0,
                _ => false,
            };
            if name.first() == Some(&b'T')
                && !closed
                && let Some((encoding, text)) = content.split_first()
            {
                frames.push((name.to_vec(), *encoding, text.to_vec()));
            }
        }
        frames
    }
}
