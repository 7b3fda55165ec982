//! What the documentation says a request's body looks like; anything else is refused, unknown members first of all.

use serde_json::Value;

/// What a value may be.
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// Text of at most so many characters, each of them a letter, a digit or one of these.
    Name(usize, &'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    Whole,
    Flag,
    /// A number's or a name's way of saying which.
    Which,
    List(&'static Shape),
    Object(&'static [Member]),
    /// The shape, or `null`.
    Nullable(&'static Shape),
}

/// A member of an object.
pub(crate) struct Member {
    name: &'static str,
    shape: Shape,
    needed: bool,
}

const fn needed(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, needed: true }
}

const fn optional(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, needed: false }
}

const HOST_NAME: Shape = Shape::Name(255, ".-");
const TAG: Shape = Shape::Name(255, "_-:");
const TAGS: Shape = Shape::Nullable(&Shape::List(&TAG));

/// `POST /v2/droplets`; `names` and `name` exclude each other, which is looked at elsewhere.
pub(crate) const DROPLET: Shape = Shape::Object(&[
    optional("name", HOST_NAME),
    optional("names", Shape::List(&HOST_NAME)),
    optional("region", Shape::Text),
    needed("size", Shape::Text),
    needed("image", Shape::Which),
    optional("ssh_keys", Shape::List(&Shape::Which)),
    optional("backups", Shape::Flag),
    optional("ipv6", Shape::Flag),
    optional("monitoring", Shape::Flag),
    optional("tags", TAGS),
    optional("user_data", Shape::Text),
    optional("volumes", Shape::List(&Shape::Text)),
    optional("vpc_uuid", Shape::Text),
    optional("with_droplet_agent", Shape::Flag),
    optional("public_networking", Shape::Flag),
]);

/// `POST /v2/droplets/…/actions`, of the kinds that the stand-in knows.
pub(crate) const ACTION: Shape = Shape::Object(&[needed("type", Shape::Word(&["rename"])), needed("name", HOST_NAME)]);

/// `POST /v2/account/keys`.
pub(crate) const KEY: Shape = Shape::Object(&[needed("public_key", Shape::Text), needed("name", Shape::Text)]);

/// `PUT /v2/account/keys/…`.
pub(crate) const KEY_NAME: Shape = Shape::Object(&[needed("name", Shape::Text)]);

/// `POST /v2/tags`.
pub(crate) const NEW_TAG: Shape = Shape::Object(&[needed("name", TAG)]);

const TAGGED: Shape = Shape::Object(&[
    needed("resource_id", Shape::Text),
    needed("resource_type", Shape::Word(&["droplet", "image", "volume", "volume_snapshot"])),
]);

/// `POST` and `DELETE /v2/tags/…/resources`.
pub(crate) const RESOURCES: Shape = Shape::Object(&[needed("resources", Shape::List(&TAGGED))]);

/// `POST /v2/vpcs`.
pub(crate) const VPC: Shape = Shape::Object(&[
    needed("name", HOST_NAME),
    needed("region", Shape::Text),
    optional("description", Shape::Text),
    optional("ip_range", Shape::Text),
]);

/// `PUT` and `PATCH /v2/vpcs/…`.
pub(crate) const VPC_CHANGE: Shape = Shape::Object(&[
    optional("name", HOST_NAME),
    optional("description", Shape::Text),
    optional("default", Shape::Flag),
]);

const PEERS: Shape = Shape::Object(&[
    optional("addresses", Shape::List(&Shape::Text)),
    optional("droplet_ids", Shape::List(&Shape::Whole)),
    optional("load_balancer_uids", Shape::List(&Shape::Text)),
    optional("kubernetes_ids", Shape::List(&Shape::Text)),
    optional("tags", TAGS),
]);
const PROTOCOL: Shape = Shape::Word(&["tcp", "udp", "icmp"]);
const INBOUND: Shape =
    Shape::Object(&[needed("protocol", PROTOCOL), needed("ports", Shape::Text), needed("sources", PEERS)]);
const OUTBOUND: Shape =
    Shape::Object(&[needed("protocol", PROTOCOL), needed("ports", Shape::Text), needed("destinations", PEERS)]);

/// `POST /v2/firewalls` and `PUT /v2/firewalls/…`.
pub(crate) const FIREWALL: Shape = Shape::Object(&[
    needed("name", HOST_NAME),
    optional("droplet_ids", Shape::Nullable(&Shape::List(&Shape::Whole))),
    optional("tags", TAGS),
    optional("inbound_rules", Shape::Nullable(&Shape::List(&INBOUND))),
    optional("outbound_rules", Shape::Nullable(&Shape::List(&OUTBOUND))),
]);

impl Shape {
    /// What is wrong with a value, and where.
    pub(crate) fn check(&self, value: &Value, place: &str) -> Result<(), String> {
        match (self, value) {
            (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) | (Shape::Nullable(_), Value::Null) => {
                Ok(())
            }
            (Shape::Which, Value::String(_)) => Ok(()),
            (Shape::Whole | Shape::Which, Value::Number(number)) if number.is_u64() => Ok(()),
            (Shape::Name(length, others), Value::String(text)) if is_name(text, *length, others) => Ok(()),
            (Shape::Word(words), Value::String(text)) if words.contains(&text.as_str()) => Ok(()),
            (Shape::Nullable(shape), value) => shape.check(value, place),
            (Shape::List(shape), Value::Array(items)) => items.iter().try_for_each(|item| shape.check(item, place)),
            (Shape::Object(members), Value::Object(_)) => check_members(members, value, place),
            _ => Err(format!("{place} must not be {value}")),
        }
    }
}

fn check_members(members: &[Member], value: &Value, place: &str) -> Result<(), String> {
    let given = value.as_object().into_iter().flatten();
    for (name, value) in given {
        let member = members.iter().find(|member| member.name == name);
        let member = member.ok_or_else(|| format!("{place} has no {name}"))?;
        member.shape.check(value, &format!("{place}.{name}"))?;
    }
    match members.iter().find(|member| member.needed && value.get(member.name).is_none()) {
        Some(missing) => Err(format!("{place} needs {}", missing.name)),
        None => Ok(()),
    }
}

fn is_name(text: &str, length: usize, others: &str) -> bool {
    let fits = (1..=length).contains(&text.len());
    fits && text.chars().all(|letter| letter.is_ascii_alphanumeric() || others.contains(letter))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn what_is_not_documented_is_refused() {
        let good = json!({ "names": ["a"], "size": "s-1vcpu-1gb", "image": "debian-12-x64", "ssh_keys": [1, "aa:bb"] });
        assert_eq!(super::DROPLET.check(&good, "droplet"), Ok(()));
        let mut unknown = good.clone();
        unknown["colour"] = json!("red");
        assert_eq!(super::DROPLET.check(&unknown, "droplet"), Err("droplet has no colour".to_owned()));
        let mut wrong = good.clone();
        wrong["ipv6"] = json!("yes");
        assert_eq!(super::DROPLET.check(&wrong, "droplet"), Err("droplet.ipv6 must not be \"yes\"".to_owned()));
        assert_eq!(super::KEY.check(&json!({ "name": "a" }), "key"), Err("key needs public_key".to_owned()));
    }
}
