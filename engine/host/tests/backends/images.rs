//! What images offer: layouts made here, and a private registry.

use std::path::Path;
use std::sync::Arc;

use bimetal_host::credentials::Secret;
use bimetal_host::fault::{Code, Fault};
use bimetal_host::registry::{Images, Registries, Registry};
use bimetal_model::image::ImageIndex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::oci::{Blobs, Packing, archive, digest, with_platform};
use super::parts::{Server, have, registry, start_registry, unused_port};

async fn resolve_in(root: &Path, source: &str, registries: Registries) -> Result<ImageIndex, Fault> {
    let images = Images::new(Arc::new(registries), root.to_owned());
    images.resolve(&source.parse().unwrap()).await
}

fn platforms(index: &ImageIndex) -> Vec<String> {
    index.manifests.iter().map(|manifest| manifest.platform.to_string()).collect()
}

fn digest_in(descriptor: &Value) -> String {
    descriptor["digest"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_layout_with_an_index_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let amd = with_platform(blobs.image("amd64", &[], Packing::Plain), "amd64", None);
    let arm = with_platform(blobs.image("arm64", &[], Packing::Gzip), "arm64", Some("v8"));
    let mut signed = with_platform(blobs.image("none", &[], Packing::Plain), "unknown", None);
    signed["platform"]["os"] = json!("unknown");
    let index = blobs.index(&[amd.clone(), arm, signed]);
    blobs.write(&folder.path().join("out"), std::slice::from_ref(&index));
    archive(&folder.path().join("out"), &folder.path().join("out.tar"));
    for source in ["oci:out", "oci-archive:out.tar"] {
        let found = resolve_in(folder.path(), source, Registries::default()).await.unwrap();
        assert_eq!(platforms(&found), ["linux/amd64", "linux/arm64"], "{source}");
        assert_eq!((found.digest, &found.manifests[0].digest), (digest_in(&index), &digest_in(&amd)));
    }
}

#[tokio::test]
async fn a_single_image_has_the_platform_of_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let image = blobs.image("arm", &[], Packing::Plain);
    blobs.write(folder.path(), std::slice::from_ref(&image));
    let found = resolve_in(folder.path(), "oci:.", Registries::default()).await.unwrap();
    assert_eq!((platforms(&found), found.digest), (vec!["linux/arm/v7".to_owned()], digest_in(&image)));
}

#[tokio::test]
async fn two_images_for_one_platform_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let images = [&b"a"[..], b"b"].map(|content| blobs.image("amd64", &[("f", content)], Packing::Plain));
    blobs.write(folder.path(), &images);
    let fault = resolve_in(folder.path(), "oci:.", Registries::default()).await.unwrap_err();
    assert!(fault.message.contains("several images for linux/amd64"), "{}", fault.message);
}

#[tokio::test]
async fn a_blob_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let image = blobs.image("amd64", &[], Packing::Plain);
    for (_, bytes) in &mut blobs.0 {
        bytes.push(b' ');
    }
    blobs.write(folder.path(), &[image]);
    let fault = resolve_in(folder.path(), "oci:.", Registries::default()).await.unwrap_err();
    assert!(fault.message.contains("should have the digest"), "{}", fault.message);
}

#[tokio::test]
async fn what_is_no_layout_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.tar"), "no tar").unwrap();
    for (source, code) in
        [("oci:none", Code::NotFound), ("oci-archive:none.tar", Code::NotFound), ("oci-archive:x.tar", Code::Invalid)]
    {
        let fault = resolve_in(folder.path(), source, Registries::default()).await.unwrap_err();
        assert_eq!(fault.code, code, "{}", fault.message);
        assert!(fault.message.contains(source), "{}", fault.message);
    }
}

/// Puts blobs and a manifest into a registry, as `docker push` does.
pub(crate) async fn push(registry: &Server, repository: &str, tag: &str, blobs: &Blobs, top: &Value) {
    push_as(registry, repository, tag, blobs, top, None).await;
}

async fn push_as(
    registry: &Server,
    repository: &str,
    tag: &str,
    blobs: &Blobs,
    top: &Value,
    login: Option<(&str, &str)>,
) {
    let base = format!("http://127.0.0.1:{}/v2/{repository}", registry.port);
    let _ = Images::new(Arc::default(), "/".into());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let with_login = |request: reqwest::RequestBuilder| match login {
        Some((username, password)) => request.basic_auth(username, Some(password)),
        None => request,
    };
    for (digest, bytes) in &blobs.0 {
        let begun = with_login(client.post(format!("{base}/blobs/uploads/"))).send().await.unwrap();
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let mark = if place.contains('?') { '&' } else { '?' };
        let put =
            with_login(client.put(format!("{place}{mark}digest={digest}"))).body(bytes.clone()).send().await.unwrap();
        assert!(put.status().is_success(), "{}", put.status());
    }
    // Those that the others name come first, as they were added.
    let documents = blobs.0.iter().filter_map(|(digest, bytes)| {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let media_type = value["mediaType"].as_str()?.to_owned();
        Some((digest.clone(), bytes.clone(), media_type))
    });
    for (digest, bytes, media_type) in documents {
        let name = if digest == digest_in(top) { tag.to_owned() } else { digest };
        let put = with_login(client.put(format!("{base}/manifests/{name}")).header("content-type", media_type));
        let put = put.body(bytes).send().await.unwrap();
        assert!(put.status().is_success(), "{} {}", put.status(), put.text().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_asked_by_tag_and_by_digest() {
    let Some(registry) = registry() else { return };
    let mut blobs = Blobs::default();
    let amd = with_platform(blobs.image("amd64", &[], Packing::Gzip), "amd64", None);
    let arm = with_platform(blobs.image("arm", &[], Packing::Gzip), "arm", Some("v6"));
    let index = blobs.index(&[amd, arm.clone()]);
    push(registry, "team/web", "1.0", &blobs, &index).await;
    let host = format!("127.0.0.1:{}", registry.port);
    for source in [format!("{host}/team/web:1.0"), format!("{host}/team/web@{}", digest_in(&index))] {
        let found = resolve_in(Path::new("/"), &source, Registries::default()).await.unwrap();
        assert_eq!(platforms(&found), ["linux/amd64", "linux/arm/v6"]);
        assert_eq!(found.digest, digest_in(&index));
    }
    let single = format!("{host}/team/web@{}", digest_in(&arm));
    let found = resolve_in(Path::new("/"), &single, Registries::default()).await.unwrap();
    assert_eq!((platforms(&found), found.digest), (vec!["linux/arm/v7".to_owned()], digest_in(&arm)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_does_not_have_is_named() {
    let Some(registry) = registry() else { return };
    let host = format!("127.0.0.1:{}", registry.port);
    let fault = resolve_in(Path::new("/"), &format!("{host}/no/such:tag"), Registries::default()).await.unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert!(fault.message.contains(&format!("the registry `{host}` has no `tag` of `no/such`")), "{}", fault.message);
    let missing = format!("{host}/no/such@{}", digest(b"nothing"));
    assert_eq!(resolve_in(Path::new("/"), &missing, Registries::default()).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_not_there_is_named() {
    let host = format!("127.0.0.1:{}", unused_port());
    let fault = resolve_in(Path::new("/"), &format!("{host}/a"), Registries::default()).await.unwrap_err();
    assert_eq!((fault.code, fault.retryable), (Code::Unreachable, true));
    assert!(fault.message.contains(&host), "{}", fault.message);
}

/// `hunter2`, as bcrypt has it.
const HTPASSWD: &str = "eve:$2y$05$/K7rQrAEBfEGqSvGwGm2.e.eUnLqierckRFjtqAOlfJsnG2R1Gnhi";

/// What a registry on this machine is sent: the first bytes of each connection, which it answers with this.
async fn first_bytes(answer: &'static str, settings: Registry) -> Vec<u8> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    let registries = Registries { hosts: [(name.clone(), settings)].into(), docker_config: None };
    let mut asking = tokio::spawn(async move {
        let fault = resolve_in(Path::new("/"), &format!("{name}/a:1"), registries).await.unwrap_err();
        assert!(fault.message.contains(&name), "{}", fault.message);
    });
    let mut firsts = Vec::new();
    loop {
        tokio::select! {
            asked = &mut asking => {
                asked.unwrap();
                return firsts;
            }
            accepted = listener.accept() => {
                let (mut stream, _) = accepted.unwrap();
                // All that was sent: what is left unread when a connection ends may take its answer with it.
                let mut sent = vec![0; 1 << 14];
                assert!(stream.read(&mut sent).await.unwrap() > 0);
                firsts.push(sent[0]);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    }
}

#[tokio::test]
async fn a_registry_on_this_machine_is_asked_whether_it_has_tls() {
    let refused = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    let not_found = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let says = |plain_http| Registry { plain_http, ..Registry::default() };
    /// As a handshake begins.
    const TLS: u8 = 0x16;
    assert_eq!(first_bytes(refused, says(None)).await, [b'G', TLS]);
    assert_eq!(first_bytes("\x15\x03\x01\x00\x02\x02\x16", says(None)).await, [b'G', TLS]);
    assert_eq!(first_bytes(not_found, says(None)).await, *b"GG");
    assert_eq!(first_bytes(not_found, says(Some(true))).await, *b"G");
    assert_eq!(first_bytes(refused, says(Some(false))).await, [TLS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_with_logins_wants_one() {
    if !have(&["docker-registry"]) {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), HTPASSWD).unwrap();
    let registry =
        start_registry(&format!("auth:\n  htpasswd: {{ realm: test, path: '{}' }}\n", file.path().display()));
    let mut blobs = Blobs::default();
    let image = blobs.image("amd64", &[], Packing::Plain);
    push_as(&registry, "private", "1", &blobs, &image, Some(("eve", "hunter2"))).await;
    let host = format!("127.0.0.1:{}", registry.port);
    let source = format!("{host}/private:1");

    let fault = resolve_in(Path::new("/"), &source, Registries::default()).await.unwrap_err();
    assert_eq!(fault.code, Code::Unauthorized);
    assert!(fault.message.contains(&format!("docker login {host}")), "{}", fault.message);

    let as_eve = |password: &str| {
        let settings =
            Registry { username: Some("eve".to_owned()), password: Some(Secret::new(password)), ..Default::default() };
        Registries { hosts: [(host.clone(), settings)].into(), docker_config: None }
    };
    assert_eq!(platforms(&resolve_in(Path::new("/"), &source, as_eve("hunter2")).await.unwrap()), ["linux/amd64"]);
    let fault = resolve_in(Path::new("/"), &source, as_eve("wrong-password")).await.unwrap_err();
    assert!(fault.code == Code::Unauthorized && !fault.message.contains("wrong-password"), "{}", fault.message);

    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        config.path(),
        json!({ "auths": { host: { "username": "eve", "password": "hunter2" } } }).to_string(),
    )
    .unwrap();
    let of_docker = Registries { docker_config: Some(config.path().to_owned()), ..Default::default() };
    assert!(resolve_in(Path::new("/"), &source, of_docker).await.is_ok());
}
