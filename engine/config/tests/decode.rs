//! Bodies against schemas; repetition.

mod common;

use std::sync::Arc;
use std::time::Instant;

use bimetal_config::module::Repetition;
use bimetal_config::{Given, Scope, block_value, builtin, decode, evaluate, expand, parse_expression, providers};
use bimetal_model::schema::{Attribute, Block};
use bimetal_model::{Address, BlockKind, Data, Key, Type, Value};
use common::{complaints, scope, show, source};
use insta::assert_snapshot;

fn check_decode(body: &str, block: &Block) -> String {
    let file = source("main.bm.hcl", &format!("service \"s\" {{\n{body}\n}}\n"));
    let (module, _) = bimetal_config::parse(std::slice::from_ref(&file), "");
    let (value, diagnostics) =
        decode(&module.objects[&Address::new(BlockKind::Service, "", "s")].body, block, &scope());
    let set = value.as_members().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let mut text: String = set.map(|(name, value)| format!("{name} = {value:?}\n")).collect();
    text.extend(diagnostics.iter().map(|diagnostic| show(diagnostic, &[&file]) + "\n"));
    text
}

#[test]
fn a_service_becomes_a_value_of_its_schema() {
    assert_snapshot!(check_decode(r#"
  pool   = "p"
  image  = { "linux/amd64" = "debian:12" }
  memory = 64000000
  env    = { A = 1, B = var.secret }
  port {
    container = "80"
  }
  placement {
    platforms = ["linux/arm64"]
  }
"#, builtin::service()), @r#"
    env = {"A": "1", "B": (sensitive)}
    image = {"linux/amd64": "debian:12"}
    memory = "64000000"
    placement = {"labels": null, "platforms": ["linux/arm64"]}
    pool = "p"
    port = [{"container": 80, "host": null, "protocol": null}]
    volume = []
    "#);
}

#[test]
fn every_mistake_in_a_body_is_reported() {
    assert_snapshot!(check_decode(r#"
  imgae    = "nginx"
  replicas = "many"
  command  = [["x"]]
  env { A = 1 }
  port = 80
  port {
    host = 80
  }
  health { command = [] }
  health "x" { command = [] }
  valume {}
"#, builtin::service()), @r#"
    health = {"command": [], "interval": null, "retries": null, "start_period": null, "timeout": null}
    port = [{"container": null, "host": 80, "protocol": null}]
    volume = []
    error: no argument is called `imgae` here at «imgae» hint: did you mean `image`?
    error: `port` is a block at «port» hint: write `port { … }`, without `=`
    error: no block is called `env` here at «env» hint: `env` is an argument: write `env = …`
    error: no block is called `valume` here at «valume» hint: did you mean `volume`?
    error: `command` does not take this (at `command[0]`) (string required, but have tuple) at «[["x"]]»
    error: the argument `image` is missing at «service "s"» hint: add `image = …` (a name, or a map from platform to name)
    error: the argument `pool` is missing at «service "s"» hint: add `pool = …` (where its replicas run)
    error: `replicas` does not take this (number required, and this text is none) at «"many"»
    error: `health` takes no labels at «health "x"»
    error: there can be one `health` block only at «health "x"»
    error: the argument `container` is missing at «port» hint: add `container = …`
    "#);
}

#[test]
fn what_a_schema_hides_is_hidden() {
    let secret = Attribute { sensitive: true, ..Attribute::optional(Type::String) };
    let id = Attribute::read_only(Type::String);
    let block = Block { attributes: [("token".to_owned(), secret), ("id".to_owned(), id)].into(), ..Block::default() };
    assert_snapshot!(check_decode("  token = \"hunter2\"\n  id = \"x\"", &block), @r#"
    token = (sensitive)
    error: `id` is the provider's to fill in at «id» hint: remove it
    "#);
}

#[test]
fn providers_wait_for_nothing_but_variables_and_locals() {
    let text = "locals { t = \"x\" }\nmachine \"a\" \"m\" {}\nprovider \"a\" { token = local.t }\nprovider \"a\" {\n  alias = \"late\"\n  token = machine.a.m.id\n}\n";
    let (desired, _) = complaints(text, Given::default());
    let block =
        Block { attributes: [("token".to_owned(), Attribute::optional(Type::String))].into(), ..Block::default() };
    let (found, diagnostics) = providers(&desired, |_| Some(&block));
    let found: Vec<String> = found.iter().map(|(key, value)| format!("{key}: {value:?}")).collect();
    assert_eq!((found.join("\n").as_str(), diagnostics.len()), (r#"a: {"token": "x"}"#, 0));
}

fn repetition(word: &str, text: &str) -> Repetition {
    let expression = parse_expression(&source("test", text)).unwrap();
    if word == "count" { Repetition::Count(expression) } else { Repetition::ForEach(expression) }
}

fn check_expand(word: &str, text: &str) -> String {
    match expand(&repetition(word, text), &scope()) {
        Ok(instances) => {
            let keys = instances.iter().map(|instance| instance.key.as_ref().map_or(String::new(), Key::to_string));
            keys.collect::<Vec<_>>().join(" ")
        }
        Err(diagnostics) => diagnostics
            .iter()
            .map(|diagnostic| show(diagnostic, &[&source("test", text)]))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[test]
fn repetition_gives_keys() {
    assert_eq!(check_expand("count", "\"2\""), "[0] [1]");
    assert_eq!(check_expand("count", "0"), "");
    assert_eq!(check_expand("for_each", "{ b = 1, a = 2 }"), "[\"a\"] [\"b\"]");
    assert_eq!(check_expand("for_each", "toset([\"x\"])"), "[\"x\"]");
    assert_eq!(check_expand("for_each", "{ a = var.later }"), "[\"a\"]");
}

#[test]
fn keys_must_be_known_and_showable() {
    assert_snapshot!(check_expand("count", "length(var.list_later)"), @r#"error: `count` depends on what is known only after apply (which instances there are must be known to plan them) at «length(var.list_later)» hint: use keys that the configuration itself knows, as names, and let only the values come from elsewhere"#);
    assert_snapshot!(check_expand("for_each", "toset([var.later])"), @r#"error: `for_each` depends on what is known only after apply (which instances there are must be known to plan them) at «toset([var.later])» hint: use keys that the configuration itself knows, as names, and let only the values come from elsewhere"#);
    assert_snapshot!(check_expand("for_each", "[1]"), @r#"error: `for_each` takes a map or a set of strings, not a tuple([number]) at «[1]» hint: `toset([…])` makes a set of a list"#);
    assert_snapshot!(check_expand("for_each", "toset([1])"), @r#"error: a set of strings is wanted here, and it holds a number at «toset([1])»"#);
    assert_snapshot!(check_expand("for_each", "toset([var.secret])"), @r#"error: `for_each` is sensitive at «toset([var.secret])» hint: the keys become addresses, and these are shown: `nonsensitive(…)` says that they may be"#);
    assert_snapshot!(check_expand("count", "-1"), @r#"error: `count` must be a whole number, and not less than 0 at «-1»"#);
    assert_snapshot!(check_expand("count", "null"), @r#"error: `count` can't be `null` at «null»"#);
}

#[test]
fn instances_make_the_value_of_their_block() {
    let count = repetition("count", "2");
    let instances = vec![(Some(Key::Index(1)), Value::from("b")), (Some(Key::Index(0)), Value::from("a"))];
    assert_eq!(block_value(&count, instances), Value::tuple([Value::from("a"), Value::from("b")]));
    let named = vec![(Some(Key::Name("x".into())), Value::from("a"))];
    assert_eq!(block_value(&repetition("for_each", "{}"), named), [("x", Value::from("a"))].into_iter().collect());
    assert_eq!(block_value(&Repetition::Once, vec![(None, Value::from("a"))]), Value::from("a"));
}

/// A hundred machines, and a hundred replicas that each look at one of them: a copy of all machines a replica would take seconds.
#[test]
fn a_reference_into_a_large_value_does_not_copy_it() {
    let machine = |n: usize| -> Value {
        let attributes = (0..40).map(|a| (format!("attribute{a}"), Value::from(format!("value {n} {a}"))));
        attributes.chain([("address".to_owned(), Value::from(format!("10.0.0.{n}")))]).collect()
    };
    let address = Address::new(BlockKind::Machine, "docker", "rack");
    let objects = [(address, Value::from(Data::Tuple((0..100).map(machine).collect())))].into();
    let scope = Scope { objects: Arc::new(objects), ..scope() };
    let expression =
        parse_expression(&source("test", "\"http://${machine.docker.rack[count.index % 100].address}:80\"")).unwrap();
    let started = Instant::now();
    for index in 0..10_000 {
        let scope = Scope { count_index: Some(index), ..scope.clone() };
        evaluate(&expression, &scope).unwrap();
    }
    // Some 50 ms without optimisation; copying would be a hundred times that.
    assert!(started.elapsed().as_secs() < 3, "{:?}", started.elapsed());
}
