//! What an account has, and what can be done to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalogue::{self, find};
use super::reply::{Answer, Reply};
use super::{CREATED_AT, fingerprint};
use crate::node::{Node, Setup};

/// A droplet, and the machine that it is once it has booted.
#[derive(Debug)]
pub(crate) struct Droplet {
    pub(crate) document: Value,
    pub(crate) node: Option<Node>,
}

/// All that an account has.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) droplets: BTreeMap<u64, Droplet>,
    pub(crate) keys: BTreeMap<u64, Value>,
    pub(crate) tags: BTreeMap<String, Value>,
    pub(crate) vpcs: BTreeMap<String, Value>,
    pub(crate) firewalls: BTreeMap<String, Value>,
    last: u64,
}

/// A machine that has to be switched on.
#[derive(Debug)]
pub(crate) struct Boot {
    pub(crate) droplet: u64,
    pub(crate) name: String,
    pub(crate) setup: Setup,
}

impl Account {
    fn next(&mut self) -> u64 {
        self.last += 1;
        3_000_000 + self.last
    }

    fn next_uuid(&mut self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.next())
    }

    /// Makes as many droplets as there are names; the machines are switched on by who asked.
    pub(crate) fn create_droplets(&mut self, wanted: &Value) -> Result<(Reply, Vec<Boot>), Reply> {
        let names = droplet_names(wanted)?;
        let size = find(catalogue::sizes(), &["slug"], &wanted["size"])
            .ok_or_else(|| Reply::refused("You specified an invalid size for Droplet creation."))?;
        let image = find(catalogue::images(), &["id", "slug"], &wanted["image"])
            .ok_or_else(|| Reply::refused("You specified an invalid image for Droplet creation."))?;
        let region = wanted.get("region").cloned().unwrap_or_else(|| json!("nyc3"));
        let region = find(catalogue::regions(), &["slug"], &region)
            .ok_or_else(|| Reply::refused("You specified an invalid region for Droplet creation."))?;
        let keys = self.authorized_keys(wanted)?;
        let vpc = self.vpc_of(wanted, region["slug"].as_str().unwrap_or_default())?;
        let tags = texts(&wanted["tags"]);
        for tag in &tags {
            self.tags.entry(tag.clone()).or_insert_with(|| json!({ "name": tag }));
        }
        let mut made = (Vec::new(), Vec::new());
        for name in &names {
            let id = self.next();
            let document = json!({
                "id": id, "name": name, "memory": size["memory"], "vcpus": size["vcpus"], "disk": size["disk"],
                "locked": false, "status": "new", "kernel": null, "created_at": CREATED_AT, "features": [],
                "backup_ids": [], "next_backup_window": null, "snapshot_ids": [], "image": image, "volume_ids": [],
                "size": size, "size_slug": size["slug"], "networks": { "v4": [], "v6": [] }, "region": region,
                "tags": tags, "vpc_uuid": vpc,
            });
            self.droplets.insert(id, Droplet { document: document.clone(), node: None });
            let user_data = wanted["user_data"].as_str().unwrap_or_default().to_owned();
            let setup = Setup { authorized_keys: keys.clone(), user_data: Some(user_data), ..Setup::default() };
            made.0.push(document);
            made.1.push(Boot { droplet: id, name: name.clone(), setup });
        }
        let body = match wanted.get("names") {
            Some(_) => json!({ "droplets": made.0, "links": { "actions": [] } }),
            None => json!({ "droplet": made.0[0], "links": { "actions": [] } }),
        };
        Ok((Reply::new(202, body), made.1))
    }

    /// The machine of a droplet has booted; it comes back where the droplet was deleted meanwhile.
    pub(crate) fn activate(&mut self, id: u64, node: Node) -> Option<Node> {
        let Some(droplet) = self.droplets.get_mut(&id) else { return Some(node) };
        droplet.document["status"] = json!("active");
        droplet.document["networks"]["v4"] = json!([
            { "ip_address": node.address().to_string(), "netmask": "255.255.255.0", "gateway": node.cell().lab().gateway().to_string(), "type": "public" },
        ]);
        droplet.node.replace(node)
    }

    pub(crate) fn droplets_tagged(&self, tag: Option<&String>, name: Option<&String>) -> Vec<Value> {
        let documents = self.droplets.values().map(|droplet| &droplet.document);
        let wanted = documents.filter(|one| tag.is_none_or(|tag| texts(&one["tags"]).contains(tag)));
        wanted.filter(|one| name.is_none_or(|name| one["name"] == **name)).cloned().collect()
    }

    pub(crate) fn delete_droplet(&mut self, id: u64) -> Result<Droplet, Reply> {
        self.droplets.remove(&id).ok_or_else(Reply::missing)
    }

    /// Renames a droplet, which is the only action that is known here.
    pub(crate) fn act(&mut self, id: u64, wanted: &Value) -> Answer {
        let action = self.next();
        let droplet = self.droplets.get_mut(&id).ok_or_else(Reply::missing)?;
        droplet.document["name"] = wanted["name"].clone();
        Ok(Reply::new(
            201,
            json!({ "action": {
                "id": action, "status": "completed", "type": wanted["type"], "started_at": CREATED_AT,
                "completed_at": CREATED_AT, "resource_id": id, "resource_type": "droplet",
                "region": droplet.document["region"], "region_slug": droplet.document["region"]["slug"],
            } }),
        ))
    }

    pub(crate) fn create_key(&mut self, wanted: &Value) -> Answer {
        let public = wanted["public_key"].as_str().unwrap_or_default();
        let fingerprint = fingerprint(public)
            .ok_or_else(|| Reply::refused("Key invalid, key should be of the format `ssh-rsa AAAA...`"))?;
        if self.keys.values().any(|key| key["fingerprint"] == fingerprint.as_str()) {
            return Err(Reply::refused("SSH Key is already in use on your account"));
        }
        let id = self.next();
        let key = json!({ "id": id, "fingerprint": fingerprint, "public_key": public, "name": wanted["name"] });
        self.keys.insert(id, key.clone());
        Ok(Reply::new(201, json!({ "ssh_key": key })))
    }

    /// A key by its number or its fingerprint.
    pub(crate) fn key_id(&self, which: &str) -> Result<u64, Reply> {
        let found = self.keys.iter().find(|(id, key)| id.to_string() == which || key["fingerprint"] == which);
        found.map(|(id, _)| *id).ok_or_else(Reply::missing)
    }

    pub(crate) fn create_tag(&mut self, wanted: &Value) -> Answer {
        let name = wanted["name"].as_str().unwrap_or_default().to_owned();
        self.tags.entry(name.clone()).or_insert_with(|| json!({ "name": name }));
        Ok(Reply::new(201, json!({ "tag": self.tag(&name)? })))
    }

    /// A tag with how often it is used.
    pub(crate) fn tag(&self, name: &str) -> Result<Value, Reply> {
        let mut tag = self.tags.get(name).cloned().ok_or_else(Reply::missing)?;
        let count = self.droplets_tagged(Some(&name.to_owned()), None).len();
        let nothing = json!({ "count": 0 });
        tag["resources"] = json!({
            "count": count, "droplets": { "count": count }, "images": nothing, "volumes": nothing,
            "volume_snapshots": nothing, "databases": nothing,
        });
        Ok(tag)
    }

    pub(crate) fn delete_tag(&mut self, name: &str) -> Answer {
        self.tags.remove(name).ok_or_else(Reply::missing)?;
        self.droplets.values_mut().for_each(|droplet| untag(&mut droplet.document, name));
        Ok(Reply::done())
    }

    /// Puts a tag on droplets, or takes it off.
    pub(crate) fn tag_resources(&mut self, name: &str, wanted: &Value, tagged: bool) -> Answer {
        self.tag(name)?;
        for resource in wanted["resources"].as_array().into_iter().flatten() {
            let id = resource["resource_id"].as_str().and_then(|id| id.parse().ok());
            let droplet = id.and_then(|id: u64| self.droplets.get_mut(&id)).ok_or_else(Reply::missing)?;
            untag(&mut droplet.document, name);
            if tagged && let Some(tags) = droplet.document["tags"].as_array_mut() {
                tags.push(name.into());
            }
        }
        Ok(Reply::done())
    }

    pub(crate) fn create_vpc(&mut self, wanted: &Value) -> Answer {
        find(catalogue::regions(), &["slug"], &wanted["region"])
            .ok_or_else(|| Reply::refused("region is not valid"))?;
        if self.vpcs.values().any(|vpc| vpc["name"] == wanted["name"]) {
            return Err(Reply::refused("a VPC of that name exists"));
        }
        let (id, number) = (self.next_uuid(), self.vpcs.len());
        let range = wanted.get("ip_range").cloned().unwrap_or_else(|| json!(format!("10.100.{number}.0/24")));
        let vpc = json!({
            "id": id, "urn": format!("do:vpc:{id}"), "name": wanted["name"], "region": wanted["region"], "ip_range": range,
            "description": wanted["description"].as_str().unwrap_or_default(), "default": false, "created_at": CREATED_AT,
        });
        self.vpcs.insert(id, vpc.clone());
        Ok(Reply::new(201, json!({ "vpc": vpc })))
    }

    pub(crate) fn delete_vpc(&mut self, id: &str) -> Answer {
        if self.droplets.values().any(|droplet| droplet.document["vpc_uuid"] == id) {
            return Err(Reply::error(403, "forbidden", "Can not delete VPC with members"));
        }
        self.vpcs.remove(id).map(|_| Reply::done()).ok_or_else(Reply::missing)
    }

    /// A new firewall, or one in place of another.
    pub(crate) fn put_firewall(&mut self, id: Option<&str>, wanted: &Value) -> Answer {
        let rules =
            |name: &str| wanted.get(name).filter(|rules| !rules.is_null()).cloned().unwrap_or_else(|| json!([]));
        if rules("inbound_rules") == json!([]) && rules("outbound_rules") == json!([]) {
            return Err(Reply::refused("at least one rule must be specified"));
        }
        let droplets = wanted["droplet_ids"].as_array().cloned().unwrap_or_default();
        if droplets.iter().any(|id| !id.as_u64().is_some_and(|id| self.droplets.contains_key(&id))) {
            return Err(Reply::refused("a droplet of the firewall doesn't exist"));
        }
        let status = if id.is_some() { 200 } else { 202 };
        let id = match id {
            Some(id) if self.firewalls.contains_key(id) => id.to_owned(),
            Some(_) => return Err(Reply::missing()),
            None => self.next_uuid(),
        };
        let firewall = json!({
            "id": id, "name": wanted["name"], "status": "succeeded", "created_at": CREATED_AT, "pending_changes": [],
            "droplet_ids": droplets, "tags": texts(&wanted["tags"]), "inbound_rules": rules("inbound_rules"),
            "outbound_rules": rules("outbound_rules"),
        });
        self.firewalls.insert(id, firewall.clone());
        Ok(Reply::new(status, json!({ "firewall": firewall })))
    }

    fn authorized_keys(&self, wanted: &Value) -> Result<Vec<String>, Reply> {
        let which = wanted["ssh_keys"].as_array().into_iter().flatten();
        let which = which.map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned));
        let invalid = |key: &str| Reply::refused(format!("{key} are invalid key identifiers for Droplet creation."));
        which.map(|key| self.key_id(&key).map_err(|_| invalid(&key)).map(|id| self.public_key(id))).collect()
    }

    fn public_key(&self, id: u64) -> String {
        self.keys[&id]["public_key"].as_str().unwrap_or_default().to_owned()
    }

    /// The one that is asked for, or the region's own.
    fn vpc_of(&mut self, wanted: &Value, region: &str) -> Result<String, Reply> {
        if let Some(id) = wanted["vpc_uuid"].as_str() {
            let known = self.vpcs.get(id).is_some_and(|vpc| vpc["region"] == region);
            return known
                .then(|| id.to_owned())
                .ok_or_else(|| Reply::refused("the VPC is not in the droplet's region"));
        }
        let default = self.vpcs.iter().find(|(_, vpc)| vpc["region"] == region && vpc["default"] == true);
        if let Some((id, _)) = default {
            return Ok(id.clone());
        }
        let id = self.next_uuid();
        let vpc = json!({
            "id": id, "urn": format!("do:vpc:{id}"), "name": format!("default-{region}"), "region": region,
            "ip_range": "10.104.0.0/20", "description": "", "default": true, "created_at": CREATED_AT,
        });
        self.vpcs.insert(id.clone(), vpc);
        Ok(id)
    }
}

fn droplet_names(wanted: &Value) -> Result<Vec<String>, Reply> {
    let names = match (wanted["name"].as_str(), texts(&wanted["names"])) {
        (Some(name), names) if names.is_empty() => vec![name.to_owned()],
        (None, names) if !names.is_empty() => names,
        _ => return Err(Reply::refused("a droplet needs either name or names")),
    };
    if names.len() > 10 {
        return Err(Reply::refused("at most 10 droplets are made by one request"));
    }
    Ok(names)
}

fn untag(document: &mut Value, name: &str) {
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.retain(|tag| tag != name);
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
