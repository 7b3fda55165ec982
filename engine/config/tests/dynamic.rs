//! `dynamic` blocks: what they make, and what is wrong with them.

mod common;

use bimetal_config::{builtin, decode};
use bimetal_model::schema::{Attribute, Block, NestedBlock};
use bimetal_model::{Address, BlockKind, Type};
use common::{check_desired, scope, show, source};
use insta::assert_snapshot;

/// The ports and the health check of a service, and all that is wrong.
fn check(body: &str) -> String {
    check_with(body, builtin::service(), &["port", "health"])
}

fn check_with(body: &str, schema: &Block, shown: &[&str]) -> String {
    let file = source("main.bm.hcl", &format!("service \"s\" {{\npool = \"p\"\nimage = \"i\"\n{body}\n}}\n"));
    let (module, mut diagnostics) = bimetal_config::parse(std::slice::from_ref(&file), "");
    let (value, errors) = decode(&module.objects[&Address::new(BlockKind::Service, "", "s")].body, schema, &scope());
    diagnostics.extend(errors);
    let blocks =
        shown.iter().filter_map(|name| Some((name, value.member(name)?))).filter(|(_, value)| !value.is_null());
    let mut text: String = blocks.map(|(name, value)| format!("{name} = {value:?}\n")).collect();
    text.extend(diagnostics.iter().map(|diagnostic| show(diagnostic, &[&file]) + "\n"));
    text
}

fn ports(for_each: &str) -> String {
    check(&format!(
        "dynamic \"port\" {{\nfor_each = {for_each}\ncontent {{\ncontainer = port.key\nprotocol = port.value\n}}\n}}"
    ))
}

#[test]
fn a_block_is_made_for_each_element() {
    let all = ["[\"a\", \"b\"]", "toset([80, 81])", "{ 80 = \"a\", 81 = \"b\" }", "[]", "tolist([\"a\"])"];
    assert_snapshot!(all.map(ports).concat(), @r#"
    port = [{"container": 0, "host": null, "protocol": "a"}, {"container": 1, "host": null, "protocol": "b"}]
    port = [{"container": 80, "host": null, "protocol": "80"}, {"container": 81, "host": null, "protocol": "81"}]
    port = [{"container": 80, "host": null, "protocol": "a"}, {"container": 81, "host": null, "protocol": "b"}]
    port = []
    port = [{"container": 0, "host": null, "protocol": "a"}]
    "#);
}

#[test]
fn made_blocks_stand_in_their_order_among_written_ones() {
    assert_snapshot!(check(r#"
  port {
    container = 1
  }
  dynamic "port" {
    for_each = [2, 3]
    iterator = it
    content {
      container = it.value
    }
  }
  port {
    container = 4
  }
  dynamic "health" {
    for_each = var.nothing == null ? [1] : []
    content {
      command = ["c"]
    }
  }
"#), @r#"
    port = [{"container": 1, "host": null, "protocol": null}, {"container": 2, "host": null, "protocol": null}, {"container": 3, "host": null, "protocol": null}, {"container": 4, "host": null, "protocol": null}]
    health = {"command": ["c"], "interval": null, "retries": null, "start_period": null, "timeout": null}
    "#);
}

#[test]
fn the_number_of_blocks_must_be_one_that_can_be_shown() {
    let all = [
        "var.list_later",
        "var.later",
        "[var.later]",
        "var.secret",
        "[var.secret]",
        "var.nothing",
        "null",
        "5",
        "\"a\"",
        "var.missing",
    ];
    let all: String = all.map(|for_each| format!("{for_each}\n{}\n", ports(for_each))).concat();
    assert_snapshot!(all, @r#"
    var.list_later
    port = (unknown list(object({container = number, host = number, protocol = string})))

    var.later
    port = []
    error: `for_each` takes a list, a set, a map or an object, not a string at «var.later» hint: `[…]` makes a list of a single value

    [var.later]
    port = [{"container": 0, "host": null, "protocol": (unknown string)}]

    var.secret
    port = []
    error: `for_each` is sensitive at «var.secret» hint: a plan shows how many blocks there are: `nonsensitive(…)` says that it may

    [var.secret]
    port = [{"container": 0, "host": null, "protocol": (sensitive)}]

    var.nothing
    port = []
    error: `for_each` can't be `null` at «var.nothing» hint: use `[]` for none

    null
    port = []
    error: `for_each` can't be `null` at «null» hint: use `[]` for none

    5
    port = []
    error: `for_each` takes a list, a set, a map or an object, not a number at «5» hint: `[…]` makes a list of a single value

    "a"
    port = []
    error: `for_each` takes a list, a set, a map or an object, not a string at «"a"» hint: `[…]` makes a list of a single value

    var.missing
    port = []
    error: no variable `missing` is declared at «var.missing» hint: there are `later`, `list_later`, `nothing`, `object`, `secret`, `template`
    "#);
}

#[test]
fn mistakes_in_dynamic_blocks() {
    let all = [
        "dynamic {\n}",
        "dynamic \"port\" \"a\" {\n}",
        "dynamic \"prot\" {\nfor_each = []\ncontent {\n}\n}",
        "dynamic \"env\" {\nfor_each = []\ncontent {\n}\n}",
        "dynamic \"port\" {\n}",
        "dynamic \"port\" {\nfor_eahc = []\nlabels = []\niterator = \"it\"\ncontainer = 1\ncontent \"a\" {\n}\ncontent {\n}\nport {\n}\n}",
        "dynamic \"port\" {\nfor_each = [1, 2]\ncontent {\ncontaner = port.valeu\n}\n}",
        "dynamic \"health\" {\nfor_each = [1, 2]\ncontent {\ncommand = [\"c\"]\n}\n}",
    ];
    let all: String = all.map(|body| format!("{body}\n{}\n", check(body))).concat();
    assert_snapshot!(all, @r#"
    dynamic {
    }
    port = []
    error: `dynamic` takes one label, here are 0 at «dynamic» hint: it says which blocks are made: `dynamic "port" { … }`

    dynamic "port" "a" {
    }
    port = []
    error: `dynamic` takes one label, here are 2 at «dynamic "port" "a"» hint: it says which blocks are made: `dynamic "port" { … }`

    dynamic "prot" {
    for_each = []
    content {
    }
    }
    port = []
    error: no block is called `prot` here at «dynamic "prot"» hint: did you mean `port`?

    dynamic "env" {
    for_each = []
    content {
    }
    }
    port = []
    error: no block is called `env` here at «dynamic "env"» hint: `env` is an argument: write `env = [for value in … : …]`

    dynamic "port" {
    }
    port = []
    error: a `content` block is missing at «dynamic "port"» hint: add `content { … }`: what is in each of the blocks
    error: the argument `for_each` is missing at «dynamic "port"» hint: add `for_each = …`: a block is made for each of its elements

    dynamic "port" {
    for_eahc = []
    labels = []
    iterator = "it"
    container = 1
    content "a" {
    }
    content {
    }
    port {
    }
    }
    port = []
    error: no argument is called `container` here at «container» hint: what the blocks hold belongs into `content { … }`
    error: no argument is called `for_eahc` here at «for_eahc» hint: did you mean `for_each`?
    error: `port` takes no labels at «labels» hint: remove it
    error: `port` does not belong into `dynamic` at «port» hint: put it into `content { … }`
    error: there can be one `content` block only at «content»
    error: `content` takes no labels at «content "a"»
    error: `iterator` is a name at «"it"» hint: write `iterator = port`, without quotes
    error: the argument `for_each` is missing at «dynamic "port"» hint: add `for_each = …`: a block is made for each of its elements

    dynamic "port" {
    for_each = [1, 2]
    content {
    contaner = port.valeu
    }
    }
    port = [{"container": null, "host": null, "protocol": null}, {"container": null, "host": null, "protocol": null}]
    error: no argument is called `contaner` here at «contaner» hint: did you mean `container`?
    error: the argument `container` is missing at «content» hint: add `container = …`

    dynamic "health" {
    for_each = [1, 2]
    content {
    command = ["c"]
    }
    }
    port = []
    health = {"command": ["c"], "interval": null, "retries": null, "start_period": null, "timeout": null}
    error: there can be one `health` block only at «dynamic "health"»
    "#);
}

fn nested() -> Block {
    let block = |name: &str, inner: Block| {
        let attributes = [("name".to_owned(), Attribute::optional(Type::String))].into();
        let blocks = [(name.to_owned(), NestedBlock { block: inner, ..NestedBlock::default() })].into();
        Block { attributes, blocks }
    };
    let leaf =
        Block { attributes: [("name".to_owned(), Attribute::required(Type::String))].into(), ..Block::default() };
    let mut outer = block("outer", block("inner", leaf));
    for name in ["pool", "image"] {
        outer.attributes.insert(name.to_owned(), Attribute::optional(Type::String));
    }
    outer
}

const NESTED: &str = r#"
  dynamic "outer" {
    for_each = { a = ["x", "y"], b = [] }
    content {
      name = outer.key
      inner {
        name = "first of ${outer.key}"
      }
      dynamic "inner" {
        for_each = outer.value
        content {
          name = "${outer.key}-${inner.key}-${inner.value}-${join(",", [for outer in ["z"] : outer])}"
        }
      }
    }
  }
"#;

#[test]
fn inner_blocks_know_what_outer_ones_bind() {
    assert_snapshot!(check_with(NESTED, &nested(), &["outer"]), @r#"outer = [{"inner": [{"name": "first of a"}, {"name": "a-0-x-z"}, {"name": "a-1-y-z"}], "name": "a"}, {"inner": [{"name": "first of b"}], "name": "b"}]"#);
    let shadowed = NESTED.replace("for_each = outer.value\n", "for_each = outer.value\n        iterator = outer\n");
    let shadowed = shadowed.replace("${inner.key}-${inner.value}", "${outer.value}");
    assert_snapshot!(check_with(&shadowed, &nested(), &["outer"]), @r#"outer = [{"inner": [{"name": "first of a"}, {"name": "0-x-z"}, {"name": "1-y-z"}], "name": "a"}, {"inner": [{"name": "first of b"}], "name": "b"}]"#);
}

#[test]
fn what_an_iterator_binds_is_no_reference_and_all_else_is() {
    assert_snapshot!(check_desired(r#"
resource "a" "b" {
  dynamic "port" {
    for_each = [port.value, var.b]
    iterator = it
    content {
      a = it.value + it.key + port.value + local.c
    }
  }
  port {
    d = it.value
  }
}
"#), @r"
    error: `port.value` is not declared at «port.value» hint: did you mean `pool`?
    error: `var.b` is not declared at «var.b» hint: there is no variable at all
    error: `port.value` is not declared at «port.value» hint: did you mean `pool`?
    error: `local.c` is not declared at «local.c» hint: there is no local at all
    error: `it.value` is not declared at «it.value» hint: there is only `a.b`
    ");
}
