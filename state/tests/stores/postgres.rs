//! A real PostgreSQL server, which is even restarted in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bimetal_model::lease::Scope;
use bimetal_model::port::{Remember as _, StateError};
use bimetal_state::{Location, open};
use bimetal_tests::Postgres;

use super::scene::*;

/// A schema of its own.
async fn scene() -> Option<Scene> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap()?;
    Some(scene_at(server, format!("test \"{}\"", COUNT.fetch_add(1, Ordering::SeqCst))))
}

fn scene_at(server: &Postgres, schema: String) -> Scene {
    let location = Location::Postgres { url: server.url(), schema };
    Scene { clock: Arc::default(), location, _keep: Box::new(()) }
}

keeps_its_promises!(scene());

/// On a server of its own: who opens a state on one that is not there is told so at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted_in_the_middle_loses_nothing() {
    let Some(mut server) = tokio::task::spawn_blocking(Postgres::start).await.unwrap() else { return };
    let scene = scene_at(&server, "restarted".to_owned());
    let state = scene.state().await;
    let (lease, number) = begun(&state).await;
    let restarting = tokio::task::spawn_blocking(move || {
        server.down();
        server.up();
    });
    let start = Instant::now();
    let mut written = 0;
    while !restarting.is_finished() || written < 20 {
        state.record(&lease, vec![put_plain(&format!("a.n{written}"), written)]).await.unwrap();
        written += 1;
        assert!(start.elapsed() < Duration::from_secs(120));
    }
    restarting.await.unwrap();
    state.finish(&lease, number, bimetal_model::snapshot::RevisionOutcome::Done).await.unwrap();
    let snapshot = scene.state().await.load().await.unwrap();
    assert_eq!(snapshot.objects.len() as u64, written);
    // Each write is one commit and none is two: the serials have no gaps.
    let mut versions: Vec<u64> = snapshot.versions.values().copied().collect();
    versions.sort_unstable();
    assert!(versions.windows(2).all(|pair| pair[1] == pair[0] + 1), "{versions:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_at_once_and_its_password_is_not() {
    let location = Location::Postgres { url: "postgres://u:hunter2@127.0.0.1:1/d".to_owned(), schema: "s".to_owned() };
    let start = Instant::now();
    let error = open(location, keys(KEY), Arc::new(Clock::default())).await.err().unwrap();
    assert!(start.elapsed() < Duration::from_secs(20));
    let text = error.to_string();
    assert!(text.contains("127.0.0.1") && !text.contains("hunter2"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_state_is_refused() {
    let Some(scene) = scene().await else { return };
    let state = scene.state().await;
    state.lock(&holder("a@b"), &Scope::Everything).await.unwrap();
    let Location::Postgres { url, schema } = &scene.location else { unreachable!("a scene of this file") };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let schema = schema.replace('"', "\"\"");
    client.batch_execute(&format!("UPDATE \"{schema}\".head SET format = 3")).await.unwrap();
    let refused = state.load().await;
    assert!(matches!(refused, Err(StateError::Newer { found: 3, known: 2 })), "{refused:?}");
}
