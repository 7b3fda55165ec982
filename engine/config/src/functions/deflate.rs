//! Compressed text, byte for byte as Go's `compress/gzip` writes it at its default level.
//!
//! Another compressor's bytes would mean the same; but what is compressed may be part of what an object is made of, and then
//! other bytes are a change.

mod block;
mod huffman;
mod matches;

use block::BitWriter;
use matches::Window;

/// A gzip file without name and time, flushed before its end, as Terraform flushes it.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut writer = BitWriter::new(HEADER.to_vec());
    Window::new(bytes).compress(|block| writer.block(&block));
    writer.empty_block(false);
    writer.empty_block(true);
    let mut file = writer.finish();
    file.extend(crc32fast::hash(bytes).to_le_bytes());
    // Of the length the format has what fits, and that is all of it on a processor of 32 bits.
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

/// What compressed text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    /// A byte as it is.
    Literal(u8),
    /// So many bytes again, from so far back.
    Match { length: u16, distance: u16 },
}

/// Symbols with a code of their own.
struct Block<'b> {
    symbols: &'b [Symbol],
    /// What they stand for, if that is at hand.
    text: Option<&'b [u8]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        let mut seed = 1u32;
        let mut byte = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        let noise: Vec<u8> = (0..200_000).map(|_| byte()).collect();
        let words: Vec<u8> = (0..300_000).map(|_| b"etaoin "[usize::from(byte()) % 7]).collect();
        let twice = [&noise[..70_000], &noise[..70_000]].concat();
        for text in [&b""[..], b"a", &[b'a'; 100_000], &noise, &words, &twice] {
            let mut back = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gzip(text)[..]), &mut back).unwrap();
            assert_eq!(back, text);
        }
    }
}
