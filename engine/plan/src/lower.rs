//! A replica as a container: what is asked of the provider that runs containers.

use std::collections::BTreeMap;

use bimetal_model::placement::Placement;
use bimetal_model::schema::Block;
use bimetal_model::{Address, Data, Diagnostic, Diagnostics, Key, Type, Value};

use crate::prior::shape;
use crate::size;

/// The label that says which service a container belongs to.
pub const SERVICE_LABEL: &str = "bimetal.service";

/// The arguments of a replica's container, in the type of the container runtime's schema.
///
/// `arguments` are the service's, `machine` is the value of the machine that the replica is placed on.
pub fn lower_replica(
    arguments: &Value,
    placement: &Placement,
    machine: &Value,
    runtime: &Block,
) -> Result<Value, Diagnostics> {
    let of_service = arguments.as_members().into_iter().flatten();
    let taken =
        of_service.filter(|(name, _)| runtime.attributes.contains_key(*name) || runtime.blocks.contains_key(*name));
    let mut members: BTreeMap<String, Value> = taken.map(|(name, value)| (name.clone(), value.clone())).collect();
    let replica = &placement.replica;
    let engine = machine.member("engine").cloned().unwrap_or_else(|| Value::unknown(Type::Handle));
    let memory = memory(arguments).map_err(|diagnostic| vec![diagnostic.of(replica)])?;
    let set = [
        ("engine", engine),
        ("name", Value::from(container_name(placement))),
        ("image", image(placement)),
        ("platform", Value::from(placement.platform.to_string())),
        ("labels", labels(arguments, replica)),
        ("memory", memory),
    ];
    members.extend(set.map(|(name, value)| (name.to_owned(), value)));
    let restart = members.entry("restart".to_owned()).or_insert(Value::NULL);
    if restart.is_null() {
        *restart = Value::from("unless-stopped");
    }
    shape(Data::Object(members.into()).into(), runtime).map_err(|reason| {
        vec![
            Diagnostic::error("the arguments of a service are not what its container takes")
                .because(reason)
                .of(replica),
        ]
    })
}

/// The pinned image, as far as it is known.
pub(crate) fn image(placement: &Placement) -> Value {
    match placement.image.as_str() {
        "" => Value::unknown(Type::String),
        image => Value::from(image),
    }
}

/// `web-3`, of an instance `web-eu-3`, in global mode `agent-rack-node-11`; in a module `shop-web-3`; of a later generation `web-3.g2`.
pub fn container_name(placement: &Placement) -> String {
    let Placement { replica, machine, generation, .. } = placement;
    let own = match &replica.replica {
        Some(Key::Index(index)) => index.to_string(),
        Some(Key::Name(_)) | None => named(&machine.name, machine.key.as_ref()),
    };
    let modules = replica.module.steps().iter().map(|step| named(&step.name, step.key.as_ref()));
    let parts: Vec<String> = modules.chain([named(&replica.name, replica.key.as_ref()), own]).collect();
    let name = sanitised(&parts.join("-"));
    // No key has a dot here that is followed by this: keys are behind a dash.
    if *generation == 0 { name } else { format!("{name}.g{generation}") }
}

fn named(name: &str, key: Option<&Key>) -> String {
    match key {
        None => name.to_owned(),
        Some(Key::Index(index)) => format!("{name}-{index}"),
        Some(Key::Name(key)) => format!("{name}-{key}"),
    }
}

/// Docker takes letters, digits, `_`, `.` and `-`, and no sign first.
fn sanitised(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    match name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        true => name,
        false => format!("s{name}"),
    }
}

fn labels(arguments: &Value, replica: &Address) -> Value {
    let service = replica.service();
    match arguments.member("labels") {
        Some(labels) if labels.is_unknown() => labels.clone(),
        labels => {
            let mut members = labels.and_then(Value::as_members).cloned().unwrap_or_default();
            members.insert(SERVICE_LABEL.to_owned(), Value::from(service.to_string()));
            Value { data: Data::Map(members.into()), marks: labels.map(|labels| labels.marks).unwrap_or_default() }
        }
    }
}

/// The memory of a service in bytes: a number, unknown, or `null`.
pub(crate) fn memory(arguments: &Value) -> Result<Value, Diagnostic> {
    let Some(memory) = arguments.member("memory") else {
        return Ok(Value::NULL);
    };
    match &memory.data {
        Data::Unknown(..) => Ok(Value::unknown(Type::Number)),
        Data::Number(_) => Ok(memory.clone()),
        Data::String(text) => size::bytes(text).map(Value::from).ok_or_else(|| {
            Diagnostic::error(format!("`{text}` is no size of memory")).hint("write `64MB`, `512MiB` or `1GiB`")
        }),
        _ => Err(Diagnostic::error("`memory` must be a size").hint("write `64MB`, `512MiB` or `1GiB`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_named_after_service_and_replica() {
        let placement = |replica: &str, machine: &str| Placement {
            replica: replica.parse().unwrap(),
            machine: machine.parse().unwrap(),
            platform: "linux/arm64".parse().unwrap(),
            image: String::new(),
            reason: String::new(),
            generation: 0,
        };
        let name = |replica: &str, machine: &str| container_name(&placement(replica, machine));
        assert_eq!(name("service.web.replica[3]", "machine.docker.a"), "web-3");
        assert_eq!(name("service.web[\"eu west\"].replica[0]", "machine.docker.a"), "web-eu-west-0");
        assert_eq!(name("module.shop[\"eu\"].service.web.replica[0]", "machine.docker.a"), "shop-eu-web-0");
        let global = "service.agent.replica[\"machine.baremetal.rack[\\\"n11\\\"]\"]";
        assert_eq!(name(global, "machine.baremetal.rack[\"n11\"]"), "agent-rack-n11");
        let later = Placement { generation: 2, ..placement("service.web.replica[3]", "machine.docker.a") };
        assert_eq!(container_name(&later), "web-3.g2");
    }
}
