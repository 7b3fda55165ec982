//! Private servers for the tests of this process: started once, on free ports of the loopback, in a folder of their own.
//!
//! A server is the child of a small shell that waits for this process to end, however it ends, and then stops the server
//! and removes its folder.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bimetal_host::credentials::Credentials;
use bimetal_host::ssh::Sessions;
use serde_json::{Value, json};

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs its argument's server until standard input ends.
const GUARD: &str = r#"folder=$1; shift; "$@" >"$folder/log" 2>&1 & pid=$!
cat >/dev/null
kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -rf "$folder""#;

/// A server that runs as long as this value, or this process, lives.
pub(crate) struct Server {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    _guard: Child,
}

impl Server {
    fn start(folder: PathBuf, port: u16, command: &[&str], ready: impl Fn() -> bool) -> Server {
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh", &folder.to_string_lossy()])
            .args(command)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell can be started");
        let server = Server { folder, port, _guard: guard };
        let began = Instant::now();
        while !ready() {
            if began.elapsed() > START_TIMEOUT {
                let log = std::fs::read_to_string(server.folder.join("log")).unwrap_or_default();
                panic!("{} does not start:\n{log}", command[0]);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

/// Whether all these programs are there. Says so if not, and fails where they have to be.
pub(crate) fn have(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| find(program).is_none());
    match missing {
        None => true,
        Some(program) if std::env::var_os("BIMETAL_TEST_REAL").is_some_and(|real| real == "1") => {
            panic!("`{program}` is not installed, and BIMETAL_TEST_REAL=1 says that it has to be")
        }
        Some(program) => {
            eprintln!("skipped: `{program}` is not installed");
            false
        }
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin", "/usr/local/bin"]);
    folders.map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

fn program(name: &str) -> String {
    find(name).expect("`have` was asked before").to_string_lossy().into_owned()
}

fn folder() -> PathBuf {
    tempfile::Builder::new().prefix("bimetal-").tempdir_in("/tmp").expect("a folder can be made").keep()
}

/// Somebody else may take it before its server does; that fails the test, and is rare.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    listener.local_addr().expect("it has a port").port()
}

fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// A key pair: `NAME` and `NAME.pub`.
pub(crate) fn key(folder: &Path, name: &str, arguments: &[&str]) -> String {
    let path = folder.join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-f"]).arg(&path).args(arguments).status();
    assert!(made.is_ok_and(|status| status.success()), "a key can be made");
    std::fs::read_to_string(path).expect("the key is there")
}

/// The OpenSSH server, for the user that runs the tests. `client`, `rsa` and `ecdsa` are keys that it lets in.
pub(crate) fn sshd() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| have(&["sshd", "ssh-keygen"]).then(start_sshd)).as_ref()
}

fn start_sshd() -> Server {
    let (folder, port) = (folder(), free_port());
    for (name, arguments) in [
        ("host", vec!["-t", "ed25519", "-N", ""]),
        ("host-ecdsa", vec!["-t", "ecdsa", "-N", ""]),
        ("client", vec!["-t", "ed25519", "-N", ""]),
        ("rsa", vec!["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
        ("ecdsa", vec!["-t", "ecdsa", "-N", ""]),
        ("locked", vec!["-t", "ed25519", "-N", "hunter2"]),
        ("stranger", vec!["-t", "ed25519", "-N", ""]),
    ] {
        key(&folder, name, &arguments);
    }
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the key is there");
    let keys = ["client.pub", "rsa.pub", "ecdsa.pub"].map(read).concat();
    std::fs::write(folder.join("authorized_keys"), keys).expect("it can be written");
    let shown = folder.display();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {shown}/host\nHostKey {shown}/host-ecdsa\nAuthorizedKeysFile {shown}/authorized_keys\n\
         PidFile {shown}/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n\
         MaxSessions 4\nMaxStartups 100\nAllowStreamLocalForwarding yes\n"
    );
    std::fs::write(folder.join("config"), config).expect("it can be written");
    // As root, `sshd` wants this folder.
    let _ = std::fs::create_dir_all("/run/sshd");
    let (command, file) = (program("sshd"), format!("{shown}/config"));
    Server::start(folder.clone(), port, &[&command, "-D", "-e", "-f", &file], || is_open(port))
}

/// The one who runs the tests.
pub(crate) fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("`id` is there");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// An endpoint of the private `sshd`, whose host key is given; `more` is laid over it.
pub(crate) fn endpoint(sshd: &Server, more: Value) -> String {
    let host_key = std::fs::read_to_string(sshd.folder.join("host.pub")).expect("the key is there");
    let mut endpoint = json!({
        "host": "127.0.0.1", "port": sshd.port, "user": user(), "agent": false,
        "credential": { "$credential": "client" }, "host_key": host_key, "host_key_check": "strict",
    });
    for (name, value) in more.as_object().expect("an object is laid over") {
        endpoint[name] = value.clone();
    }
    endpoint.to_string()
}

/// Sessions that know the keys of the private `sshd` by their names.
pub(crate) fn sessions(sshd: &Server) -> Arc<Sessions> {
    Sessions::with_home(credentials(sshd), Some(sshd.folder.join("home")))
}

pub(crate) fn credentials(sshd: &Server) -> Arc<Credentials> {
    let names = ["client", "rsa", "ecdsa", "locked", "stranger"];
    let read = |name: &str| std::fs::read_to_string(sshd.folder.join(name)).expect("the key is there");
    super::ssh::credentials_of(names.map(|name| (name, read(name))))
}

/// The Docker daemon, without networks and images of its own.
pub(crate) fn dockerd() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER
        .get_or_init(|| (have(&["dockerd", "containerd", "runc"]) && is_root()).then(|| start_dockerd(&[], 0)))
        .as_ref()
}

fn is_root() -> bool {
    let root = user() == "root";
    if !root {
        eprintln!("skipped: `dockerd` runs as root only");
    }
    root
}

/// A daemon of its own with these arguments; they may listen on the port.
pub(crate) fn start_dockerd(arguments: &[&str], port: u16) -> Server {
    let folder = folder();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (command, socket) = (program("dockerd"), path("docker.sock"));
    let (data, exec, pid, listen) = (path("data"), path("exec"), path("pid"), format!("unix://{socket}"));
    let mut all = vec![
        command.as_str(),
        "--data-root",
        &data,
        "--exec-root",
        &exec,
        "-p",
        &pid,
        "-H",
        &listen,
        "--iptables=false",
        "--bridge=none",
        "--storage-driver=vfs",
    ];
    all.extend(arguments);
    Server::start(folder.clone(), port, &all, || answers(&socket) && (port == 0 || is_open(port)))
}

/// A daemon listens before it answers.
fn answers(socket: &str) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let sent = stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n");
    let mut answer = String::new();
    sent.is_ok() && std::io::Read::read_to_string(&mut stream, &mut answer).is_ok() && answer.contains(" 200 ")
}

/// A port that nobody listens on.
pub(crate) fn unused_port() -> u16 {
    free_port()
}

/// A registry without logins, over plain HTTP.
pub(crate) fn registry() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| have(&["docker-registry"]).then(|| start_registry(""))).as_ref()
}

/// A registry of its own; the text is added to its configuration.
pub(crate) fn start_registry(more: &str) -> Server {
    let (folder, port) = (folder(), free_port());
    let shown = folder.display();
    let config = format!(
        "version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {shown}/data }}\n\
         http: {{ addr: '127.0.0.1:{port}' }}\n{}",
        more.replace("FOLDER", &shown.to_string()),
    );
    let file = folder.join("config.yml");
    std::fs::write(&file, config).expect("it can be written");
    let (command, file) = (program("docker-registry"), file.to_string_lossy().into_owned());
    Server::start(folder.clone(), port, &[&command, "serve", &file], || is_open(port))
}
