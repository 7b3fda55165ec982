//! The wish to stop, as signals express it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    GoOn,
    /// Effects that run may end; no other begins.
    Drain,
    /// Effects that run have a short grace.
    Hurry,
}

/// Says, for all clones, that nothing new may begin; and how long what runs may take. There is no way back.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<Wish>>);

impl Default for Stop {
    fn default() -> Self {
        Stop(Arc::new(watch::Sender::new(Wish::GoOn)))
    }
}

impl Stop {
    /// How long calls that run may still take once somebody is in a hurry.
    pub const GRACE: Duration = Duration::from_secs(10);

    /// Effects that run may end; no other begins.
    pub fn stop(&self) {
        self.wish(Wish::Drain);
    }

    /// Effects that run have [`Stop::GRACE`], and are given up then. What ended is written down all the same.
    pub fn hurry(&self) {
        self.wish(Wish::Hurry);
    }

    fn wish(&self, wish: Wish) {
        self.0.send_if_modified(|now| std::mem::replace(now, wish.max(*now)) < wish);
    }

    /// Whether somebody said so.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() >= Wish::Drain
    }

    /// Whether somebody is in a hurry.
    pub fn is_hurried(&self) -> bool {
        *self.0.borrow() >= Wish::Hurry
    }

    /// Waits until somebody says so.
    pub async fn stopped(&self) {
        self.wished(Wish::Drain).await;
    }

    /// Waits until somebody is in a hurry, and as long as calls that run may still take.
    pub(crate) async fn out_of_grace(&self) {
        self.wished(Wish::Hurry).await;
        tokio::time::sleep(Stop::GRACE).await;
    }

    async fn wished(&self, least: Wish) {
        // The sender lives as long as `self`: there is no error to expect.
        let _ = self.0.subscribe().wait_for(|wish| *wish >= least).await;
    }
}
