//! A process that kills itself at a chosen point, for tests of what survives it.

use std::sync::atomic::{AtomicU64, Ordering};

use bimetal_apply::CrashPoint;

/// `BIMETAL_CRASH_AT=<point>:<n>`: dies at the n-th such point, as by `kill -9`.
pub(crate) fn from_environment() -> Option<Box<dyn Fn(CrashPoint) + Send + Sync>> {
    let text = std::env::var("BIMETAL_CRASH_AT").ok()?;
    let (point, count) = text.split_once(':')?;
    let (point, count) = (point.to_owned(), count.parse::<u64>().ok()?);
    let seen = AtomicU64::new(0);
    Some(Box::new(move |here: CrashPoint| {
        if here.name() == point && seen.fetch_add(1, Ordering::SeqCst) + 1 == count {
            std::process::abort();
        }
    }))
}
