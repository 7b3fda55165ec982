//! Archives to trees: `.tar.gz`, `.tar` and `.zip`, told apart by how they begin.

mod tarball;
mod zipped;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};

use flate2::bufread::MultiGzDecoder;

use crate::tree::{Refusal, TREE_BYTES, Tree, human};

/// Writes all that an archive has.
pub(crate) fn unpack(mut archive: File, tree: &mut Tree) -> Result<(), Refusal> {
    let mut begin = Vec::new();
    archive.rewind()?;
    (&mut archive).take(262).read_to_end(&mut begin)?;
    archive.rewind()?;
    let mut archive = BufReader::new(archive);
    match begin.as_slice() {
        [0x1f, 0x8b, ..] => {
            tarball::look_through(Bounded::new(MultiGzDecoder::new(&mut archive)))?;
            archive.rewind()?;
            tarball::unpack(Bounded::new(MultiGzDecoder::new(archive)), tree)
        }
        [b'P', b'K', 3 | 5, 4 | 6, ..] => zipped::unpack(archive, tree),
        begin if begin.get(257..262) == Some(b"ustar") => {
            tarball::look_through(Bounded::new(&mut archive))?;
            archive.rewind()?;
            tarball::unpack(Bounded::new(archive), tree)
        }
        _ => Err(Refusal::Bad("it is neither a `.tar.gz` nor a `.zip` file".to_owned())),
    }
}

/// Of as many files as a tree may have, and some more.
const HEADERS: u64 = 64 << 20;

/// Headers and padding count, too: what is unpacked ends here, however little it was when packed.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    fn new(inner: R) -> Bounded<R> {
        Bounded { inner, left: TREE_BYTES + HEADERS }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => {
                Err(io::Error::other(format!("it unpacks to more than {}, which no module may", human(TREE_BYTES))))
            }
        }
    }
}
