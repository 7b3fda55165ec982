//! The configuration language, as its page shows it, and where values of variables come from.

use std::collections::BTreeMap;

use bimetal_tests::Bimetal;
use insta::assert_snapshot;

const PAGE: &str = include_str!("../../docs/language.md");

/// The files that a section shows, by name.
fn files(section: &str) -> BTreeMap<&str, &str> {
    let blocks = section.split("\n```").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.split_once('\n'))
        .filter_map(|(info, text)| Some((info.split_once(' ')?.1, text)))
        .collect()
}

fn folder(files: &BTreeMap<&str, &str>) -> Bimetal {
    let bimetal = Bimetal::new("");
    for (name, text) in files {
        bimetal.write(name, text);
    }
    bimetal
}

#[test]
fn every_example_of_the_page_is_valid() {
    let mut examples = 0;
    for section in PAGE.split("\n## ").skip(1) {
        let files = files(section);
        if files.is_empty() {
            continue;
        }
        let bimetal = folder(&files);
        assert_eq!(bimetal.ok(&["validate"]), "The configuration is valid.\n", "{section}");
        if files.keys().any(|name| name.ends_with(".bmtest.hcl")) {
            bimetal.ok(&["test"]);
        }
        examples += 1;
    }
    assert!(examples >= 3, "{examples}");
}

#[test]
fn both_syntaxes_give_the_same_plan() {
    let native = "locals {\n  a = [for n in var.names : upper(n)]\n}\nvariable \"names\" {\n  default = [\"x\"]\n}\noutput \"o\" {\n  value = { a = local.a, b = 1.50, c = \"${local.a[0]}!\" }\n}\n";
    let json = r#"{ "locals": { "a": "${[for n in var.names : upper(n)]}" }, "variable": { "names": { "default": ["x"] } },
        "output": { "o": { "value": { "a": "${local.a}", "b": 1.50, "c": "${local.a[0]}!" } } } }"#;
    let (first, second) = (Bimetal::new(native), Bimetal::new(""));
    second.write("main.bm.json", json);
    assert_eq!(first.plan(), second.plan());
}

#[test]
fn a_folder_of_nothing_but_json_is_a_configuration() {
    let bimetal = Bimetal::new("");
    std::fs::remove_file(bimetal.folder().join("main.bm.hcl")).expect("it was just written");
    let refused = bimetal.run(&["validate"]);
    assert!(refused.stderr.contains("`*.bm.json`"), "{refused}");
    bimetal.write("main.bm.json", r#"{ "output": { "a": { "value": "${1 + 1}" } } }"#);
    assert_eq!(bimetal.ok(&["validate"]), "The configuration is valid.\n");
    bimetal.write("main.bm.json", "{\n  \"output\": { \"a\": { \"value\": \"é ${1 + }\" }, }\n}");
    assert_snapshot!(bimetal.run(&["validate"]).stderr, @r#"
    error: an expression is wanted here
     --> main.bm.json:2:40
      |
    2 |   "output": { "a": { "value": "é ${1 + }" }, }
      |                                        ^ this is `}`

    error: nothing follows this comma
     --> main.bm.json:2:44
      |
    2 |   "output": { "a": { "value": "é ${1 + }" }, }
      |                                            ^
      |
      = hint: remove it

    error: `value` is missing
     --> main.bm.json:2:15
      |
    2 |   "output": { "a": { "value": "é ${1 + }" }, }
      |               ^^^
    "#);
}

/// What `var.a` is, by all that is given.
fn value(bimetal: &Bimetal, words: &[&str]) -> String {
    let words = [&["plan", "--json"][..], words].concat();
    let document: serde_json::Value = serde_json::from_str(&bimetal.ok(&words)).expect("JSON");
    document["outputs"]["a"]["after"].to_string()
}

#[test]
fn values_of_variables_have_an_order() {
    let mut bimetal =
        Bimetal::new("variable \"a\" {\n  default = \"default\"\n}\noutput \"a\" {\n  value = var.a\n}\n");
    let mut found = vec![value(&bimetal, &[])];
    bimetal.set("a", "environment");
    found.push(value(&bimetal, &[]));
    for name in
        ["bimetal.bmvars.hcl", "bimetal.bmvars.json", "a.auto.bmvars.json", "b.auto.bmvars.hcl", "c.auto.bmvars.json"]
    {
        let text =
            if name.ends_with("json") { format!("{{ \"a\": \"{name}\" }}") } else { format!("a = \"{name}\"\n") };
        bimetal.write(name, &text);
        found.push(value(&bimetal, &[]));
    }
    bimetal.write("more.bmvars.hcl", "a = \"more\"\n");
    bimetal.write("other.json", "{ \"a\": \"${other}\" }");
    found.push(value(&bimetal, &["--var-file", "more.bmvars.hcl"]));
    found.push(value(&bimetal, &["--var-file", "more.bmvars.hcl", "--var", "a=argument"]));
    found.push(value(&bimetal, &["--var", "a=argument", "--var-file=more.bmvars.hcl"]));
    found.push(value(&bimetal, &["-var", "a=1", "-var-file=more.bmvars.hcl", "-var-file", "other.json"]));
    assert_snapshot!(found.join("\n"), @r#"
    "default"
    "environment"
    "bimetal.bmvars.hcl"
    "bimetal.bmvars.json"
    "a.auto.bmvars.json"
    "b.auto.bmvars.hcl"
    "c.auto.bmvars.json"
    "more"
    "argument"
    "more"
    "${other}"
    "#);
}

#[test]
fn mistakes_in_values_of_variables() {
    let mut bimetal =
        Bimetal::new("variable \"ports\" {\n  type = list(number)\n}\noutput \"a\" {\n  value = var.ports\n}\n");
    bimetal.set("nobody", "1");
    bimetal.write("bimetal.bmvars.json", "{\n  \"prots\": [1],\n  \"ports\": [\"x\"]\n}");
    bimetal.write("a.auto.bmvars.hcl", "other = local.b\n\nblock {\n}\n");
    let mut all = bimetal.run(&["plan"]).stderr;
    std::fs::remove_file(bimetal.folder().join("a.auto.bmvars.hcl")).expect("it was just written");
    for words in
        [&["--var", "ports=[1"][..], &["--var", "prots=[1]"], &["--var-file", "none.json"], &["--var", "ports"]]
    {
        all += &format!("\n$ {}\n{}", words.join(" "), bimetal.run(&[&["plan"][..], words].concat()).stderr);
    }
    assert_snapshot!(all, @r#"
    warning: no variable `prots` is declared
     --> bimetal.bmvars.json:2:3
      |
    2 |   "prots": [1],
      |   ^^^^^^^
      |
      = hint: did you mean `ports`?

    warning: no variable `other` is declared
     --> a.auto.bmvars.hcl:1:1
      |
    1 | other = local.b
      | ^^^^^
      |
      = hint: there is only `ports`

    error: a file of variables holds no blocks
     --> a.auto.bmvars.hcl:3:1
      |
    3 | block {
      | ^^^^^
      |
      = hint: write `block = …`

    error: the value of `ports` does not fit its type (at `[0]`)
     --> bimetal.bmvars.json:3:12
      |
    3 |   "ports": ["x"]
      |            ^^^^^ number required, and this text is none; the type is list(number)


    $ --var ports=[1
    warning: no variable `prots` is declared
     --> bimetal.bmvars.json:2:3
      |
    2 |   "prots": [1],
      |   ^^^^^^^
      |
      = hint: did you mean `ports`?

    error: this `[` is never closed
     --> <value of var.ports>:1:1
      |
    1 | [1
      | ^ the text ends before


    $ --var prots=[1]
    warning: no variable `prots` is declared
     --> bimetal.bmvars.json:2:3
      |
    2 |   "prots": [1],
      |   ^^^^^^^
      |
      = hint: did you mean `ports`?

    error: no variable `prots` is declared
     |
     = note: `--var` gives it a value
     = hint: did you mean `ports`?

    error: the value of `ports` does not fit its type (at `[0]`)
     --> bimetal.bmvars.json:3:12
      |
    3 |   "ports": ["x"]
      |            ^^^^^ number required, and this text is none; the type is list(number)


    $ --var-file none.json
    error: reading `none.json`: No such file or directory (os error 2)


    $ --var ports
    error: `--var ports` is not `NAME=VALUE`
    "#);
}
