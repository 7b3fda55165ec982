//! Waiting for something, for so long and not longer.

use std::time::{Duration, Instant};

/// Asks until there is an answer; a deadline that passes fails the test with what was waited for, and the last reason.
pub fn until<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(reason) if Instant::now() > deadline => panic!("waited {patience:?} for {what}: {reason}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// As [`until`], for a claim.
pub fn until_true(what: &str, patience: Duration, mut claim: impl FnMut() -> bool) {
    until(what, patience, || if claim() { Ok(()) } else { Err("it is not so".to_owned()) });
}
