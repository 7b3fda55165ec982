//! Where a run is cut off, as a power cut would: after so many moments nothing happens any more.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Mutex;
use std::task::Poll;

/// Counts moments. Whatever can be seen from outside has a moment before it and one after it.
#[derive(Default)]
pub struct Fuse(Mutex<State>);

#[derive(Default)]
struct State {
    passed: usize,
    /// The moment that is not survived.
    last: Option<usize>,
}

impl Fuse {
    /// From now on nothing but this moment ends a run.
    pub fn set(&self, last: Option<usize>) {
        *self.0.lock().unwrap() = State { passed: 0, last };
    }

    /// How many moments were passed since `set`.
    pub fn passed(&self) -> usize {
        self.0.lock().unwrap().passed
    }

    pub fn is_blown(&self) -> bool {
        let state = self.0.lock().unwrap();
        state.last.is_some_and(|last| state.passed >= last)
    }

    pub fn burn(&self) {
        self.0.lock().unwrap().passed += 1;
    }

    /// Lets others go on; never ends in a run that was cut off.
    pub async fn moment(&self) {
        let is_alive = !self.is_blown();
        self.burn();
        let mut has_waited = false;
        poll_fn(|context| match (is_alive && !self.is_blown(), has_waited) {
            (true, true) => Poll::Ready(()),
            (true, false) => {
                has_waited = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (false, _) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
    }

    /// The run, or nothing where it is cut off.
    pub async fn burn_down<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        let mut run = pin!(run);
        poll_fn(|context| match run.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if self.is_blown() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}
