//! The web server of `examples/hello`, compiled for the platforms of its image.
//!
//! Rust's own linker and its copy of musl are enough for that: no C toolchain, for no platform.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::{cargo, run};

/// A platform that the server is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// `linux/amd64`
    Amd64,
    /// `linux/arm64`
    Arm64,
    /// `linux/386`
    I386,
}

impl Platform {
    /// Those of the example's image.
    pub const ALL: [Platform; 2] = [Platform::Amd64, Platform::Arm64];

    /// As images name it.
    pub fn architecture(self) -> &'static str {
        match self {
            Platform::Amd64 => "amd64",
            Platform::Arm64 => "arm64",
            Platform::I386 => "386",
        }
    }

    /// As `uname -m` names it.
    pub fn machine(self) -> &'static str {
        match self {
            Platform::Amd64 => "x86_64",
            Platform::Arm64 => "aarch64",
            Platform::I386 => "i686",
        }
    }

    /// As Rust names it.
    pub fn target(self) -> String {
        format!("{}-unknown-linux-musl", self.machine())
    }
}

/// Compiles the server, and gives the file. Its target folder is its own, so that nobody waits for another build.
pub fn build(platform: Platform) -> Result<PathBuf> {
    let (folder, target) = (crate::target().join("hello"), platform.target());
    let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
    let mut command = cargo();
    command.args(["build", "--quiet", "--release", "--package", "bimetal-hello", "--target", &target]);
    command.arg("--target-dir").arg(&folder);
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
        .env(flags, "-Clinker=rust-lld -Clinker-flavor=ld.lld -Clink-self-contained=yes -Ctarget-feature=+crt-static");
    run(&mut command)?;
    Ok(folder.join(target).join("release/web"))
}
