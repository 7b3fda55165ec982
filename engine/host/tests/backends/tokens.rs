//! Registries that send clients to a token server: a small one of our own, since a real one needs a signing service.

use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_host::credentials::Secret;
use bimetal_host::fault::{Code, Fault};
use bimetal_host::registry::{Images, Registries, Registry};
use bimetal_model::image::ImageIndex;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request: its first line, the authorization and the body.
type Asked = (String, String, String);

/// Answers each request with a status, more headers and a body; keeps what was asked.
async fn serve(
    answer: impl Fn(u16, &Asked) -> (u16, String, String) + Send + Sync + 'static,
) -> (u16, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let request = read(&mut stream).await;
            let (status, headers, body) = answer(port, &request);
            kept.lock().unwrap().push(request);
            let length = body.len();
            let text =
                format!("HTTP/1.1 {status} X\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    });
    (port, asked)
}

async fn read(stream: &mut BufReader<TcpStream>) -> Asked {
    let (mut first, mut authorization, mut length) = (String::new(), String::new(), 0);
    stream.read_line(&mut first).await.unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => authorization = value.to_owned(),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (first, authorization, String::from_utf8(body).unwrap())
}

const INDEX: &str = r#"{"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json",
    "digest": "sha256:0", "size": 1, "platform": {"os": "linux", "architecture": "amd64"}}]}"#;

/// Lets in whoever has the token `good`, which is for those that `knows` takes.
async fn registry(knows: fn(&Asked) -> bool) -> (u16, Arc<Mutex<Vec<Asked>>>) {
    serve(move |port, asked| match asked {
        (first, authorization, _) if first.starts_with("GET /v2/") => match authorization.as_str() {
            "Bearer good" => (200, String::new(), INDEX.to_owned()),
            _ => {
                let realm = format!(
                    "Bearer realm=\"http://127.0.0.1:{port}/token\",service=\"s\",scope=\"repository:a/b:pull\""
                );
                (401, format!("www-authenticate: {realm}\r\n"), String::new())
            }
        },
        asked if knows(asked) => (200, String::new(), r#"{"access_token": "good"}"#.to_owned()),
        _ => (401, String::new(), String::new()),
    })
    .await
}

async fn resolve(port: u16, registries: Registries) -> Result<ImageIndex, Fault> {
    let images = Images::new(Arc::new(registries), Path::new("/").to_owned());
    images.resolve(&format!("127.0.0.1:{port}/a/b:1").parse().unwrap()).await
}

#[tokio::test]
async fn a_token_is_fetched_without_a_login() {
    let (port, asked) =
        registry(|(first, authorization, _)| first.starts_with("GET /token?") && authorization.is_empty()).await;
    assert_eq!(resolve(port, Registries::default()).await.unwrap().manifests.len(), 1);
    let asked = asked.lock().unwrap();
    // Before anything else, whether it has TLS.
    let starts = [
        "GET /v2/ ",
        "GET /v2/a/b/manifests/1 ",
        "GET /token?scope=repository%3Aa%2Fb%3Apull&service=s ",
        "GET /v2/a/b/",
    ];
    assert_eq!(asked.len(), starts.len());
    for ((first, ..), start) in asked.iter().zip(starts) {
        assert!(first.starts_with(start), "{first}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_with_a_login() {
    let (port, _) =
        registry(|(_, authorization, _)| *authorization == format!("Basic {}", STANDARD.encode("eve:hunter2"))).await;
    let as_eve = |password: &str| {
        let (username, password) = (Some("eve".to_owned()), Some(Secret::new(password)));
        let settings = Registry { username, password, ..Default::default() };
        Registries { hosts: [(format!("127.0.0.1:{port}"), settings)].into(), docker_config: None }
    };
    assert!(resolve(port, as_eve("hunter2")).await.is_ok());
    let fault = resolve(port, as_eve("wrong")).await.unwrap_err();
    assert_eq!(fault.code, Code::Unauthorized);
}

#[tokio::test]
async fn a_token_is_fetched_with_an_identity() {
    let (port, _) = registry(|(first, _, body)| {
        first.starts_with("POST /token ") && body.contains("grant_type=refresh_token&refresh_token=id%2Bentity&")
    })
    .await;
    let config = tempfile::NamedTempFile::new().unwrap();
    let auths = json!({ "auths": { format!("127.0.0.1:{port}"): { "identitytoken": "id+entity" } } });
    std::fs::write(config.path(), auths.to_string()).unwrap();
    let registries = Registries { docker_config: Some(config.path().to_owned()), ..Default::default() };
    assert!(resolve(port, registries).await.is_ok());
}
