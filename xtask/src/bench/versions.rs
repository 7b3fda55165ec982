//! What it costs to compare two versions of a configuration that is applied.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Bench;
use super::measure::{Spread, Usage};
use super::operator::Operator;
use super::report::{Line, Report, seconds};
use super::repository::Repository;
use super::scale::{Shape, component};

const SIZE: usize = 1_000;
const RUNS: usize = 9;
const TARGET: Duration = Duration::from_secs(1);

/// Adds its line to the report.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    super::say(&format!("diff of two versions with {SIZE} resources"));
    let first = Shape::Blocks.bimetal(SIZE);
    let operator = Operator::new(bench, "versions", &first)?;
    operator.give("memory.wasm", &component()).context("the provider was built before")?;
    operator.run(&["init", "--json"])?;
    let repository = Repository::new(bench.folder("versions")?)?;
    repository.commit("v1")?;
    operator.apply()?;
    // One in ten is another one: numbers that end with 7.
    let second = first.replace("7\"\n  text  = \"the same for all\"", "7\"\n  text  = \"another one\"");
    repository.write("main.bm.hcl", &second)?;
    repository.commit("v2")?;
    operator.run(&["diff", "v1", "v2"])?;
    let runs = (0..RUNS).map(|_| operator.run(&["diff", "v1", "v2"])).collect::<Result<Vec<Usage>>>()?;
    let wall = Spread::of(&runs, |usage| usage.wall);
    report.add(Line {
        what: format!("diff of two versions with {SIZE} resources, warm"),
        figure: seconds(wall),
        target: format!("< {} s", TARGET.as_secs()),
        is_met: wall.median < TARGET,
        peer: None,
    });
    Ok(())
}
