//! A world in memory: providers that act on it, a state that remembers it, and the whole walk through the real rooms.

// Each test binary uses its own part of this.
#![allow(dead_code, missing_docs, unreachable_pub)]

mod bench;
mod fuse;
mod memory;
mod provider;
mod world;

pub use bench::{Bench, read, told};
pub use world::Turn;
