//! Jobs whose providers said "not yet", until they can be asked again.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::job::Job;

/// Jobs that are due about the same time are due together, so that they fit into one call again.
const TOGETHER: Duration = Duration::from_millis(250);

/// Jobs by when they are due.
pub(crate) struct Waiting<'a> {
    /// Moments are counted from here.
    start: Instant,
    jobs: BTreeMap<Instant, Vec<Job<'a>>>,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new() -> Self {
        Waiting { start: Instant::now(), jobs: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// The job is asked again after this long, or a little later.
    pub(crate) fn put(&mut self, job: Job<'a>, after: Duration) {
        self.jobs.entry(self.moment(after)).or_default().push(job);
    }

    fn moment(&self, after: Duration) -> Instant {
        let due = self.start.elapsed() + after;
        let slots = due.as_millis().div_ceil(TOGETHER.as_millis());
        match after.is_zero() {
            true => self.start + due,
            false => self.start + TOGETHER * u32::try_from(slots).unwrap_or(u32::MAX),
        }
    }

    /// Ends when a job is due; never where none waits. What is due already has to wait for a place.
    pub(crate) fn due(&self) -> impl Future<Output = ()> + use<> {
        let next = self.jobs.keys().next().copied();
        async move {
            match next {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        }
    }

    /// The jobs that are due, in the order of their steps.
    pub(crate) fn take(&mut self) -> Vec<Job<'a>> {
        let later = self.jobs.split_off(&(Instant::now() + Duration::from_nanos(1)));
        let mut due: Vec<Job<'a>> = std::mem::replace(&mut self.jobs, later).into_values().flatten().collect();
        due.sort_by_key(|job| job.step);
        due
    }

    /// Nobody asks again. What exists of them is recorded, with its intent: the next run goes on from there.
    pub(crate) fn clear(&mut self) {
        self.jobs.clear();
    }
}
