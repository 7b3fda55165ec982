//! A laboratory: an address range, a switch, a group of processes and a folder, all gone when the last part of it is.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use xtask::cgroup::Group;
use xtask::slot::Slot;

use crate::cell::{Cell, Namespaces};
use crate::spawn::run;

/// A handle to a laboratory.
#[derive(Clone, Debug)]
pub struct Lab(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    last_address: AtomicU8,
    /// A namespace of its own, so that this machine's packet filters don't see what engines say to each other.
    switch: Namespaces,
    // Declared last, so dropped last: it ends what is left of everything above.
    _group: Group,
    slot: Slot,
}

/// Whether tests on real parts are wanted; where they can't be had, that is said.
pub(crate) fn is_wanted() -> bool {
    match std::env::var("BIMETAL_TEST_REAL").as_deref() {
        Ok("1") => true,
        Ok("0") => false,
        _ if nix::unistd::geteuid().is_root() => true,
        _ => {
            eprintln!("left out: this test needs root; `cargo xtask test` runs it");
            false
        }
    }
}

impl Lab {
    /// Starts one; `None` where tests on real parts are not wanted, which the test then says by returning.
    pub fn start() -> Option<Lab> {
        is_wanted().then(Lab::new)
    }

    fn new() -> Lab {
        let slot = Slot::take().unwrap_or_else(|error| panic!("cannot make a laboratory: {error:#}"));
        let group = Group::new(Slot::group(slot.number));
        let mut switch = Namespaces::make(&slot.folder.join("switch.log"));
        group.add(switch.process());
        let interface = Slot::interface(slot.number);
        ip(&format!("link add {interface} type veth peer name host netns {}", switch.process()));
        ip(&format!("address add {}/24 dev {interface}", address(slot.number, 1)));
        ip(&format!("link set {interface} up"));
        for words in ["link add bridge type bridge", "link set bridge up", "link set host master bridge up"] {
            run(switch.enter("ip").args(words.split(' ')));
        }
        switch.go(&["sleep", "infinity"]);
        Lab(Arc::new(Inner { last_address: AtomicU8::new(1), switch, _group: group, slot }))
    }

    /// This machine's address, as the laboratory sees it.
    pub fn gateway(&self) -> Ipv4Addr {
        address(self.number(), 1)
    }

    /// All its addresses.
    pub fn range(&self) -> String {
        format!("{}/24", address(self.number(), 0))
    }

    /// A folder that lasts as long as the laboratory.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.0.slot.folder.join(name);
        std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("cannot make {}: {error}", folder.display()));
        folder
    }

    /// Namespaces on the switch, with an address; nothing runs in them yet.
    pub fn cell(&self, name: &str) -> Cell {
        Cell::new(self, name)
    }

    pub(crate) fn number(&self) -> u8 {
        self.0.slot.number
    }

    /// Connects namespaces to the switch.
    pub(crate) fn connect(&self, namespaces: &Namespaces) -> Ipv4Addr {
        let last = self.0.last_address.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(last < 255, "a laboratory has 253 addresses");
        let (port, process, address) = (format!("port{last}"), namespaces.process(), address(self.number(), last));
        let switch = |words: &str| run(self.0.switch.enter("ip").args(words.split(' ')));
        // Names of processes are those of the outermost namespace, which `ip` must run in to understand them.
        ip(&format!("link add bml-{process} type veth peer name eth0 netns {process}"));
        ip(&format!("link set bml-{process} netns {} name {port}", self.0.switch.process()));
        switch(&format!("link set {port} master bridge up"));
        for words in [
            "link set lo up".to_owned(),
            format!("address add {address}/24 dev eth0"),
            "link set eth0 up".to_owned(),
            format!("route add default via {}", self.gateway()),
        ] {
            run(namespaces.enter("ip").args(words.split(' ')));
        }
        address
    }

    pub(crate) fn group(&self, name: &str) -> Group {
        Group::new(Path::new(&Slot::group(self.number())).join(name))
    }
}

fn address(number: u8, last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 213, number, last)
}

fn ip(words: &str) {
    run(Command::new("ip").args(words.split(' ')));
}
