//! Builds the providers of this repository as components, for `include_bytes!`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROVIDERS: [&str; 3] = ["docker", "baremetal", "digitalocean"];
const TARGET: &str = "wasm32-wasip2";

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let root = here.parent().expect("the workspace is above");
    for watched in ["providers", "plugin-sdk", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    // A target folder of its own: the outer cargo holds the lock of the usual one.
    let target = shared_target(&out).join("providers");
    build(root, &target);
    for provider in PROVIDERS {
        let built = target.join(TARGET).join("provider").join(format!("bimetal_provider_{provider}.wasm"));
        let name = out.join(format!("{provider}.wasm"));
        std::fs::copy(&built, &name).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    }
}

/// `target` of `target/<profile>/build/<crate>/out`: what is there is built once for all profiles.
fn shared_target(out: &Path) -> PathBuf {
    let target = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists() || folder.ends_with("target"));
    target.unwrap_or(out).to_owned()
}

fn build(root: &Path, target: &Path) {
    let cargo = env::var_os("CARGO").expect("cargo sets it");
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["build", "--profile", "provider", "--target", TARGET, "--target-dir"]).arg(target);
    for provider in PROVIDERS {
        command.args(["--package", &format!("bimetal-provider-{provider}")]);
    }
    // Settings of the outer build are not for this one.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy().into_owned();
        let is_ours = text.starts_with("CARGO")
            && !["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_TERM_COLOR"].contains(&text.as_str());
        if is_ours
            || text.contains("RUSTFLAGS")
            || text == "RUSTC_WORKSPACE_WRAPPER"
            || text == "RUSTC_WRAPPER"
            || text == "CLIPPY_ARGS"
        {
            command.env_remove(name);
        }
    }
    let status = command.status().unwrap_or_else(|error| panic!("cargo can't be started: {error}"));
    assert!(status.success(), "the providers can't be built; `rustup target add {TARGET}` may be missing");
}
