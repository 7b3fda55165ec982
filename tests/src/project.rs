//! A provider's project, as `plugin new` writes it and its author builds it; and the stand-in of its API.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Builds it by plain `cargo build --release`, and puts the component beside its `Cargo.toml`, as `NAME.wasm`.
pub fn build(project: &Path, name: &str) -> PathBuf {
    // Built once for all runs; everything else is as its own files say.
    let target = xtask::target().join("newcomer");
    let mut build = xtask::process::cargo();
    build.args(["build", "--quiet", "--release"]).current_dir(project);
    build.env("CARGO_TARGET_DIR", &target).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    xtask::process::run(&mut build).unwrap_or_else(|error| panic!("the project can't be built: {error:#}"));
    let component = project.join(format!("{name}.wasm"));
    std::fs::copy(target.join(format!("wasm32-wasip2/release/{name}.wasm")), &component).expect("it was built");
    component
}

/// `stand_in.py` of a project; it ends with this value.
#[derive(Debug)]
pub struct StandIn {
    child: Child,
    url: String,
}

impl StandIn {
    /// Starts it with this in its environment.
    pub fn start(project: &Path, environment: &[(&str, &str)]) -> StandIn {
        let mut command = Command::new("python3");
        command.arg("stand_in.py").current_dir(project).envs(environment.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 is installed");
        let mut line = String::new();
        let out = child.stdout.take().expect("it is a pipe");
        BufReader::new(out).read_line(&mut line).expect("it says where it listens");
        StandIn { child, url: line.trim().to_owned() }
    }

    /// Where it listens: `http://127.0.0.1:…`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
