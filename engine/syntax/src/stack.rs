//! Stack for what is nested.

/// In bytes: with less left than this, more is taken from the heap.
const LEAST: usize = 128 << 10;
const MORE: usize = 2 << 20;

/// Runs one level of a recursion over what people have nested, with enough stack for it.
pub fn deeply<T>(level: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(LEAST, MORE, level)
}
