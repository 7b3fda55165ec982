//! Services: what placement has to know of them, and their value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bimetal_config::Scope;
use bimetal_config::module::{Body, ObjectBlock};
use bimetal_fleet::{Offer, Port, Replicas, ServiceSpec};
use bimetal_model::placement::Placement;
use bimetal_model::schema::Block;
use bimetal_model::{Address, Data, Diagnostic, Diagnostics, Platform, Value};

use crate::needs::POOL;
use crate::values::Values;
use crate::{evaluator, lower, pool};

/// The arguments of a service but for its pool.
static WITHOUT_POOL: LazyLock<Block> = LazyLock::new(|| {
    let mut block = bimetal_config::builtin::service().clone();
    block.attributes.remove(POOL);
    block
});

/// A service's arguments but for its pool, where `each` and `count` are set.
pub(crate) fn arguments(block: &ObjectBlock, scope: &Scope) -> Result<Value, Diagnostics> {
    let mut attributes = block.body.attributes.clone();
    attributes.remove(POOL);
    let body = Body { attributes, ..block.body.clone() };
    evaluator::decode(&body, &WITHOUT_POOL, scope)
}

/// The pool's value.
pub(crate) fn pool(block: &ObjectBlock, scope: &Scope) -> Result<Value, Diagnostics> {
    let Some(attribute) = block.body.attributes.get(POOL) else {
        return Err(vec![
            Diagnostic::error(format!("`{}` has no pool", block.address))
                .hint("write `pool = pool.NAME`: it says on which machines the replicas may run")
                .at(&block.span),
        ]);
    };
    let pool = bimetal_config::evaluate(&attribute.expression, scope)?;
    match pool.member("machines") {
        Some(_) => Ok(pool),
        None => Err(vec![
            Diagnostic::error("this is no pool")
                .hint("write `pool = pool.NAME`, and `pool \"NAME\" { machines = [ … ] }`")
                .at(attribute.expression.span()),
        ]),
    }
}

/// A service's value: its arguments and its replicas, where `each` and `count` are set.
pub(crate) fn value(block: &ObjectBlock, address: &Address, values: &Values) -> Result<Value, Diagnostics> {
    let arguments = arguments(block, &values.scope)?;
    let replica = |placement: &Placement| replica(&arguments, placement, values);
    let replicas = Value::tuple(values.placements(address).iter().map(replica));
    let Data::Object(mut attributes) = arguments.data.clone() else {
        return Ok(arguments);
    };
    attributes.insert("replicas".to_owned(), replicas);
    Ok(Data::Object(attributes).into())
}

fn replica(arguments: &Value, placement: &Placement, values: &Values) -> Value {
    let machine = values.get(&placement.machine);
    let address = machine.and_then(|machine| machine.member("address")).cloned();
    [
        ("name", Value::from(lower::container_name(placement))),
        ("machine", Value::from(placement.machine.to_string())),
        ("platform", Value::from(placement.platform.to_string())),
        ("image", lower::image(placement)),
        ("address", address.unwrap_or_else(|| Value::unknown(bimetal_model::Type::String))),
        ("ports", arguments.member("port").cloned().unwrap_or_else(|| Value::tuple([]))),
    ]
    .into_iter()
    .collect()
}

/// What placement has to know.
pub(crate) fn spec(
    address: &Address,
    arguments: &Value,
    pool: &Value,
    offers: Vec<Offer>,
    prior: Vec<Placement>,
) -> Result<ServiceSpec, Diagnostics> {
    let one = |diagnostic: Diagnostic| vec![diagnostic.of(address)];
    let Constraints { labels, platforms } = constraints(arguments).map_err(one)?;
    Ok(ServiceSpec {
        address: address.clone(),
        pool: pool::members(pool).into_keys().collect(),
        replicas: replicas(arguments).map_err(one)?,
        offers,
        ports: wanted_ports(address, arguments).map_err(one)?,
        memory: lower::memory(arguments).map_err(one)?.as_number().and_then(|number| number.to_u64()).unwrap_or(0),
        labels,
        platforms,
        strategy: pool::strategy(pool).map_err(one)?,
        prior,
    })
}

fn replicas(arguments: &Value) -> Result<Replicas, Diagnostic> {
    match (arguments.member("mode").and_then(Value::as_str), arguments.member("replicas")) {
        (Some("global"), None) => Ok(Replicas::Global),
        (Some("global"), Some(_)) => Err(Diagnostic::error("a global service has one replica on every machine")
            .hint("remove `replicas`, or `mode = \"global\"`")),
        (None | Some("replicated"), None) => Ok(Replicas::Count(1)),
        (None | Some("replicated"), Some(count)) => {
            let count = count.as_number().and_then(|count| count.to_u64()).filter(|count| *count <= 1_000_000);
            count
                .map(Replicas::Count)
                .ok_or_else(|| Diagnostic::error("`replicas` must be a whole number from 0 to 1000000"))
        }
        (Some(other), _) => Err(Diagnostic::error(format!("`{other}` is no mode of a service"))
            .hint("`mode` is `\"replicated\"` or `\"global\"`")),
    }
}

/// The host ports of a service's or container's arguments, as far as they are known.
pub(crate) fn host_ports(arguments: &Value) -> Result<BTreeSet<Port>, Diagnostic> {
    let ports = arguments.member("port").and_then(Value::as_items).unwrap_or_default();
    ports.iter().filter_map(|port| host_port(port).transpose()).collect()
}

/// The host ports of a service's. Two of its replicas can't have one that is not known yet on one machine, either.
fn wanted_ports(service: &Address, arguments: &Value) -> Result<BTreeSet<Port>, Diagnostic> {
    let ports = arguments.member("port").and_then(Value::as_items).unwrap_or_default();
    let is_open = |port: &Value| port.is_unknown() || port.member("host").is_some_and(Value::is_unknown);
    let open = ports.iter().filter(|port| is_open(port)).map(|_| Port::unknown(service));
    Ok(host_ports(arguments)?.into_iter().chain(open).collect())
}

fn host_port(port: &Value) -> Result<Option<Port>, Diagnostic> {
    let Some(host) = port.member("host") else {
        return Ok(None);
    };
    if host.is_unknown() {
        return Ok(None);
    }
    let number = host.as_number().and_then(|number| number.to_u64()).and_then(|number| u16::try_from(number).ok());
    let protocol = port.member("protocol").and_then(Value::as_str).unwrap_or("tcp").to_owned();
    match number {
        // Any free port.
        Some(0) => Ok(None),
        Some(number) => Ok(Some(Port { number, protocol })),
        None => Err(Diagnostic::error("a host port must be a whole number from 0 to 65535")),
    }
}

/// Which machines a service may run on.
#[derive(Default)]
struct Constraints {
    labels: BTreeMap<String, String>,
    platforms: Option<BTreeSet<Platform>>,
}

/// `placement { labels, platforms }`
fn constraints(arguments: &Value) -> Result<Constraints, Diagnostic> {
    let Some(placement) = arguments.member("placement") else { return Ok(Constraints::default()) };
    if !placement.is_wholly_known() {
        return Err(Diagnostic::error("`placement` is known only after apply").because("replicas can't be placed then"));
    }
    let labels = placement.member("labels").and_then(Value::as_members).into_iter().flatten();
    let labels = labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    let platform = |value: &Value| value.as_str().unwrap_or_default().parse::<Platform>().map_err(Diagnostic::error);
    let platforms = placement.member("platforms").and_then(Value::as_items);
    let platforms = platforms.map(|platforms| platforms.iter().map(platform).collect()).transpose()?;
    Ok(Constraints { labels, platforms })
}
