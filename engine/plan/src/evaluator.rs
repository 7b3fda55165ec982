//! One instance's arguments, evaluated with the values that objects have by now. `plan` calls this with what is
//! predicted, `apply` again with what is real.

use std::collections::BTreeMap;

use bimetal_config::module::{Body, ObjectBlock};
use bimetal_config::{Desired, Instance, Node};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::placement::Placement;
use bimetal_model::port::Predict;
use bimetal_model::schema::Block;
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderKey, Value};

use crate::prior::nothing;
use crate::values::Values;
use crate::{lower, needs, service};

/// The arguments of a machine, resource, data source or replica, in its schema's type.
///
/// A replica needs its placement; its service's pool is not looked at, so that other machines need not be there yet.
pub fn instance_config(
    desired: &Desired,
    address: &Address,
    placement: Option<&Placement>,
    values: &Values,
) -> Result<Value, Diagnostics> {
    let Some(block) = desired.module.objects.get(&address.whole()) else {
        return Err(vec![Diagnostic::error(format!("`{address}` is not in the configuration")).of(address)]);
    };
    let mut start = needs::of_arguments(block);
    start.extend(needs::of_repetition(&block.repetition));
    start.extend(placement.map(|placement| Node::Object(placement.machine.whole())));
    let mut narrowed = values.narrowed(desired, start)?;
    let instance = instance(block, address, &narrowed)?;
    let config = narrowed.within(instance, |values| match placement {
        Some(placement) => replica_config(block, placement, values),
        None => object_config(block, values),
    });
    config.map_err(|diagnostics| diagnostics.into_iter().map(|diagnostic| diagnostic.of(address)).collect())
}

/// The arguments of a provider block; of a provider without one, those of an empty block.
pub fn provider_config(desired: &Desired, provider: &ProviderKey, values: &Values) -> Result<Value, Diagnostics> {
    let Some(schema) = values.catalogue.provider(&provider.name) else {
        return Err(vec![
            Diagnostic::error(format!("provider `{}` is not known", provider.name))
                .hint("name it in `required_providers` and run `bimetal init`"),
        ]);
    };
    match desired.module.providers.get(provider) {
        Some(block) => {
            let narrowed = values.narrowed(desired, needs::of_body(&block.body))?;
            decode(&block.body, schema, &narrowed.scope)
        }
        None => undeclared(provider, schema),
    }
}

/// The provider blocks that follow from variables and locals alone, so that what exists can be looked at before planning;
/// and an empty block for each provider that needs none.
pub fn provider_configs(desired: &Desired, predict: &dyn Predict) -> (BTreeMap<ProviderKey, Value>, Diagnostics) {
    let (values, mut diagnostics) = Values::new(desired, predict);
    let mut configs = BTreeMap::new();
    for key in desired.module.providers.keys().filter(|key| is_independent(desired, key)) {
        match provider_config(desired, key, &values) {
            Ok(config) => drop(configs.insert(key.clone(), config)),
            Err(more) => diagnostics.extend(more),
        }
    }
    for name in values.catalogue.names() {
        let key = ProviderKey { name: name.clone(), alias: None };
        if let (false, Some(schema)) = (desired.module.providers.contains_key(&key), values.catalogue.provider(name)) {
            configs.extend(undeclared(&key, schema).ok().map(|config| (key, config)));
        }
    }
    (configs, diagnostics)
}

/// Whether a provider's block refers to no object, directly or by locals.
pub(crate) fn is_independent(desired: &Desired, provider: &ProviderKey) -> bool {
    let nodes = desired.module.providers.get(provider).map(|block| needs::of_body(&block.body)).unwrap_or_default();
    !needs::closure(desired, nodes).iter().any(|node| matches!(node, Node::Object(_)))
}

/// All outputs, and whether each may be shown.
pub fn outputs(desired: &Desired, values: &Values) -> (BTreeMap<String, Value>, Diagnostics) {
    let (mut outputs, mut diagnostics) = (BTreeMap::new(), Diagnostics::new());
    for (name, output) in &desired.module.outputs {
        let narrowed = values.narrowed(desired, needs::of_expression(&output.value));
        match narrowed.and_then(|narrowed| bimetal_config::evaluate(&output.value, &narrowed.scope)) {
            Ok(value) if value.has_sensitive() && !output.sensitive => diagnostics.push(
                Diagnostic::error(format!("output `{name}` would show something sensitive"))
                    .hint("write `sensitive = true` in the output, or `nonsensitive(…)` around what may be seen")
                    .at(&output.span),
            ),
            Ok(value) => drop(outputs.insert(name.clone(), value.with_sensitivity(output.sensitive))),
            Err(more) => diagnostics.extend(more),
        }
    }
    (outputs, diagnostics)
}

/// A body's value, or why it has none. Warnings are told while planning starts, not here.
pub(crate) fn decode(body: &Body, block: &Block, scope: &bimetal_config::Scope) -> Result<Value, Diagnostics> {
    let (value, diagnostics) = bimetal_config::decode(body, block, scope);
    if has_errors(&diagnostics) { Err(diagnostics) } else { Ok(value) }
}

/// The arguments of a machine, resource or data source, where `each` and `count` are set.
pub(crate) fn object_config(block: &ObjectBlock, values: &Values) -> Result<Value, Diagnostics> {
    let owner = values.catalogue.owner(block).map_err(|diagnostic| vec![diagnostic])?;
    decode(&block.body, &owner.schema.block, &values.scope)
}

fn replica_config(block: &ObjectBlock, placement: &Placement, values: &Values) -> Result<Value, Diagnostics> {
    let runtime = values.catalogue.runtime().map_err(|diagnostic| vec![diagnostic])?;
    let arguments = service::arguments(block, &values.scope)?;
    let machine = values.get(&placement.machine).cloned().unwrap_or(Value::NULL);
    lower::lower_replica(&arguments, placement, &machine, &runtime.schema.block)
}

fn instance(block: &ObjectBlock, address: &Address, values: &Values) -> Result<Instance, Diagnostics> {
    let instances = bimetal_config::expand(&block.repetition, &values.scope)?;
    instances.into_iter().find(|instance| instance.key == address.key).ok_or_else(|| {
        vec![Diagnostic::error(format!("`{}` has no such instance any more", address.whole())).of(address)]
    })
}

fn undeclared(provider: &ProviderKey, block: &Block) -> Result<Value, Diagnostics> {
    let required = block.attributes.iter().find(|(_, attribute)| attribute.required);
    match (&provider.alias, required) {
        (Some(_), _) => Err(vec![
            Diagnostic::error(format!("there is no provider block for `{provider}`"))
                .hint(format!("add one: `provider \"{}\" {{ alias = … }}`", provider.name)),
        ]),
        (None, Some((name, _))) => Err(vec![
            Diagnostic::error(format!("provider `{provider}` needs `{name}`"))
                .hint(format!("write `provider \"{provider}\" {{ {name} = … }}`")),
        ]),
        (None, None) => Ok(nothing(block)),
    }
}

/// Whether a block's instances are objects of a provider's.
pub(crate) fn is_provided(kind: BlockKind) -> bool {
    match kind {
        BlockKind::Machine | BlockKind::Resource | BlockKind::Data => true,
        BlockKind::Pool | BlockKind::Service => false,
    }
}
