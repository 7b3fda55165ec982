//! What must be there before anything is built or tested.

use std::process::Command;

use anyhow::Result;

use crate::packages;
use crate::process::{exists, output, run};

/// Packages and compilation targets.
pub fn all() -> Result<()> {
    packages::install(packages::TESTS)?;
    targets()
}

/// Adds the targets and components of `rust-toolchain.toml` that are missing, where rustup is in charge.
pub fn targets() -> Result<()> {
    if !exists("rustup") {
        return Ok(());
    }
    let wanted = std::fs::read_to_string(crate::root().join("rust-toolchain.toml"))?;
    for (noun, key) in [("target", "targets"), ("component", "components")] {
        let installed = output(rustup().args([noun, "list", "--installed"]))?;
        let has = |name: &str| installed.lines().any(|line| line == name || line.starts_with(&format!("{name}-")));
        let missing: Vec<_> = list(&wanted, key).into_iter().filter(|name| !has(name)).collect();
        if !missing.is_empty() {
            eprintln!("xtask: adding the Rust {key} {}", missing.join(", "));
            run(rustup().args([noun, "add"]).args(&missing))?;
        }
    }
    Ok(())
}

fn rustup() -> Command {
    let mut command = Command::new("rustup");
    command.current_dir(crate::root());
    command
}

/// The texts of `key = ["a", "b"]`, on one line.
fn list<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.split('=').next().is_some_and(|name| name.trim() == key));
    line.map_or_else(Vec::new, |line| line.split('"').skip(1).step_by(2).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_list_of_the_toolchain_file_is_read() {
        assert_eq!(super::list("channel = \"stable\"\ntargets = [\"a\", \"b-c\"]\n", "targets"), ["a", "b-c"]);
        assert!(super::list("", "targets").is_empty());
    }
}
