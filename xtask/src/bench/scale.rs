//! Many objects of a provider that keeps nothing but state: what the engine itself costs, and how that grows.
//!
//! Beside it, where it is installed, Terraform does the same with as many objects of its own built-in type.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::measure::Usage;
use super::operator::Operator;
use super::report::{Line, Report, megabytes, ratio};
use super::terraform::Terraform;
use super::{Bench, report};
use crate::interrupt::Interruptible;
use crate::process::cargo;

const TARGET: &str = "wasm32-wasip2";

/// How objects are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Blocks,
    Count,
    ForEach,
    Chain,
}

/// What is done with them, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    PlanAll,
    Apply,
    PlanNothing,
    Destroy,
}

const STEPS: [Step; 4] = [Step::PlanAll, Step::Apply, Step::PlanNothing, Step::Destroy];

/// Each shape, and in which sizes; see [`is_compared`] for those that Terraform is asked for.
const CASES: [(Shape, &[usize]); 4] = [
    (Shape::Blocks, &[100, 1_000, 2_000, 10_000, 100_000]),
    (Shape::Count, &[10_000, 100_000]),
    (Shape::ForEach, &[1_000, 10_000, 100_000]),
    (Shape::Chain, &[1_000, 10_000, 100_000]),
];

/// All sizes are multiples of it.
const LEAST: usize = 100;

/// What was measured, one step after the other.
type Round = Vec<(Step, Usage)>;

/// How often what takes seconds is measured.
const SAMPLES: usize = 3;

/// How many times as fast as Terraform each should be, and what part of its memory it may take.
struct Goal {
    faster: f64,
    memory: f64,
}

/// Builds what [`measure`] needs.
pub(crate) fn build(interruptible: &Interruptible) -> Result<()> {
    let mut build = cargo();
    build.args(["build", "--package", "bimetal-provider", "--example", "memory"]);
    // Where the providers are built, too: what they share is built once.
    build.args(["--profile", "provider", "--target", TARGET, "--target-dir"]).arg(crate::target().join("providers"));
    interruptible.run(build)
}

/// The provider that [`build`] builds.
pub(crate) fn component() -> PathBuf {
    crate::target().join("providers").join(TARGET).join("provider/examples/memory.wasm")
}

/// Adds its lines to the report.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let terraform = Terraform::find()?;
    if terraform.is_none() {
        report.note("terraform is not installed: many objects are not compared");
    }
    for (shape, sizes) in CASES {
        measure_shape(bench, report, terraform.as_ref(), shape, sizes)?;
    }
    Ok(())
}

/// The machine's speed swings within minutes. So all sizes have their turn in each round, growth is that within a round, and before
/// Terraform and after it there are as many rounds.
fn measure_shape(
    bench: &Bench,
    report: &mut Report,
    terraform: Option<&Terraform>,
    shape: Shape,
    sizes: &[usize],
) -> Result<()> {
    let (mut ours, mut peers) = (BTreeMap::<usize, Vec<Round>>::new(), BTreeMap::new());
    for round in 0..SAMPLES {
        for &size in sizes.iter().filter(|size| round < samples(shape, **size)) {
            ours.entry(size).or_default().push(our_round(bench, shape, size, round)?);
        }
    }
    if let Some(terraform) = terraform {
        let compared = sizes.iter().copied().filter(|size| is_compared(shape, *size));
        for size in compared.clone() {
            peers.insert(size, theirs(bench, terraform, shape, size)?);
        }
        for round in SAMPLES..2 * SAMPLES {
            for size in compared.clone() {
                ours.entry(size).or_default().push(our_round(bench, shape, size, round)?);
            }
        }
    }
    for (size, rounds) in &ours {
        for step in STEPS {
            let theirs = peers.get(size).and_then(|theirs| median(theirs, step));
            let grown = ours.get(&(size / 10)).and_then(|smaller| grown(smaller, rounds, step));
            if let Some(usage) = median(&rounds.concat(), step) {
                report.add(line((shape, step, *size), &usage, terraform.zip(theirs.as_ref()), grown));
            }
        }
    }
    Ok(())
}

/// How often all steps are measured: several times where that takes a minute, once where it takes several.
fn samples(shape: Shape, size: usize) -> usize {
    let is_quick = shape != Shape::Chain || size <= 1_000;
    if is_quick { SAMPLES } else { 1 }
}

/// Of a step the sample that took neither the least nor the most processor time.
fn median(usages: &[(Step, Usage)], step: Step) -> Option<Usage> {
    let mut of_step: Vec<Usage> = usages.iter().filter(|(of, _)| *of == step).map(|(_, usage)| *usage).collect();
    of_step.sort_by_key(|usage| usage.cpu);
    of_step.get(of_step.len() / 2).copied()
}

/// How many times the processor time of fewer objects a step took: of all rounds the one in the middle.
fn grown(smaller: &[Round], larger: &[Round], step: Step) -> Option<f64> {
    let within =
        |(smaller, larger): (&Round, &Round)| Some(ratio(median(larger, step)?.cpu, median(smaller, step)?.cpu));
    let mut all: Vec<f64> = smaller.iter().zip(larger).filter_map(within).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

/// All steps, in a folder of its own.
fn our_round(bench: &Bench, shape: Shape, size: usize, round: usize) -> Result<Round> {
    super::say(&format!("{size} objects as {}", shape.name()));
    let operator = Operator::new(bench, &format!("scale-{}-{size}-{round}", shape.name()), &shape.bimetal(size))?;
    operator.give("memory.wasm", &component()).context("the provider was built before")?;
    operator.run(&["init", "--json"])?;
    // Providers are compiled once in their life, and not in what is measured.
    operator.run(&["validate"])?;
    let words = |step| match step {
        Step::PlanAll | Step::PlanNothing => &["plan"][..],
        Step::Apply => &["apply", "--auto-approve"],
        Step::Destroy => &["destroy", "--auto-approve"],
    };
    STEPS.into_iter().map(|step| Ok((step, told(step, operator.run(words(step))?)))).collect()
}

/// Where its cost grows with the square of the number, Terraform is not asked for more than it does within minutes: of more objects than it
/// could make, it is given the state.
fn is_compared(shape: Shape, size: usize) -> bool {
    match shape {
        Shape::Blocks => size <= 10_000,
        Shape::Count | Shape::ForEach | Shape::Chain => size <= 1_000,
    }
}

fn theirs(bench: &Bench, terraform: &Terraform, shape: Shape, size: usize) -> Result<Round> {
    super::say(&format!("{size} objects as {} with terraform", shape.name()));
    let project = terraform.project(bench, &format!("terraform-{}-{size}", shape.name()), &shape.terraform(size))?;
    let words = |step| match step {
        Step::PlanAll | Step::PlanNothing => &["plan"][..],
        Step::Apply => &["apply", "-auto-approve"],
        Step::Destroy => &["destroy", "-auto-approve"],
    };
    let measured = |step| Ok((step, told(step, project.run(words(step))?)));
    if size <= 2_000 {
        return STEPS.into_iter().map(measured).collect();
    }
    let measured = |step| (0..SAMPLES).map(|_| measured(step)).collect::<Result<Vec<_>>>();
    let plan_all = measured(Step::PlanAll)?;
    project.know((0..size).map(|at| format!("r{at}")))?;
    Ok([plan_all, measured(Step::PlanNothing)?].concat())
}

/// Said at once: the report comes after an hour.
fn told(step: Step, usage: Usage) -> Usage {
    super::say(&format!("  {}: {}", step.name(), figure(&usage)));
    usage
}

type What = (Shape, Step, usize);

/// `grown`: how many times that of a tenth as many.
fn line(what: What, ours: &Usage, peer: Option<(&Terraform, &Usage)>, grown: Option<f64>) -> Line {
    let (shape, step, size) = what;
    let goal = goal(what).filter(|_| peer.is_some());
    let memory = |theirs: &Usage| ours.memory as f64 / theirs.memory as f64;
    let is_faster = goal
        .as_ref()
        .zip(peer)
        .is_none_or(|(goal, (_, theirs))| ratio(theirs.cpu, ours.cpu) >= goal.faster && memory(theirs) <= goal.memory);
    let target = match (&goal, grown) {
        (Some(goal), _) => format!("{}× less CPU", goal.faster),
        (None, Some(grown)) => format!("< 12 times that of {} (is {grown:.1})", size / 10),
        (None, None) => "-".to_owned(),
    };
    Line {
        what: format!("{size} {}: {}", shape.name(), step.name()),
        figure: figure(ours),
        target,
        is_met: is_faster && grown.is_none_or(|grown| size < 100_000 || grown < 12.0),
        peer: peer.map(|(terraform, theirs)| report::Peer {
            name: terraform.version.clone(),
            figure: figure(theirs),
            ratio: ratio(ours.cpu, theirs.cpu),
        }),
    }
}

fn goal((shape, step, size): What) -> Option<Goal> {
    match (shape, step, size) {
        (Shape::Blocks, Step::PlanAll | Step::PlanNothing, 10_000) => Some(Goal { faster: 50.0, memory: 1.0 / 8.0 }),
        (Shape::Blocks, Step::Apply | Step::Destroy, 2_000) => Some(Goal { faster: 200.0, memory: 1.0 }),
        (Shape::ForEach | Shape::Chain, Step::PlanAll | Step::PlanNothing, 1_000) => {
            Some(Goal { faster: 100.0, memory: 1.0 })
        }
        _ => None,
    }
}

/// `1.23 s, CPU 1.50 s, 45 MB, 3.2 MB written`
fn figure(usage: &Usage) -> String {
    let (wall, cpu, written) = (usage.wall.as_secs_f64(), usage.cpu.as_secs_f64(), usage.written as f64 / 1e6);
    format!("{wall:.2} s, CPU {cpu:.2} s, {}, {written:.1} MB written", megabytes(usage.memory))
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::PlanAll => "plan of all creates",
            Step::Apply => "apply",
            Step::PlanNothing => "plan with nothing to do",
            Step::Destroy => "destroy",
        }
    }
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Shape::Blocks => "blocks",
            Shape::Count => "instances by count",
            Shape::ForEach => "instances by for_each",
            Shape::Chain => "blocks in a chain",
        }
    }

    /// As a configuration.
    pub(crate) fn bimetal(self, size: usize) -> String {
        let mut text =
            "bimetal {\n  required_providers {\n    memory = { path = \"./memory.wasm\" }\n  }\n}\n".to_owned();
        self.write(size, &mut text, "memory_item", |name, after| {
            format!("  name  = {name}\n  text  = \"the same for all\"\n{}", argument("after", after))
        });
        text
    }

    fn terraform(self, size: usize) -> String {
        let mut text = String::new();
        self.write(size, &mut text, "terraform_data", |name, after| {
            let after = after.map(|after| format!(", after = {after}")).unwrap_or_default();
            format!("  input = {{ name = {name}, text = \"the same for all\"{after} }}\n")
        });
        text
    }

    fn write(self, size: usize, text: &mut String, ty: &str, body: impl Fn(&str, Option<&str>) -> String) {
        let mut block = |label: &str, head: &str, body: String| {
            let _ = write!(text, "\nresource \"{ty}\" \"{label}\" {{\n{head}{body}}}\n");
        };
        match self {
            Shape::Blocks => (0..size).for_each(|at| block(&format!("r{at}"), "", body(&format!("\"r{at}\""), None))),
            Shape::Count => block("r", &format!("  count = {size}\n"), body("\"r${count.index}\"", None)),
            Shape::ForEach => {
                // `range` gives at most 1 024 numbers.
                let numbers = format!(
                    "flatten([for m in range({}) : [for n in range({LEAST}) : m * {LEAST} + n]])",
                    size / LEAST
                );
                block(
                    "r",
                    &format!("  for_each = {{ for at in {numbers} : \"k${{at}}\" => at }}\n"),
                    body("each.key", None),
                );
            }
            Shape::Chain => (0..size).for_each(|at| {
                let after = at.checked_sub(1).map(|before| format!("{ty}.r{before}.id"));
                block(&format!("r{at}"), "", body(&format!("\"r{at}\""), after.as_deref()));
            }),
        }
    }
}

fn argument(name: &str, value: Option<&str>) -> String {
    value.map(|value| format!("  {name} = {value}\n")).unwrap_or_default()
}
