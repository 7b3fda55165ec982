//! What guests can reach of the world, and what not.

use bimetal_model::port::Operate as _;

use crate::rig::{Rig, address, config, key, text};
use crate::server::Server;

#[test]
fn a_pure_call_has_no_capability() {
    let rig = Rig::new();
    let diagnostics = rig.validate("pure");
    assert_eq!(diagnostics.len(), 4);
    for diagnostic in diagnostics {
        assert!(diagnostic.summary.starts_with("Code::WrongPhase: not while planning"), "{}", diagnostic.summary);
    }
}

#[tokio::test]
async fn an_origin_that_was_not_granted_is_refused() {
    let server = Server::new(&["200 OK"]).await;
    let rig = Rig::new();
    let error = rig.create_error("ungranted", &server.url).await;
    assert!(error.contains("Code::Denied: provider `rogue`: not granted: GET requests to http://127.0.0.1"), "{error}");
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn the_origin_of_the_provider_block_is_granted_and_gets_the_credential() {
    let server = Server::new(&["200 OK"]).await;
    let rig = Rig::configured(&server.url, "hunter3");
    assert_eq!(rig.note("http", "/x").await, "200 hello");
    let asked = server.asked();
    assert!(asked[0].starts_with("get /x ") && asked[0].contains("authorization: bearer hunter3\r\n"), "{asked:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::new(&["200 OK"]).await;
    let location = format!("302 Found\r\nlocation: {}", elsewhere.url);
    let server = Server::new(vec![&*location.leak()].leak()).await;
    let rig = Rig::configured(&server.url, "hunter3");
    assert_eq!(rig.note("http", "/").await, "302 hello");
    assert_eq!(elsewhere.asked().len(), 0);
}

#[tokio::test]
async fn too_many_requests_are_sent_again_later() {
    let server = Server::new(&["429 Too Many Requests\r\nretry-after: 1", "503 Busy", "200 OK"]).await;
    let rig = Rig::configured(&server.url, "hunter3");
    assert_eq!(rig.note("http", "/").await, "200 hello");
    assert_eq!(server.asked().len(), 3);
    let told = rig.events.progress();
    assert!(told.iter().any(|line| line.contains("waiting 1 s")), "{told:?}");
}

#[tokio::test]
async fn looking_changes_nothing() {
    let server = Server::new(&["200 OK"]).await;
    let rig = Rig::configured(&server.url, "hunter3");
    let error = text(&rig.read("http").await.unwrap_err().diagnostics());
    assert!(error.contains("Code::WrongPhase: not while looking: POST requests"), "{error}");
    let error = text(&rig.read("ssh").await.unwrap_err().diagnostics());
    assert!(error.contains("Code::WrongPhase: not while looking: the command `change`"), "{error}");
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn a_guest_cannot_spend_the_credentials_of_others() {
    let server = Server::new(&["200 OK"]).await;
    let rig = Rig::configured(&server.url, "hunter3");
    for id in ["provider.other#token", "provider.rogue.alias#token", "provider.rogue#api_url", "good.x#key"] {
        let error = rig.create_error("leak", id).await;
        assert!(error.contains("Code::Denied"), "{error}");
    }
    for endpoint in [
        r#"{"host":"127.0.0.1","port":1,"user":"x","credential":{"$credential":"provider.other#token"}}"#,
        r#"{"host":"127.0.0.1","port":1,"user":"x","bastion":{"host":"h","user":"x","credential":{"$credential":"a#b"}}}"#,
    ] {
        let error = rig.create_error("ssh", endpoint).await;
        assert!(error.contains("Code::Denied") && error.contains("was not given to this call"), "{error}");
    }
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn a_capability_that_was_not_asked_for_is_named() {
    let rig = Rig::new();
    let read = bimetal_model::snapshot::Object { value: config("a"), private: Vec::new() };
    let answers = rig.host.read(&key(), "docker", &[(address("docker"), read)]).await;
    let error = text(&answers[0].clone().unwrap_err().diagnostics());
    assert!(error.contains("Code::Denied: provider `rogue` was not granted: container engines"), "{error}");
}
