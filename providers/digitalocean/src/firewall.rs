//! `digitalocean_firewall`: what may come to droplets, and what may leave them.

use std::collections::BTreeSet;

use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Json, Outcome, Resource, Result, Schema, Serialize, json,
};

use crate::DigitalOcean;
use crate::api::{Api, Failure, deletion, number, outcome, text};
use crate::stamp::{self, Named};
use crate::tag;

/// What may come to droplets, and what may leave them; the rest is dropped.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Firewall {
    /// Letters, digits, `.` and `-`
    name: String,
    /// The droplets that it guards
    droplet_ids: Option<BTreeSet<String>>,
    /// It guards every droplet with one of these
    tags: Option<BTreeSet<String>>,
    /// What may come
    #[block]
    inbound_rule: Vec<Inbound>,
    /// What may leave
    #[block]
    outbound_rule: Vec<Outbound>,
    #[attr(read_only)]
    id: Option<String>,
}

/// An `inbound_rule` block.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Inbound {
    /// `tcp`, `udp` or `icmp`
    protocol: String,
    /// `80`, `8000-9000` or `all`, which it is unless said
    port_range: Option<String>,
    /// `0.0.0.0/0`, …
    source_addresses: Option<BTreeSet<String>>,
    /// Droplets
    source_droplet_ids: Option<BTreeSet<String>>,
    /// Droplets with one of these
    source_tags: Option<BTreeSet<String>>,
}

/// An `outbound_rule` block.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Outbound {
    /// `tcp`, `udp` or `icmp`
    protocol: String,
    /// `80`, `8000-9000` or `all`, which it is unless said
    port_range: Option<String>,
    /// `0.0.0.0/0`, …
    destination_addresses: Option<BTreeSet<String>>,
    /// Droplets
    destination_droplet_ids: Option<BTreeSet<String>>,
    /// Droplets with one of these
    destination_tags: Option<BTreeSet<String>>,
}

type Texts = Option<BTreeSet<String>>;

fn texts(values: &Texts) -> Vec<&String> {
    values.iter().flatten().collect()
}

fn numbers(values: &Texts) -> Vec<Json> {
    values.iter().flatten().map(|id| number(id)).collect()
}

/// ICMP has no ports, which the API writes as `0`, as it does all of the others'.
fn ports(protocol: &str, range: Option<&str>) -> String {
    match range {
        Some(range) if protocol != "icmp" && range != "all" => range.to_owned(),
        _ => "0".to_owned(),
    }
}

fn peers(addresses: &Texts, droplets: &Texts, tags: &Texts) -> Json {
    json!({ "addresses": texts(addresses), "droplet_ids": numbers(droplets), "tags": texts(tags) })
}

impl Inbound {
    fn body(&self) -> Json {
        json!({
            "protocol": self.protocol,
            "ports": ports(&self.protocol, self.port_range.as_deref()),
            "sources": peers(&self.source_addresses, &self.source_droplet_ids, &self.source_tags),
        })
    }

    fn seen(rule: &Json) -> Inbound {
        let Seen { protocol, port_range, addresses, droplets, tags } = Seen::of(rule, "sources");
        let (source_addresses, source_droplet_ids, source_tags) = (addresses, droplets, tags);
        Inbound { protocol, port_range, source_addresses, source_droplet_ids, source_tags }
    }
}

impl Outbound {
    fn body(&self) -> Json {
        json!({
            "protocol": self.protocol,
            "ports": ports(&self.protocol, self.port_range.as_deref()),
            "destinations": peers(&self.destination_addresses, &self.destination_droplet_ids, &self.destination_tags),
        })
    }

    fn seen(rule: &Json) -> Outbound {
        let Seen { protocol, port_range, addresses, droplets, tags } = Seen::of(rule, "destinations");
        let (destination_addresses, destination_droplet_ids, destination_tags) = (addresses, droplets, tags);
        Outbound { protocol, port_range, destination_addresses, destination_droplet_ids, destination_tags }
    }
}

/// A rule of either direction, as the API shows it.
struct Seen {
    protocol: String,
    port_range: Option<String>,
    addresses: Texts,
    droplets: Texts,
    tags: Texts,
}

impl Seen {
    fn of(rule: &Json, peers: &str) -> Seen {
        let (protocol, ports) = (text(&rule["protocol"]).unwrap_or_default(), text(&rule["ports"]));
        let port_range = ports.filter(|ports| ports != "0" && ports != "all" && protocol != "icmp");
        let peers = |name: &str| seen(&rule[peers][name]);
        Seen {
            protocol,
            port_range,
            addresses: peers("addresses"),
            droplets: peers("droplet_ids"),
            tags: peers("tags"),
        }
    }
}

fn seen(list: &Json) -> Texts {
    let found: BTreeSet<String> = list.as_array().into_iter().flatten().filter_map(text).collect();
    (!found.is_empty()).then_some(found)
}

impl Firewall {
    fn body(&self, name: &str) -> Json {
        json!({
            "name": name,
            "droplet_ids": numbers(&self.droplet_ids),
            "tags": texts(&self.tags),
            "inbound_rules": self.inbound_rule.iter().map(Inbound::body).collect::<Vec<_>>(),
            "outbound_rules": self.outbound_rule.iter().map(Outbound::body).collect::<Vec<_>>(),
        })
    }

    fn told(&self, document: &Json) -> Firewall {
        Firewall { id: text(&document["id"]), ..self.clone() }
    }

    /// As asked for where it means the same, else as it is.
    fn seen(self, document: &Json) -> Firewall {
        let rules = |name: &str| document[name].as_array().cloned().unwrap_or_default();
        let found = Firewall {
            name: text(&document["name"]).unwrap_or_default(),
            droplet_ids: seen(&document["droplet_ids"]),
            tags: seen(&document["tags"]),
            inbound_rule: rules("inbound_rules").iter().map(Inbound::seen).collect(),
            outbound_rule: rules("outbound_rules").iter().map(Outbound::seen).collect(),
            id: text(&document["id"]),
        };
        if found.meaning() == self.meaning() { self } else { found }
    }

    /// The order of rules has none.
    fn meaning(&self) -> Json {
        let mut body = self.body(&self.name);
        for name in ["inbound_rules", "outbound_rules"] {
            if let Some(rules) = body[name].as_array_mut() {
                rules.sort_by_key(Json::to_string);
            }
        }
        body
    }
}

struct OfFirewall<'a>(&'a Api, &'a Firewall);

impl Named for OfFirewall<'_> {
    fn all(&self) -> std::result::Result<Vec<Json>, Failure> {
        self.0.list("firewalls", "firewalls")
    }

    fn make(&self, name: &str) -> std::result::Result<Json, Failure> {
        self.0.post("firewalls", "firewall", &self.1.body(name))
    }

    fn finish(&self, id: &str) -> std::result::Result<Json, Failure> {
        self.0.put(&format!("firewalls/{id}"), "firewall", &self.1.body(&self.1.name))
    }
}

impl Resource for Firewall {
    type Provider = DigitalOcean;
    const NAME: &'static str = "digitalocean_firewall";

    fn validate(&self) -> Vec<Diagnostic> {
        let mut wrong = Vec::new();
        if self.inbound_rule.is_empty() && self.outbound_rule.is_empty() {
            let error = Diagnostic::error("a firewall has a rule at least").at("inbound_rule");
            wrong.push(error.hint("write an `inbound_rule` or an `outbound_rule`: what no rule allows is dropped"));
        }
        let inbound = self.inbound_rule.iter().map(|rule| ("inbound_rule", &rule.protocol));
        let outbound = self.outbound_rule.iter().map(|rule| ("outbound_rule", &rule.protocol));
        for (block, protocol) in inbound.chain(outbound) {
            if !["tcp", "udp", "icmp"].contains(&protocol.as_str()) {
                let error = Diagnostic::error(format!("`{protocol}` is no protocol of a rule")).at(block);
                wrong.push(error.hint("`tcp`, `udp` and `icmp` are"));
            }
        }
        wrong.extend(self.tags.iter().flatten().filter_map(|name| tag::check(name)).map(|wrong| wrong.at("tags")));
        wrong
    }

    fn read(provider: &DigitalOcean, firewalls: Vec<Firewall>) -> Vec<Result<Option<Firewall>>> {
        let all = provider.api.list("firewalls", "firewalls").map_err(Diagnostic::from);
        let look = |firewall: Firewall| {
            let all = all.as_ref().map_err(Clone::clone)?;
            Ok(all.iter().find(|one| text(&one["id"]) == firewall.id).map(|found| firewall.seen(found)))
        };
        firewalls.into_iter().map(look).collect()
    }

    fn probe(provider: &DigitalOcean, intent: &str, firewall: Firewall) -> Result<Option<Firewall>> {
        Ok(stamp::find(&OfFirewall(&provider.api, &firewall), intent)?.map(|found| firewall.told(&found)))
    }

    fn create(provider: &DigitalOcean, requests: Vec<Create<Firewall>>) -> Vec<Outcome<Firewall>> {
        let make = |request: Create<Firewall>| {
            let named = OfFirewall(&provider.api, &request.config);
            stamp::create(&request, &named, |one| one.id.as_deref(), |document| request.config.told(document))
        };
        requests.into_iter().map(make).collect()
    }

    fn update(provider: &DigitalOcean, prior: Firewall, firewall: Firewall) -> Outcome<Firewall> {
        let id = prior.id.clone().unwrap_or_default();
        let named = OfFirewall(&provider.api, &firewall);
        outcome(named.finish(&id).map(|document| firewall.told(&document)), Some(prior))
    }

    fn delete(provider: &DigitalOcean, firewall: Firewall) -> Deletion {
        let Some(id) = &firewall.id else { return Deletion::Done };
        deletion(provider.api.delete(&format!("firewalls/{id}"), None))
    }

    fn import(provider: &DigitalOcean, id: &str, _: Self) -> Result<Firewall> {
        let found = provider.api.get(&format!("firewalls/{id}"))?;
        let found = found.ok_or_else(|| Diagnostic::error(format!("the account has no firewall `{id}`")))?;
        let nothing = Firewall {
            name: String::new(),
            droplet_ids: None,
            tags: None,
            inbound_rule: Vec::new(),
            outbound_rule: Vec::new(),
            id: None,
        };
        Ok(nothing.seen(&found["firewall"]))
    }
}

#[cfg(test)]
mod tests {
    use bimetal_provider::json;

    use super::*;
    use crate::testing::Account;

    fn config() -> Json {
        let rule = |protocol: &str, ports: Json| json!({ "protocol": protocol, "port_range": ports, "source_addresses": ["0.0.0.0/0"] });
        json!({ "name": "web", "droplet_ids": ["7"], "inbound_rule": [rule("tcp", json!("80")), rule("icmp", Json::Null)] })
    }

    #[test]
    fn what_means_the_same_is_no_difference() {
        let firewall: Firewall = serde_json::from_value(json!({
            "name": "web", "outbound_rule": [], "tags": ["a", "b"],
            "inbound_rule": [{ "protocol": "tcp", "port_range": "all", "source_tags": ["b", "a"] }],
        }))
        .unwrap();
        let peers = json!({ "tags": ["a", "b"] });
        let rules = json!([{ "protocol": "tcp", "ports": "0", "sources": peers }]);
        let document = json!({ "id": "f", "name": "web", "tags": ["b", "a"], "inbound_rules": rules });
        assert_eq!(firewall.seen(&document).inbound_rule[0].port_range.as_deref(), Some("all"));
    }

    #[test]
    fn what_somebody_else_changed_is_shown() {
        let account = Account::default();
        let driver = account.driver();
        let made = driver.create("digitalocean_firewall", "i-1", &config()).unwrap();
        account.0.borrow_mut().things.values_mut().for_each(|one| one["inbound_rules"][0]["ports"] = json!("8080"));
        let read = driver.read("digitalocean_firewall", &[made]).remove(0).unwrap().unwrap();
        assert_eq!(read["inbound_rule"][0]["port_range"], "8080");
    }

    #[test]
    fn a_firewall_has_a_rule() {
        let wrong = Account::default().driver().validate("digitalocean_firewall", &json!({ "name": "web" }));
        assert_eq!(wrong, ["inbound_rule: a firewall has a rule at least"]);
    }
}
