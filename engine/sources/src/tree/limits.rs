//! How much a stranger may make this machine hold.
//!
//! A module is text. These are far above what the largest of them need, and far below what fills a disk.

/// Files in a tree. The largest repositories of modules have some thousands; the Linux kernel has 90 000.
pub(crate) const FILES: usize = 50_000;
/// In one file: what GitHub takes, too.
pub(crate) const FILE_BYTES: u64 = 100 << 20;
/// In all files together.
pub(crate) const TREE_BYTES: u64 = 512 << 20;
/// What may be fetched for a tree, packed as it is: git packs hold more than one commit where servers can't be asked for one.
pub(crate) const PACKED_BYTES: u64 = 512 << 20;
/// In a path: with the cache's own folder it has to fit into the 4 096 that Linux takes, or the 1 024 of macOS.
pub(super) const PATH_BYTES: usize = 800;
/// In one name, on all file systems.
pub(super) const NAME_BYTES: usize = 255;
/// Links that one link may lead over, as in Linux.
pub(super) const HOPS: usize = 40;

/// A limit, for people.
pub(crate) fn human(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
