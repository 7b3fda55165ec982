//! Stacks of guests, used again: each effect has an instance of its own, and a stack is a fifth of what it costs the system.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use wasmtime::{StackCreator, StackMemory};

/// So many are kept that nobody uses.
const MOST_IDLE: usize = 16;

type Idle = Mutex<Vec<Mapping>>;

/// What an engine takes the stacks of its guests from. Those that were used hold what was on them, which no guest can read: WebAssembly has
/// no name for its stack.
#[derive(Debug, Default)]
pub(crate) struct Stacks(Arc<Idle>);

/// A piece of memory that is nobody else's, with a page at its lower end that can't be touched.
#[derive(Debug)]
struct Mapping {
    start: usize,
    guard: usize,
    size: usize,
}

/// One that is in use, and goes back.
struct Lent {
    mapping: Option<Mapping>,
    home: Arc<Idle>,
}

impl Mapping {
    /// Of this many bytes, and its guard.
    fn new(size: usize) -> std::io::Result<Mapping> {
        let guard = rustix::param::page_size();
        // SAFETY: the system chooses a place where nothing is.
        let start = unsafe { mmap_anonymous(null_mut(), guard + size, ProtFlags::empty(), MapFlags::PRIVATE)? };
        let mapping = Mapping { start: start.expose_provenance(), guard, size };
        // SAFETY: it lies within what was just made.
        unsafe { mprotect(start.wrapping_byte_add(guard), size, MprotectFlags::READ | MprotectFlags::WRITE)? };
        Ok(mapping)
    }

    fn bottom(&self) -> usize {
        self.start + self.guard
    }

    fn top(&self) -> usize {
        self.bottom() + self.size
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it was made by `new`, and whoever used it is gone.
        let unmapped = unsafe { munmap(pointer(self.start), self.guard + self.size) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

fn pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

fn lock(idle: &Idle) -> std::sync::MutexGuard<'_, Vec<Mapping>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lent {
    fn mapping(&self) -> &Mapping {
        self.mapping.as_ref().expect("it goes back when this is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut idle = lock(&self.home);
        if idle.len() < MOST_IDLE {
            idle.extend(self.mapping.take());
        }
    }
}

// SAFETY: a stack is lent once at a time, is made of whole pages, and has a guard.
unsafe impl StackCreator for Stacks {
    fn new_stack(&self, size: usize, zeroed: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        let size = size.next_multiple_of(rustix::param::page_size());
        let used = lock(&self.0).pop_if(|idle| !zeroed && idle.size == size);
        let mapping = match used {
            Some(mapping) => mapping,
            None => Mapping::new(size)?,
        };
        Ok(Box::new(Lent { mapping: Some(mapping), home: self.0.clone() }))
    }
}

// SAFETY: as above.
unsafe impl StackMemory for Lent {
    fn top(&self) -> *mut u8 {
        pointer(self.mapping().top()).cast()
    }

    fn range(&self) -> Range<usize> {
        self.mapping().bottom()..self.mapping().top()
    }

    fn guard_range(&self) -> Range<*mut u8> {
        pointer(self.mapping().start).cast()..pointer(self.mapping().bottom()).cast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 64 << 10;

    fn lend(stacks: &Stacks, zeroed: bool) -> Box<dyn StackMemory> {
        stacks.new_stack(SIZE, zeroed).unwrap()
    }

    #[test]
    fn a_stack_is_lent_once_at_a_time_and_used_again() {
        let stacks = Stacks::default();
        let (one, two) = (lend(&stacks, false), lend(&stacks, false));
        assert_ne!(one.range(), two.range());
        assert_eq!(one.range().len(), SIZE);
        assert_eq!((one.guard_range().end.addr(), one.top().addr()), (one.range().start, one.range().end));
        // SAFETY: both ends are ours to write.
        unsafe {
            one.top().wrapping_sub(1).write_volatile(7);
            one.guard_range().end.write_volatile(7);
        }
        let place = one.range();
        drop(one);
        let empty = lend(&stacks, true);
        assert_ne!(empty.range(), place, "something may be on it");
        assert_eq!(lend(&stacks, false).range(), place);
    }

    #[test]
    fn not_all_are_kept() {
        let stacks = Stacks::default();
        drop((0..2 * MOST_IDLE).map(|_| lend(&stacks, false)).collect::<Vec<_>>());
        assert_eq!(lock(&stacks.0).len(), MOST_IDLE);
    }
}
