//! The user's own way to servers: credentials, keys, and none.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use bimetal_sources::Ask;

use crate::http::Server;
use crate::world::{World, run};

/// A server that runs until this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server that takes a port, on one that is free, until it says that it listens.
fn start(says: &str, command: impl Fn(u16) -> Command) -> (Running, u16) {
    for _ in 0..10 {
        // Somebody may be faster: then the next one.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child =
            command(port).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let running = Running(child);
        if listens(stderr, says) {
            return (running, port);
        }
    }
    panic!("no port is free");
}

/// Reads until it says so, or ends; what it says later is read, too, so that it never waits for a reader.
fn listens(stderr: ChildStderr, says: &str) -> bool {
    let mut lines = BufReader::new(stderr);
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
        if line.contains(says) {
            std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
            return true;
        }
        line.clear();
    }
    false
}

#[test]
fn a_password_comes_from_the_users_own_helper() {
    let mut world = World::new();
    world.history("web").commit_file("main.bm.hcl", "first");
    let server = Server::with_password(&world);
    let refused = world.get(&server.url("web"));
    insta::assert_snapshot!(world.said(&refused), @"
    `git::http://SERVER/web/.git` can't be reached
    fatal: could not read Username for 'http://SERVER': terminal prompts disabled
    hint: git has no credentials for it: see `git help credentials`, or use SSH
    ");
    let helper = "!f() { echo username=alice; echo password=secret; }; f";
    world.configure(&format!("[credential]\nhelper = \"{helper}\"\n"));
    let package = world.get(&server.url("web")).unwrap();
    assert!(!format!("{package:?}").contains("secret"));
    world.forget();
    world.configure("");
    let program = world.path("home/ask");
    std::fs::write(&program, "#!/bin/sh\ncase $1 in User*) echo alice;; *) echo secret;; esac\n").unwrap();
    run(Command::new("chmod").arg("+x").arg(&program));
    world.set("GIT_ASKPASS", program.to_str().unwrap());
    assert_eq!(world.get(&server.url("web")), Ok(package));
}

#[test]
fn passwords_of_the_users_settings_are_not_shown() {
    let world = World::new();
    let server = Server::with_password(&world);
    let url = server.url("web").replace("git::", "");
    let secret = url.replace("http://", "http://alice:hunter2@");
    world.configure(&format!("[url \"{secret}\"]\ninsteadOf = {url}\n"));
    let said = world.said(&world.get(&server.url("web")));
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_server_with_nothing_but_files_will_do() {
    let world = World::new();
    let history = world.history("web");
    let first = history.commit_file("main.bm.hcl", "first");
    history.commit_file("main.bm.hcl", "second");
    history.tag("v1.0.0");
    history.git(&["update-server-info"]);
    let server = Server::dumb(&world);
    let newest = world.fetch(&server.url("web"), Some("~> 1.0"), None, Ask::WhereMissing).unwrap();
    assert_eq!(std::fs::read_to_string(newest.folder.join("main.bm.hcl")).unwrap(), "second");
    let older = world.get(&format!("{}?ref={first}", server.url("web"))).unwrap();
    assert_eq!(std::fs::read_to_string(older.folder.join("main.bm.hcl")).unwrap(), "first");
}

#[test]
fn who_gives_up_waits_for_no_server() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("git::http://{}/web", listener.local_addr().unwrap());
    let began = Instant::now();
    // It takes what comes, and never answers.
    world.give_up(&source, || drop(listener.accept().map(std::mem::forget)));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn git_daemon_is_a_server() {
    let world = World::new();
    world.history("web").commit_file("main.bm.hcl", "first");
    let daemon = |port: u16| {
        let mut command = Command::new("git");
        command.args(["daemon", "--listen=127.0.0.1", "--export-all", "--verbose"]).arg(format!("--port={port}"));
        command.arg(format!("--base-path={}", world.path("served").display())).env("HOME", world.path("home"));
        command
    };
    let (_running, port) = start("Ready to rumble", daemon);
    assert!(world.get(&format!("git::git://127.0.0.1:{port}/web")).is_ok());
    let unknown = world.get(&format!("git::git://127.0.0.1:{port}/other")).unwrap_err();
    assert_eq!(unknown.summary, format!("`git::git://127.0.0.1:{port}/other` can't be reached"));
}

#[test]
fn ssh_takes_the_users_keys() {
    let mut world = World::new();
    let history = world.history("web");
    history.commit_file("main.bm.hcl", "first");
    for name in ["host", "key", "stranger"] {
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(world.path(name)));
    }
    let path = |name: &str| world.path(name).display().to_string();
    let config = format!(
        "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PidFile none\nPermitRootLogin yes\nListenAddress 127.0.0.1\n",
        path("host"),
        path("key.pub")
    );
    std::fs::write(world.path("sshd"), config).unwrap();
    // Where it runs as root it wants this folder, which systems make as they start it.
    let _ = std::fs::create_dir("/run/sshd");
    let (_running, port) = start("Server listening", |port| {
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f", &path("sshd"), "-p", &port.to_string()]);
        command
    });
    let host_key = std::fs::read_to_string(world.path("host.pub")).unwrap();
    std::fs::write(world.path("known"), format!("[127.0.0.1]:{port} {host_key}")).unwrap();
    let ssh = |key: &str| {
        format!(
            "ssh -F /dev/null -i {} -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o UserKnownHostsFile={}",
            path(key),
            path("known")
        )
    };
    let (keys, user) = ((ssh("key"), ssh("stranger")), run(Command::new("id").arg("-un")));
    let url = format!("git::ssh://{user}@127.0.0.1:{port}{}", history.folder.display());
    world.set("GIT_SSH_COMMAND", &keys.1);
    let refused = world.get(&url).unwrap_err();
    assert!(refused.hint.as_deref().unwrap_or_default().contains("SSH keys"), "{refused:?}");
    world.set("GIT_SSH_COMMAND", &keys.0);
    let package = world.get(&url).unwrap();
    assert_eq!(package.locked.hash, world.get(&history.url()).unwrap().locked.hash);
}
