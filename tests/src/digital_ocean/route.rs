//! Which request does what.

use serde_json::json;

use super::account::{Account, Boot, Droplet};
use super::reply::{Answer, Reply};
use super::request::Request;
use super::{catalogue, shape};

/// What an answer leaves to be done outside of the account's lock.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    pub(crate) boot: Vec<Boot>,
    pub(crate) switch_off: Vec<Droplet>,
}

/// Does what a request asks for.
pub(crate) fn route(account: &mut Account, request: &Request, errands: &mut Errands) -> Answer {
    let path: Vec<_> = request.path.split('/').skip(1).map(super::request::decode).collect();
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    match (request.method.as_str(), &path[..]) {
        (_, ["v2", "droplets", rest @ ..]) => droplets(account, request, rest, errands),
        (_, ["v2", "account", "keys", rest @ ..]) => keys(account, request, rest),
        (_, ["v2", "tags", rest @ ..]) => tags(account, request, rest),
        (_, ["v2", "vpcs", rest @ ..]) => vpcs(account, request, rest),
        (_, ["v2", "firewalls", rest @ ..]) => firewalls(account, request, rest),
        ("GET", ["v2", "account"]) => Ok(Reply::new(
            200,
            json!({ "account": {
            "droplet_limit": 100, "floating_ip_limit": 3, "email": "operator@example.org", "name": "Operator",
            "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef", "email_verified": true, "status": "active", "status_message": "",
        } }),
        )),
        ("GET", ["v2", "sizes"]) => list(request, "sizes", catalogue::sizes(), &[]),
        ("GET", ["v2", "regions"]) => list(request, "regions", catalogue::regions(), &[]),
        ("GET", ["v2", "images"]) => list(request, "images", catalogue::images(), &["type", "private", "tag_name"]),
        ("GET", ["v2", "images", which]) => {
            let number = which.parse::<u64>().map_or_else(|_| json!(which), |id| json!(id));
            let image = catalogue::find(catalogue::images(), &["id", "slug"], &number).ok_or_else(Reply::missing)?;
            Ok(Reply::new(200, json!({ "image": image })))
        }
        _ => Err(Reply::missing()),
    }
}

fn list(request: &Request, noun: &str, items: Vec<serde_json::Value>, questions: &[&str]) -> Answer {
    request.allow_query(&[&["page", "per_page"], questions].concat())?;
    request.page(noun, items)
}

fn droplets(account: &mut Account, request: &Request, path: &[&str], errands: &mut Errands) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => {
            let found = account.droplets_tagged(request.query.get("tag_name"), request.query.get("name"));
            list(request, "droplets", found, &["tag_name", "name", "type"])
        }
        ("POST", []) => {
            let (reply, boot) = account.create_droplets(&request.document(&shape::DROPLET)?)?;
            errands.boot = boot;
            Ok(reply)
        }
        ("DELETE", []) => {
            let tag = request.query.get("tag_name").ok_or_else(|| Reply::refused("a tag is needed"))?;
            for droplet in account.droplets_tagged(Some(tag), None) {
                errands.switch_off.push(account.delete_droplet(droplet["id"].as_u64().unwrap_or_default())?);
            }
            Ok(Reply::done())
        }
        ("GET", [id]) => {
            let droplet = account.droplets.get(&number(id)?).ok_or_else(Reply::missing)?;
            Ok(Reply::new(200, json!({ "droplet": droplet.document })))
        }
        ("POST", [id, "actions"]) => account.act(number(id)?, &request.document(&shape::ACTION)?),
        ("DELETE", [id]) => {
            errands.switch_off.push(account.delete_droplet(number(id)?)?);
            Ok(Reply::done())
        }
        _ => Err(Reply::missing()),
    }
}

fn keys(account: &mut Account, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => list(request, "ssh_keys", account.keys.values().cloned().collect(), &[]),
        ("POST", []) => account.create_key(&request.document(&shape::KEY)?),
        ("GET", [which]) => {
            let id = account.key_id(which)?;
            Ok(Reply::new(200, json!({ "ssh_key": account.keys[&id] })))
        }
        ("PUT", [which]) => {
            let (id, wanted) = (account.key_id(which)?, request.document(&shape::KEY_NAME)?);
            let key = account.keys.get_mut(&id).ok_or_else(Reply::missing)?;
            key["name"] = wanted["name"].clone();
            Ok(Reply::new(200, json!({ "ssh_key": key })))
        }
        ("DELETE", [which]) => {
            let id = account.key_id(which)?;
            account.keys.remove(&id);
            Ok(Reply::done())
        }
        _ => Err(Reply::missing()),
    }
}

fn tags(account: &mut Account, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => {
            let tags = account.tags.keys().map(|name| account.tag(name)).collect::<Result<_, _>>()?;
            list(request, "tags", tags, &[])
        }
        ("POST", []) => account.create_tag(&request.document(&shape::NEW_TAG)?),
        ("GET", [name]) => Ok(Reply::new(200, json!({ "tag": account.tag(name)? }))),
        ("DELETE", [name]) => account.delete_tag(name),
        ("POST", [name, "resources"]) => account.tag_resources(name, &request.document(&shape::RESOURCES)?, true),
        ("DELETE", [name, "resources"]) => account.tag_resources(name, &request.document(&shape::RESOURCES)?, false),
        _ => Err(Reply::missing()),
    }
}

fn vpcs(account: &mut Account, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => list(request, "vpcs", account.vpcs.values().cloned().collect(), &[]),
        ("POST", []) => account.create_vpc(&request.document(&shape::VPC)?),
        ("GET", [id]) => Ok(Reply::new(200, json!({ "vpc": account.vpcs.get(*id).ok_or_else(Reply::missing)? }))),
        ("PUT" | "PATCH", [id]) => {
            let wanted = request.document(&shape::VPC_CHANGE)?;
            let vpc = account.vpcs.get_mut(*id).ok_or_else(Reply::missing)?;
            for (name, value) in wanted.as_object().into_iter().flatten() {
                vpc[name] = value.clone();
            }
            Ok(Reply::new(200, json!({ "vpc": vpc })))
        }
        ("DELETE", [id]) => account.delete_vpc(id),
        _ => Err(Reply::missing()),
    }
}

fn firewalls(account: &mut Account, request: &Request, path: &[&str]) -> Answer {
    match (request.method.as_str(), path) {
        ("GET", []) => list(request, "firewalls", account.firewalls.values().cloned().collect(), &[]),
        ("POST", []) => account.put_firewall(None, &request.document(&shape::FIREWALL)?),
        ("GET", [id]) => {
            Ok(Reply::new(200, json!({ "firewall": account.firewalls.get(*id).ok_or_else(Reply::missing)? })))
        }
        ("PUT", [id]) => account.put_firewall(Some(id), &request.document(&shape::FIREWALL)?),
        ("DELETE", [id]) => account.firewalls.remove(*id).map(|_| Reply::done()).ok_or_else(Reply::missing),
        _ => Err(Reply::missing()),
    }
}

fn number(text: &str) -> Result<u64, Reply> {
    text.parse().map_err(|_| Reply::missing())
}
