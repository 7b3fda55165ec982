//! What a machine is, from the lines that the command `facts` prints.

use std::collections::BTreeMap;

use crate::manager::Manager;
use crate::platform::{Processor, platform};

/// By this label the engine knows that a 64-bit ARM machine runs 32-bit programs too.
pub const ARM32_LABEL: &str = "bimetal.arm32";

/// What a machine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// `linux/arm/v7`
    pub platform: String,
    /// A 64-bit ARM machine that runs 32-bit programs too.
    pub arm32: bool,
    /// Processors.
    pub cpus: u64,
    /// In bytes, whole mebibytes: what a kernel keeps to itself differs from boot to boot.
    pub memory: u64,
    /// `debian 12`
    pub distribution: String,
    /// Its `ID` and those that it is like.
    pub(crate) families: Vec<String>,
    /// `6.1.0-13-arm64`
    pub kernel: String,
    /// What starts services.
    pub init: Init,
    /// What installs packages, if it is one that is known.
    pub(crate) manager: Option<Manager>,
}

/// What starts services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// `systemctl`
    Systemd,
    /// `rc-service`
    OpenRc,
    /// `service`
    SysV,
    /// Nothing that is known.
    None,
}

impl Facts {
    /// Reads what the command printed; `None`: no processor that is known.
    pub(crate) fn parse(text: &str) -> Option<Facts> {
        let said = Said::parse(text);
        let processor = Processor {
            machine: said.one("machine"),
            bits: said.one("bits"),
            class: said.one("class"),
            dpkg: said.one("dpkg"),
        };
        let platform = platform(&processor)?;
        let kibibytes: u64 = said.one("memory").parse().unwrap_or(0);
        let distribution = format!("{} {}", said.os("ID"), said.os("VERSION_ID"));
        let like = said.os("ID_LIKE");
        Some(Facts {
            arm32: platform == "linux/arm64" && said.one("arm32").starts_with("armv"),
            platform,
            cpus: said.one("cpus").parse().unwrap_or(1),
            memory: kibibytes / 1024 * (1 << 20),
            distribution: distribution.trim().to_owned(),
            families: std::iter::once(said.os("ID")).chain(like.split(' ')).map(str::to_owned).collect(),
            kernel: said.one("kernel").to_owned(),
            init: init(said.one("init")),
            manager: said.all("manager").find_map(Manager::of),
        })
    }

    /// What the engine has to know for placement.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let label = (ARM32_LABEL.to_owned(), "true".to_owned());
        self.arm32.then_some(label).into_iter().collect()
    }
}

fn init(name: &str) -> Init {
    match name {
        "systemd" => Init::Systemd,
        "openrc" => Init::OpenRc,
        "sysv" => Init::SysV,
        _ => Init::None,
    }
}

/// Lines of `name=value`.
pub(crate) struct Said<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Said<'a> {
    pub(crate) fn parse(text: &'a str) -> Said<'a> {
        Said(text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name, value.trim())).collect())
    }

    /// The first of that name; empty where there is none.
    pub(crate) fn one(&self, name: &str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    pub(crate) fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'a str> + 'b {
        self.0.iter().filter(move |(found, _)| *found == name).map(|(_, value)| *value)
    }

    /// A value of `/etc/os-release`, which may be quoted.
    fn os(&self, name: &str) -> &'a str {
        self.one(&format!("os.{name}")).trim_matches(['"', '\''])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PI: &str = "machine=aarch64\nkernel=6.1.21-v8+\nbits=32\nclass=   1\ndpkg=armhf\narm32=armv8l\ncpus=4\nmemory=3884384\n\
        os.PRETTY_NAME=\"Raspbian GNU/Linux 11 (bullseye)\"\nos.ID=raspbian\nos.ID_LIKE=debian\nos.VERSION_ID=\"11\"\ninit=systemd\nmanager=apt-get\n";

    #[test]
    fn a_raspberry_with_a_32_bit_userland() {
        let facts = Facts::parse(PI).unwrap();
        assert_eq!(facts.platform, "linux/arm/v7");
        assert_eq!((facts.cpus, facts.memory, facts.distribution.as_str()), (4, 3793 << 20, "raspbian 11"));
        assert_eq!((facts.init, facts.manager), (Init::Systemd, Some(Manager::Apt)));
        assert_eq!(facts.families, ["raspbian", "debian"]);
        assert!(facts.labels().is_empty());
    }

    #[test]
    fn an_arm64_machine_says_whether_it_runs_32_bit_programs() {
        let said = "machine=aarch64\nbits=64\ndpkg=arm64\narm32=armv8l\n";
        assert_eq!(Facts::parse(said).unwrap().labels()[ARM32_LABEL], "true");
        assert!(Facts::parse("machine=aarch64\nbits=64\narm32=\n").unwrap().labels().is_empty());
    }

    #[test]
    fn an_alpine_without_getconf() {
        let facts = Facts::parse(
            "machine=x86_64\nbits=\nclass=2\ndpkg=\nos.ID=alpine\nos.VERSION_ID=3.20.1\ninit=openrc\nmanager=apk",
        )
        .unwrap();
        assert_eq!((facts.platform.as_str(), facts.distribution.as_str()), ("linux/amd64", "alpine 3.20.1"));
        assert_eq!((facts.init, facts.manager), (Init::OpenRc, Some(Manager::Apk)));
    }

    #[test]
    fn garbage_is_no_machine() {
        assert_eq!(Facts::parse("This account is currently not available."), None);
    }
}
