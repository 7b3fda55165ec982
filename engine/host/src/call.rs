//! One call of a guest: an instance, its limits, and what becomes of its failures.

use std::sync::Arc;
use std::time::Duration;

use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey};
use futures::future::BoxFuture;
use wasmtime::Store;

use crate::bindings;
use crate::grant::Subject;
use crate::guest::{Breach, Context, Guest};
use crate::host::{Inner, Provider};
use crate::phase::Phase;
use crate::wire;

/// A pure call that was made so often gets a fresh instance.
const MOST_USES: u32 = 256;
/// An instance that has grown larger is not kept, in bytes.
const MOST_KEPT: usize = 32 << 20;
/// So many instances are kept.
const MOST_IDLE: usize = 8;

/// An instance that can be called again.
pub(crate) struct Instance {
    store: Store<Guest>,
    exports: bindings::Provider,
    uses: u32,
}

/// What to do with an instance.
pub(crate) type Work<T> =
    Box<dyn for<'a> FnOnce(&'a bindings::Provider, &'a mut Store<Guest>) -> BoxFuture<'a, wasmtime::Result<T>> + Send>;

/// The longest that a call may take, waiting included.
fn wall_clock(phase: Phase) -> Duration {
    match phase {
        Phase::Pure => Duration::from_secs(2 * 60),
        Phase::Look | Phase::Open | Phase::Operate => Duration::from_secs(20 * 60),
    }
}

/// A pure call, on an instance that may have served before.
pub(crate) async fn pure<T: Send + 'static>(
    inner: Arc<Inner>,
    provider: Arc<Provider>,
    addresses: Vec<Address>,
    work: Work<T>,
) -> Result<T, Diagnostics> {
    let context = inner.pure_context(&provider, Subject::of(addresses));
    let idle = provider.idle().pop();
    let mut instance = match idle {
        Some(instance) => instance,
        None => instantiate(&inner, &provider, context.clone()).await?,
    };
    let result = limited(&mut instance, context, work).await;
    instance.uses += 1;
    // After a trap an instance can't be entered again.
    if result.is_ok() && instance.uses < MOST_USES && instance.store.data().memory() <= MOST_KEPT {
        let mut idle = provider.idle();
        if idle.len() < MOST_IDLE {
            idle.push(instance);
        }
    }
    result
}

/// A call that looks or changes, on an instance of its own, configured first.
pub(crate) async fn configured<T: Send + 'static>(
    inner: Arc<Inner>,
    key: ProviderKey,
    phase: Phase,
    mut subject: Subject,
    work: Work<T>,
) -> Result<T, Diagnostics> {
    let provider = inner.provider(&key.name)?;
    let offer = inner.offer(&provider).await?;
    let closing = |_| failed(&provider, &subject.addresses, "the host is closing");
    let _permit = inner.slots.acquire().await.map_err(closing)?;
    let config = provider.config(&key, &offer);
    let text = subject.hand_over(inner.provider_codec(&key, &offer).to_guest(&config));
    let context = inner.context(&provider, phase, &key, &config, subject);
    let mut instance = instantiate(&inner, &provider, context.clone()).await?;
    let configure: Work<Vec<wire::WireDiagnostic>> = Box::new(move |exports, store| {
        Box::pin(async move { exports.bimetal_provider_look().call_configure(store, &text).await })
    });
    // Nothing of the world is changed before the call itself.
    let looking = Context { phase: Phase::Look, ..context.clone() };
    let diagnostics = limited(&mut instance, looking, configure).await?;
    let diagnostics = wire::diagnostics(&provider, diagnostics);
    if bimetal_model::diagnostic::has_errors(&diagnostics) {
        return Err(diagnostics);
    }
    limited(&mut instance, context, work).await
}

async fn instantiate(inner: &Arc<Inner>, provider: &Arc<Provider>, context: Context) -> Result<Instance, Diagnostics> {
    let subject = context.subject.clone();
    let instance = async {
        let prepared = inner.prepared(provider).await?;
        let mut store = Guest::store(&inner.engine, context);
        let exports = prepared.instantiate_async(&mut store).await?;
        wasmtime::Result::Ok(Instance { store, exports, uses: 0 })
    };
    instance.await.map_err(|error: wasmtime::Error| {
        failed(provider, &subject.addresses, &format!("it can't be started: {error:#}"))
    })
}

async fn limited<T>(instance: &mut Instance, context: Context, work: Work<T>) -> Result<T, Diagnostics> {
    let limit = wall_clock(context.phase);
    instance.store.data_mut().begin(context);
    let result = tokio::time::timeout(limit, work(&instance.exports, &mut instance.store)).await;
    let guest = instance.store.data();
    let reason = match result {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => reason(guest, &error),
        Err(_) => too_long(guest, limit),
    };
    Err(failed(&guest.context.provider, &guest.context.subject.addresses, &reason))
}

fn too_long(guest: &Guest, limit: Duration) -> String {
    let minutes = limit.as_secs().div_ceil(60);
    match &guest.waits_for {
        Some(what) => format!("it took longer than {minutes} minutes, and was waiting for: {what}"),
        None => format!("it took longer than {minutes} minutes"),
    }
}

fn reason(guest: &Guest, error: &wasmtime::Error) -> String {
    match guest.breach() {
        Some(Breach::Memory) => format!("it wanted more than {} MiB of memory", crate::runtime::MOST_MEMORY >> 20),
        Some(Breach::Processor { seconds }) => format!("it computed for more than {seconds} s"),
        None => {
            let cause = error.root_cause().to_string();
            // The engine has no type for it.
            if cause.starts_with("too much data is being copied") {
                return format!("it handed over more than {} MiB in one call", crate::runtime::MOST_HANDED >> 20);
            }
            match guest.last_words() {
                Some(words) => format!("it crashed ({cause}): {}", wire::clean(&words)),
                None => format!("it crashed: {cause}"),
            }
        }
    }
}

/// The provider is to blame, and nothing else is harmed. The reason may quote it.
pub(crate) fn failed(provider: &Provider, addresses: &[Address], reason: &str) -> Diagnostics {
    let error = Diagnostic::of_broken_provider(&provider.name, &provider.manifest.version, wire::clean(reason));
    vec![match addresses {
        [only] => error.of(only),
        _ => error,
    }]
}
