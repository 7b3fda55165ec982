//! What is known of what is not known yet.

mod common;

use std::sync::Arc;

use bimetal_config::{Scope, evaluate, parse_expression};
use bimetal_model::json::{Marks, encode};
use bimetal_model::{Bounds, Refinement, Type, Value};
use common::{scope, show, source};
use insta::assert_snapshot;

/// `var.id` is not `null`, `var.maybe` may be, `var.url` begins with `http://`, `var.ids` has one to three items, `var.size` is two to
/// five, `var.thing` has an `id` and `var.maybe_thing` as well, unless it is `null`.
fn unknowns() -> Scope {
    let thing = || Type::object([("id", Type::String), ("n", Type::Number)]);
    let lengths = Refinement::of_lengths(Bounds::between(1, 3));
    let variables = [
        ("id", Value::unknown(Type::String).not_null()),
        ("maybe", Value::unknown(Type::String)),
        ("url", Value::refined(Type::String, Refinement::beginning_with("http://"))),
        ("ids", Value::refined(Type::list(Type::String), lengths)),
        ("size", Value::refined(Type::Number, Refinement::of_numbers(Bounds::between(2.into(), 5.into())))),
        ("thing", Value::unknown(thing()).not_null()),
        ("maybe_thing", Value::unknown(thing())),
        ("truth", Value::unknown(Type::Bool).not_null()),
        ("any", Value::unknown(Type::Any)),
        ("maybe_ids", Value::unknown(Type::list(Type::String))),
        ("maybe_map", Value::unknown(Type::map(Type::String))),
        ("secret", Value::from("s3cret").into_sensitive()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    Scope { variables: Arc::new(variables), ..scope() }
}

/// `string, not null, "http://…"`
fn promise(value: &Value) -> String {
    if !value.is_unknown() {
        return format!("{value:?}");
    }
    let (value, marks) = (value.clone().without_marks(), value.marks);
    let refinement = value.refinement();
    let mut text = format!("? {}", value.ty());
    let bounds = |least: Option<String>, most: Option<String>| {
        format!(", {} to {}", least.unwrap_or_default(), most.unwrap_or_default())
    };
    text += if refinement.is_not_null() { ", not null" } else { "" };
    if !refinement.prefix().is_empty() {
        text += &format!(", {:?}…", refinement.prefix());
    }
    let (lengths, numbers) = (refinement.lengths(), refinement.numbers());
    let texts = [
        (lengths.least.map(|n| n.to_string()), lengths.most.map(|n| n.to_string())),
        (numbers.least.map(|n| n.to_string()), numbers.most.map(|n| n.to_string())),
    ];
    for (least, most) in texts.into_iter().filter(|(least, most)| least.is_some() || most.is_some()) {
        text += &bounds(least, most);
    }
    text + if marks.sensitive { ", sensitive" } else { "" }
}

fn check(expressions: &[&str]) -> String {
    let one = |text: &&str| {
        let file = source("test", text);
        let value = parse_expression(&file).and_then(|expression| evaluate(&expression, &unknowns()));
        let shown = match value {
            Ok(value) => promise(&value),
            Err(said) => said.iter().map(|diagnostic| show(diagnostic, &[&file])).collect::<Vec<_>>().join(" | "),
        };
        format!("{text} => {shown}\n")
    };
    expressions.iter().map(one).collect()
}

#[test]
fn what_is_not_null_is_told_from_null() {
    assert_snapshot!(check(&[
        "var.id == null", "null != var.id", "var.maybe == null", "\"a-${var.maybe}\" != null", "(var.size + 1) == null", "!var.truth == null",
        "length(var.ids) != null", "upper(var.maybe) == null", "jsondecode(var.id) == null", "var.any == null", "[for x in var.any : x] == null",
    ]), @r#"
    var.id == null => false
    null != var.id => true
    var.maybe == null => ? bool, not null
    "a-${var.maybe}" != null => true
    (var.size + 1) == null => false
    !var.truth == null => false
    length(var.ids) != null => true
    upper(var.maybe) == null => false
    jsondecode(var.id) == null => ? bool, not null
    var.any == null => ? bool, not null
    [for x in var.any : x] == null => false
    "#);
}

#[test]
fn texts_keep_their_beginning() {
    assert_snapshot!(check(&[
        "\"http://${var.maybe}/\"", "\"${var.url}x\"", "\"%{ if var.truth }http://a%{ else }https://b%{ endif }\"", "\"a${var.id}\"",
        "\"a-%{ for x in var.ids }${x}%{ endfor }\"", "join(\"/\", [\"a\", var.url, \"b\"])", "format(\"x-%s\", var.id)", "jsonencode([var.id])",
        "jsonencode(var.maybe_thing)", "var.truth ? \"http://a\" : var.url", "coalesce(var.maybe, var.url)",
    ]), @r#"
    "http://${var.maybe}/" => ? string, not null, "http://"…
    "${var.url}x" => ? string, not null, "http://"…
    "%{ if var.truth }http://a%{ else }https://b%{ endif }" => ? string, not null, "htt"…
    "a${var.id}" => ? string, not null
    "a-%{ for x in var.ids }${x}%{ endfor }" => ? string, not null, "a-"…
    join("/", ["a", var.url, "b"]) => ? string, not null, "a/http://"…
    format("x-%s", var.id) => ? string, not null, "x-"…
    jsonencode([var.id]) => ? string, not null, "["…
    jsonencode(var.maybe_thing) => ? string, not null
    var.truth ? "http://a" : var.url => ? string, not null, "http://"…
    coalesce(var.maybe, var.url) => ? string, not null
    "#);
}

#[test]
fn a_beginning_decides() {
    assert_snapshot!(check(&[
        "var.url == \"\"", "var.url == \"https://x\"", "var.url == \"http://x\"", "\"a-${var.id}\" == \"b-${var.id}\"", "startswith(var.url, \"http\")",
        "startswith(var.url, \"https\")", "startswith(var.url, \"http://x\")", "strcontains(var.url, \"://\")", "strcontains(var.url, \"x\")",
        "length(var.url)", "var.url == 5",
    ]), @r#"
    var.url == "" => false
    var.url == "https://x" => false
    var.url == "http://x" => ? bool, not null
    "a-${var.id}" == "b-${var.id}" => false
    startswith(var.url, "http") => true
    startswith(var.url, "https") => false
    startswith(var.url, "http://x") => ? bool, not null
    strcontains(var.url, "://") => true
    strcontains(var.url, "x") => ? bool, not null
    length(var.url) => ? number, not null, 7 to 
    var.url == 5 => false
    "#);
}

#[test]
fn lengths_are_known_as_far_as_they_are() {
    assert_snapshot!(check(&[
        "length(var.ids)", "length(var.ids) > 0", "length(var.ids) == 4", "var.ids == []", "var.ids == tolist([])", "concat(var.ids, tolist([\"a\"]))",
        "setproduct(var.ids, [1, 2])", "sort(var.ids)", "toset(var.ids)", "[for x in var.ids : x]", "var.ids[*]", "length(toset([var.id, var.maybe]))",
        "tolist(toset([var.id, var.maybe]))", "length(var.thing)", "keys(var.thing)", "[for k, x in var.thing : k]", "toset([var.id])",
        "var.truth ? tolist([1, 2]) : tolist([3, 4])", "merge(tomap({ a = var.id }), zipmap(var.ids, var.ids))", "slice(var.ids, 0, 1)", "distinct([var.id, var.maybe])",
        "flatten([[var.id], var.ids])", "flatten([[var.id], [\"a\"]])",
    ]), @r#"
    length(var.ids) => ? number, not null, 1 to 3
    length(var.ids) > 0 => true
    length(var.ids) == 4 => false
    var.ids == [] => false
    var.ids == tolist([]) => false
    concat(var.ids, tolist(["a"])) => ? list(string), not null, 2 to 4
    setproduct(var.ids, [1, 2]) => ? list(tuple([string, number])), not null, 2 to 6
    sort(var.ids) => ? list(string), not null, 1 to 3
    toset(var.ids) => ? set(string), not null, 1 to 3
    [for x in var.ids : x] => ? any, not null
    var.ids[*] => ? list(string), not null, 1 to 3
    length(toset([var.id, var.maybe])) => ? number, not null, 1 to 2
    tolist(toset([var.id, var.maybe])) => ? list(string), not null, 1 to 2
    length(var.thing) => 2
    keys(var.thing) => ["id", "n"]
    [for k, x in var.thing : k] => ? any, not null
    toset([var.id]) => {(unknown string)}
    var.truth ? tolist([1, 2]) : tolist([3, 4]) => [(unknown number), (unknown number)]
    merge(tomap({ a = var.id }), zipmap(var.ids, var.ids)) => ? map(string), not null, 1 to 4
    slice(var.ids, 0, 1) => [(unknown string)]
    distinct([var.id, var.maybe]) => ? list(string), not null, 1 to 2
    flatten([[var.id], var.ids]) => ? any, not null
    flatten([[var.id], ["a"]]) => [(unknown string), "a"]
    "#);
}

#[test]
fn numbers_have_bounds() {
    assert_snapshot!(check(&[
        "var.size > 1", "var.size >= 5", "var.size < 2", "var.size + 1", "1 - var.size", "var.size * -2", "-var.size", "var.size / 2", "var.size == 9",
        "length(var.ids) + length(var.id) >= 1", "var.truth ? 1 : var.size", "var.truth ? 7 : 7",
    ]), @r#"
    var.size > 1 => true
    var.size >= 5 => ? bool, not null
    var.size < 2 => false
    var.size + 1 => ? number, not null, 3 to 6
    1 - var.size => ? number, not null, -4 to -1
    var.size * -2 => ? number, not null, -10 to -4
    -var.size => ? number, not null, -5 to -2
    var.size / 2 => ? number, not null
    var.size == 9 => false
    length(var.ids) + length(var.id) >= 1 => true
    var.truth ? 1 : var.size => ? number, not null, 1 to 5
    var.truth ? 7 : 7 => 7
    "#);
}

#[test]
fn a_choice_promises_what_both_sides_do() {
    assert_snapshot!(check(&[
        "var.truth ? null : \"a\"", "var.truth ? null : null", "var.truth ? \"a\" : \"a\"", "var.truth ? [][0] : \"a\"", "var.truth ? var.secret : \"a\"",
        "true ? \"a\" : var.secret", "var.truth ? [1] : [2]", "var.truth ? 1 : var.any", "var.truth ? 1 : \"a\"", "var.truth ? {} : []",
    ]), @r#"
    var.truth ? null : "a" => ? string, "a"…
    var.truth ? null : null => null
    var.truth ? "a" : "a" => ? string, not null, "a"…
    var.truth ? [][0] : "a" => ? any
    var.truth ? var.secret : "a" => ? string, not null, sensitive
    true ? "a" : var.secret => (sensitive)
    var.truth ? [1] : [2] => ? tuple([number]), not null
    var.truth ? 1 : var.any => ? any
    var.truth ? 1 : "a" => ? string, not null
    var.truth ? {} : [] => error: the two sides of this choice have different types (one is object({}), the other is tuple([])) at «{} : []» hint: convert one of them, as with `tostring(…)`, `tolist(…)` or `jsonencode(…)`
    "#);
}

#[test]
fn what_may_yet_fail_is_neither_tried_nor_possible() {
    assert_snapshot!(check(&[
        "can(var.thing.id)", "can(var.maybe_thing.id)", "can(var.ids[0])", "can(tonumber(var.id))", "can(var.thing.nope)", "can(var.any == null)",
        "try(var.thing.id, \"none\")", "try(var.maybe_thing.id, \"none\")", "try(var.thing.nope, \"none\")", "try(var.ids[0], var.secret)", "try(\"${var.id}\", 1)",
    ]), @r#"
    can(var.thing.id) => ? bool, not null
    can(var.maybe_thing.id) => ? bool, not null
    can(var.ids[0]) => ? bool, not null
    can(tonumber(var.id)) => ? bool, not null
    can(var.thing.nope) => false
    can(var.any == null) => ? bool, not null
    try(var.thing.id, "none") => ? any
    try(var.maybe_thing.id, "none") => ? any
    try(var.thing.nope, "none") => "none"
    try(var.ids[0], var.secret) => ? any
    try("${var.id}", 1) => ? any
    "#);
}

#[test]
fn what_can_never_be_is_said_at_once() {
    assert_snapshot!(check(&[
        "tostring(var.ids)", "\"${var.thing}\"", "var.ids + 1", "tobool(var.size)", "[for x in var.id : x]", "var.ids ? 1 : 2",
    ]), @r#"
    tostring(var.ids) => error: this can't be converted: string required, but have list(string) at «var.ids»
    "${var.thing}" => ? object({id = string, n = number}), not null
    var.ids + 1 => error: this operator does not take it: number required, but have list(string) at «var.ids»
    tobool(var.size) => error: this can't be converted: bool required, but have number at «var.size»
    [for x in var.id : x] => error: can't go through a string at «var.id» hint: `for` takes a list, set, map or object
    var.ids ? 1 : 2 => error: this is no condition: bool required, but have list(string) at «var.ids»
    "#);
}

#[test]
fn one_that_decides_is_enough() {
    assert_snapshot!(check(&[
        "contains([var.maybe, \"a\"], \"a\")", "contains([var.url], \"a\")", "contains([var.maybe], \"a\")", "alltrue([var.truth, false])",
        "anytrue([var.truth, true])", "anytrue([var.truth, false])", "coalesce(null, var.id, \"a\")", "coalesce(\"a\", var.id)", "coalescelist([], var.ids)",
        "lookup(tomap({ a = var.id }), \"a\", \"b\")", "element(var.ids, 0)", "one(var.ids)", "issensitive(var.id)",
    ]), @r#"
    contains([var.maybe, "a"], "a") => true
    contains([var.url], "a") => false
    contains([var.maybe], "a") => ? bool, not null
    alltrue([var.truth, false]) => ? bool, not null
    anytrue([var.truth, true]) => true
    anytrue([var.truth, false]) => ? bool, not null
    coalesce(null, var.id, "a") => ? string, not null
    coalesce("a", var.id) => "a"
    coalescelist([], var.ids) => ? list(string), not null, 1 to 3
    lookup(tomap({ a = var.id }), "a", "b") => ? string, not null
    element(var.ids, 0) => ? string
    one(var.ids) => ? string
    issensitive(var.id) => ? bool, not null
    "#);
}

/// What a plan of Terraform 1.11 said of outputs with these expressions; `?` is what it knew only after apply.
const OF_TERRAFORM: &str = include_str!("promises/terraform.txt");

#[test]
fn what_is_known_to_terraform_is_known() {
    let (mut unlike, mut more) = (String::new(), String::new());
    for line in OF_TERRAFORM.lines() {
        let (text, wanted) = line.rsplit_once(" => ").unwrap();
        let file = source("test", text);
        let value = parse_expression(&file).and_then(|expression| evaluate(&expression, &unknowns()));
        let said = match value {
            Ok(value) if value.is_wholly_known() => encode(&value, Marks::Drop).to_string(),
            Ok(_) => "?".to_owned(),
            Err(said) => said.iter().map(|diagnostic| show(diagnostic, &[&file])).collect(),
        };
        match wanted {
            _ if said == compact(wanted) => {}
            "?" => more += &format!("{text} => {said}\n"),
            _ => unlike += &format!("{text} => {said}, not {wanted}\n"),
        }
    }
    // Here Terraform says more than it can know: two items may be the same, and what is `null` adds nothing.
    assert_snapshot!(unlike, @r#"
    length(merge(var.maybe_thing, { b = 1 })) => ?, not 3
    length([for x in toset([var.id, var.maybe]) : x]) => ?, not 2
    length(merge(tomap({a=var.any}), tomap({b="c"}))) => ?, not 2
    "#);
    assert_snapshot!(more, @r#"
    [for x in var.any : x] == null => false
    [for x in var.ids : x] == null => false
    var.ids == var.thing => false
    var.id == var.size => false
    "${var.url}x" == "ftp://" => false
    startswith("port 80${var.id}", "port 80") => true
    strcontains("x-${var.id}", "x-") => true
    startswith(join("/", ["a", var.url, "b"]), "a/") => true
    startswith(var.truth ? "http://a" : "http://b", "http") => true
    startswith("%{ if var.truth }http://a%{ else }https://b%{ endif }", "ht") => true
    "a-${var.id}" == "b-${var.id}" => false
    length(var.maybe_ids) >= 0 => true
    length(tolist(toset([var.id, var.maybe]))) > 0 => true
    length(concat(var.ids, tolist(["a"]))) > 1 => true
    length(setproduct(var.ids, [1, 2])) > 1 => true
    length(toset(var.ids)) > 0 => true
    length(reverse(var.ids)) > 0 => true
    length(distinct(var.ids)) > 0 => true
    length(distinct([var.id, var.maybe])) > 0 => true
    length(compact([var.id, var.maybe])) < 3 => true
    length(slice(var.ids, 0, 1)) => 1
    length(keys(zipmap(var.ids, var.ids))) > 0 => true
    length(zipmap(var.ids, var.ids)) > 0 => true
    length(merge(tomap({ a = var.id }), zipmap(var.ids, var.ids))) > 0 => true
    length(matchkeys(var.ids, var.ids, ["a"])) < 4 => true
    length(coalescelist(var.ids, ["a"])) > 0 => true
    length(coalescelist([], var.ids)) > 0 => true
    length(values(zipmap(var.ids, var.ids))) > 0 => true
    var.size < 2 => false
    var.size + 1 > 2 => true
    1 - var.size < 0 => true
    var.size * 2 > 3 => true
    -var.size < 0 => true
    length(var.ids) + length(var.id) >= 1 => true
    (var.truth ? null : "a") == "b" => false
    contains([], var.id) => false
    ["a","b"][var.size] == null => false
    tolist(["a","b"])[var.size] == null => false
    tostring(var.size) == null => false
    tonumber(var.id) == null => false
    tobool(var.id) == null => false
    tolist(var.ids) == null => false
    toset(var.ids) == null => false
    yamlencode(var.maybe) == null => false
    csvdecode(var.id) == null => false
    merge({a=1}, var.any) == null => false
    var.truth && false => false
    false && var.truth => false
    true || var.truth => true
    var.maybe == var.size => false
    var.truth == var.size => false
    timeadd(var.id, "1h") == null => false
    length(setproduct(toset([var.id, var.maybe]), [1])) > 0 => true
    "%{ if var.truth }http://a%{ else }https://b%{ endif }" == "x" => false
    length(join(",", ["abc", var.id])) > 2 => true
    {for x in [var.id] : x => 1} == null => false
    [for x in [1,2] : x if var.truth] == null => false
    tostring(var.id) == null => false
    tostring("a-${var.id}") == "b" => false
    toset([var.id]) == toset(["a","b"]) => false
    toset([var.url]) == toset(["a"]) => false
    toset([var.id, var.maybe]) == toset(["a","b","c"]) => false
    "#);
}

/// JSON without spaces; what is none as it is.
fn compact(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).map_or_else(|_| text.to_owned(), |json| json.to_string())
}
