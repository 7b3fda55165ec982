//! `cargo xtask cross`: the program for 64-bit ARM boards, and a plan by it.
//!
//! What is written in C (SQLite, `ring`, the allocator) needs a compiler for that processor and its libc: `zig` is both, and comes from
//! Python's package registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::bench::scale;
use crate::interrupt::Interruptible;
use crate::process::{cargo, output, run};
use crate::web::Platform;
use crate::{packages, setup};

/// The one that is built and tried. The other is the machine's own.
const PLATFORM: Platform = Platform::Arm64;

/// Of the workspace's table: quickly built, and quick enough where each of its instructions is emulated.
const PROFILE: &str = "cross";

/// Objects of a provider, so that the plan needs native code for this processor.
const OBJECTS: usize = 20;

/// Builds the program, and plans with it.
pub fn run_plan() -> Result<()> {
    packages::install(packages::CROSS)?;
    setup::targets()?;
    let compiler = Compiler::install()?;
    let interruptible = Interruptible::new()?;
    scale::build(&interruptible)?;
    say(&format!("building bimetal for {}", PLATFORM.target()));
    interruptible.run(compiler.build())?;
    plan(&crate::target().join(PLATFORM.target()).join(PROFILE).join("bimetal"))
}

/// `cargo-zigbuild`, and the `zig` that it looks for in Python.
struct Compiler(PathBuf);

impl Compiler {
    fn install() -> Result<Compiler> {
        let folder = crate::target().join("zig");
        if !folder.join("bin/cargo-zigbuild").is_file() {
            say("installing ziglang and cargo-zigbuild");
            let mut pip = Command::new("pip3");
            pip.args(["install", "--quiet", "--root-user-action", "ignore", "--upgrade", "--target"]).arg(&folder);
            run(pip.args(["ziglang", "cargo-zigbuild"]))?;
        }
        Ok(Compiler(folder))
    }

    fn build(&self) -> Command {
        let mut build = cargo();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(self.0.join("bin")).chain(std::env::split_paths(&path)).collect::<Vec<_>>();
        build.env("PATH", std::env::join_paths(path).expect("it came from such a list"));
        build.env("PYTHONPATH", &self.0);
        build.args(["zigbuild", "--package", "bimetal", "--profile", PROFILE, "--target", &PLATFORM.target()]);
        build
    }
}

/// A plan of objects that don't exist yet, by a provider that this processor has compiled for itself.
fn plan(program: &Path) -> Result<()> {
    let folder = crate::target().join("cross-plan");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("main.bm.hcl"), scale::Shape::Blocks.bimetal(OBJECTS))?;
    fs::copy(scale::component(), folder.join("memory.wasm")).context("the provider was built before")?;
    let emulated = |words: &[&str]| {
        say(&format!("{} bimetal {}", PLATFORM.machine(), words.join(" ")));
        let mut command = Command::new(format!("qemu-{}-static", PLATFORM.machine()));
        command.current_dir(&folder).arg(program).args(words);
        for variable in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(variable, folder.join("home"));
        }
        output(&mut command)
    };
    print!("{}", emulated(&["version"])?);
    emulated(&["init", "--input=false", "--json"])?;
    let plan = emulated(&["plan"])?;
    let summary = plan.lines().find(|line| line.starts_with("Plan: ")).context("the plan has no summary")?;
    println!("{summary}");
    let wanted = format!("{OBJECTS} to add");
    anyhow::ensure!(summary.contains(&wanted), "it should say `{wanted}`");
    Ok(())
}

fn say(text: &str) {
    eprintln!("xtask: {text}");
}
