//! What state remembers, in the present version of its schema: a provider reads nothing older.

use std::cmp::Ordering;
use std::sync::Arc;

use bimetal_model::port::Predict;
use bimetal_model::question::Observed;
use bimetal_model::schema::TypeSchema;
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey};

use crate::marks;

/// Upgrades everything that is remembered. Answers what could not be: it stays as it was, and nobody may read it.
pub(crate) fn all(observed: &mut Observed, predict: &dyn Predict) -> Vec<(Address, Diagnostics)> {
    let upgrade = |(address, stored): (&Address, &mut Arc<Stored>)| {
        let said = one(address, stored, predict).err()?;
        let of = |diagnostic: Diagnostic| diagnostic.of(address);
        Some((address.clone(), said.into_iter().map(of).collect()))
    };
    observed.objects.iter_mut().filter_map(upgrade).collect()
}

fn one(address: &Address, stored: &mut Arc<Stored>, predict: &dyn Predict) -> Result<(), Diagnostics> {
    let version = version(predict, &stored.provider, &stored.ty).unwrap_or(stored.schema_version);
    match stored.schema_version.cmp(&version) {
        Ordering::Equal => {}
        Ordering::Less => {
            let value =
                predict.upgrade(&stored.provider.name, &stored.ty, stored.schema_version, &stored.object.value)?;
            let stored = Arc::make_mut(stored);
            stored.object.value = marks::carry(value, &stored.object.value);
            stored.schema_version = version;
        }
        Ordering::Greater => return Err(vec![newer(address, stored, version)]),
    }
    Ok(())
}

/// Of a type's schema; `None`: its provider is not there any more, or does not have it.
pub(crate) fn version(predict: &dyn Predict, provider: &ProviderKey, ty: &str) -> Option<u64> {
    let schema = predict.schema(&provider.name).ok()?;
    schema.managed.get(ty).map(|TypeSchema { version, .. }| *version)
}

fn newer(address: &Address, stored: &Stored, version: u64) -> Diagnostic {
    Diagnostic::error(format!("`{address}` was made by a newer version of the provider `{}`", stored.provider))
        .because(format!("it is stored as version {}, this provider knows {version}", stored.schema_version))
        .hint("use the provider's version of `bimetal.lock.hcl`, or a newer one")
}
