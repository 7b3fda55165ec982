//! Work that many may ask for at the same time and that is done once.
//!
//! Invariant: work that nobody waits for any more is given up (test: `what_nobody_waits_for_is_given_up`).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};

use crate::fault::Fault;

/// How far something got, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `downloading`
    pub message: String,
    /// Bytes.
    pub done: Option<u64>,
    /// Bytes.
    pub total: Option<u64>,
}

/// Is told of progress.
pub type Report = Arc<dyn Fn(Progress) + Send + Sync>;

/// All who wait for one piece of work.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Vec<Report>>>);

impl Listeners {
    pub(crate) fn tell(&self, progress: &Progress) {
        let reports = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        reports.iter().for_each(|report| report(progress.clone()));
    }

    fn add(&self, report: Option<Report>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(report);
    }
}

type Work<T> = BoxFuture<'static, Result<T, Fault>>;

/// What is being done now, and who is told of it.
pub(crate) struct Flights<K, T>(Mutex<HashMap<K, Flight<T>>>);

type Flight<T> = (WeakShared<Work<T>>, Listeners);

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Flights(Mutex::default())
    }
}

impl<K: Hash + Eq, T: Clone + Send + Sync + 'static> Flights<K, T> {
    /// Waits for the work of that key, which is started if it isn't being done.
    pub(crate) async fn join(
        &self,
        key: K,
        report: Option<Report>,
        start: impl FnOnce(Listeners) -> Work<T>,
    ) -> Result<T, Fault> {
        self.board(key, report, start).await
    }

    fn board(&self, key: K, report: Option<Report>, start: impl FnOnce(Listeners) -> Work<T>) -> Shared<Work<T>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, (work, _)| work.upgrade().is_some());
        let flying = flights.get(&key).and_then(|(work, listeners)| Some((work.upgrade()?, listeners)));
        // What has ended is an answer of the past: whoever asks now wants to know how it is now.
        if let Some((work, listeners)) = flying.filter(|(work, _)| work.peek().is_none()) {
            listeners.add(report);
            return work;
        }
        let listeners = Listeners::default();
        listeners.add(report);
        let work = start(listeners.clone()).shared();
        flights.extend(work.downgrade().map(|weak| (key, (weak, listeners))));
        work
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn many_who_ask_are_answered_by_one() {
        let flights = Flights::<&str, usize>::default();
        let (count, told) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all_asked = Arc::new(Notify::new());
        let ask = || {
            let (count, told, all_asked) = (count.clone(), told.clone(), all_asked.clone());
            let report: Report = Arc::new(move |_| {
                told.fetch_add(1, Ordering::Relaxed);
            });
            flights.join("x", Some(report), move |listeners| {
                async move {
                    all_asked.notified().await;
                    listeners.tell(&Progress { message: String::new(), done: None, total: None });
                    Ok(count.fetch_add(1, Ordering::Relaxed) + 1)
                }
                .boxed()
            })
        };
        let last = async {
            let asked = ask();
            all_asked.notify_one();
            asked.await
        };
        assert_eq!(tokio::join!(biased; ask(), ask(), last), (Ok(1), Ok(1), Ok(1)));
        assert_eq!(told.load(Ordering::Relaxed), 3);
        all_asked.notify_one();
        assert_eq!(ask().await, Ok(2));
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_given_up() {
        struct Given(Arc<Notify>);
        impl Drop for Given {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let flights = Flights::<&str, ()>::default();
        let given_up = Arc::new(Notify::new());
        let guard = Given(given_up.clone());
        let asked = flights.join("x", None, |_| {
            async move {
                let _guard = guard;
                std::future::pending().await
            }
            .boxed()
        });
        let mut asked = Box::pin(asked);
        assert!(futures::poll!(&mut asked).is_pending());
        drop(asked);
        given_up.notified().await;
    }
}
