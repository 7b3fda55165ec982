//! Outside of planning: what has to be open, or read, before something can be worked out.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::{Desired, Node, expand};
use bimetal_model::port::Predict;
use bimetal_model::question::Inquiry;
use bimetal_model::schema::Block;
use bimetal_model::snapshot::Objects;
use bimetal_model::value::ValueMarks;
use bimetal_model::{Address, BlockKind, Data, Diagnostic, Diagnostics, Members, ProviderKey, Type, Value};

use crate::evaluator::{before, object_config, provider_config};
use crate::marks::remark;
use crate::needs;
use crate::prior::shape;
use crate::values::Values;

/// What can be said of something that is not open.
pub(crate) fn closed(block: &Block) -> Value {
    let unknown = |ty: Type| Value::unknown(ty).with_marks(ValueMarks::EPHEMERAL);
    let attributes = block.attributes.iter().map(|(name, attribute)| (name.clone(), unknown(attribute.ty.clone())));
    let blocks = block.blocks.iter().map(|(name, nested)| (name.clone(), unknown(nested.ty())));
    Data::Object(attributes.chain(blocks).collect::<Members>()).into()
}

/// Of which nothing is known, not even how many there are.
pub(crate) fn unopened() -> Value {
    Value::unknown(Type::Any).with_marks(ValueMarks::EPHEMERAL)
}

/// The blocks of these kinds that have to be asked before these nodes can be worked out, each after those that it needs itself.
fn behind(desired: &Desired, start: impl IntoIterator<Item = Node>, kinds: &[BlockKind]) -> Vec<Address> {
    let wanted: BTreeSet<Node> = needed(desired, start, kinds);
    let is_one = |node: &&Node| matches!(node, Node::Object(address) if kinds.contains(&address.block));
    let of = |node: &Node| match node {
        Node::Object(address) => Some(address.clone()),
        Node::Variable(_) | Node::Local(_) | Node::Provider(_) | Node::Output(_) => None,
    };
    desired.order.iter().filter(|node| wanted.contains(*node)).filter(is_one).filter_map(of).collect()
}

/// All that is worked out together with these nodes: what another object is stands in the state, or in the plan.
fn needed(desired: &Desired, start: impl IntoIterator<Item = Node>, kinds: &[BlockKind]) -> BTreeSet<Node> {
    let (mut open, mut found) = (start.into_iter().collect::<Vec<_>>(), BTreeSet::new());
    let first: BTreeSet<Node> = open.iter().cloned().collect();
    while let Some(node) = open.pop() {
        let is_asked = matches!(&node, Node::Object(address) if kinds.contains(&address.block));
        let goes_on =
            first.contains(&node) || is_asked || needs::is_derived(&node) || matches!(node, Node::Provider(_));
        if goes_on && !found.contains(&node) {
            open.extend(desired.dependencies.get(&node).into_iter().flatten().cloned());
        }
        found.insert(node);
    }
    found
}

/// The ephemeral blocks behind a change's arguments, its provider's, and those of these providers.
pub fn ephemerals_of(
    desired: &Desired,
    address: &Address,
    providers: &[&ProviderKey],
    values: &Values,
) -> Vec<Address> {
    let object = Node::Object(address.whole());
    let providers = providers.iter().map(|key| Node::Provider((*key).clone()));
    let start: Vec<Node> = [object].into_iter().chain(providers).collect();
    let found = behind(desired, start.iter().cloned(), &[BlockKind::Ephemeral]);
    // Those are made by providers, too.
    let owners = found.iter().filter_map(|block| owner_of(desired, block, values)).map(Node::Provider);
    let all: Vec<Node> = start.into_iter().chain(owners).collect();
    behind(desired, all, &[BlockKind::Ephemeral])
}

fn owner_of(desired: &Desired, block: &Address, values: &Values) -> Option<ProviderKey> {
    let block = desired.module.objects.get(block)?;
    values.catalogue.owner(block).ok().map(|owner| owner.provider)
}

/// What has to be asked so that a block is open, or read: all of its instances, with arguments that are wholly known.
pub fn to_open(desired: &Desired, block: &Address, values: &Values) -> Result<Vec<Inquiry>, Diagnostics> {
    let Some(declared) = desired.module.objects.get(block) else { return Ok(Vec::new()) };
    let owner = values.catalogue.owner(declared).map_err(|error| vec![error])?;
    let mut start = needs::of_arguments(&desired.module, declared);
    start.extend(needs::of_repetition(&desired.module, &declared.repetition));
    let mut narrowed = values.narrowed(desired, start)?;
    let mut inquiries = Vec::new();
    for instance in expand(&declared.repetition, &narrowed.scope)? {
        let address = block.instance(instance.key.clone());
        let config = narrowed.within(instance, |values| {
            before(declared, values)?;
            object_config(declared, values)
        })?;
        let (provider, ty) = (owner.provider.clone(), owner.ty.clone());
        inquiries.push(Inquiry { address, provider, ty, config });
    }
    Ok(inquiries)
}

/// What provider blocks rest on and can be opened or read by what exists, before anything is looked at; what is known is left out.
///
/// Asked again with more that is known, it may answer more. What can't be worked out yet is left for the plan to say.
pub fn early_inquiries(
    desired: &Desired,
    objects: &Objects,
    known: &BTreeMap<Address, Value>,
    predict: &dyn Predict,
) -> Vec<Inquiry> {
    let providers = desired.module.providers.keys().cloned().map(Node::Provider);
    let blocks = behind(desired, providers, &[BlockKind::Ephemeral, BlockKind::Data]);
    if blocks.is_empty() {
        return Vec::new();
    }
    let (mut values, _) = Values::of_existing(desired, objects, predict);
    known.iter().for_each(|(address, value)| values.put(address, value.clone()));
    let is_new = |inquiry: &Inquiry| !known.contains_key(&inquiry.address) && inquiry.config.is_wholly_known();
    let is_ready = |inquiry: &Inquiry| {
        provider_config(desired, &inquiry.provider, &values).is_ok_and(|config| config.is_wholly_known())
    };
    let inquiries = blocks.iter().filter_map(|block| to_open(desired, block, &values).ok()).flatten();
    inquiries.filter(|inquiry| is_new(inquiry) && is_ready(inquiry)).collect()
}

/// What a data source says, in its schema's type, with the marks of its schema and of its arguments.
pub fn read_value(inquiry: &Inquiry, block: &Block, value: Value) -> Result<Value, Diagnostics> {
    let shaped = shape(value, block).map_err(|reason| {
        let summary = format!("provider `{}` has a bug: its `{}` can't be used", inquiry.provider, inquiry.ty);
        vec![Diagnostic::error(summary).because(reason).of(&inquiry.address)]
    });
    Ok(remark(shaped?, block, Some(&inquiry.config)))
}
