//! Machines as values: handles of nodes, the members of pools, and facts.

use std::collections::BTreeMap;

use bimetal_fleet::Node;
use bimetal_model::schema::Block;
use bimetal_model::{Address, Data, Diagnostic, Platform, Value};

use crate::prior::shape;

/// The attribute by which a value says which machine it is.
const NODE: &str = "node";

/// A machine's value as expressions see it: the provider's attributes and its node.
pub(crate) fn with_node(address: &Address, value: Value) -> Value {
    let Value { data: Data::Object(mut members) | Data::Map(mut members), marks } = value else {
        return value;
    };
    members.insert(NODE.to_owned(), handle(address));
    Value { data: Data::Object(members), marks }
}

fn handle(address: &Address) -> Value {
    let json = serde_json::json!({ "machine": address.to_string() });
    Data::Handle(json.to_string().into()).into()
}

/// The machine that a value is, if it is one.
pub(crate) fn machine_of(value: &Value) -> Option<Address> {
    let Data::Handle(json) = &value.member(NODE)?.data else {
        return None;
    };
    let json: serde_json::Value = serde_json::from_str(json).ok()?;
    json.get("machine")?.as_str()?.parse().ok()
}

/// Why a value does not say which machines it holds.
pub(crate) enum NoMembers {
    /// Only apply will tell.
    Unknown,
    /// Something in it is no machine.
    NoMachine,
}

/// All machines in a value, however deep, each once, in the order of their addresses.
pub(crate) fn members(value: &Value) -> Result<BTreeMap<Address, Value>, NoMembers> {
    let mut members = BTreeMap::new();
    collect(value, &mut members)?;
    Ok(members)
}

fn collect(value: &Value, members: &mut BTreeMap<Address, Value>) -> Result<(), NoMembers> {
    if let Some(address) = machine_of(value) {
        members.insert(address, value.clone());
        return Ok(());
    }
    if let Some(machines) = machines_of_pool(value) {
        return collect(machines, members);
    }
    match &value.data {
        Data::Null(_) => Ok(()),
        Data::Unknown(..) => Err(NoMembers::Unknown),
        Data::List(_) | Data::Set(_) | Data::Tuple(_) | Data::Map(_) | Data::Object(_) => {
            value.children().try_for_each(|(_, child)| collect(child, members))
        }
        Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Handle(_) => Err(NoMembers::NoMachine),
    }
}

/// A pool's value has its machines beside its policy.
fn machines_of_pool(value: &Value) -> Option<&Value> {
    let members = value.as_members()?;
    let is_policy = members.get("strategy").is_some_and(|strategy| strategy.is_null() || strategy.as_str().is_some());
    members.get("machines").filter(|_| is_policy)
}

/// Whether all that is unknown in a value is inside machines, and which machines those are.
pub(crate) fn machines_inside(value: &Value) -> Option<Vec<Address>> {
    if let Some(address) = machine_of(value) {
        return Some(vec![address]);
    }
    if value.is_unknown() {
        return None;
    }
    let inside: Option<Vec<Vec<Address>>> = value.children().map(|(_, child)| machines_inside(child)).collect();
    inside.map(|inside| inside.into_iter().flatten().collect())
}

/// What is unknown in a planned value, taken from what the world says of it.
pub(crate) fn with_facts(planned: Value, facts: &Value, block: &Block) -> Result<Value, String> {
    let facts = shape(facts.clone(), block)?;
    let Value { data: Data::Object(mut members), marks } = planned else {
        return Ok(planned);
    };
    for (name, member) in &mut members {
        if let (true, Some(fact)) = (member.is_unknown(), facts.member(name)) {
            *member = fact.clone().with_marks(member.marks);
        }
    }
    Ok(Value { data: Data::Object(members), marks })
}

/// Whether the platform is still to be told.
pub(crate) fn lacks_platform(planned: &Value) -> bool {
    planned.member("platform").is_none_or(Value::is_unknown)
}

/// Those of machines, as far as they are told.
pub(crate) fn platforms<'v>(machines: impl Iterator<Item = &'v Value>) -> impl Iterator<Item = Platform> {
    machines.filter_map(|machine| machine.member("platform")?.as_str()?.parse().ok())
}

/// A machine as a place for replicas.
pub(crate) fn node(address: &Address, value: &Value) -> Result<Node, Diagnostic> {
    let text = value.member("platform").and_then(Value::as_str).unwrap_or_default();
    let platform: Platform = text.parse().map_err(|reason: String| {
        Diagnostic::error(format!("the platform of `{address}` can't be read")).because(reason).of(address)
    })?;
    let memory = value.member("memory").and_then(Value::as_number).and_then(|number| number.to_u64());
    let labels = value.member("labels").and_then(Value::as_members).into_iter().flatten();
    let labels = labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    Ok(Node { memory, labels, ..Node::new(address.clone(), platform) })
}
