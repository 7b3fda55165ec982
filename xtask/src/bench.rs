//! `cargo xtask bench`: what Bimetal costs, beside what others cost who do the same on this machine in the same run.
//!
//! Nothing is asserted here: a figure that misses its target is marked, and that is all.

mod engine;
mod fleet;
mod measure;
mod modules;
mod operator;
mod overhead;
mod replicas;
mod report;
mod repository;
pub(crate) mod scale;
mod stand_in;
mod start;
mod terraform;
mod versions;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::image::{self, Image};
use crate::interrupt::Interruptible;
use crate::process::{cargo, is_root};
use crate::slot::{self, Slot};
use crate::web::{self, Platform};
use crate::{packages, setup};
use report::Report;

/// Installs and builds what is needed, measures in a process of its own, and cleans up behind that however it ended.
///
/// `areas`: which; all where none is named.
pub fn run(areas: &[&str]) -> Result<()> {
    if let Some(unknown) = areas.iter().find(|area| !AREAS.iter().any(|(name, _)| name == *area)) {
        let names = AREAS.map(|(name, _)| name);
        bail!("nothing that is measured is called `{unknown}`: {} are", names.join(", "));
    }
    if !is_root() {
        bail!("`cargo xtask bench` starts an engine of its own, and only root can do that");
    }
    packages::install(packages::BENCH)?;
    setup::targets()?;
    slot::sweep()?;
    let interruptible = Interruptible::new()?;
    let result = build_and_measure(&interruptible, areas);
    slot::sweep()?;
    result
}

fn build_and_measure(interruptible: &Interruptible, areas: &[&str]) -> Result<()> {
    let mut build = cargo();
    // Together: alone, what both are made of would have other features, and be built twice.
    build.args(["build", "--release", "--package", "bimetal", "--bin", "bimetal"]);
    build.args(["--package", "bimetal-host", "--example", overhead::EXAMPLE]);
    interruptible.run(build)?;
    scale::build(interruptible)?;
    let mut measure = Command::new(std::env::current_exe().context("cannot tell which program this is")?);
    measure.args(["bench", "measure"]).args(areas);
    interruptible.run(measure)
}

/// Measures, and prints: the process that [`run`] starts.
pub fn measure(areas: &[&str]) -> Result<()> {
    let bench = Bench { images: images()?, slot: Slot::take()? };
    let mut report = Report::default();
    for (name, measure) in AREAS {
        if areas.is_empty() || areas.contains(&name) {
            measure(&bench, &mut report)?;
        }
    }
    println!("{report}");
    Ok(())
}

type Measure = fn(&Bench, &mut Report) -> Result<()>;

/// What can be measured alone.
const AREAS: [(&str, Measure); 7] = [
    ("start", start::measure),
    ("fleet", fleet::measure),
    ("replicas", replicas::measure),
    ("overhead", overhead::measure),
    ("modules", modules::measure),
    ("versions", versions::measure),
    ("scale", scale::measure),
];

/// What all measurements share.
struct Bench {
    images: Vec<Image>,
    slot: Slot,
}

impl Bench {
    /// A folder that lasts as long as the bench.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.slot.folder.join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

/// The image of `examples/hello`.
fn images() -> Result<Vec<Image>> {
    say("building the image of examples/hello");
    let image = |platform| {
        let program = std::fs::read(web::build(platform)?)?;
        Ok(image::image(platform, &program, "hello from Bimetal")?)
    };
    Platform::ALL.into_iter().map(image).collect()
}

fn say(text: &str) {
    eprintln!("xtask: {text}");
}
