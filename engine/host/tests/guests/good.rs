//! What a well-behaved guest gets and gives.

use bimetal_model::port::{Deletion, Operate, Outcome, Predict, UpdateRequest};
use bimetal_model::snapshot::Object;
use bimetal_model::{Type, Value};

use crate::rig::{Rig, address, config, create_request, key};

#[test]
fn a_plan_has_unknowns_and_the_users_credentials() {
    let planned = Rig::new().plan("good").unwrap();
    assert_eq!(planned.value.member("id"), Some(&Value::unknown(Type::String)));
    assert_eq!(planned.value.member("key"), Some(&Value::from("hunter2").into_sensitive()));
    assert!(planned.value.member("code").is_some_and(|code| code.marks.sensitive));
    assert_eq!(planned.private, [1]);
}

#[tokio::test]
async fn an_object_goes_through_its_life() {
    let rig = Rig::new();
    let Outcome::Done(object) = rig.create("good", "a").await else { panic!("not made") };
    assert_eq!(object.value.member("id"), Some(&Value::from("id")));
    assert_eq!(object.value.member("code"), Some(&Value::from("1234").into_sensitive()));
    let read = rig.host.read(&key(), "good", &[(address("good"), object.clone())]).await;
    assert_eq!(read, [Ok(Some(object.clone()))]);

    let planned = bimetal_model::port::Planned { value: config("b"), replace: Vec::new(), private: Vec::new() };
    let request = UpdateRequest { address: address("good"), prior: object.clone(), config: config("b"), planned };
    let Outcome::Done(updated) = rig.host.update(&key(), "good", request).await else { panic!("not changed") };
    assert_eq!(updated.value.member("name"), Some(&Value::from("b")));

    let upgraded = rig.host.upgrade(&key().name, "good", 0, &object.value).unwrap();
    assert_eq!(upgraded, object.value);
    assert_eq!(rig.host.delete(&key(), "good", &address("good"), updated).await, Deletion::Done);
    let facts = rig.host.discover(&key(), "good", &address("good"), &config("a")).await.unwrap();
    assert_eq!(facts.member("platform"), Some(&Value::from("linux/arm/v7")));
}

#[tokio::test]
async fn a_guest_never_sees_a_secret() {
    let rig = Rig::configured("https://granted.invalid", "hunter3");
    let note = rig.note("good", "a").await;
    assert!(note.contains(r#"{"$credential":"provider.rogue#token"}"#), "{note}");
    assert!(note.contains(r#"{"$credential":"good.x#key"}"#), "{note}");
    assert!(!note.contains("hunter"), "{note}");
}

#[tokio::test]
async fn progress_names_the_object_of_each_request() {
    let rig = Rig::new();
    let mut requests = [create_request("good", "a"), create_request("good", "b")];
    requests[1].address = requests[1].address.with(|parts| parts.name = "y".to_owned());
    let outcomes = rig.host.create(&key(), "good", requests.to_vec()).await;
    assert_eq!(outcomes.len(), 2);
    let wanted: Vec<_> = requests.iter().map(|request| format!("{}: making", request.address)).collect();
    assert_eq!(rig.events.progress(), wanted);
}

#[test]
fn planning_twice_gives_the_same_bytes() {
    let rig = Rig::new();
    let first = rig.plan("clock").unwrap().value;
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(rig.plan("clock").unwrap().value, first);
}

#[test]
fn many_plans_are_answered_in_order() {
    let rig = Rig::new();
    let request = |n: u32| bimetal_model::port::PlanRequest {
        address: address("good"),
        ty: "good".to_owned(),
        prior: Some(Object { value: config("old"), private: vec![9] }),
        config: config(&n.to_string()),
        proposed: config(&n.to_string()),
    };
    let requests: Vec<_> = (0..250).map(request).collect();
    let names: Vec<_> =
        rig.host.plan(&key().name, &requests).into_iter().map(|planned| planned.unwrap().value).collect();
    assert_eq!(names.len(), 250);
    for (n, value) in names.iter().enumerate() {
        assert_eq!(value.member("name"), Some(&Value::from(n.to_string())));
    }
}

#[tokio::test]
async fn pure_calls_may_come_from_a_task() {
    let rig = Rig::new();
    assert!(rig.plan("good").is_ok());
    assert!(rig.validate("good").is_empty());
}
