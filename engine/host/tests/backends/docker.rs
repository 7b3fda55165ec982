//! The Docker API against a private `dockerd`: over a unix socket, through SSH, over TLS.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bimetal_host::certificates::{Authorities, Keep};
use bimetal_host::console::{Console, Window};
use bimetal_host::credentials::Credentials;
use bimetal_host::docker::{Engine, Engines, Log, LogOptions};
use bimetal_host::fault::{Code, Fault};
use bimetal_host::registry::{Images, Registries};
use bimetal_host::ssh::Sessions;
use bimetal_host::{Progress, Report};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::images::push;
use super::oci::{Blobs, Packing, archive, with_platform};
use super::parts::{Server, credentials, dockerd, endpoint, registry, sshd, start_dockerd, unused_port, user};

/// Keeps in memory.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<String, Vec<u8>>>);

#[async_trait]
impl Keep for Kept {
    async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.lock().unwrap().get(name).cloned())
    }

    async fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok(self.0.lock().unwrap().entry(name.to_owned()).or_insert_with(|| secret.to_vec()).clone())
    }
}

pub(crate) fn engines(root: &Path, credentials: Arc<Credentials>) -> Arc<Engines> {
    let sessions = Sessions::with_home(credentials.clone(), None);
    let authorities = Authorities::new(Arc::new(Kept::default()), sessions.clone());
    Engines::new(sessions, authorities, credentials, Arc::new(Registries::default()), root.to_owned())
}

fn unix(server: &Server) -> String {
    json!({ "transport": "unix", "path": server.path("docker.sock") }).to_string()
}

async fn engine_at(root: &Path, server: &Server) -> Arc<Engine> {
    engines(root, Arc::default()).engine(&unix(server)).await.unwrap()
}

/// A layout `out` with one image for this machine; its pinned source.
fn layout(root: &Path, files: &[(&str, &[u8])], packing: Packing) -> String {
    let mut blobs = Blobs::default();
    let image = blobs.image(architecture(), files, packing);
    blobs.write(&root.join("out"), std::slice::from_ref(&image));
    format!("oci:out@{}", image["digest"].as_str().unwrap())
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn busybox() -> Option<Vec<u8>> {
    let found = super::parts::have(&["busybox"]);
    found.then(|| ["/usr/bin/busybox", "/bin/busybox"].iter().find_map(|path| std::fs::read(path).ok())).flatten()
}

/// A name that no other test uses.
fn name(of: &str) -> String {
    format!("{of}-{}", uuid::Uuid::new_v4().simple())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_says_what_it_is() {
    let Some(dockerd) = dockerd() else { return };
    let info = engine_at(Path::new("/"), dockerd).await.info().await.unwrap();
    assert_eq!(info["info"]["OSType"], "linux");
    assert!(info["version"]["ApiVersion"].is_string());
    assert!(info["info"]["NCPU"].is_number() && info["info"]["MemTotal"].is_number());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_not_there_is_named() {
    let engines = engines(Path::new("/"), Arc::default());
    for handle in [
        json!({ "transport": "unix", "path": "/nowhere.sock" }),
        json!({ "transport": "tcp", "host": "127.0.0.1", "port": unused_port(), "tls": false }),
    ] {
        let fault = engines.engine(&handle.to_string()).await.err().unwrap();
        assert_eq!((fault.code, fault.retryable), (Code::Unreachable, true));
        let place = handle["path"].as_str().unwrap_or("127.0.0.1");
        assert!(
            fault.message.contains(place) && fault.message.contains("see that the engine runs"),
            "{}",
            fault.message
        );
    }
}

/// Whether the HTTP client reads that, or only finds its connection gone, is a matter of moments.
#[tokio::test(flavor = "multi_thread")]
async fn why_a_connection_broke_is_said() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Closed like that, it is reset.
            stream.set_zero_linger().unwrap();
        }
    });
    let handle = json!({ "transport": "tcp", "host": "127.0.0.1", "port": port, "tls": false }).to_string();
    for _ in 0..100 {
        let fault = engines(Path::new("/"), Arc::default()).engine(&handle).await.err().unwrap();
        assert!(fault.message.contains("reset by peer") || fault.message.contains("Broken pipe"), "{}", fault.message);
    }
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_loaded_once_however_it_is_packed() {
    let Some(dockerd) = dockerd() else { return };
    for (packing, content) in [(Packing::Plain, &b"plain"[..]), (Packing::Gzip, b"gzip"), (Packing::Zstd, b"zstd")] {
        let root = tempfile::tempdir().unwrap();
        let source = layout(root.path(), &[("file", content)], packing);
        archive(&root.path().join("out"), &root.path().join("out.tar"));
        let engine = engine_at(root.path(), dockerd).await;
        let told = Arc::new(Mutex::new(Vec::<Progress>::new()));
        let report = || -> Report {
            let told = told.clone();
            Arc::new(move |progress| told.lock().unwrap().push(progress))
        };
        let (one, other) = tokio::join!(engine.load_image(&source, Some(report())), engine.load_image(&source, None));
        let image = one.unwrap();
        assert_eq!(image, other.unwrap());
        let tag = format!("bimetal.local/out:{}", &source["oci:out@sha256:".len()..][..12]);
        assert_eq!(image["RepoTags"], json!([tag]), "{packing:?}");
        assert_eq!(image["Config"]["Labels"]["made"], "in a test");
        assert!(!told.lock().unwrap().is_empty());

        // It is there already: nothing is sent.
        told.lock().unwrap().clear();
        std::fs::remove_dir_all(root.path().join("out")).unwrap();
        assert_eq!(engine.load_image(&source, Some(report())).await.unwrap(), image);
        assert!(told.lock().unwrap().is_empty());

        engine.remove_image(&tag).await.unwrap();
        assert_eq!(engine.inspect_image(&tag).await, Ok(None));
        let from_archive = source.replace("oci:out", "oci-archive:out.tar");
        assert_eq!(engine.load_image(&from_archive, None).await.unwrap()["Id"], image["Id"]);
        engine.remove_image(&tag).await.unwrap();
        engine.remove_image(&tag).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_was_changed_is_not_loaded() {
    let Some(dockerd) = dockerd() else { return };
    let root = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let image = blobs.image(architecture(), &[("file", b"content")], Packing::Plain);
    blobs.0[0].1[600] ^= 1;
    blobs.write(&root.path().join("out"), std::slice::from_ref(&image));
    let source = format!("oci:out@{}", image["digest"].as_str().unwrap());
    let fault = engine_at(root.path(), dockerd).await.load_image(&source, None).await.unwrap_err();
    assert!(fault.message.contains("should have the digest"), "{}", fault.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_lives_and_dies() {
    let Some(dockerd) = dockerd() else { return };
    let Some(busybox) = busybox() else { return };
    let root = tempfile::tempdir().unwrap();
    let source = layout(root.path(), &[("bin/busybox", &busybox)], Packing::Gzip);
    let engine = engine_at(root.path(), dockerd).await;
    let image = engine.load_image(&source, None).await.unwrap()["Id"].as_str().unwrap().to_owned();
    let name = name("web");
    let script = "echo out; echo err >&2; trap 'exit 0' TERM; while :; do /bin/busybox sleep 0.1; done";
    let body = json!({
        "Image": image, "Entrypoint": ["/bin/busybox", "sh", "-c", script], "Labels": { "test": name },
        "Env": ["A=b"], "HostConfig": { "NetworkMode": "none", "RestartPolicy": { "Name": "unless-stopped" },
            "Memory": 64 << 20, "NanoCpus": 500_000_000, "PortBindings": { "80/tcp": [{ "HostPort": "8080" }] } },
        "ExposedPorts": { "80/tcp": {} }, "Volumes": { "/data": {} },
        "Healthcheck": { "Test": ["CMD", "/bin/busybox", "true"], "Interval": 3_000_000_000_u64, "Retries": 2 },
    });
    let platform = format!("linux/{}", architecture());
    let id = engine.create_container(&name, Some(&platform), body.clone()).await.unwrap();
    let fault = engine.create_container(&name, None, body).await.unwrap_err();
    assert_eq!(fault.code, Code::Conflict);
    assert!(fault.message.starts_with(&format!("the container name `{name}` is taken")), "{}", fault.message);

    engine.start_container(&id).await.unwrap();
    engine.start_container(&id).await.unwrap();
    let listed = engine.containers(json!({ "label": [format!("test={name}")] })).await.unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["Id"]), (1, &json!(id)));
    let seen = engine.inspect_container(&id).await.unwrap().unwrap();
    assert_eq!(seen["State"]["Running"], true);
    let host = &seen["HostConfig"];
    assert_eq!((&host["Memory"], &host["NanoCpus"]), (&json!(64 << 20), &json!(500_000_000)));
    assert_eq!(host["PortBindings"]["80/tcp"][0]["HostPort"], "8080");
    assert_eq!(seen["Config"]["ExposedPorts"], json!({ "80/tcp": {} }));
    assert_eq!(seen["Config"]["Healthcheck"]["Interval"], json!(3_000_000_000_u64));

    let mut follow = engine.logs(&id, &LogOptions { follow: true, ..Default::default() }).unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    while out.is_empty() || err.is_empty() {
        match follow.next().await.unwrap().unwrap() {
            Log::Output(bytes) => out += &String::from_utf8_lossy(&bytes),
            Log::Error(bytes) => err += &String::from_utf8_lossy(&bytes),
        }
    }
    assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));

    let command = ["/bin/busybox", "sh", "-c", "/bin/busybox cat; echo bad >&2; exit 7"].map(str::to_owned);
    let (mut near, far) = tokio::io::duplex(1 << 16);
    let console = Console::of(&b"given"[..], far, tokio::io::sink());
    assert_eq!(engine.exec(&id, &command, None, console).await, Ok(7));
    let mut output = String::new();
    near.read_to_string(&mut output).await.unwrap();
    assert_eq!(output, "given");

    // A terminal gets its size only after it has begun.
    let script = "b=/bin/busybox; until $b stty size | $b grep '17 91'; do $b sleep 0.1; done";
    let command = ["/bin/busybox", "sh", "-c", script].map(str::to_owned);
    let (mut near, far) = tokio::io::duplex(1 << 16);
    let (_sender, window) = tokio::sync::watch::channel(Window { columns: 91, rows: 17 });
    let (_typing, typed) = tokio::io::duplex(1);
    let console = Console { window: Some(window), ..Console::of(typed, far, tokio::io::sink()) };
    assert_eq!(engine.exec(&id, &command, Some("0"), console).await, Ok(0));
    let mut output = String::new();
    near.read_to_string(&mut output).await.unwrap();
    assert!(output.contains("17 91"), "{output}");

    engine.rename_container(&id, &format!("{name}-2")).await.unwrap();
    engine.update_container(&id, json!({ "RestartPolicy": { "Name": "no" } })).await.unwrap();
    let seen = engine.inspect_container(&id).await.unwrap().unwrap();
    assert_eq!(
        (&seen["Name"], &seen["HostConfig"]["RestartPolicy"]["Name"]),
        (&json!(format!("/{name}-2")), &json!("no"))
    );

    engine.stop_container(&id, 5).await.unwrap();
    engine.stop_container(&id, 5).await.unwrap();
    engine.remove_container(&id, true).await.unwrap();
    engine.remove_container(&id, true).await.unwrap();
    assert_eq!(engine.inspect_container(&id).await, Ok(None));
    assert_eq!(engine.start_container(&id).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_and_networks_come_and_go() {
    let Some(dockerd) = dockerd() else { return };
    let engine = engine_at(Path::new("/"), dockerd).await;
    let name = name("data");
    let made = engine.create_volume(json!({ "Name": name, "Labels": { "test": name } })).await.unwrap();
    assert_eq!(made["Name"], json!(name));
    assert_eq!(
        engine.volumes(json!({ "label": [format!("test={name}")] })).await.unwrap().as_array().unwrap().len(),
        1
    );
    assert_eq!(engine.inspect_volume(&name).await.unwrap().unwrap()["Driver"], "local");
    engine.remove_volume(&name).await.unwrap();
    engine.remove_volume(&name).await.unwrap();
    assert_eq!(engine.inspect_volume(&name).await, Ok(None));

    let networks = engine.networks(json!({ "name": ["none"] })).await.unwrap();
    let id = networks[0]["Id"].as_str().unwrap();
    assert_eq!(engine.inspect_network(id).await.unwrap().unwrap()["Name"], "none");
    assert_eq!(engine.inspect_network(&name).await, Ok(None));
    engine.remove_network(&name).await.unwrap();
    let fault = engine.create_network(json!({ "Name": "none" })).await.unwrap_err();
    assert!(fault.message.contains("making network none"), "{}", fault.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_pulled_once() {
    let (Some(dockerd), Some(registry)) = (dockerd(), registry()) else {
        return;
    };
    let mut blobs = Blobs::default();
    let image = with_platform(blobs.image(architecture(), &[("pulled", b"yes")], Packing::Gzip), architecture(), None);
    let index = blobs.index(&[image]);
    let repository = name("pulled");
    push(registry, &repository, "1", &blobs, &index).await;
    let source = format!("127.0.0.1:{}/{repository}:1", registry.port);
    let images = Images::new(Arc::default(), "/".into());
    let found = images.resolve(&source.parse().unwrap()).await.unwrap();
    let pinned = bimetal_model::image::ImageSource::Registry(source).pinned(&found.manifests[0].digest);
    let platform = found.manifests[0].platform.to_string();

    let engine = engine_at(Path::new("/"), dockerd).await;
    let (one, other) = tokio::join!(
        engine.pull_image(&pinned, Some(&platform), None),
        engine.pull_image(&pinned, Some(&platform), None),
    );
    let pulled = one.unwrap();
    assert_eq!(pulled, other.unwrap());
    assert_eq!(pulled["RepoDigests"], json!([pinned]));
    assert_eq!(engine.pull_image(&pinned, Some(&platform), None).await.unwrap(), pulled);
    engine.remove_image(&pinned).await.unwrap();

    let missing = format!("{}@sha256:{}", pinned.split('@').next().unwrap(), "0".repeat(64));
    let fault = engine.pull_image(&missing, None, None).await.unwrap_err();
    assert_eq!(fault.code, Code::NotFound, "{}", fault.message);
    let nowhere = format!("127.0.0.1:{}/a@sha256:{}", unused_port(), "0".repeat(64));
    let fault = engine.pull_image(&nowhere, None, None).await.unwrap_err();
    assert_eq!((fault.code, fault.retryable), (Code::Unreachable, true), "{}", fault.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_is_reached_through_ssh() {
    let (Some(dockerd), Some(sshd)) = (dockerd(), sshd()) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let source = layout(root.path(), &[("file", &vec![7; 3 << 20])], Packing::Plain);
    let endpoint: Value = serde_json::from_str(&endpoint(sshd, json!({}))).unwrap();
    let handle = json!({ "transport": "ssh", "endpoint": endpoint, "socket": dockerd.path("docker.sock") }).to_string();
    let engines = engines(root.path(), credentials(sshd));
    let engine = engines.engine(&handle).await.unwrap();
    assert!(Arc::ptr_eq(&engine, &engines.engine(&handle).await.unwrap()));
    assert!(engine.name().starts_with(&format!("ssh://{}@127.0.0.1", user())));
    let image = engine.load_image(&source, None).await.unwrap();
    let asked = futures::future::join_all((0..40).map(|_| engine.info())).await;
    assert!(asked.into_iter().all(|info| info.is_ok()));
    engine.remove_image(image["Id"].as_str().unwrap()).await.unwrap();

    let elsewhere = handle.replace("docker.sock", "nowhere.sock");
    let fault = engines.engine(&elsewhere).await.err().unwrap();
    assert!(fault.code == Code::Unreachable && fault.message.contains("nowhere.sock"), "{}", fault.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_with_our_certificates_is_reached_over_tls() {
    let (Some(sshd), Some(_)) = (sshd(), dockerd()) else {
        return;
    };
    let credentials = credentials(sshd);
    let sessions = Sessions::with_home(credentials.clone(), None);
    let authorities = Authorities::new(Arc::new(Kept::default()), sessions.clone());
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().to_string_lossy().into_owned();
    let names = ["127.0.0.1".to_owned(), "engine.example.org".to_owned()];
    authorities.install_server("lab", &endpoint(sshd, json!({})), &shown, &names, 30).await.unwrap();
    let port = unused_port();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let arguments = [
        "--tlsverify",
        "--tlscacert",
        &path("ca.pem"),
        "--tlscert",
        &path("server-cert.pem"),
        "--tlskey",
        &path("server-key.pem"),
        "-H",
        &format!("tcp://127.0.0.1:{port}"),
    ];
    let _dockerd = start_dockerd(&arguments, port);
    let tcp = |more: Value| {
        let mut handle = json!({ "transport": "tcp", "host": "127.0.0.1", "port": port });
        handle.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        handle.to_string()
    };
    let engines = Engines::new(sessions, authorities.clone(), credentials, Arc::default(), "/".into());
    assert!(engines.engine(&tcp(json!({ "authority": "lab" }))).await.unwrap().info().await.is_ok());
    let ours = authorities.client("lab").await.unwrap();
    let given = json!({ "ca": ours.authority_pem, "certificate": ours.certificate_pem, "key": ours.key_pem.expose() });
    assert!(engines.engine(&tcp(given)).await.unwrap().info().await.is_ok());
    for stranger in [json!({ "authority": "other" }), json!({ "ca": ours.authority_pem }), json!({ "tls": false })] {
        assert!(engines.engine(&tcp(stranger)).await.is_err());
    }
}
