//! Components of every released version of the contract run, and what is released does not change.

use std::path::Path;

use bimetal_host::{Host, Origin, digest};
use bimetal_model::port::{
    CreateRequest, Deletion, Foreign, Functions as _, Lend as _, Lent, Operate as _, Outcome, PlanRequest,
    Predict as _, Refusal, ValidateRequest,
};
use bimetal_model::snapshot::{IntentId, Object};
use bimetal_model::{Address, BlockKind, ProviderKey, ProviderName, Type, Value};

use crate::rig::{empty_host, text};

/// By version: what its folder has, and a component that was built when it was released.
const RELEASED: [(&str, &str, &[u8]); 1] = [(
    "0.1.0",
    "sha256:42ffca6705c68729dea51e3112cd6c913a34ca832f7413db7559a3033eb300e2",
    include_bytes!("../released/0.1.0/kept.wasm"),
)];

#[test]
fn what_is_released_does_not_change() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-sdk/wit");
    for (version, wanted, _) in RELEASED {
        let files: Vec<_> =
            std::fs::read_dir(wit.join(version)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(files, ["provider.wit"], "{version}");
        let found = digest(&std::fs::read(wit.join(version).join("provider.wit")).unwrap());
        assert_eq!(
            found, wanted,
            "the contract {version} is released: what changes in it belongs into a folder of its own"
        );
    }
    let folders = std::fs::read_dir(&wit).unwrap().count();
    assert_eq!(folders, RELEASED.len(), "every version has a component that was built for it");
}

fn host(component: &'static [u8]) -> (tempfile::TempDir, Host) {
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = empty_host(folder.path());
    host.add_provider(key().name, component.into(), Origin::Embedded).unwrap();
    (folder, host)
}

fn key() -> ProviderKey {
    ProviderKey::default_of("kept")
}

fn address() -> Address {
    Address::new(BlockKind::Resource, "kept_note", "x")
}

fn note(says: &str) -> Value {
    [("text", Value::from(says)), ("id", Value::NULL)].into_iter().collect()
}

fn id(object: &Object) -> Option<&str> {
    object.value.member("id").and_then(Value::as_str)
}

#[tokio::test]
async fn a_component_of_every_released_version_runs() {
    for (version, _, component) in RELEASED {
        let (_folder, host) = host(component);
        assert_eq!(host.provider(&key().name).unwrap().manifest.contract, version);
        let schema = host.schema(&key().name).unwrap();
        assert!(schema.managed["kept_note"].block.attributes["text"].required);
        let (ty, config) = ("kept_note".to_owned(), note("tea"));
        let wrong = ValidateRequest { address: address(), ty: ty.clone(), config: note("") };
        assert!(text(&host.validate(&key().name, &[wrong])[0]).contains("a note says something"));

        let plan = |config: Value| PlanRequest {
            address: address(),
            ty: ty.clone(),
            prior: None,
            proposed: config.clone(),
            config,
        };
        let planned = host.plan(&key().name, &[plan(config.clone()), plan(note("later"))]);
        assert_eq!(planned[1], Err(Refusal::Deferred("it is too early".to_owned())));
        let planned = planned[0].clone().unwrap();
        assert_eq!(planned.value.member("id"), Some(&Value::unknown(Type::String)));

        let request = CreateRequest {
            address: address(),
            intent: IntentId("i-1".to_owned()),
            config: config.clone(),
            planned,
            so_far: None,
        };
        let made = host.create(&key(), &ty, vec![request]).await;
        let [Outcome::Done(made)] = &made[..] else { panic!("{made:?}") };
        assert_eq!((id(made), &made.private[..]), (Some("i-1"), &[1][..]));
        let read = host.read(&key(), &ty, &[(address(), made.clone())]).await;
        assert_eq!(read, [Ok(Some(made.clone()))]);
        assert_eq!(host.delete(&key(), &ty, &address(), made.clone()).await, Deletion::Done);
    }
}

#[tokio::test]
async fn so_does_all_else_that_it_has() {
    for (_, _, component) in RELEASED {
        let (_folder, host) = host(component);
        let now = host.read_data(&key(), "kept_now", &address(), &[("id", Value::NULL)].into_iter().collect()).await;
        assert_eq!(now.unwrap().member("id"), Some(&Value::from("now")));
        let imported = host.import(&key(), "kept_note", &address(), "n7", &note("tea")).await.unwrap();
        assert_eq!(id(&imported), Some("n7"));
        let arguments = [("text", Value::from("tea"))].into_iter().collect();
        let echo = host.call(&key().name, "echo", &arguments).unwrap();
        assert_eq!(echo.as_members().and_then(|members| members.get("text")), Some(&Value::from("tea")));
        let object = Object {
            value: [("text", Value::from("tea")), ("id", "o".into())].into_iter().collect(),
            private: vec![4],
        };
        let source = Foreign {
            provider: ProviderName("kept".to_owned()),
            ty: "kept_note".to_owned(),
            version: 0,
            object: object.clone(),
        };
        assert_eq!(host.adopt(&key().name, "kept_note", &source), Ok(object));
        let opened =
            host.open(&key(), "kept_word", &address(), &[("id", Value::NULL)].into_iter().collect()).await.unwrap();
        assert_eq!(opened.lent, Lent { private: vec![3], renew_after_ms: Some(1000) });
        assert!(opened.value.has_ephemeral());
        assert_eq!(
            host.renew(&key(), "kept_word", &address(), vec![3]).await,
            Ok(Lent { private: vec![3], renew_after_ms: None })
        );
        assert_eq!(host.close(&key(), "kept_word", &address(), vec![3]).await, []);
    }
}

/// The component with another contract's version in its manifest, in as many characters.
fn of_contract(version: &str) -> String {
    let (_, _, component) = RELEASED[0];
    let (from, to) = (b"\"contract\":\"0.1.0\"", format!("\"contract\":\"{version}\""));
    let mut other = component.to_vec();
    let places = component.windows(from.len()).enumerate().filter(|(_, window)| window == from);
    for (at, _) in places {
        other[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    let folder = tempfile::tempdir().unwrap();
    let (host, _) = empty_host(folder.path());
    let error = host.add_provider(key().name, other.into(), Origin::Embedded).unwrap_err();
    format!("{}\n{}\n{}", error.summary, error.detail, error.hint.unwrap_or_default())
}

#[test]
fn whoever_was_made_for_another_contract_is_told_what_to_do() {
    insta::assert_snapshot!(of_contract("0.2.0"), @r"
    `kept`: this is no provider for this Bimetal
    it was made for version 0.2.0 of the contract, and this Bimetal speaks 0.1.0
    use a newer Bimetal, or an older version of the provider
    ");
    insta::assert_snapshot!(of_contract("0.0.9"), @r"
    `kept`: this is no provider for this Bimetal
    it was made for version 0.0.9 of the contract, and this Bimetal speaks 0.1.0
    use a newer version of the provider; if it is yours, build it with the SDK that `bimetal plugin new` writes
    ");
    insta::assert_snapshot!(of_contract("later"), @r#"
    `kept`: this is no provider for this Bimetal
    it was made for version later of the contract, and this Bimetal speaks 0.1.0
    a manifest names the version that the provider was made for, as `"contract": "0.1.0"`
    "#);
}
