//! What it costs to fetch many modules from repositories, and to find that they are there.

use std::fmt::Write as _;

use anyhow::Result;

use super::Bench;
use super::measure::{Spread, Usage};
use super::operator::Operator;
use super::report::{Line, Report, seconds};
use super::repository::Repository;

const REPOSITORIES: usize = 10;
const IN_EACH: usize = 100;
const RUNS: usize = 5;

/// Adds its lines to the report.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    super::say(&format!("init of {} modules over {REPOSITORIES} repositories", REPOSITORIES * IN_EACH));
    let operator = Operator::new(bench, "modules", &configuration(bench)?)?;
    let mut cold = Vec::new();
    for _ in 0..RUNS {
        operator.forget()?;
        operator.forget_caches()?;
        cold.push(operator.run(&["init", "--json"])?);
    }
    let warm = (0..RUNS).map(|_| operator.run(&["init", "--json"])).collect::<Result<Vec<Usage>>>()?;
    for (how, runs) in [("cold", cold), ("warm", warm)] {
        report.add(Line {
            what: format!("init of {} modules over {REPOSITORIES} repositories, {how}", REPOSITORIES * IN_EACH),
            figure: seconds(Spread::of(&runs, |usage| usage.wall)),
            target: "-".to_owned(),
            is_met: true,
            peer: None,
        });
    }
    Ok(())
}

/// Makes the repositories, and calls each module in them.
fn configuration(bench: &Bench) -> Result<String> {
    let mut text = String::new();
    for number in 0..REPOSITORIES {
        let repository = Repository::new(bench.folder(&format!("modules-of-{number}"))?)?;
        for at in 0..IN_EACH {
            let module = format!("output \"name\" {{\n  value = \"module {at} of repository {number}\"\n}}\n");
            repository.write(&format!("m{at}/main.bm.hcl"), &module)?;
            let source = format!("{}//m{at}?ref=v1", repository.source());
            let _ = write!(text, "\nmodule \"m{number}_{at}\" {{\n  source = \"{source}\"\n}}\n");
        }
        repository.commit("v1")?;
    }
    Ok(text)
}
