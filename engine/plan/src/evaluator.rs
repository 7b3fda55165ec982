//! One instance's arguments, evaluated with the values that objects have by now. `plan` calls this with what is
//! predicted, `apply` again with what is real.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::module::{Body, ObjectBlock, Output};
use bimetal_config::{Desired, Instance, Node};
use bimetal_model::diagnostic::{Severity, has_errors};
use bimetal_model::placement::Placement;
use bimetal_model::port::Predict;
use bimetal_model::schema::Block;
use bimetal_model::snapshot::Objects;
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderKey, Type, Value};

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
    let mut start = needs::of_arguments(&desired.module, block);
    start.extend(needs::of_repetition(&desired.module, &block.repetition));
    start.extend(placement.map(|placement| Node::Object(placement.machine.whole())));
    let mut narrowed = values.narrowed(desired, start)?;
    let instance = instance(block, address, &narrowed)?;
    let config = narrowed.within(instance, |values| {
        before(block, values)?;
        match placement {
            Some(placement) => replica_config(block, placement, values),
            None => object_config(block, values),
        }
    });
    config.map_err(|diagnostics| diagnostics.into_iter().map(|diagnostic| diagnostic.of(address)).collect())
}

/// The arguments of a replica's service, but for its pool.
pub(crate) fn service_arguments(desired: &Desired, replica: &Address, values: &Values) -> Result<Value, Diagnostics> {
    let Some(block) = desired.module.objects.get(&replica.whole()) else {
        return Err(vec![Diagnostic::error(format!("`{replica}` is not in the configuration")).of(replica)]);
    };
    let mut start = needs::of_arguments(&desired.module, block);
    start.extend(needs::of_repetition(&desired.module, &block.repetition));
    let mut narrowed = values.narrowed(desired, start)?;
    let instance = instance(block, replica, &narrowed)?;
    narrowed.within(instance, |values| service::arguments(block, &values.scope))
}

/// Whether an instance's preconditions hold, as far as it is known; `each` and `count` are set.
pub(crate) fn before(block: &ObjectBlock, values: &Values) -> Result<(), Diagnostics> {
    held(bimetal_config::unmet(&block.lifecycle.preconditions, "a precondition does not hold", &values.scope))
}

/// Whether the postconditions of a machine, resource or data source hold of this value of it, as far as it is known.
pub fn after(desired: &Desired, address: &Address, value: &Value, values: &Values) -> Result<(), Diagnostics> {
    let Some(block) = desired.module.objects.get(&address.whole()) else { return Ok(()) };
    if block.lifecycle.postconditions.is_empty() {
        return Ok(());
    }
    let mut start = needs::of_arguments(&desired.module, block);
    start.extend(needs::of_repetition(&desired.module, &block.repetition));
    let mut narrowed = values.narrowed(desired, start)?;
    let instance = instance(block, address, &narrowed)?;
    narrowed.scope.this = Some(value.clone());
    narrowed.within(instance, |values| {
        held(bimetal_config::unmet(&block.lifecycle.postconditions, "a postcondition does not hold", &values.scope))
    })
}

fn held(said: Diagnostics) -> Result<(), Diagnostics> {
    if said.is_empty() { Ok(()) } else { Err(said) }
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
            let narrowed = values.narrowed(desired, needs::of_body(&desired.module, &block.body))?;
            sound(bimetal_config::decode(&block.body, schema, &narrowed.scope))
        }
        None => undeclared(provider, schema),
    }
}

/// Objects that one message names.
const MOST_NAMED: usize = 3;

/// The provider blocks by what exists, so that it can be looked at before planning; and an empty block for each provider
/// that needs none. `objects` is what state remembers, or what was read; `needed` is what of these is looked at; `known` is what
/// is open, or was read, for them.
///
/// Left out is a block that rests on what does not exist yet, or that has errors because of it. A needed object whose provider
/// can't be configured any more is an error: it could neither be looked at nor be removed.
pub fn provider_configs(
    desired: &Desired,
    objects: &Objects,
    needed: &Objects,
    known: &BTreeMap<Address, Value>,
    predict: &dyn Predict,
) -> (BTreeMap<ProviderKey, Value>, Diagnostics) {
    let rests_on_objects = |key| !is_independent(desired, key);
    let (mut values, mut diagnostics) = match desired.module.providers.keys().any(rests_on_objects) {
        true => Values::of_existing(desired, objects, predict),
        false => Values::new(desired, predict),
    };
    known.iter().for_each(|(address, value)| values.put(address, value.clone()));
    let mut configs = BTreeMap::new();
    for key in declared_or_default(desired, &values) {
        let declared = desired.module.providers.contains_key(&key);
        match provider_config(desired, &key, &values) {
            Ok(config) if config.is_wholly_known() || is_independent(desired, &key) => {
                drop(configs.insert(key, config))
            }
            Err(more) if declared && is_independent(desired, &key) => diagnostics.extend(more),
            Ok(_) | Err(_) => {}
        }
    }
    if has_errors(&diagnostics) {
        return (configs, diagnostics);
    }
    let mut lost: BTreeMap<&ProviderKey, Vec<&Address>> = BTreeMap::new();
    for (address, stored) in needed.iter().filter(|(_, stored)| !configs.contains_key(&stored.provider)) {
        lost.entry(&stored.provider).or_default().push(address);
    }
    diagnostics.extend(lost.into_iter().map(|(key, made)| lost_provider(desired, &values, key, &made)));
    (configs, diagnostics)
}

fn declared_or_default(desired: &Desired, values: &Values) -> BTreeSet<ProviderKey> {
    let defaults = values.catalogue.names().map(|name| ProviderKey { name: name.clone(), alias: None });
    desired.module.providers.keys().cloned().chain(defaults).collect()
}

/// Why a provider can't be configured that made these.
fn lost_provider(desired: &Desired, values: &Values, key: &ProviderKey, made: &[&Address]) -> Diagnostic {
    let said = provider_config(desired, key, values).err().and_then(|said| said.into_iter().next());
    let why = said.unwrap_or_else(|| {
        Diagnostic::error(format!("the configuration of provider `{key}` is not known before planning")).hint(
            "it may refer to variables, to what exists, and to what data sources say that need no more than these",
        )
    });
    let named: Vec<String> = made.iter().take(MOST_NAMED).map(|address| format!("`{address}`")).collect();
    let were = if made.len() == 1 { "was" } else { "were" };
    let named = match made.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    };
    let why = why.because(format!("{named} {were} made with it"));
    match made {
        [address] => why.of(address),
        _ => why,
    }
}

/// Whether a provider's block refers to no object, directly or by locals.
pub fn is_independent(desired: &Desired, provider: &ProviderKey) -> bool {
    let nodes = desired
        .module
        .providers
        .get(provider)
        .map(|block| needs::of_body(&desired.module, &block.body))
        .unwrap_or_default();
    !needs::closure(desired, nodes).iter().any(|node| matches!(node, Node::Object(_)))
}

/// All outputs that rest on nothing that is left out, and whether each may be shown.
pub fn outputs(
    desired: &Desired,
    values: &Values,
    left_out: &BTreeSet<Address>,
) -> (BTreeMap<String, Value>, Diagnostics) {
    let (mut outputs, mut diagnostics) = (BTreeMap::new(), Diagnostics::new());
    for (name, output) in desired.module.outputs.iter().filter(|(name, _)| !rests_on(desired, name, left_out)) {
        let start = output.expressions().flat_map(|one| needs::of_expression(&desired.module, one)).collect();
        let narrowed = values.narrowed(desired, start);
        match narrowed.and_then(|narrowed| output_value(name, output, &narrowed.scope)) {
            Ok(value) => drop(outputs.insert(name.clone(), value)),
            Err(more) => diagnostics.extend(more),
        }
    }
    (outputs, diagnostics)
}

/// An output's value where the scope has what it follows from, and whether it may be shown.
pub(crate) fn output_value(name: &str, output: &Output, scope: &bimetal_config::Scope) -> Result<Value, Diagnostics> {
    held(bimetal_config::unmet(&output.preconditions, "a precondition does not hold", scope))?;
    let value = bimetal_config::evaluate(&output.value, scope)?;
    if value.has_ephemeral() {
        return Err(vec![bimetal_config::lasting(name, output)]);
    }
    if value.has_sensitive() && !output.sensitive {
        let error = Diagnostic::error(format!("output `{name}` would show something sensitive"));
        let error = error.hint("write `sensitive = true` in the output, or `nonsensitive(…)` around what may be seen");
        return Err(vec![error.at(&output.span)]);
    }
    Ok(value.with_sensitivity(output.sensitive))
}

/// Whether an output's value follows from one of these blocks.
pub(crate) fn rests_on(desired: &Desired, output: &str, blocks: &BTreeSet<Address>) -> bool {
    let output = desired.module.outputs.get(output).filter(|_| !blocks.is_empty());
    let start = output.iter().flat_map(|output| output.expressions());
    follow_from(desired, start.flat_map(|one| needs::of_expression(&desired.module, one)).collect(), blocks)
}

fn follow_from(desired: &Desired, start: BTreeSet<Node>, blocks: &BTreeSet<Address>) -> bool {
    let is_one = |node: &Node| matches!(node, Node::Object(address) if blocks.contains(address));
    !blocks.is_empty() && needs::closure(desired, start).iter().any(is_one)
}

/// What checks find that rest on nothing that is left out, as far as it is known: warnings, as nothing waits for them.
pub fn checks(desired: &Desired, values: &Values, left_out: &BTreeSet<Address>) -> Diagnostics {
    let mut said = Diagnostics::new();
    for (name, asserts) in &desired.module.checks {
        let expressions = asserts.iter().flat_map(|one| one.expressions());
        let start: BTreeSet<Node> = expressions.flat_map(|one| needs::of_expression(&desired.module, one)).collect();
        if follow_from(desired, start.clone(), left_out) {
            continue;
        }
        let summary = format!("check `{name}` fails");
        said.extend(match values.narrowed(desired, start) {
            Ok(narrowed) => bimetal_config::unmet(asserts, &summary, &narrowed.scope),
            Err(said) => said,
        });
    }
    said.into_iter().map(|said| Diagnostic { severity: Severity::Warning, ..said }).collect()
}

/// What is wrong with values of variables, by conditions that look at more than variables, as far as it is known. Nothing waits
/// for these conditions: what they look at may follow from the variable.
pub fn refused_values(desired: &Desired, values: &Values, left_out: &BTreeSet<Address>) -> Diagnostics {
    let mut said = Diagnostics::new();
    for (name, condition) in desired.module.far_conditions() {
        let expressions = condition.expressions().into_iter();
        let start: BTreeSet<Node> = expressions.flat_map(|one| needs::of_expression(&desired.module, one)).collect();
        if follow_from(desired, start.clone(), left_out) {
            continue;
        }
        said.extend(match values.narrowed(desired, start) {
            Ok(narrowed) => bimetal_config::unmet_of(name, condition, &narrowed.scope),
            Err(said) => said,
        });
    }
    said
}

/// The outputs that are known though these objects are not as planned, because something failed before they were made.
pub fn outputs_without(
    desired: &Desired,
    values: &Values,
    undone: &BTreeSet<Address>,
    left_out: &BTreeSet<Address>,
) -> BTreeMap<String, Value> {
    let mut values = values.clone();
    for address in undone {
        values.put(address, Value::unknown(Type::Any));
    }
    // A service's value does not say which of its replicas run.
    let services: BTreeSet<Node> = undone
        .iter()
        .filter(|address| address.replica.is_some())
        .map(|address| Node::Object(address.whole()))
        .collect();
    let rests_on_one = |name: &String| {
        let expression =
            desired.module.outputs.get(name).map(|output| needs::of_expression(&desired.module, &output.value));
        needs::closure(desired, expression.unwrap_or_default()).iter().any(|node| services.contains(node))
    };
    let (mut outputs, _) = self::outputs(desired, &values, left_out);
    outputs.retain(|name, value| value.is_wholly_known() && !rests_on_one(name));
    outputs
}

/// The value of a body that is stored, or why it has none.
pub(crate) fn decode(body: &Body, block: &Block, scope: &bimetal_config::Scope) -> Result<Value, Diagnostics> {
    sound(bimetal_config::decode_stored(body, block, scope))
}

/// Warnings are told while planning starts, not here.
pub(crate) fn sound((value, diagnostics): (Value, Diagnostics)) -> Result<Value, Diagnostics> {
    if has_errors(&diagnostics) { Err(diagnostics) } else { Ok(value) }
}

/// The arguments of a machine, resource or data source, where `each` and `count` are set.
pub(crate) fn object_config(block: &ObjectBlock, values: &Values) -> Result<Value, Diagnostics> {
    let owner = values.catalogue.owner(block).map_err(|diagnostic| vec![diagnostic])?;
    arguments(block, &owner.schema.block, &values.scope)
}

/// Only what is never stored may be worked out of what is ephemeral.
fn arguments(block: &ObjectBlock, schema: &Block, scope: &bimetal_config::Scope) -> Result<Value, Diagnostics> {
    match block.address.block {
        BlockKind::Ephemeral => sound(bimetal_config::decode(&block.body, schema, scope)),
        BlockKind::Machine | BlockKind::Pool | BlockKind::Service | BlockKind::Resource | BlockKind::Data => {
            decode(&block.body, schema, scope)
        }
    }
}

fn replica_config(block: &ObjectBlock, placement: &Placement, values: &Values) -> Result<Value, Diagnostics> {
    let runtime = values.catalogue.runtime().map_err(|diagnostic| vec![diagnostic])?;
    let arguments = service::arguments(block, &values.scope)?;
    let machine = values.get(&placement.machine).cloned().unwrap_or(Value::NULL);
    lower::lower_replica(&arguments, placement, &machine, &runtime.schema.block)
}

fn instance(block: &ObjectBlock, address: &Address, values: &Values) -> Result<Instance, Diagnostics> {
    let instance = bimetal_config::expand_one(&block.repetition, address.key.as_ref(), &values.scope)?;
    instance.ok_or_else(|| {
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
        BlockKind::Machine | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => true,
        BlockKind::Pool | BlockKind::Service => false,
    }
}
