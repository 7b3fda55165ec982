//! What speaks the protocol of a cloud's objects, and does not always answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State as Given};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use bimetal_model::port::{Remember as _, StateError};
use bimetal_state::{Bucket, Location, State, open};
use percent_encoding::percent_decode_str;

use super::scene::*;

/// What is asked of a store behind such a service, as tests, beside what is asked of all stores.
macro_rules! is_kept_by_a_service {
    ($dialect:expr) => {
        keeps_its_promises!(async { Some($crate::stores::service::scene_in($dialect).await) });
        is_kept_by_a_service! { $dialect;
            nothing_is_lost_or_done_twice_where_answers_are_lost,
            one_that_overwrites_is_found_out,
            a_bucket_that_does_not_exist_is_named,
            of_many_commits_all_are_listed_and_two_snapshots_are_kept,
        }
    };
    ($dialect:expr; $($test:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                $crate::stores::service::$test($dialect).await;
            }
        )*
    };
}

/// The one bucket that there is.
const BUCKET: &str = "a-bucket";

/// So many objects are listed at once: the clouds list a thousand.
const PAGE: usize = 5;

/// What the clouds do each in its own way.
pub(crate) struct Dialect {
    /// How addresses of its buckets begin.
    pub(crate) scheme: &'static str,
    /// What it calls a bucket.
    pub(crate) bucket: &'static str,
    /// What its client is told, beside where the service is.
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// What its client calls where the service is.
    pub(crate) endpoint: &'static str,
    /// The header that says: only if there is none.
    pub(crate) only_if_none: (&'static str, &'static str),
    /// What it says where there is one.
    pub(crate) taken: StatusCode,
    /// What it says to who deletes what is not there.
    pub(crate) nothing_to_delete: StatusCode,
    /// Its code for a bucket that does not exist.
    pub(crate) no_such_bucket: &'static str,
    /// What goes on behind a page is asked for by.
    pub(crate) token: &'static str,
    /// A page, and what goes on behind it is asked for with.
    pub(crate) page: fn(&[Listed], Option<&str>) -> String,
}

/// What stands in a list.
pub(crate) enum Listed {
    /// An object, and its size in bytes.
    Object(String, usize),
    /// Some that go on behind the delimiter.
    Folder(String),
}

/// As S3 writes it, and those who do as it does.
pub(crate) fn page(listed: &[Listed], token: Option<&str>) -> String {
    let listed = listed.iter().map(|one| match one {
        Listed::Object(key, size) => format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>e</ETag><Size>{size}</Size></Contents>"
        ),
        Listed::Folder(prefix) => format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"),
    });
    let token = token.map(|token| format!("<NextContinuationToken>{token}</NextContinuationToken>"));
    format!("<ListBucketResult>{}</ListBucketResult>", listed.chain(token).collect::<String>())
}

/// Objects by key, and how the service misbehaves.
pub(crate) struct Service {
    dialect: &'static Dialect,
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// Every so many writes are done without an answer, and as many are not done at all; 0: none.
    loses: AtomicU64,
    writes: AtomicU64,
    /// It overwrites whatever was said.
    is_careless: bool,
}

impl Service {
    fn new(dialect: &'static Dialect) -> Service {
        Service {
            dialect,
            objects: Mutex::default(),
            loses: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            is_careless: false,
        }
    }

    fn put(&self, key: &str, headers: &HeaderMap, body: Bytes) -> Response {
        let (loses, count) = (self.loses.load(Ordering::SeqCst), self.writes.fetch_add(1, Ordering::SeqCst));
        if loses > 0 && count % loses == 0 {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let mut objects = self.objects.lock().unwrap();
        let (name, value) = self.dialect.only_if_none;
        let must_be_new = headers.get(name).is_some_and(|given| given == value);
        if must_be_new && objects.contains_key(key) && !self.is_careless {
            return self.dialect.taken.into_response();
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

    fn delete(&self, key: &str) -> Response {
        match self.objects.lock().unwrap().remove(key) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => self.dialect.nothing_to_delete.into_response(),
        }
    }

    /// A page of the keys below a prefix; those that go on behind the delimiter are one, cut there.
    fn list(&self, query: &BTreeMap<String, String>) -> Response {
        let said = |name: &str| query.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let prefix = said("prefix").unwrap_or_default();
        let cut = |key: &str| match said("delimiter").and_then(|delimiter| key[prefix.len()..].find(delimiter)) {
            Some(at) => key[..=prefix.len() + at].to_owned(),
            None => key.to_owned(),
        };
        let objects = self.objects.lock().unwrap();
        let found: BTreeSet<String> =
            objects.keys().filter(|key| key.starts_with(prefix)).map(|key| cut(key)).collect();
        let last = said(self.dialect.token).unwrap_or_default();
        let mut found = found.into_iter().filter(|name| name.as_str() > last);
        let page: Vec<String> = found.by_ref().take(PAGE).collect();
        let token = page.last().cloned().filter(|_| found.next().is_some());
        let listed = page.into_iter().map(|name| match objects.get(&name) {
            Some(body) => Listed::Object(name, body.len()),
            None => Listed::Folder(name),
        });
        (self.dialect.page)(&listed.collect::<Vec<_>>(), token.as_deref()).into_response()
    }

    /// Requests in a request, as Azure's client deletes one object.
    fn batch(&self, body: &[u8]) -> Response {
        let text = String::from_utf8_lossy(body);
        let path = text.split_once("DELETE /").and_then(|(_, rest)| rest.split(' ').next()).unwrap_or_default();
        let key = percent_decode_str(path).decode_utf8_lossy();
        let status = self.delete(key.split_once('/').unwrap_or_default().1).status();
        let part = format!("Content-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 {status}\r\n\r\n");
        let answer = format!("--part\r\n{part}\r\n--part--\r\n");
        (StatusCode::ACCEPTED, [("content-type", "multipart/mixed; boundary=part")], answer).into_response()
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
    let path = percent_decode_str(uri.path()).decode_utf8_lossy();
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket != BUCKET {
        let Dialect { no_such_bucket, .. } = service.dialect;
        let why = format!("<Error><Code>{no_such_bucket}</Code><Message>It does not exist.</Message></Error>");
        return (StatusCode::NOT_FOUND, why).into_response();
    }
    match method {
        Method::PUT => service.put(key, &headers, body),
        Method::DELETE => service.delete(key),
        Method::POST => service.batch(&body),
        Method::GET if key.is_empty() => service.list(&query),
        _ => service.get(key),
    }
}

/// A place in a service of its own.
pub(crate) async fn scene_in(dialect: &'static Dialect) -> Scene {
    scene_of(Service::new(dialect)).await.0
}

async fn scene_of(service: Service) -> (Scene, Arc<Service>) {
    let service = Arc::new(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let Dialect { scheme, options, endpoint, .. } = *service.dialect;
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(serve).with_state(service.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let options = options.iter().copied().chain([(endpoint, &*address)]);
    let options = options.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let bucket = Bucket { url: format!("{scheme}://{BUCKET}/some/prefix"), options };
    (Scene { clock: Arc::default(), location: Location::Objects(bucket), _keep: Box::new(()) }, service)
}

pub(crate) async fn nothing_is_lost_or_done_twice_where_answers_are_lost(dialect: &'static Dialect) {
    let (scene, service) = scene_of(Service::new(dialect)).await;
    begun(&scene.state().await).await;
    scene.clock.now_ms.store(60_000, Ordering::SeqCst);
    service.loses.store(5, Ordering::SeqCst);
    let write = |name: &'static str, state: State| async move {
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
    let different: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), different.len(), "no commit is there twice");
    assert_eq!(state.examine().await.unwrap().iter().filter(|finding| finding.is_broken).count(), 0);
}

/// Of a commit in the log.
fn id((key, body): (&String, &Bytes)) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    key.contains("/log/").then(|| json["id"].to_string())
}

pub(crate) async fn one_that_overwrites_is_found_out(dialect: &'static Dialect) {
    let (scene, _) = scene_of(Service { is_careless: true, ..Service::new(dialect) }).await;
    let error = refused(&scene.location, &scene).await;
    assert!(error.contains("only if there is none"), "{error}");
}

pub(crate) async fn a_bucket_that_does_not_exist_is_named(dialect: &'static Dialect) {
    let scene = scene_in(dialect).await;
    let Location::Objects(bucket) = &scene.location else { unreachable!("it is one") };
    let other = Bucket { url: format!("{}://another/prefix", dialect.scheme), ..bucket.clone() };
    let error = refused(&Location::Objects(other), &scene).await;
    let expected = format!("the {} `another` does not exist", dialect.bucket);
    assert!(error.contains(&expected), "{error}");
}

async fn refused(location: &Location, scene: &Scene) -> String {
    let write = async { open(location.clone(), keys(KEY), scene.clock.clone()).await?.keep_secret("a", b"b").await };
    let refused: Result<_, StateError> = write.await.map(drop);
    refused.unwrap_err().to_string()
}

pub(crate) async fn of_many_commits_all_are_listed_and_two_snapshots_are_kept(dialect: &'static Dialect) {
    let (scene, service) = scene_of(Service::new(dialect)).await;
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    for size in 0..300 {
        state.record(&lease, vec![put_plain("a.a", size)]).await.unwrap();
    }
    let count = |folder: &str| service.objects.lock().unwrap().keys().filter(|key| key.contains(folder)).count();
    assert_eq!(count("/snapshot/"), 2);
    assert!(count("/log/") > 300);
    assert_eq!(scene.state().await.load().await.unwrap(), state.load().await.unwrap());
    let missing = service.objects.lock().unwrap().remove(&format!("some/prefix/log/{:020}", 7));
    assert!(missing.is_some());
    let broken = state.examine().await.unwrap();
    assert!(broken.iter().any(|finding| finding.is_broken && finding.what.contains("no commit 7,")), "{broken:?}");
}
