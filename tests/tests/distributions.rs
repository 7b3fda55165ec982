//! Machines that aren't installed as this one is: other package managers, and a userland of 32 bits.

use bimetal_tests::node::{Setup, make_key};
use bimetal_tests::tree::{Distribution, apk_program};
use bimetal_tests::{Bimetal, Lab, Node, image};
use xtask::web::Platform;

const CONFIGURATION: &str = r#"
variable "key_file" {}

machine "baremetal" "one" {
  host     = "HOST"
  host_key = "KEY"
  key_file = var.key_file
}

pool "all" {
  machines = [machine.baremetal.one]
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = 1

  port {
    container = 8080
  }
}

output "facts" {
  value = "${machine.baremetal.one.platform}, ${machine.baremetal.one.distribution}"
}
"#;

/// From a machine without Docker to a page, and back to the machine as it was.
struct Story {
    node: Node,
    bimetal: Bimetal,
    installed: String,
    packages: &'static [&'static str],
    // Last: the machine is on it.
    _lab: Lab,
}

impl Story {
    fn begin(distribution: Distribution, platform: Platform, packages: &'static [&'static str]) -> Option<Story> {
        let lab = Lab::start()?;
        let key = lab.folder("keys").join("operator");
        let node =
            Node::boot(&lab, "node", &Setup { authorized_keys: vec![make_key(&key)], user_data: None, distribution });
        assert!(!node.has_docker());
        let configuration = CONFIGURATION.replace("HOST", &node.address().to_string()).replace("KEY", node.host_key());
        let mut bimetal = Bimetal::new(&configuration);
        bimetal.set("key_file", key.display());
        image::layout(&bimetal.folder().join("image"), &[platform], "hello");
        let installed = node.run(packages);
        Some(Story { node, bimetal, installed, packages, _lab: lab })
    }

    fn apply(&self) -> String {
        self.bimetal.apply();
        let pages = self.node.pages(8080);
        assert!(pages.len() == 1 && pages[0].1.contains("hello"), "{pages:?}");
        self.bimetal.assert_settled();
        self.bimetal.ok(&["output", "--raw", "facts"])
    }

    fn end(&self) {
        self.bimetal.ok(&["destroy", "--auto-approve"]);
        assert!(!self.node.has_docker() && self.node.read("/etc/bimetal/machine.json").is_none());
        assert_eq!(self.node.run(self.packages), self.installed);
    }
}

#[test]
fn dnf_installs_docker_and_refuses_to_remove_what_somebody_needs() {
    let rpms = &["rpm", "--query", "--all", "--queryformat", "%{NAME}\n"];
    let Some(story) = Story::begin(Distribution::Fedora, Platform::Amd64, rpms) else { return };
    assert_eq!(story.apply(), "linux/amd64, fedora 40");

    story.node.run(&["dnf", "-y", "install", "needs-runc"]);
    let error = story.bimetal.run(&["destroy", "--auto-approve"]).failed();
    assert!(error.contains("the Docker that Bimetal installed is needed by needs-runc"), "{error}");
    story.node.run(&["dnf", "-y", "remove", "needs-runc"]);
    story.end();
}

#[test]
fn pacman_installs_docker_and_refuses_to_remove_what_somebody_needs() {
    let Some(story) = Story::begin(Distribution::Arch, Platform::Amd64, &["pacman", "--query", "--quiet"]) else {
        return;
    };
    assert_eq!(story.apply(), "linux/amd64, arch rolling");

    story.node.run(&["pacman", "--sync", "--noconfirm", "needs-runc"]);
    let error = story.bimetal.run(&["destroy", "--auto-approve"]).failed();
    assert!(error.contains("can't be removed") && error.contains("needs-runc"), "{error}");
    story.node.run(&["pacman", "--remove", "--noconfirm", "needs-runc"]);
    story.end();
}

#[test]
fn apk_installs_docker_and_refuses_to_remove_what_somebody_needs() {
    if apk_program().is_none() {
        eprintln!("skipped: BIMETAL_TEST_APK names no apk");
        return;
    }
    let Some(story) = Story::begin(Distribution::Alpine, Platform::Amd64, &["apk", "info", "-q"]) else { return };
    assert_eq!(story.apply(), "linux/amd64, alpine 3.23.0");

    story.node.run(&["apk", "add", "needs-runc"]);
    let error = story.bimetal.run(&["destroy", "--auto-approve"]).failed();
    assert!(error.contains("the Docker that Bimetal installed is needed by needs-runc"), "{error}");
    story.node.run(&["apk", "del", "needs-runc"]);
    story.end();
}

#[test]
fn a_userland_of_32_bits_below_a_kernel_of_64_has_images_of_32() {
    let debs = &["dpkg-query", "--show"];
    let Some(story) = Story::begin(Distribution::Own32, Platform::I386, debs) else { return };
    assert_eq!(story.node.run(&["uname", "-m"]), "x86_64\n");
    let facts = story.apply();
    assert!(facts.starts_with("linux/386, "), "{facts}");
    story.end();
}
