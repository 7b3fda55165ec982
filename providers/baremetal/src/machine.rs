//! `machine "baremetal"`: a machine that is there already.
//!
//! It can't be made and can't be deleted: creating prepares it, deleting takes off what preparing put there.

use std::collections::BTreeMap;

use bimetal_provider::{
    Create, Credential, Deletion, Deserialize, Diagnostic, Handle, Json, Outcome, Plan, Resource, Result, Role, Schema,
    Serialize, json,
};
use bimetal_provider_prepare::{
    Access, Facts, Ready, Stamp, Step, Undone, Wish, engine, facts, format_instant, plan_certificate, prepare, runs,
    undo,
};

use crate::Baremetal;
use crate::login::{self, Through};

/// A machine that is there already and answers to SSH.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Name or address
    #[attr(force_new, unique)]
    pub(crate) host: String,
    /// SSH's port; 22 unless said
    pub(crate) port: Option<u32>,
    /// Who logs in, `root` or somebody with `sudo` without a password; `root` unless said
    pub(crate) user: Option<String>,
    /// Our SSH key itself
    #[attr(credential)]
    pub(crate) private_key: Option<Credential>,
    /// The file of our SSH key
    #[attr(credential_file)]
    pub(crate) key_file: Option<Credential>,
    /// Ask the SSH agent
    pub(crate) agent: Option<bool>,
    /// `strict` (the machine's key must be known, which is so unless said), `accept-new` or `off`
    pub(crate) host_key_check: Option<String>,
    /// The only key that the machine may show: `ssh-ed25519 AAAA…`
    pub(crate) host_key: Option<String>,
    /// Instead of `~/.ssh/known_hosts`
    pub(crate) known_hosts: Option<String>,
    /// The machine to go through
    #[block]
    pub(crate) bastion: Option<Through>,
    /// `linux/arm/v7`; asked of the machine unless said
    #[attr(computed)]
    platform: Option<String>,
    /// For placement
    #[attr(computed)]
    labels: Option<BTreeMap<String, String>>,
    /// Put Docker on it where it is missing; so unless said
    install_engine: Option<bool>,
    /// How the engine is reached: through `ssh`, which is so unless said, or over TCP with certificates: `mtls`
    engine_access: Option<String>,
    /// Processors
    #[attr(read_only)]
    cpus: Option<u64>,
    /// In bytes
    #[attr(read_only)]
    memory: Option<u64>,
    /// Name and version
    #[attr(read_only)]
    distribution: Option<String>,
    /// Of Linux
    #[attr(read_only)]
    kernel: Option<String>,
    /// Where its containers are reached
    #[attr(read_only)]
    address: Option<String>,
    /// The engine, for others
    #[attr(read_only)]
    engine: Option<Handle>,
    /// Of Docker
    #[attr(read_only)]
    engine_version: Option<String>,
    /// When the engine's certificate ends; a new one is made a month before
    #[attr(read_only, keeps_secret)]
    certificate_not_after: Option<String>,
    /// What the machine's `/etc/bimetal/machine.json` knows it by
    #[attr(read_only)]
    intent: Option<String>,
}

impl Machine {
    fn access(&self) -> Access {
        Access::of(self.engine_access.as_deref(), &self.host)
    }

    /// What is said of placement goes before what the machine says; a platform that is said is believed to be all.
    fn labels(&self, facts: &Facts) -> BTreeMap<String, String> {
        match (&self.labels, &self.platform) {
            (Some(labels), _) => labels.clone(),
            (None, Some(_)) => BTreeMap::new(),
            (None, None) => facts.labels(),
        }
    }

    fn check_platform(&self, facts: &Facts) -> Result<()> {
        match &self.platform {
            Some(wanted) if !runs(&facts.platform, facts.arm32, wanted) => {
                let error =
                    Diagnostic::error(format!("this machine is `{}`, not `{wanted}`", facts.platform)).at("platform");
                Err(error.hint("leave `platform` out: Bimetal asks the machine"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The configuration with what is known of the machine.
    fn with(self, facts: &Facts, intent: &str) -> Machine {
        Machine {
            labels: Some(self.labels(facts)),
            platform: self.platform.or_else(|| Some(facts.platform.clone())),
            cpus: Some(facts.cpus),
            memory: Some(facts.memory),
            distribution: Some(facts.distribution.clone()),
            kernel: Some(facts.kernel.clone()),
            address: Some(self.host.clone()),
            intent: Some(intent.to_owned()),
            ..self
        }
    }

    fn with_engine(self, provider: &Baremetal, host_key: &str, version: String, not_after_ms: Option<u64>) -> Machine {
        let access = self.access();
        let engine = access.handle(&login::of(&self, &provider.defaults), host_key);
        Machine {
            engine: Some(engine),
            engine_version: Some(version),
            certificate_not_after: not_after_ms.filter(|_| access != Access::Ssh).map(format_instant),
            ..self
        }
    }
}

impl Resource for Machine {
    type Provider = Baremetal;
    const NAME: &'static str = "baremetal_machine";
    const ROLE: Option<Role> = Some(Role::Machine);

    fn validate(&self) -> Vec<Diagnostic> {
        let mut wrong = login::check_machine(self);
        wrong.extend(Access::check(self.engine_access.as_deref()));
        if self.platform.as_deref().is_some_and(|platform| !platform.starts_with("linux/")) {
            let error = Diagnostic::error("only Linux runs Bimetal's containers").at("platform");
            wrong.push(error.hint("write it as `linux/arm64`"));
        }
        wrong
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        let host = plan.value("host").clone();
        plan.set("address", host);
        if plan.is_new() && plan.config("labels").is_null() && plan.config("platform").is_string() {
            plan.set("labels", json!({}));
        }
        let login_changes = login::ATTRIBUTES.iter().any(|name| plan.changes(name));
        let is_gone = !plan.is_new() && plan.prior("engine").is_null();
        if plan.is_new() || is_gone || plan.changes("engine_access") || login_changes {
            plan.unknown("engine");
        }
        if is_gone {
            plan.unknown("engine_version");
        }
        plan_certificate(plan);
        Ok(())
    }

    fn discover(provider: &Baremetal, config: Machine) -> Result<Json> {
        let remote = provider.world.machine(&login::of(&config, &provider.defaults).endpoint());
        let facts = facts(&*remote)?;
        config.check_platform(&facts)?;
        Ok(json!({
            "platform": config.platform.as_ref().unwrap_or(&facts.platform),
            "labels": config.labels(&facts),
            "cpus": facts.cpus,
            "memory": facts.memory,
            "distribution": facts.distribution,
            "address": config.host,
        }))
    }

    fn read(provider: &Baremetal, objects: Vec<Machine>) -> Vec<Result<Option<Machine>>> {
        objects.into_iter().map(|object| look(provider, object)).collect()
    }

    fn probe(provider: &Baremetal, intent: &str, config: Machine) -> Result<Option<Machine>> {
        let remote = provider.world.machine(&login::of(&config, &provider.defaults).endpoint());
        let Some(stamp) = Stamp::read(&*remote)?.filter(|stamp| stamp.intent == intent) else { return Ok(None) };
        let machine = config.with(&facts(&*remote)?, intent);
        // Who was interrupted before its engine answered is told of as far as it came.
        let Some(version) = engine(&*remote)?.version else { return Ok(Some(machine)) };
        let (host_key, not_after_ms) = (remote.host_key()?, stamp.certificate_not_after_ms());
        Ok(Some(machine.with_engine(provider, &host_key, version, not_after_ms)))
    }

    fn create(provider: &Baremetal, requests: Vec<Create<Machine>>) -> Vec<Outcome<Machine>> {
        let one = |request: Create<Machine>| {
            let so_far = request.so_far.clone();
            climb(provider, request.config, &request.intent, request.index, so_far)
        };
        requests.into_iter().map(one).collect()
    }

    /// What a change doesn't touch stays as it was: the next reading tells what else is new.
    fn update(provider: &Baremetal, prior: Machine, config: Machine) -> Outcome<Machine> {
        let Some(intent) = prior.intent.clone() else {
            return Outcome::failed(
                Diagnostic::error("it is not known what this machine is stamped with").hint("import it again"),
            );
        };
        let kept = Machine {
            platform: config.platform.clone().or(prior.platform.clone()),
            labels: config.labels.clone().or(prior.labels.clone()),
            cpus: prior.cpus,
            memory: prior.memory,
            distribution: prior.distribution.clone(),
            kernel: prior.kernel.clone(),
            address: prior.address.clone(),
            intent: prior.intent.clone(),
            ..config.clone()
        };
        match climb(provider, config, &intent, 0, Some(prior.clone())) {
            Outcome::Done(done) => Outcome::Done(Machine {
                engine: done.engine,
                certificate_not_after: done.certificate_not_after,
                engine_version: prior.engine_version.or(done.engine_version),
                ..kept
            }),
            other => other,
        }
    }

    fn delete(provider: &Baremetal, object: Machine) -> Deletion {
        // Without a stamp that is known to be ours, there is nothing that is known to be ours.
        let Some(intent) = &object.intent else { return Deletion::Done };
        let remote = provider.world.machine(&login::of(&object, &provider.defaults).endpoint());
        match undo(&*remote, intent) {
            Ok(Undone::All) => Deletion::Done,
            Ok(Undone::Wait { after_ms, reason }) => Deletion::Retry { after_ms, reason },
            Err(diagnostic) => Deletion::Failed(vec![diagnostic]),
        }
    }

    /// `192.168.1.11` or `pi@192.168.1.11`: a machine that carries a stamp.
    fn import(provider: &Baremetal, id: &str, config: Self) -> Result<Machine> {
        let (user, host) = id.split_once('@').map_or((None, id), |(user, host)| (Some(user), host));
        let user = user.map(str::to_owned).or_else(|| config.user.clone());
        let machine = Machine { host: host.to_owned(), user, ..config };
        let remote = provider.world.machine(&login::of(&machine, &provider.defaults).endpoint());
        let stamp = Stamp::read(&*remote)?.ok_or_else(|| {
            Diagnostic::error(format!("Bimetal has not managed `{host}` before"))
                .hint("write a `machine` block for it, and apply")
        })?;
        let found = look(provider, Machine { intent: Some(stamp.intent), ..machine })?;
        found.ok_or_else(|| Diagnostic::error(format!("the stamp of `{host}` has just gone")))
    }
}

/// A machine whose stamp is gone is not managed any more, and one without Docker has no engine; one that can't be
/// reached is an error and nothing else.
fn look(provider: &Baremetal, object: Machine) -> Result<Option<Machine>> {
    let remote = provider.world.machine(&login::of(&object, &provider.defaults).endpoint());
    let Some(stamp) = Stamp::read(&*remote)?.filter(|stamp| Some(&stamp.intent) == object.intent.as_ref()) else {
        return Ok(None);
    };
    let (facts, engine, host_key) = (facts(&*remote)?, engine(&*remote)?, remote.host_key()?);
    let not_after_ms = stamp.certificate_not_after_ms();
    if !engine.is_installed && object.install_engine.unwrap_or(true) {
        let machine = object.with(&facts, &stamp.intent);
        return Ok(Some(Machine { engine: None, engine_version: None, certificate_not_after: None, ..machine }));
    }
    let Some(version) = engine.version else {
        let error = Diagnostic::error(format!("the engine of `{}` does not answer", object.host));
        return Err(error.hint("see `systemctl status docker` there"));
    };
    let refreshed = object.with(&facts, &stamp.intent);
    Ok(Some(refreshed.with_engine(provider, &host_key, version, not_after_ms)))
}

fn climb(provider: &Baremetal, config: Machine, intent: &str, index: u32, so_far: Option<Machine>) -> Outcome<Machine> {
    let login = login::of(&config, &provider.defaults);
    let remote = provider.world.machine(&login.endpoint());
    let wish =
        Wish { intent, user: &login.user, install: config.install_engine.unwrap_or(true), access: config.access() };
    let step = facts(&*remote)
        .and_then(|facts| config.check_platform(&facts).map(|()| facts))
        .and_then(|facts| Ok((prepare(&*remote, &wish, provider.world.now_ms())?, facts)));
    match step {
        Ok((Step::Ready(ready), _)) => match remote.host_key() {
            Ok(host_key) => {
                let Ready { facts, engine_version, certificate_not_after_ms } = *ready;
                let machine = config.with(&facts, intent);
                Outcome::Done(machine.with_engine(provider, &host_key, engine_version, certificate_not_after_ms))
            }
            Err(fault) => Outcome::Failed { diagnostics: vec![fault.into()], so_far },
        },
        Ok((Step::Wait { after_ms, reason }, facts)) => {
            provider.world.progress(index, &reason);
            Outcome::Retry { after_ms, reason, so_far: so_far.or_else(|| Some(config.with(&facts, intent))) }
        }
        Err(diagnostic) => {
            // The stamp is the first thing that is put there: who could ask for facts may have put it.
            let so_far = so_far.or_else(|| {
                let stamped = Stamp::read(&*remote).ok().flatten().filter(|stamp| stamp.intent == intent);
                stamped.and_then(|_| facts(&*remote).ok()).map(|facts| config.with(&facts, intent))
            });
            Outcome::Failed { diagnostics: vec![diagnostic], so_far }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
