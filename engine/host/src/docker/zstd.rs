//! What zstd compressed, read as it was before.
//!
//! Builders that want parts of a layer to be found write many frames, and frames to be passed over between them.

use std::io::{Cursor, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// The first bytes of a frame.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Whether something begins as zstd's output does.
pub(super) fn is_zstd(start: &[u8]) -> bool {
    start == FRAME
}

type Source<R> = std::io::Chain<Cursor<[u8; 4]>, R>;

/// Reads all frames, one after the other.
pub(super) struct Frames<R: Read> {
    now: Option<StreamingDecoder<Source<R>, FrameDecoder>>,
    next: Option<R>,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: R) -> Self {
        Frames { now: None, next: Some(source) }
    }

    /// `false`: that was the last one.
    fn begin(&mut self) -> std::io::Result<bool> {
        let Some(mut source) = self.next.take() else {
            return Ok(false);
        };
        loop {
            let mut magic = [0; 4];
            match source.by_ref().read(&mut magic[..1])? {
                0 => return Ok(false),
                _ => source.read_exact(&mut magic[1..])?,
            }
            if magic == FRAME {
                let decoder = StreamingDecoder::new(Cursor::new(magic).chain(source));
                self.now = Some(decoder.map_err(std::io::Error::other)?);
                return Ok(true);
            }
            if u32::from_le_bytes(magic) & !0xf != 0x184d_2a50 {
                return Err(std::io::Error::other("it is not what zstd writes"));
            }
            let mut size = [0; 4];
            source.read_exact(&mut size)?;
            std::io::copy(&mut source.by_ref().take(u32::from_le_bytes(size).into()), &mut std::io::sink())?;
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(mut decoder) = self.now.take() else {
                if self.begin()? {
                    continue;
                }
                return Ok(0);
            };
            match decoder.read(buffer)? {
                0 => self.next = Some(decoder.into_inner().into_inner().1),
                count => {
                    self.now = Some(decoder);
                    return Ok(count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    #[test]
    fn all_frames_are_read_and_those_to_pass_over_are_passed_over() {
        let frame = |text: &str| compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        let skipped = [&0x184d_2a5e_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"xyz"].concat();
        let all = [skipped.clone(), frame("one "), skipped, frame(""), frame(&"two".repeat(100_000))].concat();
        let mut text = String::new();
        Frames::new(&all[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, format!("one {}", "two".repeat(100_000)));
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let frame = compress_to_vec(&b"something to be read"[..], CompressionLevel::Fastest);
        assert!(Frames::new(&frame[..frame.len() - 6]).read_to_end(&mut Vec::new()).is_err());
    }
}
