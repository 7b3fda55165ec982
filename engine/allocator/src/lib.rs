//! Where memory comes from: plans and states are many small values; with musl, whose own allocator takes turns, it matters most.
//!
//! All of its code is such that the compiler can't vouch for it; else only `component.rs` and `stacks.rs` of `host` have some.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;

use libmimalloc_sys as mi;

/// Whatever is no smaller than this is aligned to it, and whatever is smaller to the greatest power of two that is not above its size
/// (`MI_MAX_ALIGN_SIZE`).
const ALIGNMENT: usize = 16;

/// mimalloc, asked for an alignment only where it does not give it anyway. Asked always, it takes a longer way, and more room, for every
/// size that is no power of two.
pub struct Allocator;

fn is_natural(size: usize, align: usize) -> bool {
    align <= ALIGNMENT && align <= size
}

// SAFETY: mimalloc keeps the contract of `malloc`, and what is asked of it without an alignment has that of `is_natural`.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        let made = match is_natural(size, align) {
            true => unsafe { mi::mi_malloc(size) },
            false => unsafe { mi::mi_malloc_aligned(size, align) },
        };
        made.cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        let made = match is_natural(size, align) {
            true => unsafe { mi::mi_zalloc(size) },
            false => unsafe { mi::mi_zalloc_aligned(size, align) },
        };
        made.cast()
    }

    unsafe fn dealloc(&self, memory: *mut u8, _: Layout) {
        unsafe { mi::mi_free(memory.cast::<c_void>()) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (memory, align) = (memory.cast::<c_void>(), layout.align());
        let made = match is_natural(size, align) && is_natural(layout.size(), align) {
            true => unsafe { mi::mi_realloc(memory, size) },
            false => unsafe { mi::mi_realloc_aligned(memory, size, align) },
        };
        made.cast()
    }
}

/// From now on, what is given back is the system's soon: half of what a plan needs it needs for a moment. But not at once, as much of it
/// is asked for again in the next moment.
pub fn give_back_soon() {
    /// `mi_option_purge_delay` of mimalloc 3, in milliseconds.
    const PURGE_DELAY: mi::mi_option_t = 15;
    // SAFETY: it stores a number, and an option that isn't there is left alone.
    unsafe { mi::mi_option_set_default(PURGE_DELAY, 100) }
}

/// Gives back at once what was freed.
pub fn give_back() {
    // SAFETY: it looks at nothing that is in use.
    unsafe { mi::mi_collect(true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether memory of this layout, made, grown and shrunk, is aligned and keeps what is in it.
    fn is_sound(size: usize, align: usize, zeroed: bool) -> bool {
        let layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: what is made is looked at no further than its size, and given back once.
        unsafe {
            let made = if zeroed { Allocator.alloc_zeroed(layout) } else { Allocator.alloc(layout) };
            let is_empty = !zeroed || (0..size).all(|at| *made.add(at) == 0);
            let mut is_aligned = made.addr() % align == 0;
            made.write_bytes(7, size);
            let grown = Allocator.realloc(made, layout, 3 * size + 1);
            let is_kept = (0..size).all(|at| *grown.add(at) == 7);
            is_aligned &= grown.addr() % align == 0;
            let shrunk = Allocator.realloc(grown, Layout::from_size_align(3 * size + 1, align).unwrap(), size);
            is_aligned &= shrunk.addr() % align == 0;
            Allocator.dealloc(shrunk, layout);
            is_empty && is_aligned && is_kept
        }
    }

    #[test]
    fn all_that_is_made_is_aligned() {
        for align in (0..13).map(|power| 1 << power) {
            for size in (1..300).chain([1000, 4096, 100_000, 1 << 20]) {
                assert!(is_sound(size, align, false) && is_sound(size, align, true), "{size} bytes at {align}");
            }
        }
        give_back();
    }
}
