//! `machines` and `ps`: the fleet at a glance.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_host::Host;
use bimetal_host::console::columns;
use bimetal_model::placement::engine_of;
use bimetal_model::snapshot::{Snapshot, Stored};
use bimetal_model::{Address, BlockKind};
use futures::StreamExt as _;
use serde_json::{Value as Json, json};

use crate::arguments;
use crate::failure::Failure;
use crate::output::{print, print_json, say};
use crate::render::table::{natural_width, table};
use crate::session::Session;
use crate::walk::World;

/// So many machines are asked at the same time.
const ASKED_AT_ONCE: usize = 64;

/// A machine and the handle of its engine.
pub(crate) struct Node {
    pub(crate) address: Address,
    pub(crate) stored: Arc<Stored>,
}

impl Node {
    /// The engine's handle, as JSON text.
    pub(crate) fn engine(&self) -> Option<&str> {
        engine_of(&self.stored.object.value)
    }

    fn text(&self, name: &str) -> String {
        let value = self.stored.object.value.member(name);
        value.and_then(|value| value.as_str()).unwrap_or("-").to_owned()
    }
}

/// All machines that the state knows.
pub(crate) fn nodes(snapshot: &Snapshot) -> Vec<Node> {
    let machines = snapshot.objects.iter().filter(|(address, _)| address.block == BlockKind::Machine);
    machines.map(|(address, stored)| Node { address: address.clone(), stored: stored.clone() }).collect()
}

/// Lists the machines, each engine asked whether it runs.
pub(crate) async fn machines(session: &Session) -> Result<(), Failure> {
    let world = World::for_reach(session).await?;
    let nodes = nodes(&world.snapshot);
    let states = ask_all(&nodes, |node| state_of(&world.host, node)).await;
    session.progress.clear();
    if session.json {
        let rows = nodes.iter().zip(&states).map(|(node, state)| {
            json!({
                "machine": node.address,
                "provider": node.stored.provider,
                "platform": node.text("platform"),
                "address": node.text("address"),
                "status": state.status(),
                "engine": state.text(),
            })
        });
        print_json(&json!({ "format": 1, "machines": rows.collect::<Vec<_>>() }));
        return Ok(());
    }
    if nodes.is_empty() {
        say("There are no machines: nothing was applied yet.\n");
        return Ok(());
    }
    let rows: Vec<_> = nodes
        .iter()
        .zip(states)
        .map(|(node, state)| {
            [
                node.address.to_string(),
                node.stored.provider.to_string(),
                node.text("platform"),
                node.text("address"),
                state.status().to_owned(),
                state.text(),
            ]
        })
        .collect();
    print(&table(["MACHINE", "PROVIDER", "PLATFORM", "ADDRESS", "STATUS", "ENGINE"], &rows, width()));
    Ok(())
}

/// How a machine is now.
enum State {
    /// It has no engine yet.
    Pending,
    /// Its engine runs: which, and how many containers.
    Ready { version: String, containers: u64 },
    /// Its engine can't be reached: plans leave what is there as it is, as far as its pool's failure budget allows.
    Degraded(String),
}

impl State {
    fn status(&self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Ready { .. } => "ready",
            State::Degraded(_) => "degraded",
        }
    }

    /// `running 20.10.24, 3 containers`, or why not.
    fn text(&self) -> String {
        match self {
            State::Pending => "none yet".to_owned(),
            State::Ready { version, containers: 1 } => format!("running {version}, 1 container"),
            State::Ready { version, containers } => format!("running {version}, {containers} containers"),
            State::Degraded(why) => format!("unreachable: {why}"),
        }
    }
}

async fn state_of(host: &Arc<Host>, node: &Node) -> State {
    let Some(handle) = node.engine() else { return State::Pending };
    let info = match host.engines().engine(handle).await {
        Ok(engine) => engine.info().await,
        Err(fault) => Err(fault),
    };
    match info {
        Ok(info) => {
            let version = info["version"]["Version"].as_str().unwrap_or("?").to_owned();
            State::Ready { version, containers: info["info"]["ContainersRunning"].as_u64().unwrap_or(0) }
        }
        Err(fault) => State::Degraded(fault.summary().to_owned()),
    }
}

/// One container, and where it is.
pub(crate) struct Container {
    pub(crate) machine: Address,
    pub(crate) engine: String,
    /// As the engine lists it.
    pub(crate) listed: Json,
    /// Of the replica or resource that it is, where the state knows it.
    pub(crate) address: Option<Address>,
}

impl Container {
    pub(crate) fn name(&self) -> &str {
        self.listed["Names"][0].as_str().unwrap_or("?").trim_start_matches('/')
    }

    pub(crate) fn id(&self) -> &str {
        self.listed["Id"].as_str().unwrap_or_default()
    }
}

/// Every container of the fleet, and the machines that did not answer.
pub(crate) async fn containers(world: &World) -> (Vec<Container>, Vec<String>) {
    let nodes = nodes(&world.snapshot);
    let known = addresses_by_id(&world.snapshot);
    let lists = ask_all(&nodes, |node| list(&world.host, node)).await;
    let (mut containers, mut silent, mut seen) = (Vec::new(), Vec::new(), std::collections::BTreeSet::new());
    for (node, listed) in nodes.iter().zip(lists) {
        match listed {
            Err(reason) => silent.push(format!("{}: {reason}", node.address)),
            Ok(listed) => {
                for one in listed {
                    let id = one["Id"].as_str().unwrap_or_default().to_owned();
                    // Several machines can be one engine.
                    if seen.insert(id.clone()) {
                        let engine = node.engine().unwrap_or_default().to_owned();
                        let address = known.get(&id).cloned();
                        containers.push(Container { machine: node.address.clone(), engine, listed: one, address });
                    }
                }
            }
        }
    }
    (containers, silent)
}

fn addresses_by_id(snapshot: &Snapshot) -> BTreeMap<String, Address> {
    let id = |stored: &Stored| Some(stored.object.value.member("id")?.as_str()?.to_owned());
    snapshot.objects.iter().filter_map(|(address, stored)| Some((id(stored)?, address.clone()))).collect()
}

async fn list(host: &Arc<Host>, node: &Node) -> Result<Vec<Json>, String> {
    let Some(handle) = node.engine() else { return Ok(Vec::new()) };
    let engine = host.engines().engine(handle).await.map_err(|fault| fault.summary().to_owned())?;
    match engine.containers(json!({})).await.map_err(|fault| fault.summary().to_owned())? {
        Json::Array(list) => Ok(list),
        _ => Ok(Vec::new()),
    }
}

async fn ask_all<'n, T, F: Future<Output = T>>(nodes: &'n [Node], ask: impl Fn(&'n Node) -> F) -> Vec<T> {
    futures::stream::iter(nodes.iter().map(ask)).buffered(ASKED_AT_ONCE).collect().await
}

/// Lists the containers.
pub(crate) async fn ps(session: &Session, arguments: &arguments::Ps) -> Result<(), Failure> {
    let world = World::for_reach(session).await?;
    let (mut containers, silent) = containers(&world).await;
    session.progress.clear();
    containers.retain(|one| arguments.all || one.listed["State"] == "running");
    containers.sort_by_key(|one| (one.address.is_none(), one.address.clone(), one.name().to_owned()));
    match session.json {
        true => print_json(&json!({
            "format": 1,
            "containers": containers.iter().map(document).collect::<Vec<_>>(),
            "unreachable": silent,
        })),
        false => {
            let rows: Vec<_> = containers.iter().map(row).collect();
            print(&containers_table(&rows, width()));
            silent.iter().for_each(|line| say(&format!("unreachable: {line}\n")));
        }
    }
    Ok(())
}

/// Where a line is too short for all of it, without the addresses: names say the same for people.
fn containers_table(rows: &[[String; 6]], width: usize) -> String {
    let headings = ["CONTAINER", "NODE", "IMAGE", "PORTS", "STATUS", "ADDRESS"];
    if natural_width(headings, rows) <= width {
        return table(headings, rows, width);
    }
    let [headings @ .., _] = headings;
    let rows: Vec<[String; 5]> = rows.iter().cloned().map(|[row @ .., _]| row).collect();
    table(headings, &rows, width)
}

/// Of a line of standard output.
fn width() -> usize {
    columns(std::io::stdout()).unwrap_or(usize::MAX)
}

fn document(one: &Container) -> Json {
    json!({
        "name": one.name(),
        "id": one.id(),
        "machine": one.machine,
        "image": one.listed["Image"],
        "state": one.listed["State"],
        "status": one.listed["Status"],
        "ports": one.listed["Ports"],
        "address": one.address,
    })
}

fn row(one: &Container) -> [String; 6] {
    let text = |name: &str| one.listed[name].as_str().unwrap_or("-").to_owned();
    let image = one.listed["Labels"]["bimetal.image"].as_str().map_or_else(|| short(&text("Image")), short);
    [
        one.name().to_owned(),
        one.machine.to_string(),
        image,
        ports(&one.listed["Ports"]),
        text("Status"),
        one.address.as_ref().map_or("-".to_owned(), ToString::to_string),
    ]
}

/// A digest is known by its beginning.
fn short(image: &str) -> String {
    match image.split_once("sha256:") {
        Some((name, digest)) => format!("{name}{}", digest.get(..12).unwrap_or(digest)),
        None => image.to_owned(),
    }
}

/// `8080->80`
fn ports(ports: &Json) -> String {
    let one = |port: &Json| match (port["PublicPort"].as_u64(), port["PrivatePort"].as_u64()) {
        (Some(public), Some(private)) => Some(format!("{public}->{private}")),
        _ => None,
    };
    let mut shown: Vec<_> = ports.as_array().into_iter().flatten().filter_map(one).collect();
    shown.dedup();
    if shown.is_empty() { "-".to_owned() } else { shown.join(", ") }
}
