//! Ways to a machine: through another one, as somebody who is not root, with the agent's key, and over TCP with certificates.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bimetal_tests::node::{Setup, make_key};
use bimetal_tests::wait::until;
use bimetal_tests::{Bimetal, Lab, Node, image};
use xtask::web::Platform;

const CONFIGURATION: &str = r#"
variable "key_file" {
  type    = string
  default = null
}

machine "baremetal" "one" {
  host = "HOST"
  ACCESS
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = 1

  port {
    container = 8080
  }
}

pool "all" {
  machines = [machine.baremetal.one]
}
"#;

fn configuration(node: &Node, access: &str) -> String {
    CONFIGURATION.replace("HOST", &node.address().to_string()).replace("ACCESS", access)
}

fn operator(node: &Node, access: &str) -> Bimetal {
    let bimetal = Bimetal::new(&configuration(node, access));
    image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "hello");
    bimetal
}

fn assert_serves(node: &Node) {
    let pages = node.pages(8080);
    assert_eq!((pages.len(), pages[0].1.starts_with("x86_64 ")), (1, true), "{pages:?}");
}

fn assert_left_alone(bimetal: &Bimetal, node: &Node) {
    bimetal.ok(&["destroy", "--auto-approve"]);
    assert!(!node.has_docker() && node.read("/etc/bimetal/machine.json").is_none());
}

#[test]
fn a_machine_behind_another_is_managed_by_somebody_with_sudo() {
    let Some(lab) = Lab::start() else { return };
    let key = lab.folder("keys").join("operator");
    let public = make_key(&key);
    let setup = Setup { authorized_keys: vec![public.clone()], ..Setup::default() };
    let [gate, inner] = Node::boot_all(&lab, ["gate", "inner"], &setup);
    inner.run(&["useradd", "--create-home", "--shell", "/bin/sh", "pi"]);
    inner.run(&["sh", "-c", "echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/pi"]);
    inner.run(&[
        "sh",
        "-c",
        "mkdir /home/pi/.ssh && mv /root/.ssh/authorized_keys /home/pi/.ssh/ && chown -R pi: /home/pi/.ssh",
    ]);
    // Only the gate is let in.
    let from_elsewhere = [
        "iptables",
        "-A",
        "INPUT",
        "-p",
        "tcp",
        "--dport",
        "22",
        "!",
        "-s",
        &gate.address().to_string(),
        "-j",
        "REJECT",
    ];
    inner.run(&from_elsewhere);
    assert!(TcpStream::connect_timeout(&inner.ssh(), Duration::from_secs(3)).is_err());

    let access = "user = \"pi\"\n  key_file = var.key_file\n  bastion {\n    host = \"GATE\"\n    user = \"root\"\n  }";
    let mut bimetal = operator(&inner, &access.replace("GATE", &gate.address().to_string()));
    bimetal.set("key_file", key.display());

    // Nobody knows their keys yet, and that is said with the line to add.
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains(&format!("the host key of `{}` is not known", gate.address())), "{error}");
    assert!(error.contains(gate.host_key()), "{error}");
    let home = bimetal.folder().join(".home/.ssh");
    std::fs::create_dir_all(&home).expect("our own folder");
    let known = [&gate, &inner].map(|node| format!("{} {}\n", node.address(), node.host_key())).concat();
    std::fs::write(home.join("known_hosts"), known).expect("our own file");

    bimetal.apply();
    assert_serves(&inner);
    bimetal.assert_settled();
    assert_eq!(bimetal.ok(&["ssh", "machine.baremetal.one", "id", "-un"]), "pi\n");
    assert!(inner.run(&["id", "-nG", "pi"]).contains("docker"));
    assert_left_alone(&bimetal, &inner);
    assert!(!inner.run(&["id", "-nG", "pi"]).contains("docker"));
}

#[test]
fn an_engine_listens_with_certificates_only_while_that_is_asked_for() {
    let Some(lab) = Lab::start() else { return };
    let key = lab.folder("keys").join("operator");
    let setup = Setup { authorized_keys: vec![make_key(&key)], ..Setup::default() };
    let node = Node::boot(&lab, "node", &setup);
    let access = |engine: &str| {
        format!("key_file = var.key_file\n  host_key = \"{}\"\n  engine_access = \"{engine}\"", node.host_key())
    };
    let mut bimetal = operator(&node, &access("mtls"));
    bimetal.set("key_file", key.display());
    bimetal.apply();
    assert_serves(&node);
    bimetal.assert_settled();
    assert!(node.read("/etc/docker/bimetal/server-key.pem").is_some());
    // Without a certificate nobody is answered.
    let plain = bimetal_tests::http::get(node.page(2376), "/version");
    assert!(plain.is_err() || plain.is_ok_and(|answer| answer.status == 400));

    bimetal.write("main.bm.hcl", &configuration(&node, &access("ssh")));
    bimetal.apply();
    assert!(TcpStream::connect_timeout(&node.page(2376), Duration::from_secs(3)).is_err());
    assert!(node.read("/etc/docker/bimetal/server-key.pem").is_none());
    assert_serves(&node);
    bimetal.assert_settled();
    assert_left_alone(&bimetal, &node);
}

#[test]
fn the_agent_logs_in_and_a_key_that_changed_is_refused() {
    let Some(lab) = Lab::start() else { return };
    let folder = lab.folder("keys");
    let key = folder.join("operator");
    let setup = Setup { authorized_keys: vec![make_key(&key)], ..Setup::default() };
    let node = Node::boot(&lab, "node", &setup);
    let agent = Agent::start(&folder.join("agent"));
    agent.add(&key);
    let mut bimetal = operator(&node, "agent = true\n  host_key_check = \"accept-new\"");
    bimetal.environment("SSH_AUTH_SOCK", folder.join("agent").display());
    bimetal.apply();
    assert_serves(&node);
    let known = std::fs::read_to_string(bimetal.folder().join(".home/.ssh/known_hosts")).expect("it was learnt");
    assert_eq!(known, format!("{} {}\n", node.address(), node.host_key()));

    // Somebody else answers at that address.
    let other = make_key(&folder.join("other"));
    let file = bimetal.folder().join(".home/.ssh/known_hosts");
    std::fs::write(&file, format!("{} {other}\n", node.address())).expect("our own file");
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains(&file.display().to_string()) && error.contains(&node.address().to_string()), "{error}");
    std::fs::write(&file, known).expect("our own file");
    assert_left_alone(&bimetal, &node);
}

/// It ends with this value.
struct Agent(Child, std::path::PathBuf);

impl Agent {
    fn start(socket: &std::path::Path) -> Agent {
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(socket).stdout(Stdio::null());
        let child = command.spawn().expect("openssh-client is installed");
        until("the agent's socket", Duration::from_secs(10), || {
            if socket.exists() { Ok(()) } else { Err("not yet".to_owned()) }
        });
        Agent(child, socket.to_owned())
    }

    fn add(&self, key: &std::path::Path) {
        bimetal_tests::spawn::run(Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.1));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
