//! A log in something that speaks S3's protocol, and does not always answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State as Given};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use bimetal_model::port::Remember as _;
use bimetal_state::{Bucket, Location, open};

use super::scene::*;

/// Objects by key, and how the service misbehaves.
#[derive(Default)]
struct Service {
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// Every so many writes are done without an answer, and as many are not done at all; 0: none.
    loses: AtomicU64,
    writes: AtomicU64,
    /// It overwrites whatever was said.
    is_careless: bool,
}

impl Service {
    fn put(&self, key: &str, headers: &HeaderMap, body: Bytes) -> Response {
        let (loses, count) = (self.loses.load(Ordering::SeqCst), self.writes.fetch_add(1, Ordering::SeqCst));
        if loses > 0 && count % loses == 0 {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let mut objects = self.objects.lock().unwrap();
        if headers.contains_key("if-none-match") && objects.contains_key(key) && !self.is_careless {
            return StatusCode::PRECONDITION_FAILED.into_response();
        }
        objects.insert(key.to_owned(), body);
        match loses > 0 && count % loses == 1 {
            true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            false => [("etag", "\"e\"")].into_response(),
        }
    }

    fn get(&self, key: &str) -> Response {
        match self.objects.lock().unwrap().get(key) {
            Some(body) => {
                let headers = [("etag", "\"e\""), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")];
                (headers, body.clone()).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn list(&self, prefix: &str) -> Response {
        let objects = self.objects.lock().unwrap();
        let found = objects.iter().filter(|(key, _)| key.starts_with(prefix));
        let contents: String = found
            .map(|(key, body)| {
                let time = "2026-01-01T00:00:00.000Z";
                let size = body.len();
                format!("<Contents><Key>{key}</Key><LastModified>{time}</LastModified><ETag>e</ETag><Size>{size}</Size></Contents>")
            })
            .collect();
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>").into_response()
    }
}

async fn serve(
    Given(service): Given<Arc<Service>>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = uri.path().trim_start_matches("/bucket").trim_start_matches('/').to_owned();
    match method {
        Method::PUT => service.put(&key, &headers, body),
        Method::DELETE => {
            service.objects.lock().unwrap().remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        Method::GET if query.contains_key("list-type") => {
            service.list(query.get("prefix").map(String::as_str).unwrap_or_default())
        }
        _ => service.get(&key),
    }
}

async fn scene_of(service: Service) -> (Scene, Arc<Service>) {
    let service = Arc::new(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(serve).with_state(service.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let options = [
        ("endpoint", endpoint.as_str()),
        ("allow_http", "true"),
        ("region", "us-east-1"),
        ("access_key_id", "id"),
        ("secret_access_key", "secret"),
    ];
    let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let bucket = Bucket { url: "s3://bucket/some/prefix".to_owned(), options: options.into() };
    (Scene { clock: Arc::default(), location: Location::Objects(bucket), _keep: Box::new(()) }, service)
}

keeps_its_promises!(async { Some(scene_of(Service::default()).await.0) });

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_write_at_once_where_answers_are_lost_and_nothing_is_lost_or_done_twice() {
    let (scene, service) = scene_of(Service::default()).await;
    begun(&scene.state().await).await;
    scene.clock.now_ms.store(60_000, Ordering::SeqCst);
    service.loses.store(5, Ordering::SeqCst);
    let write = |name: &'static str, state: bimetal_state::State| async move {
        let lease = state.lock(&holder(name), &scope(&[name], &[])).await.unwrap();
        state.begin(&lease, revision(), None).await.unwrap();
        for size in 0..12 {
            state.record(&lease, vec![put_plain(name, size)]).await.unwrap();
        }
        state.unlock(lease).await.unwrap();
    };
    let (one, other) = (scene.state().await, scene.state().await);
    let tasks = [tokio::spawn(write("a.a", one)), tokio::spawn(write("b.b", other))];
    for task in tasks {
        task.await.unwrap();
    }
    service.loses.store(0, Ordering::SeqCst);
    let state = scene.state().await;
    let expected = ["a.a", "b.b"].map(|name| (address(name), plain(11).into()));
    assert_eq!(state.load().await.unwrap().objects, expected.into());
    let ids: Vec<String> = service.objects.lock().unwrap().iter().filter_map(id).collect();
    let different: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), different.len(), "no commit is there twice");
    assert_eq!(state.examine().await.unwrap().iter().filter(|finding| finding.is_broken).count(), 0);
}

/// Of a commit in the log.
fn id((key, body): (&String, &Bytes)) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    key.contains("/log/").then(|| json["id"].to_string())
}

#[tokio::test]
async fn a_store_that_overwrites_is_found_out() {
    let (scene, _) = scene_of(Service { is_careless: true, ..Service::default() }).await;
    let state = open(scene.location.clone(), keys(KEY), scene.clock.clone()).await.unwrap();
    let error = state.keep_secret("a", b"b").await.unwrap_err().to_string();
    assert!(error.contains("If-None-Match"), "{error}");
}
