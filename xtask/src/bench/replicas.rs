//! A hundred containers on one real engine: ours, and those of `docker-compose`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Bench;
use super::engine::Engine;
use super::measure::{Spread, Usage, measure as run};
use super::operator::Operator;
use super::report::{Line, Peer, Report, ratio, seconds};
use crate::process::output;

const SIZE: usize = 100;
/// How often each is measured; whoever is first in one round is second in the next.
const ROUNDS: usize = 5;

const CONFIGURATION: &str = r#"
variable "docker_host" {
  type = string
}

machine "docker" "here" {
  host = var.docker_host
}

pool "all" {
  machines = [machine.docker.here]
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = 100
}
"#;

/// Adds its line to the report.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    super::say("starting 100 containers on an engine, again and again");
    let engine = Engine::start(bench)?;
    let mut operator = Operator::new(bench, "replicas", CONFIGURATION)?;
    operator.set("docker_host", engine.host());
    let ours = || apply(&operator, &engine);
    // Compiles the components and loads the image; so that the peer has both too, it comes second.
    ours()?;
    let compose = Compose::new(bench, &engine)?;
    let theirs = || compose.up(&engine);
    theirs()?;
    let (mut our_runs, mut their_runs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        super::say(&format!("round {} of {ROUNDS}", round + 1));
        if round % 2 == 0 {
            our_runs.push(ours()?);
            their_runs.push(theirs()?);
        } else {
            their_runs.push(theirs()?);
            our_runs.push(ours()?);
        }
    }
    let [our_wall, their_wall] = [&our_runs, &their_runs].map(|runs| Spread::of(runs, |usage| usage.wall));
    report.add(Line {
        what: "apply of 100 containers to one engine: time".to_owned(),
        figure: seconds(our_wall),
        target: "no more than the peer".to_owned(),
        is_met: our_wall.median <= their_wall.median,
        peer: Some(Peer {
            name: compose.version()?,
            figure: seconds(their_wall),
            ratio: ratio(our_wall.median, their_wall.median),
        }),
    });
    let [our_cpu, their_cpu] = [&our_runs, &their_runs].map(|runs| Spread::of(runs, |usage| usage.cpu));
    report.note(format!(
        "what remains of those times is the engine's own work: the programs themselves computed for {} and {}",
        seconds(our_cpu),
        seconds(their_cpu)
    ));
    report.note("docker-compose is the distribution's, which is written in Python; both find the image loaded");
    Ok(())
}

fn apply(operator: &Operator, engine: &Engine) -> Result<Usage> {
    let usage = operator.apply()?;
    all_run(engine)?;
    engine.clean()?;
    operator.forget()?;
    Ok(usage)
}

/// Both must have done the same.
fn all_run(engine: &Engine) -> Result<()> {
    match engine.ask(&["ps", "--quiet"])?.lines().count() {
        SIZE => Ok(()),
        other => bail!("{other} containers run, not {SIZE}"),
    }
}

/// The same containers for the other one.
struct Compose {
    file: PathBuf,
}

impl Compose {
    fn new(bench: &Bench, engine: &Engine) -> Result<Compose> {
        let images = engine.ask(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"])?;
        let image = images.lines().next().context("the image is not loaded")?;
        let file = bench.folder("compose")?.join("docker-compose.yml");
        // The network that ours are on too, and what ours do when they end.
        let service = format!("    image: {image}\n    network_mode: bridge\n    restart: unless-stopped\n");
        std::fs::write(&file, format!("version: '3'\nservices:\n  web:\n{service}"))?;
        Ok(Compose { file })
    }

    fn up(&self, engine: &Engine) -> Result<Usage> {
        let usage = run(command(&self.file, engine).args(["up", "-d", "--scale", &format!("web={SIZE}")]))?;
        all_run(engine)?;
        engine.clean()?;
        Ok(usage)
    }

    fn version(&self) -> Result<String> {
        Ok(format!("docker-compose {}", output(Command::new("docker-compose").args(["version", "--short"]))?.trim()))
    }
}

fn command(file: &Path, engine: &Engine) -> Command {
    let mut command = Command::new("docker-compose");
    command.arg("--file").arg(file).env("DOCKER_HOST", engine.host());
    // It gives up on calls that take longer than a minute, as they do with many at once.
    command.env("COMPOSE_HTTP_TIMEOUT", "600").env("COMPOSE_PARALLEL_LIMIT", PARALLEL);
    command
}

/// Its own default: with 8, 16 and 32 it was not quicker.
const PARALLEL: &str = "64";
