//! What is decided once something is done, and what is opened with a key.

mod common;

use std::sync::Arc;

use bimetal_config::{Acting, Moment, Outside, Scope, evaluate, parse_expression};
use bimetal_model::Value;
use common::{Files, check_eval, source};
use insta::assert_snapshot;

fn at(text: &str, moment: Moment) -> Value {
    let variables = [("template", "hi ${name}!"), ("name", "Ann")];
    let variables = variables.map(|(name, text)| (name.to_owned(), Value::from(text))).into();
    let scope = Scope { moment, variables: Arc::new(variables), ..Scope::new(Outside::files(Arc::new(Files(&[])))) };
    evaluate(&parse_expression(&source("test", text)).expect("it parses"), &scope).expect("it has a value")
}

fn acting(text: &str, seed: &str) -> Value {
    at(text, Moment { planned_ms: Some(0), acting: Some(Acting { now_ms: 1_732_413_600_999, seed: seed.into() }) })
}

#[test]
fn nothing_is_known_before_something_is_done() {
    let planning = |text: &str| format!("{:?}", at(text, Moment { planned_ms: Some(86_400_000), acting: None }));
    assert_eq!(planning("plantimestamp()"), "\"1970-01-02T00:00:00Z\"");
    assert_eq!(
        planning("[timestamp(), uuid(), bcrypt(\"x\")]"),
        "[(unknown string), (unknown string), (unknown string)]"
    );
}

#[test]
fn a_run_has_one_time_and_each_call_its_own_chance() {
    assert_eq!(acting("timestamp()", "a"), Value::from("2024-11-24T02:00:00Z"));
    let uuids = "length(toset(flatten([[for i in range(3) : uuid()], uuid(), uuid()])))";
    assert_eq!(acting(uuids, "a"), Value::from(5u64));
    assert_eq!(acting("uuid()", "a"), acting("uuid()", "a"));
    assert_ne!(acting("uuid()", "a"), acting("uuid()", "b"));
    let is_one = "can(regex(\"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$\", uuid()))";
    assert_eq!(acting(is_one, "a"), Value::from(true));
}

#[test]
fn bcrypt_hashes_as_others_do() {
    let hashed = acting("bcrypt(\"secret\", 4)", "a");
    let hashed = hashed.as_str().expect("text");
    assert!(hashed.starts_with("$2a$04$") && bcrypt::verify("secret", hashed).expect("a hash"), "{hashed}");
    let long = format!("bcrypt(\"{}\")", "x".repeat(73));
    assert_snapshot!(check_eval(&["bcrypt(\"a\", 3)", "bcrypt(\"a\", 32)", "bcrypt()"]), @r#"
    bcrypt("a", 3) => (unknown string) : string
    bcrypt("a", 32) => error: a cost is 4 to 31 at «bcrypt("a", 32)»
    bcrypt() => error: `bcrypt` takes at least 1 argument, here are 0 at «)»
    "#);
    assert!(common::eval(&long).contains("at most 72 bytes"));
}

#[test]
fn templates_are_taken_from_what_a_name_leads_to() {
    let said = acting("templatestring(var.template, { name = upper(var.name) })", "a");
    assert_eq!(said, Value::from("hi ANN!"));
    assert_snapshot!(check_eval(&[
        "templatestring(\"a ${1}\", {})",
        "templatestring(var.later, {})",
        "templatestring(var.object.id, {})",
        "templatestring(var.nothing, {})",
        "pathexpand(\"~/.ssh\")",
        "pathexpand(\"~\")",
        "pathexpand(\"/a/~\")",
        "pathexpand(\"~root\")",
    ]), @r#"
    templatestring("a ${1}", {}) => error: a template that is written here needs no `templatestring` at «a ${1}» hint: write its text in its place; `templatestring` is for what a reference leads to
    templatestring(var.later, {}) => (unknown string) : string
    templatestring(var.object.id, {}) => error: text is wanted here, not a number at «var.object.id»
    templatestring(var.nothing, {}) => error: text is wanted here, not `null` at «var.nothing»
    pathexpand("~/.ssh") => "/home/somebody/.ssh" : string
    pathexpand("~") => "/home/somebody" : string
    pathexpand("/a/~") => "/a/~" : string
    pathexpand("~root") => error: only `~` itself can be expanded, and no other user's folder at «pathexpand("~root")»
    "#);
}

#[test]
fn a_key_opens_what_was_encrypted_for_it() {
    let sealed = "B3zSRfdyur9gGWnmdbJhqy/meypnrBvEz5wDIe6SRh4QocNjC6wJL2y6A99R0dWXMJgYpkEyDMg1Z3a85ihj2GUra4ymG6aLOVrQtEazi0OlWIiKqNkiQo8GNi0SIsUzlotHw0Y88EnX4Lk1VhWnBG9XpJ6h9flBpk3AYulu9xM=";
    for key in [include_str!("keys/pkcs1.pem"), include_str!("keys/pkcs8.pem")] {
        let text = format!("rsadecrypt(\"{sealed}\", \"{}\")", key.replace('\n', "\\n"));
        assert_eq!(common::eval(&text), "\"first password\" : string");
    }
    let key = include_str!("keys/pkcs1.pem").replace('\n', "\\n");
    assert!(common::eval(&format!("rsadecrypt(\"AAAA\", \"{key}\")")).contains("was not encrypted for that key"));
    assert!(common::eval(&format!("rsadecrypt(\"{sealed}\", \"x\")")).contains("no rsa private key"));
}
