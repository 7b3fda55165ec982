//! A machine without Docker: its own processes, files, network and name, systemd as its init, and sshd.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cell::Cell;
use crate::engine::tail;
use crate::http::page;
use crate::lab::Lab;
use crate::spawn::run;
use crate::tree::{Distribution, write, write_program};
use crate::wait::until;

const BOOT: &str = include_str!("node/boot.sh");
const CLOUD_INIT: &str = include_str!("node/cloud-init.sh");
const CLOUD_INIT_UNIT: &str = include_str!("node/cloud-init.service");
const PATIENCE: Duration = Duration::from_secs(180);

/// How a machine is when it is first switched on.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Who may log in as root.
    pub authorized_keys: Vec<String>,
    /// A cloud's machine: it has `cloud-init`, which takes this.
    pub user_data: Option<String>,
    /// What is installed on it.
    pub distribution: Distribution,
}

/// A machine; it is switched off with this value, and its disk thrown away.
#[derive(Debug)]
pub struct Node {
    cell: Cell,
    host_key: String,
}

impl Node {
    /// Boots one and waits until its sshd answers.
    pub fn boot(lab: &Lab, name: &str, setup: &Setup) -> Node {
        Node::boot_as(lab, name, name, setup)
    }

    /// As [`Node::boot`]; the laboratory knows it by another name than it does itself.
    pub(crate) fn boot_as(lab: &Lab, folder: &str, name: &str, setup: &Setup) -> Node {
        let node = Node::begin(lab, folder, name, setup);
        node.wait();
        node
    }

    /// Boots several at once.
    pub fn boot_all<const N: usize>(lab: &Lab, names: [&str; N], setup: &Setup) -> [Node; N] {
        let nodes = names.map(|name| Node::begin(lab, name, name, setup));
        nodes.iter().for_each(Node::wait);
        nodes
    }

    fn begin(lab: &Lab, folder: &str, name: &str, setup: &Setup) -> Node {
        let tree = setup.distribution.layers();
        let mut cell = lab.cell(folder);
        let folder = cell.folder().to_owned();
        for part in ["root", "upper", "work", "docker", "containerd"] {
            fs::create_dir_all(folder.join(part)).expect("a folder of the laboratory");
        }
        let upper = folder.join("upper");
        let host_key = make_host_key(&upper);
        furnish(&upper, lab, name, setup);
        let script = folder.join("boot.sh");
        fs::write(&script, BOOT).expect("a file of the laboratory");
        let mut words: Vec<String> = ["unshare", "--cgroup", "sh"].map(str::to_owned).to_vec();
        words.extend([&script.display().to_string(), name, &tree, &folder.display().to_string()].map(str::to_owned));
        for hierarchy in xtask::cgroup::hierarchies() {
            // A word must not be empty on its way to the first process.
            let options = if hierarchy.options.is_empty() { "-".to_owned() } else { hierarchy.options };
            words.extend([hierarchy.path.display().to_string(), hierarchy.kind, options]);
        }
        cell.go(&words.iter().map(String::as_str).collect::<Vec<_>>());
        Node { cell, host_key }
    }

    fn wait(&self) {
        until(&format!("sshd of {}", self.address()), PATIENCE, || {
            banner(self.ssh()).map_err(|error| format!("{error}; its console ends with: {}", tail(&self.cell.log())))
        });
    }

    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        self.cell.address()
    }

    /// Where its sshd answers.
    pub fn ssh(&self) -> SocketAddr {
        SocketAddr::new(self.address().into(), 22)
    }

    /// Where the ports of its containers are.
    pub fn page(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address().into(), port)
    }

    /// `ssh-ed25519 …`, as a known-hosts file has it after the name.
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// The namespaces it lives in.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// Runs a program on it, as root, to a good end.
    pub fn run(&self, words: &[&str]) -> String {
        run(&mut self.command(words))
    }

    /// A program on it, as root.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.cell.enter("env");
        command.args([
            "-i",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "LANG=C.UTF-8",
        ]);
        command.args(words);
        command
    }

    /// What one of its files says.
    pub fn read(&self, path: &str) -> Option<String> {
        let root = PathBuf::from(format!("/proc/{}/root", self.cell.process()));
        fs::read_to_string(root.join(path.trim_start_matches('/'))).ok()
    }

    /// Whether it has Docker.
    pub fn has_docker(&self) -> bool {
        ["usr/bin/dockerd", "usr/sbin/dockerd"].iter().any(|path| self.read_exists(path))
    }

    fn read_exists(&self, path: &str) -> bool {
        PathBuf::from(format!("/proc/{}/root", self.cell.process())).join(path).exists()
    }

    /// The names of all its containers, stopped ones too, sorted.
    pub fn containers(&self) -> Vec<String> {
        if !self.has_docker() {
            return Vec::new();
        }
        let text = self.run(&["docker", "ps", "--all", "--format", "{{.Names}}"]);
        let mut names: Vec<_> = text.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// What the page of each of its containers says, by name.
    pub fn pages(&self, port: u16) -> Vec<(String, String)> {
        let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let page = |name: String| {
            let text = self.run(&["docker", "inspect", "--format", address, &name]);
            let address = SocketAddr::new(text.trim().parse().expect("an address"), port);
            (name, self.cell.inside(|| page(address)))
        };
        self.containers().into_iter().map(page).collect()
    }

    /// Every file that is there now and wasn't in the tree, but for what the system itself writes as time goes by.
    pub fn changes(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        walk(&self.cell.folder().join("upper"), Path::new("/"), &mut found);
        found
    }
}

fn walk(folder: &Path, shown: &Path, found: &mut BTreeSet<String>) {
    const RESTLESS: &[&str] =
        &["/var/log", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/var/lib/systemd", "/tmp", "/var/tmp"];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let shown = shown.join(entry.file_name());
        if RESTLESS.iter().any(|path| shown == Path::new(path)) {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), &shown, found),
            Ok(_) => {
                found.insert(shown.display().to_string());
            }
            Err(_) => {}
        }
    }
}

/// What differs from the tree before the machine is switched on.
fn furnish(upper: &Path, lab: &Lab, name: &str, setup: &Setup) {
    // Without one, the machine's init takes this for its first boot, and switches on all that is installed.
    let identity = xtask::image::digest(upper.as_os_str().as_encoded_bytes());
    write(upper, "etc/machine-id", &format!("{}\n", &identity["sha256:".len()..][..32]));
    write(upper, "etc/hostname", &format!("{name}\n"));
    write(upper, "etc/docker/daemon.json", &format!("{{ \"insecure-registries\": [\"{}\"] }}\n", lab.range()));
    write(
        upper,
        "root/.ssh/authorized_keys",
        &setup.authorized_keys.iter().map(|key| format!("{}\n", key.trim())).collect::<String>(),
    );
    for (path, mode) in [("root", 0o700), ("root/.ssh", 0o700), ("root/.ssh/authorized_keys", 0o600)] {
        fs::set_permissions(upper.join(path), fs::Permissions::from_mode(mode)).expect("our own file");
    }
    if let Some(user_data) = &setup.user_data {
        write_program(upper, "usr/bin/cloud-init", CLOUD_INIT);
        write(upper, "etc/systemd/system/cloud-final.service", CLOUD_INIT_UNIT);
        write(upper, "var/lib/cloud/instance/user-data.txt", user_data);
        let wants = upper.join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).expect("our own folder");
        std::os::unix::fs::symlink("/etc/systemd/system/cloud-final.service", wants.join("cloud-final.service"))
            .expect("our own link");
    }
}

fn make_host_key(upper: &Path) -> String {
    let folder = upper.join("etc/ssh");
    fs::create_dir_all(&folder).expect("a folder of the laboratory");
    make_key(&folder.join("ssh_host_ed25519_key"))
}

/// Makes a pair of SSH keys, and gives the public one: `ssh-ed25519 …`, without a comment.
pub fn make_key(file: &Path) -> String {
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(file));
    let public = fs::read_to_string(file.with_extension("pub")).expect("ssh-keygen wrote it");
    public.trim().to_owned()
}

fn banner(address: SocketAddr) -> Result<(), String> {
    use std::io::Read;
    let stream = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300))
        .map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).map_err(|error| error.to_string())?;
    let mut start = [0; 4];
    (&stream).read_exact(&mut start).map_err(|error| error.to_string())?;
    if &start == b"SSH-" { Ok(()) } else { Err("what answers is not an sshd".to_owned()) }
}
