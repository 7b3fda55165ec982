//! `cargo xtask test`: everything that the tests need, then the tests, then nothing of it left.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Result, bail};

use crate::interrupt::Interruptible;
use crate::process::{cargo, is_root};
use crate::{setup, slot, suite, web};

/// Whether to run the tests that start real engines and machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Real {
    /// All tests.
    Wanted,
    /// Only those that need no root.
    Skipped,
}

const NEED_ROOT: &str = "\
these tests need root, for network namespaces, engines and machines of their own:
  bimetal-tests: all but the walls
run `cargo xtask test` as root, or `cargo xtask test --skip-real` to leave them out";

/// Whether what is tested is compiled with Clippy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lint {
    /// It is, and warnings are errors.
    Wanted,
    /// It is compiled as ever.
    Skipped,
}

/// Runs the tests.
pub fn run(real: Real, lint: Lint) -> Result<()> {
    match real {
        Real::Wanted if !is_root() => bail!("{NEED_ROOT}"),
        Real::Wanted => {
            setup::all()?;
            slot::sweep()?;
        }
        Real::Skipped => {
            setup::targets()?;
            eprintln!("xtask: {NEED_ROOT}\nxtask: leaving them out");
        }
    }
    let result = Interruptible::new().and_then(|interruptible| tests(&interruptible, real, lint));
    if real == Real::Wanted {
        slot::sweep()?;
    }
    result
}

fn tests(interruptible: &Interruptible, real: Real, lint: Lint) -> Result<()> {
    for platform in web::Platform::ALL {
        web::build(platform)?;
    }
    // The program together with the tests: alone, its dependencies would have other features, and be built twice.
    let messages =
        interruptible.read(workspace(lint, &["build", "--all-targets", "--message-format=json-render-diagnostics"]))?;
    let binary = crate::target().join("debug/bimetal");
    let threads = std::env::var_os("RUST_TEST_THREADS").unwrap_or_else(|| processors().to_string().into());
    let variables = [
        ("BIMETAL_TEST_REAL", OsStr::new(if real == Real::Wanted { "1" } else { "0" })),
        ("BIMETAL_TEST_BINARY", binary.as_os_str()),
        ("RUST_TEST_THREADS", &threads),
    ];
    let ran = suite::run(interruptible, &String::from_utf8_lossy(&messages), &variables);
    let documents = interruptible.run(workspace(lint, &["test", "--doc"]));
    ran.and(documents)
}

/// What is done with the whole workspace.
fn workspace(lint: Lint, words: &[&str]) -> Command {
    let mut cargo = cargo();
    if lint == Lint::Wanted {
        let clippy = crate::root().join(".ci/clippy");
        // Not by a variable: what the tests build would have it, too.
        cargo.arg("--config").arg(format!("build.rustc-workspace-wrapper = {:?}", clippy.display().to_string()));
    }
    cargo.args(words).arg("--workspace");
    cargo
}

/// Of this machine.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
