//! What an error says of the names in the expression that it is about.

mod common;

use bimetal_config::{evaluate, parse_expression};
use insta::assert_snapshot;

/// One line an expression: the values that its errors show.
fn check_values(expressions: &[&str]) -> String {
    let values = |text: &&str| {
        let file = common::source("test", text);
        let errors = evaluate(&parse_expression(&file).expect("it parses"), &common::scope()).expect_err("it fails");
        let values: Vec<String> = errors.into_iter().flat_map(|error| error.values).collect();
        format!("{text} => {}\n", values.join("; "))
    };
    expressions.iter().map(values).collect()
}

#[test]
fn what_fails_is_shown_with_what_its_names_stand_for() {
    assert_snapshot!(check_values(&[
        "var.object + 1",
        "var.object.ip",
        "var.object.id[0]",
        "[1, 2][ var.object . id ]",
        "1 + tonumber(join(\"-\", [var.object.id, \"x\"]))",
        "length(var.later) + (var.nothing + 1)",
        "[for each in [1] : var.object + each.key]",
    ]), @r#"
    var.object + 1 => var.object is an object with 2 attributes
    var.object.ip => var.object is an object with 2 attributes
    var.object.id[0] => var.object.id is 7
    [1, 2][ var.object . id ] => var.object . id is 7
    1 + tonumber(join("-", [var.object.id, "x"])) => var.object.id is 7
    length(var.later) + (var.nothing + 1) => var.nothing is null
    [for each in [1] : var.object + each.key] =>
    "#);
}

#[test]
fn what_is_sensitive_is_not_shown() {
    assert_snapshot!(check_values(&["var.secret + 1", "var.object.token.x", "var.object[var.secret]", "[var.secret][var.object]"]), @r"
    var.secret + 1 => var.secret has a sensitive value
    var.object.token.x => var.object.token has a sensitive value
    var.object[var.secret] => var.object is an object with 2 attributes; var.secret has a sensitive value
    [var.secret][var.object] => var.object is an object with 2 attributes
    ");
}
