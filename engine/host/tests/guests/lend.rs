//! Values that are never stored, what providers put off, and what they are told alone.

use bimetal_model::port::{Foreign, Lend as _, Operate as _, PlanRequest, Predict as _, Refusal};
use bimetal_model::snapshot::Object;
use bimetal_model::{Data, Value};

use crate::rig::{Rig, address, config, create_request, key, text};
use crate::server::Server;

fn with(value: Value, name: &str, to: &str) -> Value {
    let members = value.as_members().unwrap().clone();
    members.into_iter().chain([(name.to_owned(), Value::from(to))]).collect()
}

fn without(value: Value, name: &str) -> Value {
    let members = value.as_members().unwrap().clone();
    members.into_iter().chain([(name.to_owned(), Value::NULL)]).collect()
}

#[tokio::test]
async fn what_is_opened_is_ephemeral_to_the_last_part() {
    let rig = Rig::new();
    let opened = rig.host.open(&key(), "good", &address("good"), &config("a")).await.unwrap();
    assert_eq!(opened.lent.renew_after_ms, Some(60_000));
    let Data::Object(members) = &opened.value.data else { panic!("{:?}", opened.value) };
    assert!(members.iter().all(|(_, member)| member.marks.ephemeral));
    let renewed = rig.host.renew(&key(), "good", &address("good"), opened.lent.private).await.unwrap();
    assert_eq!(renewed.private, [5, 1]);
    assert_eq!(rig.host.close(&key(), "good", &address("good"), renewed.private).await, []);
    assert!(text(&rig.host.close(&key(), "trap", &address("trap"), vec![]).await).contains("the sky is falling"));
}

#[tokio::test]
async fn opening_sends_what_the_manifest_names_for_it_and_nothing_else() {
    let server = Server::new(&["200 OK"]).await;
    let rig = Rig::configured(&server.url, "hunter3");
    let open = |method: &'static str| {
        let rig = &rig;
        async move { rig.host.open(&key(), "http", &address("http"), &config(method)).await }
    };
    assert!(open("POST").await.unwrap().value.member("note").is_some());
    assert!(open("GET").await.is_ok(), "looking is allowed then, too");
    let Err(Refusal::Failed(said)) = open("PUT").await else { panic!("it was sent") };
    assert!(text(&said).contains("not granted: PUT requests"), "{}", text(&said));
    assert_eq!(rig.host.close(&key(), "http", &address("http"), vec![]).await, []);
}

#[tokio::test]
async fn what_is_put_off_has_a_reason_that_harms_no_terminal() {
    let rig = Rig::new();
    let Err(Refusal::Deferred(why)) = rig.told(&["later"]).remove(0) else { panic!("it is planned") };
    assert_eq!(why, " [2Jthe sun is not up");
    let read = rig.read("later").await;
    assert_eq!(read, Err(Refusal::Deferred("the sun is not up".to_owned())));
    let opened = rig.host.open(&key(), "later", &address("later"), &config("a")).await;
    assert_eq!(opened, Err(Refusal::Deferred("the sun is not up".to_owned())));
}

#[tokio::test]
async fn what_is_write_only_is_told_and_comes_back_in_nothing() {
    let rig = Rig::new();
    let mut request = create_request("writes", "a");
    request.config = with(request.config, "password", "hush");
    request.planned.value = with(request.planned.value, "password", "hush");
    let plan = |ty: &str| PlanRequest {
        address: address(ty),
        ty: ty.to_owned(),
        prior: None,
        config: request.config.clone(),
        proposed: without(request.config.clone(), "password"),
    };
    assert!(rig.host.plan(&key().name, &[plan("writes")])[0].is_ok());
    let Err(Refusal::Failed(said)) = rig.host.plan(&key().name, &[plan("tattles")]).remove(0) else { panic!("kept") };
    assert!(text(&said).contains("its answer has `password`, which is write-only"), "{}", text(&said));
    let outcome = rig.host.create(&key(), "writes", vec![request.clone()]).await.remove(0);
    let bimetal_model::port::Outcome::Done(object) = outcome else { panic!("{outcome:?}") };
    assert!(object.value.member("note").and_then(Value::as_str).unwrap().contains("hush"), "it was told");
    assert_eq!(object.value.member("password"), None);
}

#[test]
fn another_provider_is_shown_no_credential_of_what_it_takes_over() {
    let rig = Rig::new();
    let object = Object { value: config("a"), private: vec![8] };
    let source = Foreign { provider: key().name, ty: "good".to_owned(), version: 3, object };
    let adopted = rig.host.adopt(&key().name, "good", &source).unwrap();
    let note = adopted.value.member("note").and_then(Value::as_str).unwrap();
    assert!(note.starts_with("rogue good 3 {") && note.contains("$credential") && !note.contains("hunter2"), "{note}");
    assert_eq!(adopted.value.member("key"), Some(&Value::from("hunter2").into_sensitive()), "and has it all the same");
    assert_eq!(adopted.private, [8]);
}
