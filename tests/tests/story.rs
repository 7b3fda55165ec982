//! The whole way: machines that have nothing but SSH get Docker, run replicas, and are left as they were.

use std::collections::BTreeMap;

use bimetal_tests::node::{Setup, make_key};
use bimetal_tests::{Bimetal, Lab, Node, http, image};
use xtask::web::Platform;

const CONFIGURATION: &str = r#"
variable "rack" {
  type = map(object({ address = string, key = string }))
}

variable "key_file" {
  type = string
}

variable "replicas" {
  type    = number
  default = 2
}

provider "baremetal" {
  key_file = var.key_file
}

machine "baremetal" "rack" {
  for_each = var.rack
  host     = each.value.address
  host_key = each.value.key
}

pool "all" {
  machines = [machine.baremetal.rack]
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = var.replicas

  port {
    host      = 8080
    container = 8080
  }
}

output "urls" {
  value = [for replica in service.web.replicas : "http://${replica.address}:8080"]
}
"#;

fn rack(nodes: &[&Node]) -> String {
    let machine = |node: &&Node| {
        let value = serde_json::json!({ "address": node.address().to_string(), "key": node.host_key() });
        (node.address().to_string(), value)
    };
    serde_json::to_string(&nodes.iter().map(machine).collect::<BTreeMap<_, _>>()).expect("text")
}

#[test]
fn machines_with_nothing_but_ssh_run_replicas_and_are_left_as_they_were() {
    let Some(lab) = Lab::start() else { return };
    let key = lab.folder("keys").join("operator");
    let setup = Setup { authorized_keys: vec![make_key(&key)], user_data: None };
    let [one, two] = Node::boot_all(&lab, ["rack-1", "rack-2"], &setup);
    let mut bimetal = Bimetal::new(CONFIGURATION);
    image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "hello");
    bimetal.set("rack", rack(&[&one, &two])).set("key_file", key.display());

    bimetal.apply();
    for node in [&one, &two] {
        assert!(http::page(node.page(8080)).starts_with("x86_64 "));
        assert_eq!(node.containers().len(), 1);
        assert!(node.read("/etc/bimetal/machine.json").is_some());
    }
    bimetal.assert_settled();
    let machines = bimetal.ok(&["machines"]);
    assert_eq!(machines.matches("running ").count(), 2, "{machines}");
    assert_eq!(bimetal.ok(&["ssh", &format!("machine.baremetal.rack[\"{}\"]", one.address()), "hostname"]), "rack-1\n");

    // A machine that leaves the configuration loses its replica and everything that was put on it.
    bimetal.set("rack", rack(&[&one])).set("replicas", 1);
    bimetal.apply();
    assert!(!two.has_docker() && two.read("/etc/bimetal/machine.json").is_none());
    bimetal.assert_settled();

    bimetal.ok(&["destroy", "--auto-approve"]);
    assert!(!one.has_docker() && one.read("/etc/bimetal/machine.json").is_none());
    assert_eq!(bimetal.ok(&["state", "list"]), "");
}
