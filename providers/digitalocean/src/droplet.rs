//! `digitalocean_droplet`, which is what `machine "digitalocean"` is: a virtual machine, made ready for containers.
//!
//! One droplet is ordered by one request, under a tag that names its intent: an order whose answer is lost is found again, and
//! nothing is bought twice.

mod boot;
mod login;
mod size;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bimetal_provider::{
    Create, Credential, Deletion, Deserialize, Diagnostic, Handle, Json, Outcome, Plan, Resource, Result, Role, Schema,
    Serialize, json,
};
use bimetal_provider_prepare::{Access, Ready, format_instant, plan_certificate};

use crate::DigitalOcean;
use crate::api::{Failure, deletion, number, outcome, text};
use crate::{stamp, tag};
use boot::Step;

pub(crate) use login::Keys;

/// All of DigitalOcean's droplets are of this kind.
const PLATFORM: &str = "linux/amd64";

/// A droplet that runs containers.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Droplet {
    /// Letters, digits, `.` and `-`; made up unless said
    #[attr(computed)]
    name: Option<String>,
    /// `fra1`
    #[attr(force_new)]
    region: String,
    /// `s-1vcpu-1gb`
    #[attr(force_new)]
    size: String,
    /// The slug or the number of what it starts from: `debian-12-x64`
    #[attr(force_new)]
    image: String,
    /// Who is let in from the start: ids or fingerprints of keys of the account
    #[attr(force_new)]
    ssh_keys: Option<Vec<String>>,
    /// The private network that it is in; the region's own unless said
    #[attr(force_new)]
    vpc_uuid: Option<String>,
    /// For cloud-init
    #[attr(force_new, sensitive)]
    user_data: Option<String>,
    /// With an address of IPv6
    #[attr(force_new)]
    ipv6: Option<bool>,
    /// With DigitalOcean's agent for metrics
    #[attr(force_new)]
    monitoring: Option<bool>,
    /// Tags of one's own
    tags: Option<BTreeSet<String>>,
    /// Who logs in, `root` or somebody with `sudo` without a password; `root` unless said
    user: Option<String>,
    /// Our SSH key itself
    #[attr(credential)]
    private_key: Option<Credential>,
    /// The file of our SSH key
    #[attr(credential_file)]
    key_file: Option<Credential>,
    /// Ask the SSH agent
    agent: Option<bool>,
    /// How the engine is reached: through `ssh`, which is so unless said, or over TCP with certificates: `mtls`
    engine_access: Option<String>,
    /// For placement
    #[attr(computed)]
    labels: Option<BTreeMap<String, String>>,
    /// `linux/amd64`
    #[attr(read_only)]
    platform: Option<String>,
    /// Processors
    #[attr(read_only)]
    cpus: Option<u64>,
    /// In bytes
    #[attr(read_only)]
    memory: Option<u64>,
    #[attr(read_only)]
    id: Option<String>,
    /// Where its containers are reached
    #[attr(read_only)]
    address: Option<String>,
    /// In its private network
    #[attr(read_only)]
    private_address: Option<String>,
    /// Of IPv6
    #[attr(read_only)]
    ipv6_address: Option<String>,
    /// What it showed when we first met, and must show ever after
    #[attr(read_only)]
    host_key: Option<String>,
    /// The engine, for others
    #[attr(read_only)]
    engine: Option<Handle>,
    /// Of Docker
    #[attr(read_only)]
    engine_version: Option<String>,
    /// When the engine's certificate ends; a new one is made a month before
    #[attr(read_only, keeps_secret)]
    certificate_not_after: Option<String>,
    /// What its tag knows it by
    #[attr(read_only)]
    intent: Option<String>,
}

impl Droplet {
    /// As asked for, with what the account shows of it.
    fn told(self, document: &Json, intent: &str) -> Droplet {
        let address = |family: &str, kind: &str| {
            let all = document["networks"][family].as_array().into_iter().flatten();
            text(&all.into_iter().find(|one| one["type"] == kind)?["ip_address"])
        };
        let known = size::parse(&self.size);
        let of_document = || Some((document["vcpus"].as_u64()?, document["memory"].as_u64()? << 20));
        let (cpus, memory) = known.or_else(of_document).unzip();
        Droplet {
            name: self.name.or_else(|| text(&document["name"])),
            labels: self.labels.or_else(|| Some(BTreeMap::new())),
            platform: Some(PLATFORM.to_owned()),
            cpus,
            memory,
            id: text(&document["id"]),
            address: address("v4", "public"),
            private_address: address("v4", "private"),
            ipv6_address: address("v6", "public"),
            intent: Some(intent.to_owned()),
            ..self
        }
    }

    /// At the place where another look found it.
    fn standing_at(self, known: &Droplet) -> Droplet {
        let known = known.clone();
        Droplet {
            name: self.name.or(known.name),
            labels: self.labels.or(known.labels),
            platform: known.platform,
            cpus: known.cpus,
            memory: known.memory,
            id: known.id,
            address: known.address,
            private_address: known.private_address,
            ipv6_address: known.ipv6_address,
            host_key: known.host_key,
            intent: known.intent,
            ..self
        }
    }

    /// What is ordered.
    fn body(&self, intent: &str) -> Json {
        let tags: Vec<String> = [stamp::tag(intent)].into_iter().chain(self.tags.iter().flatten().cloned()).collect();
        let mut body = json!({
            "name": self.name.clone().unwrap_or_else(|| made_up_name(intent)),
            "region": self.region,
            "size": self.size,
            "image": number(&self.image),
            "ssh_keys": self.ssh_keys.iter().flatten().map(|key| number(key)).collect::<Vec<_>>(),
            "ipv6": self.ipv6.unwrap_or(false),
            "monitoring": self.monitoring.unwrap_or(false),
            "tags": tags,
        });
        for (name, value) in [("vpc_uuid", &self.vpc_uuid), ("user_data", &self.user_data)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        body
    }

    /// With an engine that answers.
    fn ready(self, provider: &DigitalOcean, ready: &Ready, host_key: &str) -> Droplet {
        let access = self.access();
        let login = login::of(&self, &provider.login);
        let not_after_ms = ready.certificate_not_after_ms.filter(|_| access != Access::Ssh);
        Droplet {
            engine: Some(access.handle(&login, host_key)),
            engine_version: Some(ready.engine_version.clone()),
            certificate_not_after: not_after_ms.map(format_instant),
            ..self
        }
    }

    fn access(&self) -> Access {
        Access::of(self.engine_access.as_deref(), self.address.as_deref().unwrap_or_default())
    }

    /// The account's tags that are not asked for are somebody else's business.
    fn seen(self, document: &Json) -> Droplet {
        let has = |tag: &String| document["tags"].as_array().into_iter().flatten().any(|one| one == tag.as_str());
        Droplet {
            name: text(&document["name"]),
            tags: self.tags.map(|tags| tags.into_iter().filter(has).collect()),
            ..self
        }
    }
}

fn made_up_name(intent: &str) -> String {
    let short: String = intent.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("bimetal-{short}")
}

fn is_tagged(document: &Json, intent: &str) -> bool {
    let tag = stamp::tag(intent);
    document["tags"].as_array().into_iter().flatten().any(|one| one == tag.as_str())
}

impl Resource for Droplet {
    type Provider = DigitalOcean;
    const NAME: &'static str = "digitalocean_droplet";
    const ROLE: Option<Role> = Some(Role::Machine);
    const BATCH: u32 = 10;

    fn validate(&self) -> Vec<Diagnostic> {
        let mut wrong = login::check(self);
        let is_name = |name: &String| {
            let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            (1..=255).contains(&name.len()) && name.chars().all(is_fine)
        };
        if let Some(name) = self.name.as_ref().filter(|name| !is_name(name)) {
            let error = Diagnostic::error(format!("`{name}` is no name of a droplet")).at("name");
            wrong.push(error.hint("names have letters, digits, `.` and `-`"));
        }
        wrong.extend(self.tags.iter().flatten().filter_map(|name| tag::check(name)).map(|wrong| wrong.at("tags")));
        wrong.extend(Access::check(self.engine_access.as_deref()));
        wrong
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        plan.set("platform", PLATFORM);
        if plan.is_new() {
            if plan.config("labels").is_null() {
                plan.set("labels", json!({}));
            }
            if let Some((cpus, memory)) = plan.value("size").as_str().and_then(size::parse) {
                plan.set("cpus", cpus);
                plan.set("memory", memory);
            }
        } else if plan.config("labels").is_null() {
            let labels = plan.prior("labels").clone();
            plan.set("labels", labels);
        }
        let login_changes = login::ATTRIBUTES.iter().any(|name| plan.changes(name));
        if plan.is_new() || plan.changes("engine_access") || login_changes {
            plan.unknown("engine");
        }
        plan_certificate(plan);
        Ok(())
    }

    /// One list tells of all droplets. What a machine's engine does is told by those who use it.
    fn read(provider: &DigitalOcean, objects: Vec<Droplet>) -> Vec<Result<Option<Droplet>>> {
        let all = provider.api.list("droplets", "droplets").map_err(Diagnostic::from);
        let look = |object: Droplet| {
            let all = all.as_ref().map_err(Clone::clone)?;
            let Some(document) = all.iter().find(|one| text(&one["id"]) == object.id) else { return Ok(None) };
            if document["status"] == "off" {
                let name = text(&document["name"]).unwrap_or_default();
                let error = Diagnostic::error(format!("the droplet `{name}` is switched off"));
                return Err(error.hint("switch it on in the control panel, or remove it from the configuration"));
            }
            Ok(Some(object.seen(document)))
        };
        objects.into_iter().map(look).collect()
    }

    fn probe(provider: &DigitalOcean, intent: &str, config: Droplet) -> Result<Option<Droplet>> {
        let all = provider.api.list("droplets", "droplets")?;
        Ok(all.iter().find(|one| is_tagged(one, intent)).map(|found| config.told(found, intent)))
    }

    fn create(provider: &DigitalOcean, requests: Vec<Create<Droplet>>) -> Vec<Outcome<Droplet>> {
        let has_address = |request: &Create<Droplet>| request.so_far.as_ref().is_some_and(|one| one.address.is_some());
        let all = match requests.iter().all(has_address) {
            true => Ok(Vec::new()),
            false => provider.api.list("droplets", "droplets"),
        };
        requests.into_iter().map(|request| create(provider, request, &all)).collect()
    }

    fn update(provider: &DigitalOcean, prior: Droplet, config: Droplet) -> Outcome<Droplet> {
        let (Some(id), Some(intent)) = (prior.id.clone(), prior.intent.clone()) else {
            return Outcome::failed(Diagnostic::error("the state does not know the droplet's id"));
        };
        if let Err(failure) = change(provider, &id, &prior, &config) {
            return outcome(Err(failure), Some(prior));
        }
        let kept = config.standing_at(&prior);
        let version = prior.engine_version.clone();
        match boot::climb(provider, kept, &intent) {
            Ok(Step::Ready(done)) => Outcome::Done(Droplet { engine_version: version, ..*done }),
            Ok(Step::Wait { after_ms, reason, .. }) => Outcome::Retry { after_ms, reason, so_far: Some(prior) },
            Err((diagnostic, _)) => Outcome::Failed { diagnostics: vec![diagnostic], so_far: Some(prior) },
        }
    }

    /// The tag goes first: once the droplet is gone, nobody would know of it.
    fn delete(provider: &DigitalOcean, object: Droplet) -> Deletion {
        let Some(id) = &object.id else { return Deletion::Done };
        let tag = object.intent.as_deref().map(stamp::tag);
        let untagged = tag.map_or(Ok(()), |tag| provider.api.delete(&format!("tags/{tag}"), None));
        deletion(untagged.and_then(|()| provider.api.delete(&format!("droplets/{id}"), None)))
    }
}

fn create(
    provider: &DigitalOcean,
    request: Create<Droplet>,
    all: &std::result::Result<Vec<Json>, Failure>,
) -> Outcome<Droplet> {
    let Create { index, intent, config, so_far } = request;
    let step = match &so_far {
        Some(known) if known.address.is_some() => boot::climb(provider, config.standing_at(known), &intent),
        _ => match all {
            Ok(all) => start(provider, config, &intent, so_far.as_ref(), all),
            Err(failure) => return outcome(Err(failure.clone()), so_far),
        },
    };
    match step {
        Ok(Step::Ready(done)) => Outcome::Done(*done),
        Ok(Step::Wait { after_ms, reason, droplet }) => {
            provider.world.progress(index, &reason);
            Outcome::Retry { after_ms, reason, so_far: droplet.map(|droplet| *droplet).or(so_far) }
        }
        Err((diagnostic, droplet)) => {
            Outcome::Failed { diagnostics: vec![diagnostic], so_far: droplet.map(|droplet| *droplet).or(so_far) }
        }
    }
}

/// Orders a droplet where there is none yet, and waits for its address.
fn start(
    provider: &DigitalOcean,
    config: Droplet,
    intent: &str,
    so_far: Option<&Droplet>,
    all: &[Json],
) -> boot::Progress {
    let id = so_far.and_then(|known| known.id.as_ref());
    let is_it = |one: &&Json| is_tagged(one, intent) || id.is_some() && text(&one["id"]).as_ref() == id;
    let wait = |after_ms, reason: String, droplet: Option<Droplet>| {
        Ok(Step::Wait { after_ms, reason, droplet: droplet.map(Box::new) })
    };
    let Some(document) = all.iter().find(is_it) else {
        return match provider.api.post("droplets", "droplet", &config.body(intent)) {
            Ok(document) => wait(3000, "starting".to_owned(), Some(config.told(&document, intent))),
            // Whether it was ordered, the next list tells.
            Err(Failure::Open(reason)) => wait(5000, reason, None),
            Err(failure) => Err((failure.into(), None)),
        };
    };
    let droplet = config.told(document, intent);
    match (document["status"].as_str(), &droplet.address) {
        (Some("active"), Some(_)) => boot::climb(provider, droplet, intent),
        _ => wait(3000, "starting".to_owned(), Some(droplet)),
    }
}

/// Name and tags.
fn change(provider: &DigitalOcean, id: &str, prior: &Droplet, config: &Droplet) -> std::result::Result<(), Failure> {
    let api = &provider.api;
    if config.name.is_some() && config.name != prior.name {
        let action = json!({ "type": "rename", "name": config.name });
        api.post(&format!("droplets/{id}/actions"), "action", &action)?;
    }
    let nothing = BTreeSet::new();
    let (had, has) = (prior.tags.as_ref().unwrap_or(&nothing), config.tags.as_ref().unwrap_or(&nothing));
    let this = json!({ "resources": [{ "resource_id": id, "resource_type": "droplet" }] });
    for tag in has.difference(had) {
        api.post("tags", "tag", &json!({ "name": tag }))?;
        api.post(&format!("tags/{tag}/resources"), "tag", &this)?;
    }
    for tag in had.difference(has) {
        api.delete(&format!("tags/{tag}/resources"), Some(&this))?;
    }
    Ok(())
}
