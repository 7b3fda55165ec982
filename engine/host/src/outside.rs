//! Where capabilities do their work: on the world's own threads, while the guest waits.
//!
//! Invariant: no socket is polled on a thread that guests compute on (test: `spinning_guests_do_not_starve_others`).

use std::future::Future;
use std::time::{Duration, Instant};

use tokio_util::task::AbortOnDropHandle;

use crate::bindings::bimetal::provider::types;
use crate::fault::{Code, Fault};
use crate::guest::Guest;
use crate::runtime::TICK;

impl Guest {
    /// Does the work on the world's threads; given up when the call is. `what` is for the log and for people: no secrets.
    pub(crate) async fn outside<T: Send + 'static>(
        &mut self,
        what: String,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, types::Fault> {
        let started = Instant::now();
        self.waits_for = Some(what.clone());
        let task = AbortOnDropHandle::new(self.context.services.world.spawn(work));
        let result = match task.await {
            Ok(result) => result,
            Err(error) => Err(Fault::new(Code::Protocol, format!("{what}: a bug of Bimetal's: {error}"))),
        };
        self.waits_for = None;
        let took = started.elapsed();
        if took >= TICK {
            self.has_waited();
        }
        self.log_call(&what, took, result.as_ref().err());
        result.map_err(types::Fault::from)
    }

    fn log_call(&self, what: &str, took: Duration, fault: Option<&Fault>) {
        let (provider, phase) = (&self.context.provider.name.0, self.context.phase);
        let (ms, verdict) =
            (took.as_millis() as u64, fault.map_or("granted".to_owned(), |fault| format!("{:?}", fault.code)));
        let what = what.escape_debug();
        tracing::debug!(target: "bimetal_host::capability", provider, ?phase, %what, ms, verdict);
    }
}
