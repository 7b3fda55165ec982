//! What `yamlencode` writes and `yamldecode` reads. The answers are Terraform's.

mod common;

use common::eval;

/// An expression, without its type.
fn check(expression: &str, answer: &str) {
    let said = eval(expression);
    assert!(said.contains(answer), "{expression}\nis {said}\nnot {answer}");
}

fn check_read(yaml: &str, json: &str) {
    check(&format!("jsonencode(yamldecode({yaml:?})) == {json:?}"), "true");
}

#[test]
fn values_are_written_as_terraform_writes_them() {
    for (value, text) in [
        ("null", "null\n...\n"),
        ("{\"a\\nb\" = { x = [1] }}", "? |-\n  a\n  b\n: \"x\":\n  - 1\n"),
        ("[[1, [2]], { a = [{ z = 1 }] }]", "- - 1\n  - - 2\n- \"a\":\n  - \"z\": 1\n"),
        ("\"\\ufeffab c\"", "\"\\uFEFF\\x61\\x62\\x20\\x63\"\n"),
        ("\"a\\n\\nd \"", "\"a\\n\\nd \"\n"),
        ("{ c = \" lead\\nx\", k = \"\\n\" }", "\"c\": |2-\n   lead\n  x\n\"k\": |2+\n\n"),
        ("\"\\u0085\\u00a0 \\U0001F600é\"", "\"\\N\u{a0} \\U0001F600é\"\n"),
    ] {
        check(&format!("yamlencode({value}) == {text:?}").replace("\\u{a0}", "\u{a0}"), "true");
    }
}

#[test]
fn long_keys_and_long_lines_are_broken_as_terraform_breaks_them() {
    let key = "k".repeat(129);
    check(&format!("yamlencode({{ {key} = [1] }}) == \"? \\\"{key}\\\"\\n: - 1\\n\""), "true");
    let words = "word ".repeat(16);
    check(&format!("yamlencode(\"{words} x y\") == \"\\\"{words} x\\n  y\\\"\\n\""), "true");
}

#[test]
fn words_are_read_as_terraform_reads_them() {
    check_read(
        "- 2024-1-2 3:4:5.5\n- 2024-01-02t03:04:05+01:00",
        r#"["2024-01-02T03:04:05Z","2024-01-02T03:04:05+01:00"]"#,
    );
    check_read("[1., .5, +5, 0x1F, 1e3, !!float 7, !!int 0b11, !!int 1_0]", "[1,0.5,5,31,1000,7,3,10]");
    check_read("[2024-02-30, 1_000, !!str 12, +, -0x10, 12e]", r#"["2024-02-30","1_000","12","+","-0x10","12e"]"#);
    check_read("[!!binary YWJj, !!null x, ~, !!int \"1\"]", r#"["YWJj",null,null,"1"]"#);
    check_read("{n: 1, 1: x}", r#"{"1":"x","false":1}"#);
    check_read("- |\n  12\n- 3", r#"["12\n",3]"#);
    check_read("|\n 12", r#""12""#);
    check_read("a:\n- |\n  1\n- x", r#"{"a":["1\n","x"]}"#);
    check_read("- |-\n 12\n- |-\n ~\n- !!int |-\n 12\n- >-\n 2024-01-01\n", r#"["12",null,12,"2024-01-01T00:00:00Z"]"#);
    check_read("- >\n  a\n  b", r#"["a b"]"#);
}

#[test]
fn anchors_are_repeated_and_merged() {
    check_read("a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n", r#"{"a":{"b":1},"c":{"b":1,"d":2}}"#);
    check("yamldecode(\"a: &x [*x]\")", "error: this is no yaml: an alias stands inside of what it repeats");
    check("yamldecode(\"a: *nope\")", "error: this is no yaml");
}

#[test]
fn what_is_no_single_document_is_refused() {
    for yaml in ["", "a: b\n---\nc", "[1, 2]: b", "- .nan", "~: x", "!!int \"x\"", "!foo x", "! 12", "{a: 1, b: [2}"] {
        check(&format!("yamldecode({yaml:?})"), "error: this is no yaml");
    }
}

#[test]
fn aliases_of_aliases_do_not_fill_the_memory() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for depth in 1..12 {
        let before = format!("*a{}, ", depth - 1).repeat(8);
        bomb += &format!("a{depth}: &a{depth} [{before}]\n");
    }
    check(&format!("yamldecode({bomb:?})"), "it has more than 1000000 parts");
}

#[test]
fn deep_nesting_is_no_overflow() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    assert!(!eval(&format!("length(yamlencode(yamldecode({deep:?})))")).is_empty());
}

#[test]
fn tabs_are_where_terraform_takes_them() {
    check_read("a:\t1\nb:\t\t[\t1,\t2]\nc: 3\n", r#"{"a":1,"b":[1,2],"c":3}"#);
    check_read(
        "- a\t# c\n- b\n- !!str\tx\n- &a\tz\n- a:\t1\n  b: {c: 1}\t\n",
        r#"["a","b","x","z",{"a":1,"b":{"c":1}}]"#,
    );
    check_read("---\ta", r#""a""#);
    check_read("a: |\t\n x\n \ty\nb: c\n \td\n\"e\"\t: 2\nf\tg: 3", r#"{"a":"x\n\ty\n","b":"c d","e":2,"f\tg":3}"#);
    for text in [
        "\ta: 1",
        "-\ta",
        "a:\n  \tb",
        "a:\n- b\n-\tc\n",
        "a: 1\n\t# c\nb: 2",
        "a: 1\n\t\nb: 2",
        "- |\n  x\n\n\t\n- b",
        "a: b\n\tc",
        "?\ta\n: b",
        "? a\n:\tb",
        "a: >\n\tx\n",
        "a: >\n x\n \n\ty\n",
    ] {
        check(&format!("can(yamldecode({text:?}))"), "false");
    }
}

#[test]
fn directives_are_those_that_terraform_knows() {
    check_read("# c\n%YAML 1.1 # x\n%TAG ! tag:x,2000:\n---\na: 1", r#"{"a":1}"#);
    check("yamldecode(\"%YAML 1.2\\n---\\na: 1\")", "only version 1.1 is known");
    check("yamldecode(\"%FOO x\\n---\\na: 1\")", "the directive `%foo x` is unknown");
    check("can(yamldecode(\"%YAML 1.1\\n%YAML 1.1\\n---\\na: 1\"))", "false");
    check("can(yamldecode(\"%YAML 1.1\\na: 1\"))", "false");
}
