//! No text makes it panic, and no secret is said.

mod common;

use std::sync::Arc;

use bimetal_config::{Given, Node, Outside, Scope, builtin, decode, desired, evaluate, expand, parse_expression};
use common::{Files, scope, source};
use proptest::prelude::*;

const TOKENS: [&str; 74] = [
    "1",
    "0",
    "-",
    "2.5",
    "1e3",
    "\"a\"",
    "\"${",
    "}\"",
    "${",
    "%{",
    "%{ if ",
    "%{ else }",
    "%{ endif }",
    "%{ for x in ",
    "%{ endfor }",
    "~",
    "\"",
    "é",
    "\u{301}",
    "null",
    "true",
    "false",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    ".",
    "*",
    "[*]",
    ".*",
    ":",
    "?",
    "=>",
    "=",
    "==",
    "!=",
    "<",
    ">=",
    "&&",
    "||",
    "!",
    "+",
    "/",
    "%",
    "...",
    "for x in ",
    "for k, v in ",
    " if ",
    "var.secret",
    "var.later",
    "var.list_later",
    "local.a",
    "machine.a.b",
    "each.key",
    "count.index",
    "x",
    "v",
    "<<EOT\n",
    "<<-EOT\n",
    "\nEOT\n",
    "\n",
    "format(",
    "flatten(",
    "tolist(",
    "range(",
    "substr(",
    "cidrsubnet(",
    "try(",
    "jsondecode(",
    "regexall(",
    "element(",
];

const WORDS: [&str; 28] = [
    "pool \"a\" {",
    "service \"b\" {",
    "machine \"c\" \"d\" {",
    "resource \"e\" \"f\" {",
    "variable \"g\" {",
    "output \"h\" {",
    "locals {",
    "provider \"i\" {",
    "bimetal {",
    "required_providers {",
    "state \"sqlite\" {",
    "lifecycle {",
    "validation {",
    "port {",
    "}",
    "}",
    "\n",
    "count = ",
    "for_each = ",
    "type = ",
    "default = ",
    "value = ",
    "depends_on = ",
    "provider = ",
    "alias = ",
    "ignore_changes = ",
    "condition = ",
    "image = ",
];

fn soup(words: Vec<&'static str>, most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 0..most).prop_map(|tokens| tokens.join(""))
}

fn is_a_good_place(span: Option<&bimetal_model::Span>, text: &str) -> bool {
    span.is_none_or(|span| text.get(span.range.clone()).is_some())
}

/// Expressions that can be read, most of them wrong all the same.
fn expression() -> impl Strategy<Value = String> {
    let leaves = [
        "null",
        "true",
        "-1.5",
        "3",
        "1e40",
        "\"a\"",
        "\"é\"",
        "[]",
        "{}",
        "var.secret",
        "var.later",
        "var.list_later",
        "var.nothing",
        "x",
    ];
    let leaf = prop::sample::select(leaves.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let shapes = prop::sample::select(SHAPES.to_vec());
        (shapes, inner.clone(), inner.clone(), inner)
            .prop_map(|(shape, a, b, c)| shape.replace("#1", &a).replace("#2", &b).replace("#3", &c))
    })
}

const SHAPES: [&str; 58] = [
    "[#1, #2, #3]",
    "{ a = #1, (#2) = #3 }",
    "(#1 + #2)",
    "(#1 / #2)",
    "(#1 % #2)",
    "(#1 == #2)",
    "(#1 && #2)",
    "(#1 < #2)",
    "!#1",
    "-(#1)",
    "(#1 ? #2 : #3)",
    "[for x in #1 : #2 if #3]",
    "{ for x in #1 : x => #2... }",
    "{ for k, x in #1 : #2 => x }",
    "(#1)[#2]",
    "(#1)[*].a",
    "(#1).*.a",
    "(#1).a",
    "\"${#1}-${~ #2 ~} b\"",
    "\"%{ if #1 ~} x %{~ else }${#2}%{ endif }\"",
    "\"%{ for x in #1 }${x}%{ endfor }\"",
    "try(#1, #2)",
    "can(#1)",
    "format(#1, #2, #3)",
    "formatlist(\"%5.2f%v\", #1, #2)",
    "join(#1, #2)",
    "split(#1, #2)",
    "replace(#1, #2, #3)",
    "substr(#1, #2, #3)",
    "regexall(#1, #2)",
    "element(#1, #2)",
    "index(#1, #2)",
    "lookup(#1, #2, #3)",
    "merge(#1, #2)",
    "concat(#1, #2)",
    "flatten(#1)",
    "slice(#1, #2, #3)",
    "range(#1, #2, #3)",
    "zipmap(#1, #2)",
    "coalesce(#1, #2)",
    "compact(#1)",
    "one(#1)",
    "sum(#1)",
    "setproduct(#1, #2)",
    "setunion(#1, #2)",
    "chunklist(#1, #2)",
    "toset(#1)",
    "tolist(#1)",
    "tomap(#1)",
    "tonumber(#1)",
    "jsonencode(#1)",
    "cidrhost(\"10.0.0.0/8\", #1)",
    "cidrsubnet(\"::/0\", #1, #2)",
    "pow(#1, #2)",
    "log(#1, #2)",
    "parseint(#1, #2)",
    "indent(#1, #2)",
    "transpose(#1)",
];

proptest! {
    #[test]
    fn no_readable_expression_panics_or_shows_a_secret(text in expression()) {
        let result = parse_expression(&source("test", &text));
        match result.and_then(|expression| evaluate(&expression, &scope())) {
            Ok(value) => prop_assert!(!format!("{value:?}").contains("s3cret"), "{text} => {value:?}"),
            Err(diagnostics) => for diagnostic in diagnostics {
                let said = format!("{} {} {:?}", diagnostic.summary, diagnostic.detail, diagnostic.hint);
                prop_assert!(!said.contains("s3cret"), "{text} => {said}");
                prop_assert!(is_a_good_place(diagnostic.span.as_ref(), &text), "{diagnostic:?}");
            }
        }
    }

    #[test]
    fn no_expression_panics(text in soup(TOKENS.to_vec(), 16)) {
        let result = parse_expression(&source("test", &text)).and_then(|expression| {
            let _ = expression.references();
            evaluate(&expression, &Scope { count_index: Some(1), ..scope() })
        });
        for diagnostic in result.err().unwrap_or_default() {
            prop_assert!(is_a_good_place(diagnostic.span.as_ref(), &text), "{diagnostic:?}");
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = parse_expression(&source("test", &text));
        let _ = desired(vec![source("test", &text)], Given::default(), Outside::files(Arc::new(Files(&[]))));
    }

    #[test]
    fn no_configuration_panics(text in soup([&TOKENS[..], &WORDS, &WORDS].concat(), 24)) {
        let (desired, diagnostics) = desired(vec![source("test", &text)], Given::default(), Outside::files(Arc::new(Files(&[]))));
        for diagnostic in &diagnostics {
            prop_assert!(is_a_good_place(diagnostic.span.as_ref(), &text), "{diagnostic:?}");
        }
        for node in desired.order.iter() {
            if let Node::Object(address) = node && let Some(block) = desired.module.objects.get(address) {
                let _ = expand(&block.repetition, &scope());
                let _ = decode(&block.body, builtin::service(), &scope());
            }
        }
    }
}
