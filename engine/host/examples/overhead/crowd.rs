//! Many looks at once that wait for something, as for an API: how many there are, and what each of them takes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use bimetal_model::event::{Event, Notify};
use serde_json::{Value as Json, json};

use crate::calls::read;
use crate::rig::{Rig, SIZES, record};

/// As many ask at the same time.
const READS: usize = 1_000;
/// Long enough for all that may wait together to come to that.
const PAUSE_MS: u64 = 3_000;

/// Counts the guests that wait; each says when it begins to, and when it has.
#[derive(Default)]
pub(crate) struct Waiting {
    now: AtomicUsize,
    most: AtomicUsize,
    /// Resident when most waited, in bytes.
    memory: AtomicU64,
}

impl Notify for Waiting {
    fn notify(&self, event: Event) {
        let Event::Progress { message, .. } = event else { return };
        if message != "waiting" {
            self.now.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        if now > self.most.fetch_max(now, Ordering::Relaxed) {
            self.memory.fetch_max(resident(), Ordering::Relaxed);
        }
    }
}

/// Looks at very many objects at once.
pub(crate) async fn measure(rig: &Rig) -> Json {
    let record = record("it", SIZES[0], Some(PAUSE_MS));
    let before = resident();
    let started = Instant::now();
    futures::future::join_all((0..READS).map(|_| read(rig, &record))).await;
    let most = rig.waiting.most.load(Ordering::Relaxed);
    let memory = rig.waiting.memory.load(Ordering::Relaxed).saturating_sub(before);
    json!({
        "reads": READS,
        "seconds": started.elapsed().as_secs_f64(),
        "pause_ms": PAUSE_MS,
        "in_flight": most,
        "bytes_an_instance": memory / most.max(1) as u64,
    })
}

/// What this process has in memory, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().split(' ').next().and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or_default() << 10
}
