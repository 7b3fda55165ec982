//! What is ephemeral and open: kept from when it is opened to the end of the command, renewed meanwhile, and closed whatever happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bimetal_model::event::{Event, Notify};
use bimetal_model::port::{Lend, Lent, Opened, Refusal};
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, Severity, Value};
use tokio::task::AbortHandle;

use crate::failure::Failure;
use crate::render::progress::Progress;

/// How a command ends that a signal ended, as shells say it.
const INTERRUPTED: u8 = 130;

/// Everything that a command has opened, whatever host it was.
pub(crate) struct AllLent {
    progress: Arc<Progress>,
    lendings: Mutex<Vec<Arc<Lending>>>,
    any: Arc<tokio::sync::Notify>,
    leaves_signals: AtomicBool,
}

impl AllLent {
    pub(crate) fn new(progress: Arc<Progress>) -> AllLent {
        AllLent { progress, lendings: Mutex::default(), any: Arc::default(), leaves_signals: AtomicBool::new(false) }
    }

    /// Who opens, and remembers what is open.
    pub(crate) fn lending(&self, by: Arc<dyn Lend>) -> Arc<Lending> {
        let (progress, any) = (self.progress.clone(), self.any.clone());
        let lending = Arc::new(Lending { by, progress, any, held: Arc::default() });
        lock(&self.lendings).push(lending.clone());
        lending
    }

    /// From now on somebody else sees to signals.
    pub(crate) fn leaves_signals(&self) {
        self.leaves_signals.store(true, Ordering::Relaxed);
    }

    /// Ends with a signal that comes while something is open. Before that signals do what they do everywhere.
    pub(crate) async fn interrupted(&self) {
        use tokio::signal::unix::{SignalKind, signal};
        self.any.notified().await;
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return std::future::pending().await;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if !self.leaves_signals.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Closes all that is open, the last one first. Answers what went wrong, which changes nothing more.
    pub(crate) async fn close(&self) -> Diagnostics {
        let lendings = std::mem::take(&mut *lock(&self.lendings));
        let mut said = Diagnostics::new();
        for lending in lendings.into_iter().rev() {
            said.extend(lending.close_all().await);
        }
        said
    }
}

/// A command that was ended before it had done anything.
pub(crate) fn given_up() -> Failure {
    let error = Diagnostic::error("interrupted: nothing was done, and what was open is closed");
    Failure { code: INTERRUPTED, ..Failure::from(error) }
}

/// Something that is open.
struct Held {
    provider: ProviderKey,
    ty: String,
    address: Address,
    config: Value,
    value: Value,
    /// What it is closed with by now.
    private: Arc<Mutex<Vec<u8>>>,
    renewing: Option<AbortHandle>,
}

/// Opens what is asked for, once: a plan and its apply have the same.
pub(crate) struct Lending {
    by: Arc<dyn Lend>,
    progress: Arc<Progress>,
    any: Arc<tokio::sync::Notify>,
    held: Arc<Mutex<Vec<Held>>>,
}

impl Lending {
    fn find(&self, provider: &ProviderKey, address: &Address, config: &Value) -> Option<Opened> {
        let held = lock(&self.held);
        let is_it = |one: &&Held| (&one.provider, &one.address, &one.config) == (provider, address, config);
        let found = held.iter().find(is_it)?;
        let lent = Lent { private: lock(&found.private).clone(), renew_after_ms: None };
        Some(Opened { value: found.value.clone(), lent })
    }

    async fn close_all(&self) -> Diagnostics {
        let held = std::mem::take(&mut *lock(&self.held));
        let mut said = Diagnostics::new();
        for one in held.into_iter().rev() {
            one.renewing.iter().for_each(AbortHandle::abort);
            let private = lock(&one.private).clone();
            said.extend(self.by.close(&one.provider, &one.ty, &one.address, private).await);
        }
        said.into_iter().map(as_warning).collect()
    }
}

#[async_trait]
impl Lend for Lending {
    async fn open(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Opened, Refusal> {
        if let Some(opened) = self.find(provider, address, config) {
            return Ok(opened);
        }
        self.progress.notify(Event::Started { address: address.clone(), action: "open" });
        let opened = self.by.open(provider, ty, address, config).await;
        self.progress.notify(ended(address, &opened));
        let opened = opened?;
        let private = Arc::new(Mutex::new(opened.lent.private.clone()));
        let renewal = opened.lent.renew_after_ms.map(|after_ms| Renewal {
            by: self.by.clone(),
            progress: self.progress.clone(),
            provider: provider.clone(),
            ty: ty.to_owned(),
            address: address.clone(),
            private: private.clone(),
            after_ms,
        });
        let renewing = renewal.map(|renewal| tokio::spawn(renewal.go_on()).abort_handle());
        lock(&self.held).push(Held {
            provider: provider.clone(),
            ty: ty.to_owned(),
            address: address.clone(),
            config: config.clone(),
            value: opened.value.clone(),
            private,
            renewing,
        });
        self.any.notify_one();
        Ok(opened)
    }

    async fn renew(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        private: Vec<u8>,
    ) -> Result<Lent, Diagnostics> {
        self.by.renew(provider, ty, address, private).await
    }

    async fn close(&self, provider: &ProviderKey, ty: &str, address: &Address, private: Vec<u8>) -> Diagnostics {
        self.by.close(provider, ty, address, private).await
    }
}

/// Something that is renewed as long as it is open.
struct Renewal {
    by: Arc<dyn Lend>,
    progress: Arc<Progress>,
    provider: ProviderKey,
    ty: String,
    address: Address,
    private: Arc<Mutex<Vec<u8>>>,
    after_ms: u64,
}

impl Renewal {
    async fn go_on(self) {
        let mut after_ms = Some(self.after_ms);
        while let Some(wait) = after_ms {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let private = lock(&self.private).clone();
            match self.by.renew(&self.provider, &self.ty, &self.address, private).await {
                Ok(lent) => {
                    *lock(&self.private) = lent.private;
                    after_ms = lent.renew_after_ms;
                }
                Err(diagnostics) => {
                    let address = self.address.clone();
                    self.progress.notify(Event::Failed { address, action: "renew", diagnostics });
                    return;
                }
            }
        }
    }
}

fn ended(address: &Address, opened: &Result<Opened, Refusal>) -> Event {
    let (address, action) = (address.clone(), "open");
    match opened {
        Ok(_) => Event::Finished { address, action },
        Err(Refusal::Failed(said)) => Event::Failed { address, action, diagnostics: said.clone() },
        Err(Refusal::Deferred(why)) => Event::Deferred { address, action, because: why.clone() },
    }
}

fn as_warning(said: Diagnostic) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..said }
}

/// What a panicking thread left is still a list.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
