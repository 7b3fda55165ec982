//! What must not be stored, and where it may go.

mod common;

use std::sync::Arc;

use bimetal_config::{Given, Outside, Scope, SourceFile, desired, evaluate, parse_expression};
use bimetal_model::{Value, ValueMarks};
use common::{check_desired, show, source};
use insta::assert_snapshot;

/// `var.once` is ephemeral, `var.both` is sensitive too.
fn scope() -> Scope {
    let ephemeral = ValueMarks::EPHEMERAL;
    let values = [
        ("once", Value::from("o").with_marks(ephemeral)),
        ("both", Value::from("b").with_marks(ephemeral).into_sensitive()),
        ("plain", Value::from("p")),
    ];
    let variables = values.map(|(name, value)| (name.to_owned(), value)).into();
    Scope { variables: Arc::new(variables), ..Scope::new(Outside::default()) }
}

fn check(expressions: &[&str]) -> String {
    let one = |text: &&str| {
        let file = source("test", text);
        let value = parse_expression(&file).and_then(|expression| evaluate(&expression, &scope()));
        let said = |errors: Vec<_>| errors.iter().map(|error| show(error, &[&file])).collect::<String>();
        format!("{text} => {}\n", value.map_or_else(said, |value| format!("{value:?}")))
    };
    expressions.iter().map(one).collect()
}

#[test]
fn the_mark_spreads_as_the_other_does() {
    assert_snapshot!(check(&[
        "var.once",
        "\"${var.once}-${var.plain}\"",
        "upper(var.once)",
        "[var.once, var.plain]",
        "{ a = var.once }.a",
        "var.once == var.plain",
        "var.once != \"\" ? 1 : 2",
        "[for x in [var.once] : x]",
        "{ for x in [var.once, var.plain] : x => 1 }",
        "length([var.once])",
        "toset([var.once, var.plain])",
        "jsonencode({ a = var.once })",
        "flatten([[var.once], var.plain])",
        "nonsensitive(var.both)",
        "issensitive(var.once)",
        "issensitive(var.both)",
        "ephemeralasnull([var.once, var.both, { a = var.plain }])",
        "var.once + 1",
        "keys({ (var.once) = 1 })",
    ]), @r#"
    var.once => (ephemeral)
    "${var.once}-${var.plain}" => (ephemeral)
    upper(var.once) => (ephemeral)
    [var.once, var.plain] => [(ephemeral), "p"]
    { a = var.once }.a => (ephemeral)
    var.once == var.plain => (ephemeral)
    var.once != "" ? 1 : 2 => (ephemeral)
    [for x in [var.once] : x] => [(ephemeral)]
    { for x in [var.once, var.plain] : x => 1 } => (ephemeral)
    length([var.once]) => 1
    toset([var.once, var.plain]) => (ephemeral)
    jsonencode({ a = var.once }) => (ephemeral)
    flatten([[var.once], var.plain]) => [(ephemeral), "p"]
    nonsensitive(var.both) => (ephemeral)
    issensitive(var.once) => false
    issensitive(var.both) => true
    ephemeralasnull([var.once, var.both, { a = var.plain }]) => [null, (sensitive), {"a": "p"}]
    var.once + 1 => error: this operator does not take it: number required, and this text is none at «var.once»
    keys({ (var.once) = 1 }) => (ephemeral)
    "#);
}

#[test]
fn what_is_stored_takes_nothing_ephemeral() {
    let text = r#"
variable "once" {
  default   = "o"
  ephemeral = true
}
output "a" {
  value     = var.once
  ephemeral = true
}
"#;
    assert_snapshot!(check_desired(text), @r#"error: an output of the root module is stored, and can't be ephemeral at «output "a"» hint: `ephemeral = true` is for outputs of modules that are called"#);
}

#[test]
fn modules_say_what_they_take_and_give() {
    let check = |module: &'static str| {
        let root = "variable \"once\" {\n  default = \"o\"\n  ephemeral = true\n}\nmodule \"m\" {\n  source = \"./m\"\n  x = var.once\n}\nlocals {\n  y = module.m.y\n}\n";
        let files: Vec<SourceFile> = vec![source("main.bm.hcl", root), source("m/main.bm.hcl", module)];
        let (desired, mut said) = desired(files.clone(), Given::default(), Outside::default());
        let mut scope = desired.scope();
        for node in desired.order.iter() {
            said.extend(bimetal_config::derive(&desired.module, node, &mut scope).err().unwrap_or_default());
        }
        let files: Vec<_> = files.iter().collect();
        let locals: Vec<_> = scope.locals.values().collect();
        said.iter().map(|one| show(one, &files) + "\n").collect::<String>() + &format!("{locals:?}")
    };
    assert_snapshot!(check("variable \"x\" {}\noutput \"y\" {\n  value = 1\n}\n"), @r"
    error: the variable `x` is given something ephemeral at «var.once» hint: write `ephemeral = true` in the variable, or `ephemeralasnull(…)` here
    [1]
    ");
    assert_snapshot!(check("variable \"x\" {\n  ephemeral = true\n}\noutput \"y\" {\n  value = var.x\n}\n"), @r"
    error: output `y` has something ephemeral at «var.x» hint: write `ephemeral = true` in the output, or `ephemeralasnull(…)` here
    error: there is no attribute `y` at «.y» hint: there is no attribute at all
    []
    ");
    assert_snapshot!(check("variable \"x\" {\n  ephemeral = true\n}\noutput \"y\" {\n  value = var.x\n  ephemeral = true\n}\n"), @"[(ephemeral)]");
    assert_snapshot!(check("variable \"x\" {\n  ephemeral = true\n}\noutput \"y\" {\n  value = 2\n  ephemeral = true\n}\n"), @"[(ephemeral)]");
}

#[test]
fn a_block_of_its_own_is_written_like_the_others() {
    let native = source(
        "main.bm.hcl",
        "ephemeral \"x_y\" \"z\" {\n  count = 2\n  a     = 1\n}\nlocals {\n  b = ephemeral.x_y.z[0].a\n}\n",
    );
    let json = source(
        "main.bm.json",
        r#"{ "ephemeral": { "x_y": { "z": { "count": 2, "a": 1 } } }, "locals": { "b": "${ephemeral.x_y.z[0].a}" } }"#,
    );
    for file in [native, json] {
        let (desired, said) = desired(vec![file], Given::default(), Outside::default());
        assert_eq!(said, []);
        let order: Vec<String> = desired.order.iter().map(ToString::to_string).collect();
        assert_eq!(order, ["ephemeral.x_y.z", "local.b"]);
    }
}
