//! `cargo xtask bench`: what Bimetal costs, beside what others cost who do the same on this machine in the same run.
//!
//! Nothing is asserted here: a figure that misses its target is marked, and that is all.

mod engine;
mod fleet;
mod measure;
mod operator;
mod replicas;
mod report;
mod stand_in;
mod start;

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
pub fn run() -> Result<()> {
    if !is_root() {
        bail!("`cargo xtask bench` starts an engine of its own, and only root can do that");
    }
    packages::install(packages::BENCH)?;
    setup::targets()?;
    slot::sweep()?;
    let interruptible = Interruptible::new()?;
    let result = build_and_measure(&interruptible);
    slot::sweep()?;
    result
}

fn build_and_measure(interruptible: &Interruptible) -> Result<()> {
    let mut build = cargo();
    build.args(["build", "--release", "--package", "bimetal"]);
    interruptible.run(build)?;
    let mut measure = Command::new(std::env::current_exe().context("cannot tell which program this is")?);
    measure.args(["bench", "measure"]);
    interruptible.run(measure)
}

/// Measures, and prints: the process that [`run`] starts.
pub fn measure() -> Result<()> {
    let bench = Bench { images: images()?, slot: Slot::take()? };
    let mut report = Report::default();

    start::measure(&bench, &mut report)?;
    fleet::measure(&bench, &mut report)?;
    replicas::measure(&bench, &mut report)?;
    println!("{report}");
    Ok(())
}

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
