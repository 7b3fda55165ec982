//! `docker_container`: the container runtime of services, and for users directly.

use std::collections::BTreeMap;

use bimetal_provider::capability::docker::Engine;
use bimetal_provider::capability::progress;
use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Handle, Json, Outcome, Plan, Resource, Result, Role, Schema, Serialize,
    json,
};

use crate::Docker;

const INTENT: &str = "bimetal.intent";
const IMAGE: &str = "bimetal.image";
/// A container gets so long to end by itself, in seconds.
const GRACE: u32 = 10;

/// A running container.
#[derive(Clone, Schema, Serialize, Deserialize)]
pub(crate) struct Container {
    /// Of the machine: `machine.docker.here.engine`
    #[attr(force_new)]
    engine: Handle,
    /// Unique on its engine
    #[attr(force_new)]
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
    #[attr(read_only)]
    id: Option<String>,
    #[attr(read_only)]
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

impl Resource for Container {
    type Provider = Docker;
    const NAME: &'static str = "docker_container";
    const ROLE: Option<Role> = Some(Role::ContainerRuntime);

    fn validate(&self) -> Vec<Diagnostic> {
        let health = self.health.iter().flat_map(|health| [&health.interval, &health.timeout, &health.start_period]);
        let durations = health.flatten().filter_map(|text| nanoseconds(text).err());
        let restart = self
            .restart
            .iter()
            .filter(|word| !["no", "on-failure", "always", "unless-stopped"].contains(&word.as_str()));
        let restart = restart.map(|word| {
            let error = Diagnostic::error(format!("`{word}` is no restart policy")).at("restart");
            error.hint("there are `no`, `on-failure`, `always` and `unless-stopped`")
        });
        restart.chain(durations).collect()
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        // It is planned to run: one that stopped is started.
        plan.set("running", true);
        Ok(())
    }

    fn read(_: &Docker, objects: Vec<Self>) -> Vec<Result<Option<Self>>> {
        // One list for each engine tells what all of its containers do.
        let mut lists: Vec<(Handle, Result<States>)> = Vec::new();
        let mut answers = Vec::new();
        for object in objects {
            let place = lists.iter().position(|(engine, _)| *engine == object.engine).unwrap_or_else(|| {
                lists.push((object.engine.clone(), states(&object.engine)));
                lists.len() - 1
            });
            answers.push(match &lists[place].1 {
                Ok(states) => Ok(object
                    .id
                    .as_ref()
                    .and_then(|id| states.get(id))
                    .copied()
                    .map(|running| Container { running: Some(running), ..object.clone() })),
                Err(error) => Err(error.clone()),
            });
        }
        answers
    }

    fn probe(_: &Docker, intent: &str, config: Self) -> Result<Option<Self>> {
        let found = find(&Engine::new(&config.engine), intent)?;
        Ok(found.map(|(id, running)| Container { id: Some(id), running: Some(running), ..config }))
    }

    fn create(_: &Docker, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
        requests.into_iter().map(create).collect()
    }

    fn update(_: &Docker, prior: Self, config: Self) -> Outcome<Self> {
        let engine = Engine::new(&config.engine);
        let Some(id) = prior.id.clone() else {
            return Outcome::failed(Diagnostic::error("the state does not know the container's id"));
        };
        let changed = prior.restart != config.restart || prior.memory != config.memory || prior.cpus != config.cpus;
        let updated = if changed { engine.update_container(&id, &config.changeable()) } else { Ok(()) };
        match updated.and_then(|()| engine.start_container(&id)) {
            Ok(()) => Outcome::Done(Container { id: Some(id), running: Some(true), ..config }),
            Err(fault) => Outcome::Failed { diagnostics: vec![fault.into()], so_far: Some(prior) },
        }
    }

    fn delete(_: &Docker, object: Self) -> Deletion {
        let engine = Engine::new(&object.engine);
        let Some(id) = object.id else { return Deletion::Done };
        let removed = match engine.inspect_container(&id) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => engine.stop_container(&id, GRACE).and_then(|()| engine.remove_container(&id, true)),
            Err(fault) => Err(fault),
        };
        removed.map_err(Diagnostic::from).into()
    }
}

/// Whether each container of ours runs, by id.
type States = BTreeMap<String, bool>;

fn states(engine: &Handle) -> Result<States> {
    let list = Engine::new(engine).containers(&json!({ "label": [INTENT] }))?;
    Ok(list.iter().filter_map(|one| Some((one["Id"].as_str()?.to_owned(), one["State"] == "running"))).collect())
}

/// The container that carries an intent, and whether it runs.
fn find(engine: &Engine, intent: &str) -> Result<Option<(String, bool)>> {
    let list = engine.containers(&json!({ "label": [format!("{INTENT}={intent}")] }))?;
    Ok(list.first().and_then(|one| Some((one["Id"].as_str()?.to_owned(), one["State"] == "running"))))
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
    let made = Container { id: Some(id.clone()), running: Some(false), ..config };
    match engine.start_container(&id) {
        Ok(()) => Outcome::Done(Container { running: Some(true), ..made }),
        Err(fault) => Outcome::Failed { diagnostics: vec![fault.into()], so_far: Some(made) },
    }
}

fn make(engine: &Engine, index: u32, intent: &str, config: &Container) -> Result<String> {
    let image = engine.ensure_image(&config.image, config.platform.as_deref())?;
    let image = image["Id"].as_str().unwrap_or(&config.image).to_owned();
    progress(index, "starting");
    let body = config.body(&image, intent)?;
    match engine.create_container(&config.name, None, &body) {
        Ok(id) => Ok(id),
        Err(fault) => match find(engine, intent)? {
            // The name is taken by what an interrupted run of ours made.
            Some((id, _)) => Ok(id),
            None => Err(fault.into()),
        },
    }
}

impl Container {
    /// Docker's `POST /containers/create`.
    fn body(&self, image: &str, intent: &str) -> Result<Json> {
        let mut labels = self.labels.clone().unwrap_or_default();
        labels.insert(INTENT.to_owned(), intent.to_owned());
        // What was asked for: an engine lists what it was loaded as.
        labels.insert(IMAGE.to_owned(), self.image.clone());
        let env: Vec<String> = self.env.iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
        let mut host = self.changeable();
        host["PortBindings"] = self.port_bindings();
        host["Mounts"] = Json::Array(self.volume.iter().map(Mount::body).collect());
        if let Some(network) = self.networks.iter().flatten().next() {
            host["NetworkMode"] = json!(network);
        }
        let exposed: serde_json::Map<_, _> = self.port.iter().map(|port| (port.key(), json!({}))).collect();
        let networks: serde_json::Map<_, _> =
            self.networks.iter().flatten().map(|name| (name.clone(), json!({}))).collect();
        Ok(json!({
            "Image": image,
            "Cmd": self.command,
            "Entrypoint": self.entrypoint,
            "Env": env,
            "Labels": labels,
            "User": self.user.clone().unwrap_or_default(),
            "WorkingDir": self.working_dir.clone().unwrap_or_default(),
            "Hostname": self.hostname.clone().unwrap_or_default(),
            "ExposedPorts": exposed,
            "Healthcheck": self.health.as_ref().map(Health::body).transpose()?,
            "HostConfig": host,
            "NetworkingConfig": { "EndpointsConfig": networks },
        }))
    }

    /// What an engine changes without a new container.
    fn changeable(&self) -> Json {
        json!({
            "RestartPolicy": { "Name": self.restart.as_deref().unwrap_or("unless-stopped") },
            "Memory": self.memory.unwrap_or(0),
            "NanoCpus": self.cpus.map_or(0, |cpus| (cpus * 1e9) as u64),
        })
    }

    fn port_bindings(&self) -> Json {
        let bound = self.port.iter().filter_map(|port| {
            let host = port.host?;
            Some((port.key(), json!([{ "HostPort": host.to_string() }])))
        });
        Json::Object(bound.collect())
    }
}

impl Port {
    /// `80/tcp`
    fn key(&self) -> String {
        format!("{}/{}", self.container, self.protocol.as_deref().unwrap_or("tcp"))
    }
}

impl Mount {
    fn body(&self) -> Json {
        let kind = if self.source.starts_with('/') { "bind" } else { "volume" };
        json!({ "Type": kind, "Source": self.source, "Target": self.target, "ReadOnly": self.read_only.unwrap_or(false) })
    }
}

impl Health {
    fn body(&self) -> Result<Json> {
        let nanoseconds = |text: &Option<String>| text.as_deref().map_or(Ok(0), nanoseconds);
        let command: Vec<&str> = ["CMD"].into_iter().chain(self.command.iter().map(String::as_str)).collect();
        Ok(json!({
            "Test": command,
            "Interval": nanoseconds(&self.interval)?,
            "Timeout": nanoseconds(&self.timeout)?,
            "StartPeriod": nanoseconds(&self.start_period)?,
            "Retries": self.retries.unwrap_or(0),
        }))
    }
}

/// `10s`, `1m30s`, `500ms`
fn nanoseconds(text: &str) -> Result<u64> {
    let wrong =
        || Diagnostic::error(format!("`{text}` is no duration")).hint("write `10s`, `1m30s` or `500ms`").at("health");
    let (mut total, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        let unit = match &rest[digits..unit_end] {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(wrong()),
        };
        total = number.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = &rest[unit_end..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_dockers() {
        assert_eq!(nanoseconds("1m30s").unwrap(), 90_000_000_000);
        assert_eq!(nanoseconds("500ms").unwrap(), 500_000_000);
        for wrong in ["", "10", "s", "1x", "-1s"] {
            assert!(nanoseconds(wrong).is_err(), "{wrong}");
        }
    }
}
