//! Package managers: what Docker is called, what an installation would bring, and who holds the lock.

use crate::facts::Facts;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    Apt,
    Dnf,
    Apk,
    Pacman,
}

impl Manager {
    pub(crate) const ALL: [Manager; 4] = [Manager::Apt, Manager::Dnf, Manager::Apk, Manager::Pacman];

    /// By the name of its program, which is also how its commands in the manifests begin.
    pub(crate) fn of(name: &str) -> Option<Manager> {
        Manager::ALL.into_iter().find(|manager| manager.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Manager::Apt => "apt-get",
            Manager::Dnf => "dnf",
            Manager::Apk => "apk",
            Manager::Pacman => "pacman",
        }
    }

    /// A command of the manifests: `apt-get-install`.
    pub(crate) fn command(self, what: &str) -> String {
        format!("{}-{what}", self.name())
    }

    /// What holds an engine, best first.
    pub(crate) fn engines(self) -> &'static [&'static str] {
        match self {
            Manager::Apt => &["docker.io"],
            Manager::Dnf => &["docker-ce", "moby-engine", "docker"],
            Manager::Apk | Manager::Pacman => &["docker"],
        }
    }

    /// What an engine needs besides, and a small machine may not have.
    pub(crate) fn besides(self) -> &'static [&'static str] {
        match self {
            Manager::Apt | Manager::Apk => &["ca-certificates"],
            Manager::Dnf | Manager::Pacman => &[],
        }
    }

    /// The packages that a simulation says would be installed.
    pub(crate) fn simulated(self, output: &str) -> Vec<String> {
        let second = |line: &str, first: &str| line.strip_prefix(first)?.split_whitespace().next().map(str::to_owned);
        let mut names: Vec<String> = match self {
            Manager::Apt => output.lines().filter_map(|line| second(line, "Inst ")).collect(),
            Manager::Apk => output.lines().filter_map(|line| second(line.split_once(") ")?.1, "Installing ")).collect(),
            Manager::Pacman => output.lines().filter(|line| is_name(line)).map(str::to_owned).collect(),
            Manager::Dnf => dnf_table(output, "Installing"),
        };
        names.sort();
        names.dedup();
        names
    }

    /// Whether it must be asked before who needs what is to be removed; the others refuse then, and name it.
    pub(crate) fn simulates_removal(self) -> bool {
        self != Manager::Pacman
    }

    /// Of a simulated removal: what somebody installed that needs some of `ours`, and goes with it or keeps it there.
    pub(crate) fn needs(self, output: &str, ours: &[&str]) -> Vec<String> {
        let apt = |line: &str| {
            line.strip_prefix("Purg ").or(line.strip_prefix("Remv "))?.split(' ').next().map(str::to_owned)
        };
        let mut names = match self {
            Manager::Apt => output.lines().filter_map(apt).collect(),
            Manager::Dnf => dnf_table(output, "Removing"),
            Manager::Apk => apk_keeps(output),
            Manager::Pacman => Vec::new(),
        };
        names.retain(|name| !ours.contains(&name.trim_end_matches('*')));
        names
    }
}

/// Below a heading, each package that stays and what needs it: `  runc: podman buildah`.
fn apk_keeps(output: &str) -> Vec<String> {
    let below = output.lines().skip_while(|line| !line.contains("packages are not removed due to")).skip(1);
    let kept = below.map_while(|line| line.strip_prefix("  ")?.split_once(": "));
    let mut names: Vec<String> = kept.flat_map(|(_, by)| by.split_whitespace()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn is_name(line: &str) -> bool {
    !line.is_empty() && line.chars().all(|c| c.is_ascii_alphanumeric() || "@._+-".contains(c))
}

/// The rows below the headings that begin with `Installing` or `Removing`.
fn dnf_table(output: &str, heading: &str) -> Vec<String> {
    let mut below = false;
    let mut names = Vec::new();
    for line in output.lines() {
        if !line.starts_with(' ') {
            below = line.starts_with(heading);
        } else if below && !line.starts_with("  ") {
            names.extend(line.split_whitespace().next().map(str::to_owned));
        }
    }
    names
}

/// Of those that the manager of a Red Hat offers, the best.
pub(crate) fn offered<'a>(listing: &str, wanted: &[&'a str]) -> Option<&'a str> {
    let names: Vec<&str> =
        listing.lines().filter_map(|line| Some(line.split_whitespace().next()?.rsplit_once('.')?.0)).collect();
    wanted.iter().copied().find(|wanted| names.contains(wanted))
}

/// Who holds the lock that a manager waits for, if that is why it failed.
pub(crate) fn lock_holder(log: &str) -> Option<String> {
    let line = log.lines().find(|line| {
        ["Could not get lock", "Unable to lock database", "unable to lock database", "frontend lock was locked"]
            .iter()
            .any(|words| line.contains(words))
    })?;
    let named = log.lines().filter_map(|line| line.split_once("held by process ")).map(|(_, holder)| holder).next();
    let Some(holder) = named else { return Some(line.trim_start_matches("E: ").to_owned()) };
    match holder.split_once('(').and_then(|(_, rest)| rest.split_once(')')) {
        Some((name, _)) => Some(name.to_owned()),
        None => Some(format!("process {}", holder.trim())),
    }
}

/// Why there is no engine to be had here.
pub(crate) fn nothing_offered(facts: &Facts) -> (String, &'static str) {
    let summary = format!("there is no Docker among the packages of {}", named(facts));
    (summary, "install Docker on it yourself: Bimetal uses what it finds")
}

pub(crate) fn named(facts: &Facts) -> &str {
    if facts.distribution.is_empty() { "this distribution" } else { &facts.distribution }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apt_says_what_it_would_install() {
        let output = "NOTE: This is only a simulation!\nInst libip6tc2 (1.8.9-2 Debian:12.11/stable [arm64])\n\
            Inst libc6 [2.36-9] (2.36-10 Debian:12.11/stable [arm64])\nInst docker.io (20.10.24 Debian:12/stable [arm64])\nConf docker.io (20.10.24)\n";
        assert_eq!(Manager::Apt.simulated(output), ["docker.io", "libc6", "libip6tc2"]);
    }

    #[test]
    fn apk_says_what_it_would_install() {
        let output = "(1/3) Installing containerd (1.7.17-r0)\n(2/3) Upgrading musl (1 -> 2)\n(3/3) Installing docker (26.1.5-r0)\nOK: 300 MiB\n";
        assert_eq!(Manager::Apk.simulated(output), ["containerd", "docker"]);
    }

    #[test]
    fn dnf_says_what_it_would_install() {
        // A name that is too long for its column has a line of its own.
        let output = "Fedora   1.1 MB/s | 1.9 kB  00:00\nDependencies resolved.\n====\n Package  Architecture  Version  Repository  Size\n====\n\
            Installing:\n moby-engine  x86_64  24.0.5-1.fc40  fedora  35 M\nUpgrading:\n glibc  x86_64  2  fedora  1 M\n\
            Installing dependencies:\n containerd-of-a-long-name\n      x86_64  1.6  fedora  30 M\n\nTransaction Summary\n====\nInstall  2 Packages\n\nOperation aborted.\n";
        assert_eq!(Manager::Dnf.simulated(output), ["containerd-of-a-long-name", "moby-engine"]);
    }

    #[test]
    fn what_needs_ours_is_known() {
        let dnf = "Dependencies resolved.\n====\n Package  Arch\n====\nRemoving:\n runc  x86_64  1  @fedora  8.4 M\n\
            Removing dependent packages:\n podman  x86_64  5  @fedora  96 M\n\nTransaction Summary\n";
        assert_eq!(Manager::Dnf.needs(dnf, &["runc"]), ["podman"]);
        let apt = "Purg runc* [1.1.5]\nRemv podman [5] \nInst x\n";
        assert_eq!(Manager::Apt.needs(apt, &["runc"]), ["podman"]);
        let apk = "World updated, but the following packages are not removed due to:\n  containerd: nerdctl\n  runc: containerd podman\n\n\
            (1/1) Purging docker (1-r0)\nOK: 8547 KiB in 3 packages\n";
        assert_eq!(Manager::Apk.needs(apk, &["docker", "containerd", "runc"]), ["nerdctl", "podman"]);
        assert!(Manager::Apk.needs("(1/1) Purging docker (1-r0)\nOK: 1 B in 3 packages\n", &["docker"]).is_empty());
    }

    #[test]
    fn pacman_says_what_it_would_install() {
        assert_eq!(Manager::Pacman.simulated("containerd\ndocker\n:: warning\n"), ["containerd", "docker"]);
    }

    #[test]
    fn the_best_of_what_is_offered() {
        let listing = "Available Packages\nmoby-engine.x86_64  24.0.5-1.fc40  fedora\ndocker.noarch 1 x\n";
        assert_eq!(offered(listing, Manager::Dnf.engines()), Some("moby-engine"));
        assert_eq!(offered("", Manager::Dnf.engines()), None);
    }

    #[test]
    fn the_holder_of_a_lock_has_a_name() {
        let apt = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)\nE: Unable to acquire it\n";
        assert_eq!(lock_holder(apt).as_deref(), Some("unattended-upgr"));
        let apk = "ERROR: Unable to lock database: temporary error (try again later)\n";
        assert_eq!(lock_holder(apk).as_deref(), Some(apk.trim()));
        assert_eq!(lock_holder("E: Unable to locate package docker.io\n"), None);
    }
}
