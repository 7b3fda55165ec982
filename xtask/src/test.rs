//! `cargo xtask test`: everything that the tests need, then the tests, then nothing of it left.

use anyhow::{Result, bail};

use crate::interrupt::Interruptible;
use crate::process::{cargo, is_root};
use crate::{setup, slot, web};

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

/// Runs the tests.
pub fn run(real: Real) -> Result<()> {
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
    let result = Interruptible::new().and_then(|interruptible| tests(&interruptible, real));
    if real == Real::Wanted {
        slot::sweep()?;
    }
    result
}

fn tests(interruptible: &Interruptible, real: Real) -> Result<()> {
    for platform in web::Platform::ALL {
        web::build(platform)?;
    }
    let mut build = cargo();
    // Together with the tests: alone, the program's dependencies would have other features, and be built twice.
    build.args(["build", "--workspace", "--bins", "--tests", "--examples"]);
    interruptible.run(build)?;
    let mut test = cargo();
    test.args(["test", "--workspace", "--no-fail-fast"]);
    test.env("BIMETAL_TEST_REAL", if real == Real::Wanted { "1" } else { "0" });
    test.env("BIMETAL_TEST_BINARY", crate::target().join("debug/bimetal"));
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        test.env("RUST_TEST_THREADS", at_once().to_string());
    }
    interruptible.run(test)
}

/// Most tests wait most of the time: for engines, machines and servers.
fn at_once() -> usize {
    2 * std::thread::available_parallelism().map_or(1, usize::from)
}
