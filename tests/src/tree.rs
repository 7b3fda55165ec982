//! The file trees that machines boot from: each made once, kept below the target folder, never written to afterwards.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use nix::fcntl::{Flock, FlockArg};

use crate::spawn::{finish, run};

/// What a machine has from the start; `docker.io` is not among it.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,openssh-server,iproute2,iptables,ca-certificates,kmod,procps,sudo";

/// What can be installed on it, from files it carries: it reaches no network.
const OFFERED: &[&str] = &["docker.io"];

/// Units that would touch this machine's kernel or clock, or wait for what isn't there.
const MASKED: &[&str] = &[
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "systemd-binfmt.service",
    "systemd-modules-load.service",
    "systemd-networkd-wait-online.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-remount-fs.service",
    "systemd-sysctl.service",
    "systemd-timesyncd.service",
    "systemd-udev-trigger.service",
    "systemd-udevd.service",
];

/// Grows with every change to how a tree is made.
const EDITION: &str = "3";

const LAYER: &str = include_str!("tree/layer.sh");
const EXTRACT: &str = include_str!("tree/extract.sh");

/// What is installed on a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Distribution {
    /// This machine's own release.
    #[default]
    Own,
    /// The same for 32-bit processors, below this machine's 64-bit kernel.
    Own32,
    /// The same with RPMs and a real dnf.
    Fedora,
    /// The same with a real pacman.
    Arch,
    /// The same with a real apk, where `BIMETAL_TEST_APK` names one: no registry of packages has it.
    Alpine,
}

impl Distribution {
    /// Where machines find it, as an overlay has it after `lowerdir=`; the first call on a machine takes a minute or two.
    pub fn layers(self) -> String {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _making = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let trees = xtask::target().join("lab/tree");
        fs::create_dir_all(&trees).unwrap_or_else(|error| panic!("cannot make {}: {error}", trees.display()));
        let lock = fs::File::create(trees.join("lock")).expect("a lock file");
        let _lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, error)| error).expect("the lock");
        self.in_folder(&trees)
    }

    fn in_folder(self, trees: &Path) -> String {
        let own = || Distribution::Own.in_folder(trees);
        let made = |name: &str, make: &dyn Fn(&Path)| made(trees, name, make).display().to_string();
        match self {
            Distribution::Own => made("own", &|tree| make(tree, None)),
            Distribution::Own32 => made("own32", &|tree| make(tree, Some("i386"))),
            Distribution::Fedora => {
                let own = own();
                format!("{}:{own}", made("fedora", &|layer| add_layer(&own, layer, include_str!("tree/fedora.sh"))))
            }
            Distribution::Arch => {
                let own = own();
                format!("{}:{own}", made("arch", &|layer| add_layer(&own, layer, include_str!("tree/arch.sh"))))
            }
            Distribution::Alpine => {
                let own = own();
                let add = |layer: &Path| {
                    let apk = layer.join("usr/bin/apk");
                    fs::create_dir_all(layer.join("usr/bin")).expect("a folder of ours");
                    fs::copy(apk_program().expect("a machine with it was asked for"), apk)
                        .expect("the apk can be read");
                    add_layer(&own, layer, include_str!("tree/alpine.sh"));
                };
                format!("{}:{own}", made("alpine", &add))
            }
        }
    }
}

/// An `apk` of version 3, linked statically.
pub fn apk_program() -> Option<PathBuf> {
    std::env::var_os("BIMETAL_TEST_APK").map(PathBuf::from)
}

/// A folder that is there as a whole or not at all.
fn made(trees: &Path, name: &str, make: &dyn Fn(&Path)) -> PathBuf {
    let tree = trees.join(format!("{}-{name}-{EDITION}", codename()));
    if !tree.exists() {
        eprintln!("laboratory: making the tree that machines boot from, once, in {}", tree.display());
        let unfinished = trees.join("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).expect("what an earlier run left can be removed");
        }
        make(&unfinished);
        fs::rename(&unfinished, &tree).expect("a folder can be renamed");
    }
    tree
}

/// Runs a script in a tree, and keeps what it changed.
fn add_layer(tree: &str, layer: &Path, script: &str) {
    let work = layer.with_file_name("work");
    write(&work, "script", &format!("{EXTRACT}{script}"));
    let mirror = mirror().expect("this machine has sources of packages");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", LAYER, "layer", tree]).args([layer, &work]).args([&mirror, &codename()]);
    run(&mut command);
    fs::remove_dir_all(&work).expect("our own folder");
}

/// Installs a tree, for this machine's architecture or another one that its processor knows.
fn make(tree: &Path, architecture: Option<&str>) {
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(architecture.map(|architecture| format!("--arch={architecture}")));
    debootstrap
        .args(["--variant=minbase", "--components=main,universe", &format!("--include={PACKAGES}"), &codename()])
        .arg(tree);
    if let Some(mirror) = mirror() {
        debootstrap.arg(mirror);
    }
    run(&mut debootstrap);
    offer_packages(tree);
    for unit in MASKED {
        let link = tree.join("etc/systemd/system").join(unit);
        let _ = fs::remove_file(&link);
        symlink("/dev/null", link).expect("a link in the tree");
    }
    write(tree, "etc/hosts", "127.0.0.1 localhost\n");
    // Machines last for minutes: they needn't survive a power cut.
    write(tree, "etc/dpkg/dpkg.cfg.d/quick", "force-unsafe-io\n");
    for entry in fs::read_dir(tree.join("etc/ssh")).expect("sshd is installed").flatten() {
        if entry.file_name().to_string_lossy().starts_with("ssh_host_") {
            fs::remove_file(entry.path()).expect("a file of the tree");
        }
    }
}

/// Puts packages and their index into the tree, and makes them its only source.
fn offer_packages(tree: &Path) {
    let _ = fs::copy("/etc/resolv.conf", tree.join("etc/resolv.conf"));
    let mut install = Command::new("chroot");
    install
        .arg(tree)
        .args(["apt-get", "install", "-y", "-q", "--no-install-recommends", "--download-only"])
        .args(OFFERED);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"));
    let (cache, packages) = (tree.join("var/cache/apt/archives"), tree.join("srv/packages"));
    fs::create_dir_all(&packages).expect("a folder in the tree");
    let mut index = String::new();
    // What debootstrap left in the cache is installed already.
    for (name, offered) in files(&cache).into_iter().map(|name| (name.clone(), wanted(tree, &cache.join(&name)))) {
        if offered {
            let file = packages.join(&name);
            fs::rename(cache.join(&name), &file).expect("a file can be moved");
            index.push_str(&stanza(&file, &name));
        }
    }
    write(tree, "srv/packages/Packages", &index);
    run(Command::new("chroot").arg(tree).args(["apt-get", "clean"]));
    for list in files(&tree.join("var/lib/apt/lists")) {
        let _ = fs::remove_file(tree.join("var/lib/apt/lists").join(list));
    }
    write(tree, "etc/apt/sources.list", "deb [trusted=yes] file:/srv/packages ./\n");
    write(tree, "etc/apt/apt.conf.d/quick", "Acquire::Languages \"none\";\n");
    write(tree, "etc/resolv.conf", "");
}

fn wanted(tree: &Path, file: &Path) -> bool {
    if file.extension().is_none_or(|extension| extension != "deb") {
        return false;
    }
    let name = run(Command::new("dpkg-deb").arg("--field").arg(file).arg("Package"));
    let admin = format!("--admindir={}", tree.join("var/lib/dpkg").display());
    !finish(Command::new("dpkg-query").args([&admin, "--status", name.trim()])).status.success()
}

/// What an index says of one package.
fn stanza(file: &Path, name: &str) -> String {
    let fields = run(Command::new("dpkg-deb").arg("--field").arg(file));
    let bytes = fs::read(file).expect("a package that was downloaded");
    let hash = xtask::image::digest(&bytes);
    format!(
        "{}\nFilename: ./{name}\nSize: {}\nSHA256: {}\n\n",
        fields.trim_end(),
        bytes.len(),
        hash.trim_start_matches("sha256:")
    )
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<_> = files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Writes a file of a tree or of a machine's own layer above it.
pub(crate) fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().expect("a path with a name")).expect("a folder in the tree");
    fs::write(&file, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
}

/// As [`write`], for a program.
pub(crate) fn write_program(root: &Path, path: &str, text: &str) {
    write(root, path, text);
    fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755)).expect("our own file");
}

/// This machine's release: the tree is of the same.
fn codename() -> String {
    let release = fs::read_to_string("/etc/os-release").expect("Debian and Ubuntu have /etc/os-release");
    let name = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    name.expect("a release has a name").trim_matches('"').to_owned()
}

/// Where this machine gets its packages from.
fn mirror() -> Option<String> {
    let format = "$(CODENAME) $(REPO_URI)";
    let output = finish(Command::new("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let codename = codename();
    text.lines().find_map(|line| line.strip_prefix(&format!("{codename} ")).map(str::to_owned))
}
