//! A plan of a large fleet that has nothing to do, on engines that answer at once.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::measure::{Spread, Usage};
use super::operator::Operator;
use super::report::{Line, Peer, Report, megabytes, ratio, seconds};
use super::stand_in::StandIn;
use super::terraform::Terraform;

/// So many machines, and so many replicas.
const SIZE: u8 = 100;
const RUNS: usize = 11;
const LONGEST: Duration = Duration::from_secs(1);
/// In bytes.
const MOST_MEMORY: u64 = 200_000_000;

const CONFIGURATION: &str = r#"
variable "engines" {
  type = map(string)
}

machine "docker" "rack" {
  for_each = var.engines
  host     = each.value
  insecure = true
}

pool "all" {
  machines = [machine.docker.rack]
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = 100
}
"#;

const OBJECTS: &str = r#"
resource "terraform_data" "object" {
  count = 200
  input = { name = "object ${count.index}" }
}
"#;

/// Adds its lines to the report.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    super::say("planning 100 machines and 100 replicas that are there already");
    let engines = (1..=SIZE).map(StandIn::at_address).collect::<Result<Vec<_>>>()?;
    let mut operator = Operator::new(bench, "fleet", CONFIGURATION)?;
    operator.set("engines", hosts(&engines));
    operator.apply()?;
    let runs = settled(|| operator.run(&["plan", "--detailed-exitcode"]))?;
    let peer = terraform(bench)?;
    if peer.is_none() {
        report.note("terraform is not installed: its plan of 200 objects is not compared");
    }
    let wall = Spread::of(&runs, |usage| usage.wall);
    report.add(Line {
        what: "plan of 100 machines and 100 replicas with nothing to do: time".to_owned(),
        figure: seconds(wall),
        target: format!("< {} s", LONGEST.as_secs()),
        is_met: wall.median < LONGEST,
        peer: peer.as_ref().map(|(name, runs)| {
            let theirs = Spread::of(runs, |usage| usage.wall);
            Peer { name: name.clone(), figure: seconds(theirs), ratio: ratio(wall.median, theirs.median) }
        }),
    });
    let memory = most_memory(&runs);
    report.add(Line {
        what: "the same plan: most memory at one moment".to_owned(),
        figure: megabytes(memory),
        target: format!("< {}", megabytes(MOST_MEMORY)),
        is_met: memory < MOST_MEMORY,
        peer: peer.map(|(name, runs)| {
            let theirs = most_memory(&runs);
            Peer { name, figure: megabytes(theirs), ratio: memory as f64 / theirs as f64 }
        }),
    });
    Ok(())
}

/// Engines by name, as the configuration's variable has them.
fn hosts(engines: &[StandIn]) -> String {
    let hosts: serde_json::Map<_, _> =
        engines.iter().enumerate().map(|(at, engine)| (format!("m{at:03}"), engine.host().into())).collect();
    serde_json::Value::Object(hosts).to_string()
}

/// Runs that all must find nothing to do; the first one only warms the caches.
fn settled(plan: impl Fn() -> Result<Usage>) -> Result<Vec<Usage>> {
    plan()?;
    (0..RUNS).map(|_| plan()).collect()
}

/// In bytes.
fn most_memory(runs: &[Usage]) -> u64 {
    runs.iter().map(|usage| usage.memory).max().unwrap_or_default()
}

/// The same number of objects, of a kind that asks nobody; `None` where there is no Terraform.
fn terraform(bench: &Bench) -> Result<Option<(String, Vec<Usage>)>> {
    let Some(terraform) = Terraform::find()? else { return Ok(None) };
    super::say("planning 200 objects with terraform");
    let project = terraform.project(bench, "terraform", OBJECTS)?;
    project.run(&["apply", "-auto-approve"])?;
    let runs = settled(|| project.run(&["plan", "-detailed-exitcode"]))?;
    Ok(Some((format!("{}, 200 objects that ask nobody", terraform.version), runs)))
}
