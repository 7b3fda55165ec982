//! `cargo xtask TASK`.

use std::process::ExitCode;

use xtask::test::{Lint, Real};

const HELP: &str = "\
cargo xtask demo                 build everything, apply examples/hello to a Docker engine, fetch its page
cargo xtask demo -- --destroy    remove all that the demo made
cargo xtask test                 install what the tests need (as root), and run all of them
cargo xtask test --skip-real     run only those that need no root
cargo xtask test --lint          compile with Clippy, and take no warnings
cargo xtask bench                measure time and memory, as root, beside others who do the same
cargo xtask bench start fleet replicas overhead modules versions scale
                                 measure only these
cargo xtask cross                build bimetal for 64-bit ARM boards, and plan with it under QEMU
cargo xtask setup                install what the tests need
";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--").collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["demo"] => xtask::demo::up(),
        ["demo", "--destroy"] => xtask::demo::destroy(),
        ["test"] => xtask::test::run(Real::Wanted, Lint::Skipped),
        ["test", "--skip-real"] => xtask::test::run(Real::Skipped, Lint::Skipped),
        ["test", "--lint"] => xtask::test::run(Real::Wanted, Lint::Wanted),
        ["bench", "measure", ref areas @ ..] => xtask::bench::measure(areas),
        ["bench", ref areas @ ..] => xtask::bench::run(areas),
        ["cross"] => xtask::cross::run_plan(),
        ["setup"] => xtask::setup::all(),
        [] | ["help" | "-h" | "--help"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("these words make no task: {}\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
