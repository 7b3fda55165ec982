//! The JSON twin: its tree, its places, its mistakes.

use bimetal_model::Diagnostic;
use bimetal_syntax::{
    BlockShape, Body, Item, Kind, Node, Others, Place, Reading, Shape, SourceFile, StepKind, parse_json_body,
};
use insta::assert_snapshot;
use proptest::prelude::*;

static CONTENT: Shape = Shape {
    blocks: &[BlockShape { word: "dynamic", labels: 1, inside: &DYNAMIC }],
    arguments: &[],
    reading: Reading::Template,
    others: Others::Undecided(&CONTENT),
};
static DYNAMIC: Shape = Shape {
    blocks: &[BlockShape { word: "content", labels: 0, inside: &CONTENT }],
    arguments: &[("iterator", Reading::Expression)],
    reading: Reading::Template,
    others: Others::Arguments,
};
static VARIABLE: Shape = Shape {
    blocks: &[],
    arguments: &[("type", Reading::Expression)],
    reading: Reading::Literal,
    others: Others::Arguments,
};
static FILE: Shape = Shape {
    blocks: &[
        BlockShape { word: "locals", labels: 0, inside: &CONTENT },
        BlockShape { word: "variable", labels: 1, inside: &VARIABLE },
        BlockShape { word: "resource", labels: 2, inside: &CONTENT },
    ],
    arguments: &[],
    reading: Reading::Template,
    others: Others::Blocks,
};

fn file(text: &str) -> SourceFile {
    SourceFile { name: "main.bm.json".into(), text: text.into() }
}

/// The tree, a line each, and what is wrong.
fn check(text: &str) -> String {
    let file = file(text);
    let (body, diagnostics) = parse_json_body(&file, &FILE);
    let mut shown = String::new();
    show_body(&body, 0, &file, &mut shown);
    shown.extend(diagnostics.iter().map(|diagnostic| show(diagnostic, &file) + "\n"));
    shown
}

fn show_body(body: &Body, depth: usize, file: &SourceFile, shown: &mut String) {
    let pad = "  ".repeat(depth);
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => {
                *shown += &format!("{pad}{} = {}\n", attribute.name.text, expression(&attribute.value, file));
            }
            Item::Block(block) => {
                let labels: String = block.labels.iter().map(|label| format!(" {:?}", label.text)).collect();
                *shown += &format!("{pad}{}{labels} at {}\n", block.word.text, at(block.header(), file));
                show_body(&block.body, depth + 1, file, shown);
            }
        }
    }
}

fn at(place: Place, file: &SourceFile) -> String {
    format!("«{}»", &file.text[std::ops::Range::from(place)])
}

/// Kinds, and the places of names.
fn expression(node: &Node, file: &SourceFile) -> String {
    let list = |nodes: &[Node]| nodes.iter().map(|node| expression(node, file)).collect::<Vec<_>>().join(", ");
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::Text(text) => format!("{text:?}"),
        Kind::Name(name) => format!("{name}{}", at(node.place, file)),
        Kind::Tuple(items) => format!("[{}]", list(items)),
        Kind::Object(members) => {
            let member = |member: &bimetal_syntax::Member| {
                format!("{}: {}", expression(&member.key, file), expression(&member.value, file))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Kind::Call(call) => format!("{}({})", call.name.text, list(&call.arguments)),
        Kind::Traversal(traversal) => {
            let step = |step: &bimetal_syntax::Step| match &step.kind {
                StepKind::Index(index) => format!("[{}]", expression(index, file)),
                _ => at(step.place, file),
            };
            let steps: String = traversal.steps.iter().map(step).collect();
            expression(&traversal.root, file) + &steps
        }
        Kind::Template(parts) => format!("template of {}", parts.len()),
        _ => "…".to_owned(),
    }
}

fn show(diagnostic: &Diagnostic, file: &SourceFile) -> String {
    let mut text = format!("error: {}", diagnostic.summary);
    if !diagnostic.detail.is_empty() {
        text += &format!(" ({})", diagnostic.detail);
    }
    if let Some(span) = &diagnostic.span {
        let line = file.text[..span.range.start].matches('\n').count() + 1;
        text += &format!(" at {line} «{}»", &file.text[span.range.clone()]);
    }
    text + &diagnostic.hint.as_ref().map(|hint| format!(" hint: {hint}")).unwrap_or_default()
}

#[test]
fn labels_are_objects_and_arrays_repeat_blocks() {
    assert_snapshot!(check(r#"{
  "//": "no argument",
  "locals": { "a": 1, "b": [true, null, { "c": "d" }], "//": "nor here" },
  "resource": {
    "volume": { "one": { "name": "a" }, "two": [{ "name": "b" }, { "name": "c" }] },
    "network": [{ "three": {} }, { "four": null }]
  },
  "locals": [{ "e": -1.50e2 }, { "f": 123456789012345678901234567890.5 }]
}"#), @r#"
    locals at «"locals"»
      a = 1
      b = [true, null, {"c": "d"}]
    resource "volume" "one" at «"one"»
      name = "a"
    resource "volume" "two" at «{»
      name = "b"
    resource "volume" "two" at «{»
      name = "c"
    resource "network" "three" at «"three"»
    locals at «{»
      e = -150
    locals at «{»
      f = 123456789012345678901234567890.5
    "#);
}

#[test]
fn text_is_a_template_and_its_parts_have_their_places() {
    assert_snapshot!(check(r#"{
  "locals": {
    "plain": "a $ % b",
    "escaped": "$${a} \u00e9\n",
    "alone": "${var.a}",
    "template": "a ${var.b} c",
    "broken": "${join(\", \", \u0061.\"b\")}",
    "joined": "\"\ud83d\ude00\" ${join(\"\\\"\", var.names)}",
    "behind": "${join(\", \", var.names[0])}",
    "keys": { "${var.c}": 1, "d": 2 }
  }
}"#), @r#"
    locals at «"locals"»
      plain = "a $ % b"
      escaped = "${a} é\n"
      alone = var«var»«.a»
      template = template of 3
      joined = template of 2
      behind = join(", ", var«var»«.names»[0])
      keys = {var«var»«.c»: 1, "d": 2}
    error: the name of an attribute is wanted here (this is `"`) at 7 «\"»
    "#);
}

#[test]
fn some_text_is_an_expression_and_some_is_only_text() {
    assert_snapshot!(check(r#"{
  "variable": {
    "a": { "type": "map(list(string))", "default": "${b}", "description": "%{ if" },
    "b": { "type": ["string", "map("] }
  }
}"#), @r#"
    variable "a" at «"a"»
      type = map(list(string«string»))
      default = "${b}"
      description = "%{ if"
    variable "b" at «"b"»
    error: an expression is wanted here (here the text ends) at 4 «»
    "#);
}

#[test]
fn what_holds_a_dynamic_block_is_a_block() {
    assert_snapshot!(check(r#"{
  "resource": { "a": { "b": {
    "dynamic": { "port": { "for_each": [1], "iterator": "it", "content": { "host": "${it.value}" } } },
    "outer": [{ "dynamic": [{ "inner": { "for_each": [], "content": {} } }] }],
    "labels": { "dynamic": "yes", "content": "no" }
  } } }
}"#), @r#"
    resource "a" "b" at «"b"»
      dynamic "port" at «"port"»
        for_each = [1]
        iterator = it«"it"»
        content at «"content"»
          host = it«it»«.value»
      outer at «{»
        dynamic "inner" at «"inner"»
          for_each = []
          content at «"content"»
      labels = {"dynamic": "yes", "content": "no"}
    "#);
}

#[test]
fn mistakes_of_the_grammar() {
    let texts = [
        "",
        "  // nothing\n",
        "[1]",
        "\"locals\"",
        "{} {}",
        "{\"locals\": {\"a\": 1,}}",
        "{\"locals\": {\"a\": [1,, 2,]}}",
        "{\"locals\": {\"a\": 1\n\"b\": 2}}",
        "{\"locals\": {\"a\" = 1, b: 2, 'c': 3, 4: 5, \"d\": e}}",
        "{\"locals\": {\"a\": 1 ; \"b\": [\"c\": 1]}}",
        "{\"locals\": {\"a\": [1}, \"b\": True}",
        "{\"locals\": {\"a\": {\"b\": [",
        "{\"locals\": {\"a\": \"b\n}}",
        "{\"locals\": {\"a\": \"b",
        "{\"locals\": {\"a\": \"\\q \\u12 \\ud800 \t\", \"b\": 01, \"c\": .5, \"d\": 1., \"e\": -, \"f\": 0x1}}",
        "{/* a */ \"locals\": {# b\n\"a\": 1}}",
        "{\"locals\": {\"a\":, \"b\"}}",
        "{\"locals\": {\"a\": {\"b\": 1, \"b\": 2}}}",
    ];
    let all: String = texts.iter().map(|text| format!("> {text}\n{}\n", check(text))).collect();
    assert_snapshot!(all, @r#"
    > 
    error: a value is wanted here (here the file ends) at 1 «»

    >   // nothing

    error: JSON has no comments at 1 «// nothing» hint: write `"//": "…"`, as an argument of its own
    error: a value is wanted here (here the file ends) at 2 «»

    > [1]
    error: a file is one object at 1 «1» hint: write `{ … }`

    > "locals"
    error: a file is one object at 1 «"locals"» hint: write `{ … }`

    > {} {}
    error: the file goes on behind its value at 1 «{» hint: a JSON file is one value: `{ … }`

    > {"locals": {"a": 1,}}
    locals at «"locals"»
      a = 1
    error: nothing follows this comma at 1 «,» hint: remove it

    > {"locals": {"a": [1,, 2,]}}
    locals at «"locals"»
      a = [1, 2]
    error: nothing stands before this comma at 1 «,» hint: remove it
    error: nothing follows this comma at 1 «,» hint: remove it

    > {"locals": {"a": 1
    "b": 2}}
    locals at «"locals"»
      a = 1
      b = 2
    error: a comma is missing before this at 2 «"»

    > {"locals": {"a" = 1, b: 2, 'c': 3, 4: 5, "d": e}}
    locals at «"locals"»
      a = 1
      b = 2
    error: JSON has no `=` at 1 «=» hint: write `:` between a name and its value
    error: in JSON a name stands in quotes at 1 «b» hint: write `"b"`
    error: a name in quotes is wanted here (this is `'`) at 1 «'» hint: text stands between straight double quotes: `"text"`
    error: a name in quotes is wanted here (this is `4`) at 1 «4»
    error: `e` means nothing in JSON at 1 «e» hint: write `"e"`

    > {"locals": {"a": 1 ; "b": ["c": 1]}}
    locals at «"locals"»
      a = 1
    error: `,` or `}` is wanted here (this is `;`) at 1 «;»

    > {"locals": {"a": [1}, "b": True}
    locals at «"locals"»
      a = [1]
    error: this `{` is never closed (the file ends before) at 1 «{»
    error: `}` closes `[` (that is in line 1) at 1 «}» hint: write `]`
    error: `True` means nothing in JSON at 1 «True» hint: write `true`

    > {"locals": {"a": {"b": [
    locals at «"locals"»
      a = {"b": []}
    error: this `[` is never closed (the file ends before) at 1 «[»

    > {"locals": {"a": "b
    }}
    locals at «"locals"»
    error: this text is never closed (its line ends before) at 1 «"b» hint: end it with `"`; `\n` in it is a new line

    > {"locals": {"a": "b
    locals at «"locals"»
    error: this text is never closed (the text ends before) at 1 «"b» hint: end it with `"`; `\n` in it is a new line

    > {"locals": {"a": "\q \u12 \ud800 	", "b": 01, "c": .5, "d": 1., "e": -, "f": 0x1}}
    locals at «"locals"»
    error: `\q` means nothing at 1 «\q» hint: `\\` is a backslash
    error: `\u` takes 4 hexadecimal digits at 1 «\u» hint: `\\` is a backslash
    error: `\ud800` is half a character at 1 «\ud800» hint: `\\` is a backslash
    error: this character can't stand in JSON as it is at 1 «	» hint: write `\t`
    error: `01` is no JSON number at 1 «01» hint: numbers are written as `12`, `-0.5` or `1e9`
    error: `.5` is no JSON number at 1 «.5» hint: numbers are written as `12`, `-0.5` or `1e9`
    error: `1.` is no JSON number at 1 «1.» hint: numbers are written as `12`, `-0.5` or `1e9`
    error: `-` is no JSON number at 1 «-» hint: numbers are written as `12`, `-0.5` or `1e9`
    error: `0x1` is no JSON number at 1 «0x1» hint: numbers are written as `12`, `-0.5` or `1e9`

    > {/* a */ "locals": {# b
    "a": 1}}
    locals at «"locals"»
      a = 1
    error: JSON has no comments at 1 «/* a */» hint: write `"//": "…"`, as an argument of its own

    > {"locals": {"a":, "b"}}
    locals at «"locals"»
    error: a value is wanted here (this is `,`) at 1 «,»
    error: `:` is wanted here (this is `}`) at 1 «}»

    > {"locals": {"a": {"b": 1, "b": 2}}}
    locals at «"locals"»
      a = {"b": 1, "b": 2}
    error: `b` is set twice at 1 «"b"» hint: remove one of them
    "#);
}

#[test]
fn mistakes_of_the_shape() {
    let texts = [
        r#"{"servcie": {"a": {}}}"#,
        r#"{"locals": "a"}"#,
        r#"{"locals": [1, {"a": 1}]}"#,
        r#"{"resource": {}}"#,
        r#"{"resource": {"a": {}}}"#,
        r#"{"resource": {"a": {"name": "b"}}}"#,
        r#"{"resource": [{"a": "b"}, 1]}"#,
        r#"{"variable": {"a": [{}, "b"]}}"#,
    ];
    let all: String = texts.iter().map(|text| format!("> {text}\n{}\n", check(text))).collect();
    assert_snapshot!(all, @r#"
    > {"servcie": {"a": {}}}
    servcie at «"servcie"»

    > {"locals": "a"}
    error: `locals` is a block: an object is wanted here, or an array of objects at 1 «"a"» hint: write `"locals": { … }`

    > {"locals": [1, {"a": 1}]}
    locals at «{»
      a = 1
    error: `locals` is a block: an object is wanted here, or an array of objects at 1 «1» hint: write `"locals": { … }`

    > {"resource": {}}
    error: `resource` has 2 labels that are missing here at 1 «{}» hint: write `"resource": { "<label>": { "<label>": { … } } }`

    > {"resource": {"a": {}}}
    error: `resource` has a label that is missing here at 1 «{}» hint: write `"resource": { "<label>": { "<label>": { … } } }`

    > {"resource": {"a": {"name": "b"}}}
    error: `resource` is a block: an object is wanted here, or an array of objects at 1 «"b"» hint: write `"resource": { "<label>": { "<label>": { … } } }`

    > {"resource": [{"a": "b"}, 1]}
    error: `resource` has a label that is missing here at 1 «"b"» hint: write `"resource": { "<label>": { "<label>": { … } } }`
    error: `resource` has 2 labels that are missing here at 1 «1» hint: write `"resource": { "<label>": { "<label>": { … } } }`

    > {"variable": {"a": [{}, "b"]}}
    variable "a" at «{»
    error: `variable` is a block: an object is wanted here, or an array of objects at 1 «"b"» hint: write `"variable": { "<label>": { … } }`
    "#);
}

#[test]
fn mistakes_within_templates_are_where_they_are_written() {
    assert_snapshot!(check(r#"{
  "locals": {
    "a": "\u0041 ${1 +}",
    "b": ["${", "\"${join(\"a\" 1)}\""],
    "c": "%{ if true }"
  }
}"#), @r#"
    locals at «"locals"»
    error: an expression is wanted here (this is `}`) at 3 «}»
    error: an expression is wanted here (here the text ends) at 4 «»
    error: `,` or `)` is wanted here (this is `1`) at 4 «1»
    error: `%{ endif }` is missing before this (the `if` that it ends is in line 1) at 5 «»
    "#);
}

#[test]
fn nesting_that_is_too_deep_is_refused() {
    let nested = |depth: usize| format!("{{\"locals\": {{\"a\": {}{}}}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parse_json_body(&file(&nested(998)), &FILE).1.len(), 0);
    for depth in [999, 100_000] {
        let (_, diagnostics) = parse_json_body(&file(&nested(depth)), &FILE);
        let said: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect();
        assert_eq!(said, ["more than 1000 levels within each other can't be read"]);
    }
    let (_, diagnostics) = parse_json_body(&file(&"[{\"a\":".repeat(100_000)), &FILE);
    assert!(!diagnostics.is_empty());
}

#[test]
fn numbers_keep_their_digits() {
    assert_snapshot!(check(r#"{"locals": {"a": [0, -0, 1e3, 1E-2, 18446744073709551617, 0.1234567890123456789012345]}}"#), @r#"
    locals at «"locals"»
      a = [0, -0, 1000, 0.01, 18446744073709551617, 0.1234567890123456789012345]
    "#);
}

/// Whatever is said has a place that is in the file.
fn check_places(text: &str) {
    let file = file(text);
    for diagnostic in parse_json_body(&file, &FILE).1 {
        let span = diagnostic.span.expect("a place");
        assert!(file.text.get(span.range.clone()).is_some(), "{span:?} in {text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_can_be_read(text in "\\PC*") {
        check_places(&text);
    }

    #[test]
    fn any_tokens_can_be_read(tokens in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"locals\"", "\"resource\"", "\"dynamic\"", "\"content\"", "1", "-", "true",
        "\"${var.a}\"", "\"\\u00e9${\"", "\"${join(\\\"é\\\", a)}\"", "\"", "\\", "\n", "//", "null", "é", "\"%{ for a in b }\"",
    ]), 0..40)) {
        check_places(&tokens.concat());
    }

    #[test]
    fn what_a_json_writer_writes_is_read(words in prop::collection::vec("\\PC*", 0..6)) {
        let words: Vec<String> = words.into_iter().map(|word| word.replace(['$', '%'], "")).collect();
        let text = serde_json::json!({ "locals": { "a": words } }).to_string();
        let (body, diagnostics) = parse_json_body(&file(&text), &FILE);
        prop_assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let [Item::Block(locals)] = &body.items[..] else { panic!("{body:?}") };
        let [Item::Attribute(attribute)] = &locals.body.items[..] else { panic!("{locals:?}") };
        let Kind::Tuple(items) = &attribute.value.kind else { panic!("{attribute:?}") };
        let read: Vec<String> = items.iter().map(|item| match &item.kind {
            Kind::Text(text) => text.to_string(),
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(read, words);
    }
}
