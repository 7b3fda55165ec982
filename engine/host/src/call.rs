//! One call of a guest: an instance, its limits, and what becomes of its failures.

use std::sync::Arc;
use std::time::Duration;

use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey};
use futures::future::BoxFuture;
use wasmtime::Store;

use crate::bindings;
use crate::guest::{Breach, Context, Guest};
use crate::host::{Inner, Provider};
use crate::phase::Phase;
use crate::wire;

/// A pure call that was made so often gets a fresh instance.
const MOST_USES: u32 = 256;

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
        Phase::Pure => Duration::from_secs(10),
        Phase::Look => Duration::from_secs(5 * 60),
        Phase::Operate => Duration::from_secs(20 * 60),
    }
}

/// A pure call, on an instance that may have served before.
pub(crate) async fn pure<T: Send + 'static>(inner: Arc<Inner>, provider: Arc<Provider>, addresses: Vec<Address>, work: Work<T>) -> Result<T, Diagnostics> {
    let context = inner.context(&provider, Phase::Pure, Vec::new(), addresses.clone());
    let idle = provider.idle().pop();
    let mut instance = match idle {
        Some(instance) => instance,
        None => instantiate(&inner, &provider, context.clone()).await.map_err(|error| failed(&provider, &addresses, &error.to_string()))?,
    };
    instance.store.data_mut().context = context;
    let result = limited(&provider, Phase::Pure, &mut instance, work).await;
    instance.uses += 1;
    // After a trap an instance can't be entered again.
    if result.is_ok() && instance.uses < MOST_USES {
        provider.idle().push(instance);
    }
    result
}

/// A call that looks or changes, on an instance of its own, configured first.
pub(crate) async fn configured<T: Send + 'static>(
    inner: Arc<Inner>,
    key: ProviderKey,
    phase: Phase,
    addresses: Vec<Address>,
    work: Work<T>,
) -> Result<T, Diagnostics> {
    let provider = inner.provider(&key.name)?;
    let schema = inner.schema(&provider).await?;
    let _permit = inner.slots.acquire().await.map_err(|_| failed(&provider, &addresses, "the host is closing"))?;
    let config = provider.config(&key, &schema);
    let origins = inner.origins(&provider, &config);
    let context = inner.context(&provider, phase, origins, addresses.clone());
    let text = inner.provider_codec(&key, &schema).to_guest(&config);
    let mut instance =
        instantiate(&inner, &provider, context).await.map_err(|error| failed(&provider, &addresses, &error.to_string()))?;
    let configure: Work<Vec<wire::WireDiagnostic>> = Box::new(move |exports, store| {
        Box::pin(async move { exports.bimetal_provider_look().call_configure(store, &text).await })
    });
    let diagnostics = limited(&provider, phase, &mut instance, configure).await?;
    let diagnostics = wire::diagnostics(&provider, diagnostics);
    if bimetal_model::diagnostic::has_errors(&diagnostics) {
        return Err(diagnostics);
    }
    limited(&provider, phase, &mut instance, work).await
}

async fn instantiate(inner: &Inner, provider: &Provider, context: Context) -> wasmtime::Result<Instance> {
    let prepared = inner.prepared(provider)?;
    let mut store = Guest::store(&inner.engine, context);
    let exports = prepared.instantiate_async(&mut store).await?;
    Ok(Instance { store, exports, uses: 0 })
}

async fn limited<T>(provider: &Provider, phase: Phase, instance: &mut Instance, work: Work<T>) -> Result<T, Diagnostics> {
    let limit = wall_clock(phase);
    let result = tokio::time::timeout(limit, work(&instance.exports, &mut instance.store)).await;
    let guest = instance.store.data();
    let addresses = &guest.context.addresses;
    match result {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(provider, addresses, &reason(guest, &error))),
        Err(_) => Err(failed(provider, addresses, &format!("it took longer than {} minutes", limit.as_secs().div_ceil(60)))),
    }
}

fn reason(guest: &Guest, error: &wasmtime::Error) -> String {
    match guest.breach() {
        Some(Breach::Memory) => format!("it wanted more than {} MiB of memory", crate::runtime::MOST_MEMORY >> 20),
        Some(Breach::Processor { seconds }) => format!("it computed for more than {seconds} s"),
        None => {
            let cause = error.root_cause().to_string();
            match guest.last_words() {
                Some(words) => format!("it crashed ({cause}): {words}"),
                None => format!("it crashed: {cause}"),
            }
        }
    }
}

/// The provider is to blame, and nothing else is harmed.
pub(crate) fn failed(provider: &Provider, addresses: &[Address], reason: &str) -> Diagnostics {
    let summary = format!("provider `{}` {} failed", provider.name, provider.manifest.version);
    let error = Diagnostic::error(summary).because(reason.to_owned());
    vec![match addresses {
        [only] => error.of(only),
        _ => error,
    }]
}
