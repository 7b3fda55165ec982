//! What a provider of derived types says at the border: its schema, its plans, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_provider::testing::{Driver, World};
use bimetal_provider::{
    Create, Credential, Deletion, Deserialize, Diagnostic, Function, FunctionType, Handle, Json, Outcome, Plan,
    Provider, Resource, Result, Role, Schema, Serialize, Type, json,
};

struct Zoo;

#[derive(Schema, Deserialize)]
struct Config {
    /// Who feeds
    keeper: Option<String>,
}

impl Provider for Zoo {
    type Config = Config;

    fn configure(config: Config) -> Result<Self> {
        match config.keeper.as_deref() {
            Some("nobody") => Err(Diagnostic::error("somebody must feed them").at("keeper")),
            _ => Ok(Zoo),
        }
    }

    fn types() -> Vec<Type<Self>> {
        vec![Type::of::<Cage>()]
    }

    fn functions() -> Vec<FunctionType> {
        vec![FunctionType::of::<Feed>()]
    }
}

/// What is eaten.
#[derive(Schema, Deserialize)]
struct Feed {
    /// Who eats
    animals: BTreeMap<String, u32>,
    /// What is left over from yesterday
    rest: Option<f64>,
    /// What there is
    #[attr(variadic)]
    food: Vec<String>,
}

#[derive(Schema, Serialize)]
struct Fed {
    portions: BTreeMap<String, u32>,
    dish: Option<String>,
}

impl Function for Feed {
    const NAME: &'static str = "feed";
    type Answer = Fed;

    fn call(self) -> Result<Fed> {
        match self.food.iter().position(|food| food == "tin") {
            Some(place) => Err(Diagnostic::error("nobody eats that").at("food").index(place)),
            None => {
                let extra = u32::from(self.rest.is_some());
                let portions = self.animals.into_iter().map(|(name, count)| (name, count + extra)).collect();
                Ok(Fed { portions, dish: self.food.into_iter().next() })
            }
        }
    }
}

/// Where animals live.
#[derive(Clone, Schema, Serialize, Deserialize)]
struct Cage {
    /// Where it stands.
    ///
    /// On the map.
    #[attr(force_new)]
    place: String,
    engine: Handle,
    #[attr(credential)]
    lock: Option<Credential>,
    #[attr(credential_file, sensitive)]
    spare: Option<Credential>,
    labels: Option<BTreeMap<String, String>>,
    tags: Option<BTreeSet<String>>,
    size: Option<Size>,
    #[attr(computed)]
    color: Option<String>,
    #[attr(read_only, never_null)]
    id: Option<u64>,
    #[attr(read_only, changes_on_update)]
    cleaned: Option<String>,
    #[block(force_new)]
    door: Vec<Door>,
    #[block(required)]
    roof: Option<Roof>,
}

#[derive(Clone, Schema, Serialize, Deserialize)]
struct Size {
    width: f64,
    height: Option<f64>,
}

#[derive(Clone, Schema, Serialize, Deserialize)]
struct Door {
    width: u16,
    #[attr(read_only)]
    serial: Option<String>,
}

#[derive(Clone, Schema, Serialize, Deserialize)]
struct Roof {
    r#type: String,
}

impl Resource for Cage {
    type Provider = Zoo;
    const NAME: &'static str = "zoo_cage";
    const VERSION: u64 = 2;
    const ROLE: Option<Role> = Some(Role::Machine);
    const BATCH: u32 = 5;

    fn validate(&self) -> Vec<Diagnostic> {
        let narrow = self.door.iter().enumerate().filter(|(_, door)| door.width < 10);
        let narrow = narrow.map(|(place, _)| Diagnostic::error("nobody fits").at("door").index(place).at("width"));
        let odd = self.labels.iter().flatten().filter(|(key, _)| key.is_empty());
        narrow.chain(odd.map(|(key, _)| Diagnostic::warning("has no name").at("labels").key(key))).collect()
    }

    fn upgrade(version: u64, mut stored: Json) -> Result<Json> {
        if version < 2 {
            stored["place"] = stored["where"].take();
        }
        Ok(stored)
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        if plan.changes("size") && plan.value("size").is_null() {
            plan.replace("size");
        }
        if plan.prior("place") == "old" {
            plan.keep("place");
        }
        if plan.value("color") == "faded" {
            plan.unknown("color");
        }
        Ok(())
    }

    fn read(_: &Zoo, objects: Vec<Self>) -> Vec<Result<Option<Self>>> {
        objects.into_iter().map(|cage| Ok(Some(cage))).collect()
    }

    fn probe(_: &Zoo, _: &str, _: Self) -> Result<Option<Self>> {
        Ok(None)
    }

    fn create(_: &Zoo, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
        requests.into_iter().map(|request| Outcome::Done(Cage { id: Some(7), ..request.config })).collect()
    }

    fn delete(_: &Zoo, _: Self) -> Deletion {
        Deletion::Done
    }
}

fn driver() -> Driver<Zoo> {
    Driver::new(World::default(), &json!({})).unwrap()
}

fn config(change: &[(&str, Json)]) -> Json {
    let mut config = json!({ "place": "a", "engine": { "$handle": { "x": 1 } }, "roof": { "type": "tin" } });
    for (name, value) in change {
        config[*name] = value.clone();
    }
    config
}

fn unknown() -> Json {
    json!({ "$unknown": {} })
}

/// Paths that make a new object, and what of the planned value is unknown.
fn check_plan(prior: Option<&Json>, change: &[(&str, Json)]) -> String {
    let planned = driver().plan("zoo_cage", prior, &config(change)).unwrap();
    let unknowns = planned.value.as_object().unwrap().iter().filter(|(_, value)| **value == unknown());
    let unknowns: Vec<_> = unknowns.map(|(name, _)| name.as_str()).collect();
    format!("replace {:?}, unknown {unknowns:?}", planned.replace)
}

fn made() -> Json {
    let mut made = driver().create("zoo_cage", "i-1", &config(&[])).unwrap();
    made["color"] = json!("green");
    made["cleaned"] = json!("monday");
    made
}

#[test]
fn the_schema_is_the_hosts_document() {
    insta::assert_snapshot!(format!("{:#}", driver().schema()));
}

#[test]
fn a_new_object_knows_nothing_of_itself() {
    insta::assert_snapshot!(check_plan(None, &[]), @r#"replace [], unknown ["cleaned", "color", "id"]"#);
    insta::assert_snapshot!(check_plan(None, &[("color", json!("red"))]), @r#"replace [], unknown ["cleaned", "id"]"#);
    let planned =
        driver().plan("zoo_cage", None, &config(&[("door", json!([{ "width": 90, "serial": null }]))])).unwrap();
    assert_eq!(planned.value["door"], json!([{ "width": 90, "serial": unknown() }]));
}

#[test]
fn an_object_that_stays_as_it_is_knows_all() {
    insta::assert_snapshot!(check_plan(Some(&made()), &[]), @"replace [], unknown []");
}

#[test]
fn a_provider_may_change_what_nobody_else_changes() {
    let mut made = made();
    made["color"] = json!("faded");
    insta::assert_snapshot!(check_plan(Some(&made), &[]), @r#"replace [], unknown ["cleaned", "color"]"#);
}

#[test]
fn an_update_forgets_only_what_changes_with_it() {
    insta::assert_snapshot!(check_plan(Some(&made()), &[("labels", json!({ "a": "b" }))]), @r#"replace [], unknown ["cleaned"]"#);
}

#[test]
fn what_forces_a_new_object_forgets_all() {
    let made = made();
    insta::assert_snapshot!(check_plan(Some(&made), &[("place", json!("b"))]), @r#"replace ["place"], unknown ["cleaned", "color", "id"]"#);
    insta::assert_snapshot!(check_plan(Some(&made), &[("place", unknown())]), @r#"replace ["place"], unknown ["cleaned", "color", "id", "place"]"#);
    insta::assert_snapshot!(check_plan(Some(&made), &[("door", json!([{ "width": 90 }]))]), @r#"replace ["door"], unknown ["cleaned", "color", "id"]"#);
}

#[test]
fn a_provider_may_ask_for_a_new_object_and_take_it_back() {
    let mut made = made();
    made["size"] = json!({ "width": 1, "height": null });
    insta::assert_snapshot!(check_plan(Some(&made), &[]), @r#"replace ["size"], unknown ["cleaned", "color", "id"]"#);
    made["place"] = json!("old");
    made["size"] = Json::Null;
    insta::assert_snapshot!(check_plan(Some(&made), &[]), @r#"replace [], unknown ["cleaned"]"#);
}

#[test]
fn numbers_that_look_different_are_the_same() {
    let mut made = made();
    made["size"] = json!({ "width": 1.0, "height": null });
    let change = [("size", serde_json::from_str(r#"{ "width": 1, "height": null }"#).unwrap())];
    insta::assert_snapshot!(check_plan(Some(&made), &change), @"replace [], unknown []");
}

#[test]
fn what_is_wrong_is_wrong_at_its_place() {
    let doors = json!([{ "width": 90 }, { "width": 5 }]);
    assert_eq!(driver().validate("zoo_cage", &config(&[("door", doors.clone())])), ["door[1].width: nobody fits"]);
    assert_eq!(
        driver().validate("zoo_cage", &config(&[("labels", json!({ "": "" }))])),
        [r#"labels[""]: has no name"#]
    );
    let too_wide = driver().validate("zoo_cage", &config(&[("door", json!([{ "width": 70000 }]))]));
    assert!(too_wide[0].starts_with("door[0].width: the value does not fit"), "{too_wide:?}");
    // A handle is hardly ever known by then; the rest is checked all the same. Other things that aren't known wait.
    let later = config(&[("door", doors.clone()), ("engine", unknown())]);
    assert_eq!(driver().validate("zoo_cage", &later), ["door[1].width: nobody fits"]);
    assert!(driver().validate("zoo_cage", &config(&[("door", doors), ("color", unknown())])).is_empty());
}

#[test]
fn a_wrong_provider_block_is_not_configured() {
    let configured = Driver::<Zoo>::new(World::default(), &json!({ "keeper": "nobody" }));
    assert_eq!(configured.err().unwrap(), "keeper: somebody must feed them");
}

#[test]
fn keys_of_the_users_own_survive() {
    let labels = json!({ "$$handle": "x", "$$a": "y", "b": "z" });
    let made = driver().create("zoo_cage", "i-1", &config(&[("labels", labels.clone())])).unwrap();
    assert_eq!(made["labels"], labels);
    assert_eq!(made["engine"], json!({ "$handle": { "x": 1 } }));
}

#[test]
fn what_an_older_version_stored_is_brought_forward() {
    let upgraded = driver().upgrade("zoo_cage", 1, &json!({ "where": "a" })).unwrap();
    assert_eq!(upgraded["place"], "a");
    assert!(driver().upgrade("zoo_cage", 3, &json!({})).is_err());
}

#[test]
fn what_there_is_no_world_for_is_denied() {
    let engine = bimetal_provider::capability::docker::Engine::new(&Handle(json!({})));
    assert_eq!(engine.info().unwrap_err().code, bimetal_provider::Code::Denied);
}

#[test]
fn a_function_is_called_with_its_parameters_names() {
    let call = |arguments: Json| driver().call("feed", &arguments);
    // A key of the user's that begins with `$` is doubled at the border, both ways.
    assert_eq!(
        call(json!({ "animals": { "$$ox": 2 }, "food": ["hay", "oats"] })),
        Ok(json!({ "portions": { "$$ox": 2 }, "dish": "hay" }))
    );
    assert_eq!(
        call(json!({ "animals": { "cat": 1 }, "rest": 0.5, "food": [] })),
        Ok(json!({ "portions": { "cat": 2 }, "dish": null }))
    );
    assert_eq!(call(json!({ "animals": {}, "food": ["hay", "tin"] })), Err("food[1]: nobody eats that".to_owned()));
    let error = call(json!({ "animals": { "cat": 1.5 }, "food": [] })).unwrap_err();
    assert!(error.starts_with("animals.cat: the value does not fit: "), "{error}");
    assert_eq!(driver().call("fed", &json!({})), Err("there is no function `fed`".to_owned()));
}
