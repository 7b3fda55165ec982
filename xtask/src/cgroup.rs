//! Control groups of our own, in whichever hierarchies this machine has.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// One mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where it is mounted.
    pub path: PathBuf,
    /// `cgroup` or `cgroup2`.
    pub kind: String,
    /// What a second mount of it needs after `-o`; empty for `cgroup2`.
    pub options: String,
}

/// All hierarchies that are mounted where they belong.
pub fn hierarchies() -> Vec<Hierarchy> {
    parse(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
}

fn parse(mountinfo: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = mountinfo.lines().filter_map(parse_line).collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found.dedup_by(|one, other| one.path == other.path);
    found
}

fn parse_line(line: &str) -> Option<Hierarchy> {
    let (mount, source) = line.split_once(" - ")?;
    let path = PathBuf::from(mount.split(' ').nth(4)?);
    let mut source = source.split(' ');
    let (kind, options) = (source.next()?, source.nth(1)?);
    if !kind.starts_with("cgroup") || !path.starts_with("/sys/fs/cgroup") {
        return None;
    }
    let named = options.split(',').any(|option| option.starts_with("name="));
    let options = options
        .split(',')
        .filter(|option| !["rw", "ro", "xattr", "nsdelegate", "memory_recursiveprot"].contains(option));
    let options = named.then_some("none").into_iter().chain(options).collect::<Vec<_>>().join(",");
    let options = if kind == "cgroup2" { String::new() } else { options };
    Some(Hierarchy { path, kind: kind.to_owned(), options })
}

/// A group of the same name in every hierarchy; it ends with this value, and all processes in it do.
#[derive(Debug)]
pub struct Group {
    name: PathBuf,
}

impl Group {
    /// Makes it, or takes it over.
    pub fn new(name: impl Into<PathBuf>) -> Group {
        let name = name.into();
        for hierarchy in hierarchies() {
            let mut folder = hierarchy.path.clone();
            for part in &name {
                delegate(&folder);
                let parent = folder.clone();
                folder.push(part);
                let _ = fs::create_dir(&folder);
                inherit_cpuset(&parent, &folder);
            }
        }
        Group { name }
    }

    /// Moves a process into it.
    pub fn add(&self, process: u32) {
        for folder in self.folders() {
            let _ = fs::write(folder.join("cgroup.procs"), process.to_string());
        }
    }

    /// As `--cgroup-parent` wants it.
    pub fn path(&self) -> String {
        format!("/{}", self.name.display())
    }

    fn folders(&self) -> Vec<PathBuf> {
        hierarchies()
            .into_iter()
            .map(|hierarchy| hierarchy.path.join(&self.name))
            .filter(|folder| folder.is_dir())
            .collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let until = Instant::now() + Duration::from_secs(10);
        // Every one is told to end, also behind one that isn't gone yet.
        while self.folders().iter().filter(|folder| !end(folder)).count() > 0 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Kills what is in a group and below; whether the group is gone.
fn end(folder: &Path) -> bool {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            end(&entry.path());
        }
    }
    for process in fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default().lines() {
        if let Ok(process) = process.parse()
            && process > 1
        {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
    }
    fs::remove_dir(folder).is_ok() || !folder.exists()
}

/// In the second version of groups, a parent says which controllers its children have.
fn delegate(folder: &Path) {
    let control = folder.join("cgroup.subtree_control");
    let offered = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    for controller in offered.split_whitespace() {
        let _ = fs::write(&control, format!("+{controller}"));
    }
}

/// In the first version, a new group of `cpuset` has no processors until it is told.
fn inherit_cpuset(parent: &Path, child: &Path) {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let unset = fs::read_to_string(child.join(file)).is_ok_and(|text| text.trim().is_empty());
        if unset && let Ok(text) = fs::read_to_string(parent.join(file)) {
            let _ = fs::write(child.join(file), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hierarchy, parse};

    #[test]
    fn both_versions_of_groups_are_found() {
        let text = "1 2 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
            1 2 0:1 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
            1 2 0:1 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
            1 2 0:1 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";
        let expected =
            [("cpu", "cgroup", "cpu,cpuacct"), ("systemd", "cgroup", "none,name=systemd"), ("unified", "cgroup2", "")];
        let expected = expected.map(|(name, kind, options)| Hierarchy {
            path: format!("/sys/fs/cgroup/{name}").into(),
            kind: kind.to_owned(),
            options: options.to_owned(),
        });
        assert_eq!(parse(text), expected);
    }
}
