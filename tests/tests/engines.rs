//! Engines behind TLS and behind SSH: everything works through them, and what is wrong with a key is said.

use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bimetal_tests::engine::Tls;
use bimetal_tests::node::{Setup, make_key};
use bimetal_tests::wait::{until, until_true};
use bimetal_tests::{Bimetal, Engine, Lab, Node, http, image};
use nix::sys::signal::Signal;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use xtask::web::{Platform, build};

const PATIENCE: Duration = Duration::from_secs(30);

/// One machine, however it is reached, and a service on it.
const CONFIGURATION: &str = r#"
machine "docker" "far" {
  host = "HOST"
  ACCESS
}

pool "all" {
  machines = [machine.docker.far]
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = 1

  port {
    host      = 8080
    container = 8080
  }
}
"#;

fn operator(host: &str, access: &str) -> Bimetal {
    let bimetal = Bimetal::new(&configuration(host, access));
    image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "hello");
    bimetal
}

fn configuration(host: &str, access: &str) -> String {
    CONFIGURATION.replace("HOST", host).replace("ACCESS", access)
}

/// Signs the certificates of engines and of clients.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate and its key.
    fn sign(&self, names: &[String]) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(names).expect("names and addresses");
        (params.signed_by(&key, &self.issuer).expect("a certificate").pem(), key.serialize_pem())
    }

    fn server(&self, address: Ipv4Addr) -> Tls {
        let (certificate, key) = self.sign(&[address.to_string()]);
        Tls { ca: self.pem.clone(), certificate, key }
    }

    /// Writes `ca.pem`, `certificate.pem` and `key.pem`.
    fn client(&self, bimetal: &Bimetal) {
        let (certificate, key) = self.sign(&["bimetal".to_owned()]);
        bimetal.write("ca.pem", &self.pem);
        bimetal.write("certificate.pem", &certificate);
        bimetal.write("key.pem", &key);
    }
}

const WITH_TLS: &str = r#"
  ca          = file("ca.pem")
  certificate = file("certificate.pem")
  key         = file("key.pem")
"#;

#[test]
fn everything_works_through_an_engine_behind_tls() {
    let Some(lab) = Lab::start() else { return };
    let authority = Authority::new();
    let engine = Engine::start_with_tls(&lab, "far", |address| authority.server(address));
    let bimetal = operator(&engine.host(), WITH_TLS);
    authority.client(&bimetal);
    bimetal.apply();
    assert_eq!(engine.names(), ["web-0"]);
    works_throughout(&bimetal, engine.page(8080), || {
        engine.request("POST", "/containers/web-0/stop", &json!({}));
    });

    let error = bimetal.run(&["ssh", "machine.docker.far", "hostname"]).failed();
    assert!(error.contains("`machine.docker.far` is not reached over SSH"), "{error}");
    bimetal.ok(&["destroy", "--auto-approve"]);
    assert!(engine.names().is_empty());
}

#[test]
fn what_is_wrong_with_tls_is_said() {
    let Some(lab) = Lab::start() else { return };
    let (authority, other) = (Authority::new(), Authority::new());
    let engine = Engine::start_with_tls(&lab, "far", |address| authority.server(address));
    let bimetal = operator(&engine.host(), WITH_TLS);
    let plan = || bimetal.run(&["plan"]).failed();

    // An authority that did not sign the engine's certificate.
    authority.client(&bimetal);
    bimetal.write("ca.pem", &other.pem);
    assert_says(&plan(), &["machine.docker.far", &engine.host(), "`ca`"]);

    // An authority that the engine does not believe.
    other.client(&bimetal);
    bimetal.write("ca.pem", &authority.pem);
    assert_says(&plan(), &["machine.docker.far", &engine.host(), "`certificate`"]);

    // None at all.
    bimetal.write("main.bm.hcl", &configuration(&engine.host(), r#"ca = file("ca.pem")"#));
    assert_says(&plan(), &["machine.docker.far", &engine.host(), "`certificate`", "`key`"]);

    // A certificate without its key.
    let half = "ca = file(\"ca.pem\")\n  certificate = file(\"certificate.pem\")";
    bimetal.write("main.bm.hcl", &configuration(&engine.host(), half));
    assert_says(&plan(), &["machine.docker.far", "`certificate`", "`key`"]);

    // A file that is something else.
    authority.client(&bimetal);
    bimetal.write("ca.pem", "not a certificate\n");
    bimetal.write("main.bm.hcl", &configuration(&engine.host(), WITH_TLS));
    assert_says(&plan(), &["machine.docker.far", "`ca`", "PEM"]);

    // No TLS where the engine wants it.
    bimetal.write("main.bm.hcl", &configuration(&engine.host(), "insecure = true"));
    assert_says(&plan(), &["machine.docker.far", &engine.host(), "TLS"]);
}

/// A machine with sshd and Docker, and the key that lets us in.
struct Far {
    node: Node,
    key: std::path::PathBuf,
    _lab: Lab,
}

impl Far {
    fn start() -> Option<Far> {
        let lab = Lab::start()?;
        let key = lab.folder("keys").join("operator");
        let setup = Setup { authorized_keys: vec![make_key(&key)], ..Setup::default() };
        let node = Node::boot(&lab, "far", &setup);
        node.run(&["sh", "-c", "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q docker.io"]);
        Some(Far { node, key, _lab: lab })
    }

    fn host(&self) -> String {
        format!("ssh://root@{}", self.node.address())
    }

    fn key_file(&self) -> String {
        format!("key_file = \"{}\"", self.key.display())
    }

    fn host_key(&self) -> String {
        format!("host_key = \"{}\"", self.node.host_key())
    }
}

#[test]
fn everything_works_through_an_engine_behind_ssh() {
    let Some(far) = Far::start() else { return };
    let bimetal = operator(&far.host(), &format!("{}\n  {}", far.key_file(), far.host_key()));
    bimetal.apply();
    assert_eq!(far.node.containers(), ["web-0"]);
    works_throughout(&bimetal, far.node.page(8080), || {
        far.node.run(&["docker", "stop", "web-0"]);
    });

    assert_eq!(bimetal.ok(&["ssh", "machine.docker.far", "hostname"]), "far\n");
    let status = bimetal.run(&["ssh", "machine.docker.far", "--", "sh", "-c", "echo gone >&2; exit 7"]);
    assert_eq!((status.code, status.stderr.trim()), (7, "gone"), "{status}");
    bimetal.ok(&["destroy", "--auto-approve"]);
    assert!(far.node.containers().is_empty());
}

#[test]
fn what_is_wrong_with_ssh_is_said() {
    let Some(far) = Far::start() else { return };
    let bimetal = operator(&far.host(), "");
    let address = far.node.address().to_string();
    let plan_with = |access: &str| {
        bimetal.write("main.bm.hcl", &configuration(&far.host(), access));
        bimetal.run(&["plan"]).failed()
    };

    // A machine that nobody has met.
    let error = plan_with(&far.key_file());
    assert_says(&error, &["machine.docker.far", &address, "is not known", "host_key", "known_hosts"]);

    // Another machine than the one that was meant.
    let stranger = make_key(&bimetal.folder().join("stranger"));
    let error = plan_with(&format!("{}\n  host_key = \"{stranger}\"", far.key_file()));
    assert_says(&error, &["machine.docker.far", &address, "which is not its `host_key`"]);

    // A file that is not there.
    let error = plan_with(&format!("key_file = \"./nowhere\"\n  {}", far.host_key()));
    assert_says(&error, &["machine.docker.far", "nowhere", "No such file"]);

    // A key that the machine does not know.
    let error = plan_with(&format!("key_file = \"stranger\"\n  {}", far.host_key()));
    assert_says(&error, &["machine.docker.far", &address, "lets nobody in", "authorized_keys"]);

    // No key at all: neither an agent nor a file.
    let error = plan_with(&far.host_key());
    assert_says(&error, &["machine.docker.far", &address, "key_file"]);

    // A user who may not use the engine.
    far.node.run(&["useradd", "--create-home", "pi"]);
    let home = "/home/pi/.ssh";
    far.node.run(&["sh", "-c", &format!("cp -r /root/.ssh {home} && chown -R pi {home}")]);
    let as_pi =
        configuration(&far.host().replace("root@", "pi@"), &format!("{}\n  {}", far.key_file(), far.host_key()));
    bimetal.write("main.bm.hcl", &as_pi);
    let error = bimetal.run(&["plan"]).failed();
    assert_says(&error, &["machine.docker.far", &format!("pi@{address}"), "docker.sock", "`pi`"]);
}

#[test]
fn the_key_in_the_home_folder_is_tried_where_none_is_named() {
    let Some(far) = Far::start() else { return };
    let bimetal = operator(&far.host(), "host_key_check = \"accept-new\"");
    let folder = bimetal.folder().join(".home/.ssh");
    std::fs::create_dir_all(&folder).expect("our own folder");
    std::fs::copy(&far.key, folder.join("id_ed25519")).expect("our own key");
    bimetal.apply();
    bimetal.assert_settled();
    let known = std::fs::read_to_string(folder.join("known_hosts")).expect("the host key is kept");
    assert!(known.contains(&far.node.address().to_string()), "{known}");
}

#[test]
fn a_port_that_something_else_holds_is_said_and_nothing_is_leaked() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "far");
    let bimetal = operator(&engine.host(), "insecure = true");
    for holder in [Holder::Container, Holder::Process] {
        let held = Held::by(&holder, &engine);
        let failed = bimetal.run(&["apply", "--auto-approve"]);
        assert_eq!(failed.code, 3, "the machine is there, the replica is not: {failed}");
        assert_says(&failed.stderr, &["service.web.replica[0]", "port 8080", &engine.host(), "host"]);
        // What was made before the port was refused is known to the state, and to nobody else.
        let ours = engine.names().iter().filter(|name| *name == "web-0").count();
        let known = bimetal.ok(&["state", "list"]).lines().filter(|line| line.contains("replica")).count();
        assert_eq!(ours, known, "{holder:?}: a container that the state doesn't know, or the other way round");

        held.release(&engine);
        bimetal.apply();
        assert_eq!(engine.names(), ["web-0"], "{holder:?}");
        assert!(http::page(engine.page(8080)).starts_with("x86_64 "));
        bimetal.assert_settled();
        bimetal.ok(&["destroy", "--auto-approve"]);
        assert!(engine.names().is_empty());
    }
}

/// Who has the port that a replica wants.
#[derive(Debug)]
enum Holder {
    Container,
    Process,
}

enum Held {
    Container,
    Process(Child),
}

impl Held {
    fn by(holder: &Holder, engine: &Engine) -> Held {
        let held = match holder {
            Holder::Container => {
                // An image is there from an earlier service of ours.
                let other = operator(&engine.host(), "insecure = true");
                other.write("main.bm.hcl", &configuration(&engine.host(), "insecure = true").replace("web", "foreign"));
                other.apply();
                Held::Container
            }
            Holder::Process => {
                let server = build(Platform::Amd64).expect("the web server is built");
                let mut command: Command = engine.cell().enter("setpriv");
                command.args(["--pdeathsig", "KILL"]).arg(server);
                Held::Process(command.stdout(Stdio::null()).spawn().expect("nsenter"))
            }
        };
        http::page(engine.page(8080));
        held
    }

    fn release(self, engine: &Engine) {
        match self {
            Held::Container => {
                engine.request("DELETE", "/containers/foreign-0?force=1", &json!({}));
            }
            Held::Process(mut child) => {
                child.kill().and_then(|()| child.wait()).expect("our own child");
            }
        }
        until_true("the port to be free", PATIENCE, || std::net::TcpStream::connect(engine.page(8080)).is_err());
    }
}

/// What people do with a fleet, and what they see of it. Ends with the container.
fn works_throughout(bimetal: &Bimetal, page: std::net::SocketAddr, stop: impl FnOnce()) {
    assert!(http::page(page).starts_with("x86_64 "));
    bimetal.assert_settled();
    let machines = bimetal.ok(&["machines"]);
    assert!(machines.contains("machine.docker.far") && machines.contains("running "), "{machines}");
    let containers = bimetal.ok(&["ps"]);
    assert!(containers.contains("web-0") && containers.contains("8080->8080"), "{containers}");
    let said = bimetal.ok(&["exec", "web-0", "--", "/web", "uname"]);
    assert!(said.starts_with("x86_64 "), "{said}");
    let refused = bimetal.run(&["exec", "web-0", "/web", "dance"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("`dance` is none of"), "{refused}");
    let logs = bimetal.ok(&["logs", "service.web.replica[0]"]);
    assert!(logs.contains("listening on port 8080"), "{logs}");
    let last = bimetal.ok(&["logs", "web-0", "--tail", "1"]);
    assert_eq!(last.lines().count(), 1, "{last}");
    follows(bimetal, page, stop);
}

/// What is printed while it is followed is seen at once; Ctrl-C ends that, and so does the container's end.
fn follows(bimetal: &Bimetal, page: std::net::SocketAddr, stop: impl FnOnce()) {
    let following = [(); 2].map(|()| bimetal.start(&["logs", "--follow", "web-0"]));
    for one in &following {
        until("the log so far", PATIENCE, || match one.printed() {
            text if text.contains("listening on port") => Ok(()),
            text => Err(text),
        });
    }
    http::get(page, "/while-it-is-followed").expect("the page is there");
    for one in &following {
        until("a line of the log as it goes on", PATIENCE, || match one.printed() {
            text if text.contains("GET /while-it-is-followed") => Ok(()),
            text => Err(text),
        });
    }
    let [interrupted, mut lasting] = following;
    interrupted.signal(Signal::SIGINT);
    let interrupted = interrupted.wait();
    assert!(interrupted.stderr.is_empty(), "{interrupted}");
    assert!(!lasting.has_ended());
    stop();
    let ended = lasting.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended}");
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "nothing of `{word}` in: {text}");
    }
}
