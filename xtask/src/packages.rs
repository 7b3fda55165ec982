//! What comes from the distribution.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{exists, is_root, run};

/// A program, and the package that has it.
pub struct Package {
    /// What we look for.
    pub program: &'static str,
    /// What is installed where it is missing.
    pub name: &'static str,
}

/// What the demo needs where no engine answers.
pub const ENGINE: &[Package] =
    &[package("dockerd", "docker.io"), package("ip", "iproute2"), package("iptables", "iptables")];

/// What the bench needs: an engine, its client, and a peer.
pub const BENCH: &[Package] = &[
    package("dockerd", "docker.io"),
    package("docker", "docker.io"),
    package("docker-compose", "docker-compose"),
    package("ip", "iproute2"),
    package("iptables", "iptables"),
    package("unshare", "util-linux"),
    package("git", "git"),
];

/// What a build for another processor needs, and a run of it here.
pub const CROSS: &[Package] = &[
    package("qemu-aarch64-static", "qemu-user-static"),
    package("python3", "python3"),
    package("pip3", "python3-pip"),
];

/// What the tests need.
pub const TESTS: &[Package] = &[
    package("dockerd", "docker.io"),
    package("docker-registry", "docker-registry"),
    package("docker-compose", "docker-compose"),
    package("sshd", "openssh-server"),
    package("ssh-keygen", "openssh-client"),
    package("qemu-aarch64-static", "qemu-user-static"),
    package("debootstrap", "debootstrap"),
    package("ip", "iproute2"),
    package("iptables", "iptables"),
    package("nsenter", "util-linux"),
    package("git", "git"),
    package("curl", "curl"),
    package("gpg", "gnupg"),
    package("pg_ctlcluster", "postgresql"),
    package("busybox", "busybox-static"),
    package("python3", "python3"),
    package("pip3", "python3-pip"),
];

const fn package(program: &'static str, name: &'static str) -> Package {
    Package { program, name }
}

/// Those that are missing.
pub fn missing(packages: &[Package]) -> Vec<&'static str> {
    packages.iter().filter(|package| !exists(package.program)).map(|package| package.name).collect()
}

/// Installs what is missing, and says so. Services that packages bring are not started.
pub fn install(packages: &[Package]) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    if !is_root() || !exists("apt-get") {
        bail!(
            "these packages are missing, and only root on Debian or Ubuntu can install them here: {}",
            missing.join(", ")
        );
    }
    eprintln!("xtask: installing {}", missing.join(", "));
    let _quiet = NoServices::declare()?;
    run(apt().args(["update", "-q"]))?;
    run(apt().args(["install", "-y", "-q", "--no-install-recommends"]).args(&missing))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// While it lives, packages don't start services.
struct NoServices(Option<PathBuf>);

impl NoServices {
    fn declare() -> Result<NoServices> {
        let policy = Path::new("/usr/sbin/policy-rc.d");
        if policy.exists() {
            return Ok(NoServices(None));
        }
        std::fs::write(policy, "#!/bin/sh\nexit 101\n").context("cannot write /usr/sbin/policy-rc.d")?;
        let declared = NoServices(Some(policy.to_owned()));
        std::fs::set_permissions(policy, std::fs::Permissions::from_mode(0o755))?;
        Ok(declared)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(policy) = &self.0 {
            let _ = std::fs::remove_file(policy);
        }
    }
}
