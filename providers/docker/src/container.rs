//! `docker_container`: the container runtime of services, and for users directly.

mod body;
mod check;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bimetal_provider::capability::docker::Engine;
use bimetal_provider::capability::progress;
use bimetal_provider::{
    Code, Create, Deletion, Deserialize, Diagnostic, Fault, Handle, Outcome, Plan, Resource, Result, Role, Schema,
    Serialize,
};

use crate::Docker;
use crate::access::stay;
use crate::stamp::taken;
use seen::Seen;

/// A container gets so long to end by itself, in seconds.
const GRACE: u32 = 10;

/// A running container.
#[derive(Clone, Schema, Serialize, Deserialize)]
pub(crate) struct Container {
    /// Of the machine: `machine.docker.here.engine`
    #[attr(force_new)]
    engine: Handle,
    /// Unique on its engine
    #[attr(force_new, unique_name)]
    name: String,
    /// `name@sha256:…`, `name:tag`, or `oci:PATH@sha256:…` of the operator's disk
    #[attr(force_new)]
    image: String,
    #[attr(force_new)]
    platform: Option<String>,
    #[attr(force_new)]
    command: Option<Vec<String>>,
    #[attr(force_new)]
    entrypoint: Option<Vec<String>>,
    #[attr(force_new)]
    env: Option<BTreeMap<String, String>>,
    #[attr(force_new)]
    labels: Option<BTreeMap<String, String>>,
    #[attr(force_new)]
    user: Option<String>,
    #[attr(force_new)]
    working_dir: Option<String>,
    #[attr(force_new)]
    hostname: Option<String>,
    /// `no`, `on-failure`, `always` or `unless-stopped`; the last unless said
    restart: Option<String>,
    /// The first one is joined at the start
    #[attr(force_new)]
    networks: Option<Vec<String>>,
    /// In bytes
    memory: Option<u64>,
    cpus: Option<f64>,
    #[block(force_new)]
    port: Vec<Port>,
    #[block(force_new)]
    volume: Vec<Mount>,
    #[block(force_new)]
    health: Option<Health>,
    #[attr(read_only, never_null)]
    id: Option<String>,
    #[attr(read_only)]
    image_id: Option<String>,
    /// On the first of its networks
    #[attr(read_only)]
    ip_address: Option<String>,
    #[attr(read_only, changes_on_update)]
    running: Option<bool>,
}

/// A port that others may use.
#[derive(Clone, Schema, Serialize, Deserialize)]
pub(crate) struct Port {
    /// Of the machine
    host: Option<u16>,
    container: u16,
    /// `tcp` or `udp`
    protocol: Option<String>,
}

/// A volume or a folder of the machine's.
#[derive(Clone, Schema, Serialize, Deserialize)]
pub(crate) struct Mount {
    /// A volume's name or a path of the machine's
    source: String,
    /// A path in the container
    target: String,
    read_only: Option<bool>,
}

/// How the engine finds out whether it is well.
#[derive(Clone, Schema, Serialize, Deserialize)]
pub(crate) struct Health {
    command: Vec<String>,
    /// As `10s`
    interval: Option<String>,
    timeout: Option<String>,
    retries: Option<u32>,
    start_period: Option<String>,
}

impl Container {
    /// One that may end by itself, and then has done its work: it is not started again.
    fn is_job(&self) -> bool {
        is_job(self.restart.as_deref())
    }

    /// As asked for, with what the engine shows of it.
    fn with(self, seen: &Seen) -> Container {
        Container {
            id: Some(seen.id.clone()),
            image_id: seen.image_id.clone(),
            ip_address: seen.address(self.networks.as_deref().unwrap_or_default()),
            running: Some(seen.is_running),
            ..self
        }
    }
}

fn is_job(restart: Option<&str>) -> bool {
    matches!(restart, Some("no" | "on-failure"))
}

impl Resource for Container {
    type Provider = Docker;
    const NAME: &'static str = "docker_container";
    const ROLE: Option<Role> = Some(Role::ContainerRuntime);

    fn validate(&self) -> Vec<Diagnostic> {
        check::check(self)
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        stay(plan);
        // An engine takes no limit for "as it was": one that is taken away needs a new container.
        for limit in ["memory", "cpus"] {
            if plan.value(limit).is_null() && !plan.prior(limit).is_null() {
                plan.replace(limit);
            }
        }
        let restart = plan.value("restart").clone();
        if is_job(restart.as_str()) || restart.is_object() {
            return Ok(());
        }
        // It is planned to run: one that stopped is started, and gets another address by that.
        if !plan.is_new() && plan.prior("running") == false {
            plan.unknown("ip_address");
        }
        plan.set("running", true);
        Ok(())
    }

    /// One list for each engine tells what has become of all of its containers.
    fn read(_: &Docker, objects: Vec<Self>) -> Vec<Result<Option<Self>>> {
        let mut lists: Vec<(Handle, Result<BTreeMap<String, Seen>>)> = Vec::new();
        let mut answers = Vec::new();
        for object in objects {
            let place = lists.iter().position(|(engine, _)| *engine == object.engine).unwrap_or_else(|| {
                lists.push((object.engine.clone(), Seen::all(&Engine::new(&object.engine))));
                lists.len() - 1
            });
            answers.push(match &lists[place].1 {
                Ok(all) => Ok(object.id.as_ref().and_then(|id| all.get(id)).map(|seen| object.clone().with(seen))),
                Err(error) => Err(error.clone()),
            });
        }
        answers
    }

    fn probe(_: &Docker, intent: &str, config: Self) -> Result<Option<Self>> {
        let found = Seen::of_intent(&Engine::new(&config.engine), intent)?;
        Ok(found.map(|seen| config.with(&seen)))
    }

    fn create(_: &Docker, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
        requests.into_iter().map(create).collect()
    }

    fn update(_: &Docker, prior: Self, config: Self) -> Outcome<Self> {
        let engine = Engine::new(&config.engine);
        let Some(id) = prior.id.clone() else {
            return Outcome::failed(Diagnostic::error("the state does not know the container's id"));
        };
        match change(&engine, &id, &prior, &config).and_then(|()| settle(&engine, &id, config)) {
            Ok(container) => Outcome::Done(container),
            Err(error) => Outcome::Failed { diagnostics: vec![error], so_far: Some(prior) },
        }
    }

    fn import(_: &Docker, id: &str, _: Self) -> Result<Self> {
        // An engine does not tell what was asked for from what the image brought.
        Err(Diagnostic::error(format!("the container `{id}` can't be imported"))
            .hint("remove it, and let Bimetal make it anew; its volumes can be imported"))
    }

    fn delete(_: &Docker, object: Self) -> Deletion {
        let engine = Engine::new(&object.engine);
        let Some(id) = object.id else { return Deletion::Done };
        let removed = match engine.stop_container(&id, GRACE) {
            Ok(()) => engine.remove_container(&id, true),
            Err(fault) if fault.code == Code::NotFound => Ok(()),
            Err(fault) => Err(fault),
        };
        removed.map_err(Diagnostic::from).into()
    }
}

fn create(request: Create<Container>) -> Outcome<Container> {
    let Create { index, intent, config, so_far } = request;
    let engine = Engine::new(&config.engine);
    // Only a run that was interrupted, or asked for a second time, left something to be found.
    let id = match so_far.and_then(|object| object.id) {
        Some(id) => id,
        None => match make(&engine, index, &intent, &config) {
            Ok(id) => id,
            Err(error) => return Outcome::failed(error),
        },
    };
    let made = Container { id: Some(id.clone()), running: Some(false), ..config.clone() };
    let started = engine.start_container(&id).map_err(Diagnostic::from);
    match started.and_then(|()| settle(&engine, &id, config)) {
        Ok(container) => Outcome::Done(container),
        Err(error) => Outcome::Failed { diagnostics: vec![error], so_far: Some(made) },
    }
}

/// Makes a container, and answers its id.
fn make(engine: &Engine, index: u32, intent: &str, config: &Container) -> Result<String> {
    let image = engine.ensure_image(&config.image, config.platform.as_deref())?;
    let image = image["Id"].as_str().unwrap_or(&config.image).to_owned();
    progress(index, "starting");
    let body = config.body(&image, intent)?;
    match engine.create_container(&config.name, None, &body) {
        Ok(id) => Ok(id),
        Err(fault) => match Seen::of_intent(engine, intent)? {
            // The name is taken by what an interrupted run of ours made.
            Some(seen) => Ok(seen.id),
            None => Err(not_made(fault, &config.name)),
        },
    }
}

fn not_made(fault: Fault, name: &str) -> Diagnostic {
    match fault.code {
        Code::Conflict => taken("container", name),
        _ => fault.into(),
    }
}

fn change(engine: &Engine, id: &str, prior: &Container, config: &Container) -> Result<()> {
    if prior.restart != config.restart || prior.memory != config.memory || prior.cpus != config.cpus {
        engine.update_container(id, &config.changeable())?;
    }
    if !config.is_job() {
        engine.start_container(id)?;
    }
    Ok(())
}

/// What has become of a container that was just started.
fn settle(engine: &Engine, id: &str, config: Container) -> Result<Container> {
    let seen = Seen::one(engine, id)?;
    if !seen.is_running && seen.exit_code != 0 && config.is_job() {
        let error = format!("container `{}` ended at once, with status {}", config.name, seen.exit_code);
        return Err(Diagnostic::error(error)
            .hint("its own log tells why: `docker logs` on that machine")
            .at("command"));
    }
    // The engine starts one that ended at once again and again: that counts as running.
    let is_running = seen.is_running || !config.is_job();
    Ok(Container { running: Some(is_running), ..config.with(&seen) })
}
