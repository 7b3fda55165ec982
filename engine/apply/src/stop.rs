//! The wish to stop, as a signal expresses it.

use std::sync::Arc;

use tokio::sync::watch;

/// Says, once and for all clones, that nothing new may begin.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Stop(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Effects that run may end; no other begins.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody said so.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody says so.
    pub async fn stopped(&self) {
        // The sender lives as long as `self`: there is no error to expect.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}
