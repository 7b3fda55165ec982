//! What it costs to get from nothing to the end of a plan: `examples/hello`, its components compiled before.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::measure::{Spread, Usage};
use super::operator::Operator;
use super::report::{Line, Report, milliseconds};
use super::stand_in::StandIn;

const RUNS: usize = 21;
const TARGET: Duration = Duration::from_millis(100);

/// Adds its line to the report.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    super::say("planning examples/hello");
    let engine = StandIn::at_socket(&bench.folder("hello")?.join("engine.sock"))?;
    let source = crate::root().join("examples/hello/main.bm.hcl");
    let mut operator = Operator::new(bench, "hello", &std::fs::read_to_string(source)?)?;
    operator.set("docker_host", engine.host());
    // Compiles the components, once.
    operator.run(&["plan"])?;
    let runs = (0..RUNS).map(|_| operator.run(&["plan"])).collect::<Result<Vec<Usage>>>()?;
    let cpu = Spread::of(&runs, |usage| usage.cpu);
    report.add(Line {
        what: "start to the end of a plan of examples/hello: CPU".to_owned(),
        figure: milliseconds(cpu),
        target: format!("< {} ms", TARGET.as_millis()),
        is_met: cpu.median < TARGET,
        peer: None,
    });
    Ok(())
}
