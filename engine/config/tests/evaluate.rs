//! What expressions come to.

mod common;

use common::check_eval;
use insta::assert_snapshot;

#[test]
fn operators_bind_as_in_hcl() {
    assert_snapshot!(check_eval(&["1 + 2 * 3", "(1 + 2) * 3", "-2 + 1", "10 % 4", "1 / 4", "1 < 2 && 2 < 3 || false", "!true == false", "7 / 0"]), @r#"
    1 + 2 * 3 => 7 : number
    (1 + 2) * 3 => 9 : number
    -2 + 1 => -1 : number
    10 % 4 => 2 : number
    1 / 4 => 0.25 : number
    1 < 2 && 2 < 3 || false => true : bool
    !true == false => true : bool
    7 / 0 => +Inf : number
    "#);
}

#[test]
fn equality_converts_nothing() {
    assert_snapshot!(check_eval(&["1 == \"1\"", "[1] == tolist([1])", "{} == {}", "null == null", "[var.later, 1] == [var.later, 2]", "var.later == \"a\""]), @r#"
    1 == "1" => false : bool
    [1] == tolist([1]) => false : bool
    {} == {} => true : bool
    null == null => true : bool
    [var.later, 1] == [var.later, 2] => false : bool
    var.later == "a" => (unknown bool) : bool
    "#);
}

#[test]
fn both_sides_of_a_choice_get_one_type() {
    assert_snapshot!(check_eval(&["true ? 1 : \"a\"", "false ? [] : [\"a\"]", "true ? {} : []", "true ? null : 1", "var.later == \"\" ? 1 : 2"]), @r#"
    true ? 1 : "a" => "1" : string
    false ? [] : ["a"] => ["a"] : list(string)
    true ? {} : [] => error: the two sides of this choice have different types (one is object({}), the other is tuple([])) at «{} : []» hint: convert one of them, as with `tostring(…)`, `tolist(…)` or `jsonencode(…)`
    true ? null : 1 => null : number
    var.later == "" ? 1 : 2 => (unknown number) : number
    "#);
}

#[test]
fn an_error_on_the_side_not_taken_is_no_error() {
    assert_snapshot!(check_eval(&["true ? 1 : [][0]", "true ? 1 : nope"]), @r#"
    true ? 1 : [][0] => 1 : number
    true ? 1 : nope => error: `nope` stands for nothing at «nope» hint: text stands between quotes: `"nope"`
    "#);
}

#[test]
fn for_makes_tuples_and_objects() {
    assert_snapshot!(check_eval(&[
        "[for i, x in [\"a\", \"b\"] : \"${i}${x}\" if x != \"a\"]",
        "{ for x in [\"a\", \"b\"] : x => upper(x) }",
        "{ for x in [\"ab\", \"ac\", \"b\"] : substr(x, 0, 1) => x... }",
        "{ for x in [1, 1] : x => x }",
        "[for x in 5 : x]",
        "{ for n in range(11, 13) : \"rack-${n}\" => \"192.168.1.${n}\" }",
    ]), @r#"
    [for i, x in ["a", "b"] : "${i}${x}" if x != "a"] => ["1b"] : tuple([string])
    { for x in ["a", "b"] : x => upper(x) } => {"a": "A", "b": "B"} : object({a = string, b = string})
    { for x in ["ab", "ac", "b"] : substr(x, 0, 1) => x... } => {"a": ["ab", "ac"], "b": ["b"]} : object({a = tuple([string, string]), b = tuple([string])})
    { for x in [1, 1] : x => x } => error: two items have the key `1` at «x» hint: group them: put `...` behind the value
    [for x in 5 : x] => error: can't go through a number at «5» hint: `for` takes a list, set, map or object
    { for n in range(11, 13) : "rack-${n}" => "192.168.1.${n}" } => {"rack-11": "192.168.1.11", "rack-12": "192.168.1.12"} : object({rack-11 = string, rack-12 = string})
    "#);
}

#[test]
fn splats_and_indices_go_into_values() {
    assert_snapshot!(check_eval(&[
        "[{ a = 1 }, { a = 2 }][*].a",
        "[{ a = 1 }].*.a",
        "null[*]",
        "\"x\"[*]",
        "[1, 2, 3][1]",
        "[1, 2].0",
        "{ a = { b = 1 } }[\"a\"].b",
        "[1][2]",
        "[1].x",
        "{ name = 1 }.nmae",
        "toset([1])[0]",
        "[[1]].0.0",
    ]), @r#"
    [{ a = 1 }, { a = 2 }][*].a => [1, 2] : tuple([number, number])
    [{ a = 1 }].*.a => [1] : tuple([number])
    null[*] => [] : tuple([])
    "x"[*] => ["x"] : tuple([string])
    [1, 2, 3][1] => 2 : number
    [1, 2].0 => 1 : number
    { a = { b = 1 } }["a"].b => 1 : number
    [1][2] => error: there is no item 2 (the list has 1) at «[2]»
    [1].x => error: this is a list, and has no attribute `x` at «.x» hint: one item: `[0].x`; all of them: `[*].x`
    { name = 1 }.nmae => error: there is no attribute `nmae` at «.nmae» hint: did you mean `name`?
    toset([1])[0] => error: a set has no order at «[0]» hint: `tolist(…)` makes a list of it
    [[1]].0.0 => error: two indices can't follow each other so at «0.0» hint: write them in brackets: `[0][0]`
    "#);
}

#[test]
fn templates_put_values_into_text() {
    assert_snapshot!(check_eval(&[
        "\"a${1 + 1}b\"",
        "\"${[1]}\"",
        "\"a ${~ 1 ~} b\"",
        "\"%{ if true }yes%{ else }no%{ endif }\"",
        "\"%{ for x in [1, 2] }<${x}>%{ endfor }\"",
        "\"$${literal} %%{too}\"",
        "\"x${null}\"",
        "\"x${[]}\"",
        "\"one\ntwo\"",
    ]), @r#"
    "a${1 + 1}b" => "a2b" : string
    "${[1]}" => [1] : tuple([number])
    "a ${~ 1 ~} b" => "a1b" : string
    "%{ if true }yes%{ else }no%{ endif }" => "yes" : string
    "%{ for x in [1, 2] }<${x}>%{ endfor }" => "<1><2>" : string
    "$${literal} %%{too}" => "${literal} %{too}" : string
    "x${null}" => error: `null` can't be put into text at «null» hint: `coalesce(…, "")` helps where it may be `null`
    "x${[]}" => error: this can't be put into text: string required, but have tuple at «[]» hint: `jsonencode(…)` or `join(…)` makes text of it
    "one\ntwo" => error: quoted text can't go over several lines at «\n» hint: write `\n` for a new line, or a heredoc: `<<EOT`
    "#);
}

#[test]
fn heredocs_keep_lines_and_lose_indentation() {
    assert_snapshot!(check_eval(&[
        "<<EOT\n  a\n b\nEOT",
        "<<-EOT\n    a\n      b\n    EOT",
        "<<EOT\n%{ for x in [\"a\", \"b\"] ~}\nitem ${x}\n%{ endfor ~}\nEOT",
    ]), @r#"
    <<EOT\n  a\n b\nEOT => "  a\n b\n" : string
    <<-EOT\n    a\n      b\n    EOT => "a\n  b\n" : string
    <<EOT\n%{ for x in ["a", "b"] ~}\nitem ${x}\n%{ endfor ~}\nEOT => "item a\nitem b\n" : string
    "#);
}

#[test]
fn what_is_unknown_stays_so_with_its_type() {
    assert_snapshot!(check_eval(&[
        "upper(var.later)",
        "\"x-${var.later}\"",
        "length(var.list_later)",
        "var.list_later[0].ip",
        "var.list_later[*].ip",
        "[var.later, \"b\"][1]",
        "[for x in var.list_later : x.ip]",
        "length([var.later])",
        "true || var.later == \"a\"",
        "var.list_later[0].port",
    ]), @r#"
    upper(var.later) => (unknown string) : string
    "x-${var.later}" => (unknown string) : string
    length(var.list_later) => (unknown number) : number
    var.list_later[0].ip => (unknown string) : string
    var.list_later[*].ip => (unknown list(string)) : list(string)
    [var.later, "b"][1] => "b" : string
    [for x in var.list_later : x.ip] => (unknown any) : any
    length([var.later]) => 1 : number
    true || var.later == "a" => true : bool
    var.list_later[0].port => error: there is no attribute `port` at «.port» hint: there is only `ip`
    "#);
}

#[test]
fn sensitivity_spreads() {
    assert_snapshot!(check_eval(&[
        "\"x-${var.secret}\"",
        "upper(var.secret)",
        "var.secret == \"a\"",
        "var.secret != \"\" ? 1 : 2",
        "[for x in [1] : x if var.secret != \"\"]",
        "{ (var.secret) = 1 }",
        "[var.secret, 1]",
        "[var.secret, 1][1]",
        "var.object.token",
        "var.object.id",
        "jsonencode(var.object)",
        "join(\",\", [var.secret])",
        "[1, 2][length(var.secret) - 5]",
        "nonsensitive(var.secret)",
        "length(toset([var.secret]))",
        "keys({ a = var.secret })",
        "\"%{ if var.secret == \"\" }a%{ else }b%{ endif }\"",
        "try(var.secret.x, var.secret)",
    ]), @r#"
    "x-${var.secret}" => (sensitive) : string
    upper(var.secret) => (sensitive) : string
    var.secret == "a" => (sensitive) : bool
    var.secret != "" ? 1 : 2 => (sensitive) : number
    [for x in [1] : x if var.secret != ""] => (sensitive) : tuple([number])
    { (var.secret) = 1 } => (sensitive) : object({s3cret = number})
    [var.secret, 1] => [(sensitive), 1] : tuple([string, number])
    [var.secret, 1][1] => 1 : number
    var.object.token => (sensitive) : string
    var.object.id => 7 : number
    jsonencode(var.object) => (sensitive) : string
    join(",", [var.secret]) => (sensitive) : string
    [1, 2][length(var.secret) - 5] => (sensitive) : number
    nonsensitive(var.secret) => "s3cret" : string
    length(toset([var.secret])) => (sensitive) : number
    keys({ a = var.secret }) => ["a"] : tuple([string])
    "%{ if var.secret == "" }a%{ else }b%{ endif }" => (sensitive) : string
    try(var.secret.x, var.secret) => (sensitive) : string
    "#);
}

/// As `terraform console` answers.
#[test]
fn the_side_that_is_not_chosen_hides_the_other() {
    assert_snapshot!(check_eval(&[
        "issensitive(true ? \"a\" : var.secret)",
        "issensitive(false ? \"a\" : var.secret)",
        "issensitive(true ? null : var.secret)",
        "issensitive(true ? { a = 1 } : { a = var.secret })",
        "issensitive((true ? { a = 1 } : { a = var.secret }).a)",
        "issensitive(\"%{ if true }a%{ else }${var.secret}%{ endif }x\")",
        "\"%{ if true }a%{ else }${null}%{ endif }x\"",
    ]), @r#"
    issensitive(true ? "a" : var.secret) => true : bool
    issensitive(false ? "a" : var.secret) => true : bool
    issensitive(true ? null : var.secret) => true : bool
    issensitive(true ? { a = 1 } : { a = var.secret }) => false : bool
    issensitive((true ? { a = 1 } : { a = var.secret }).a) => false : bool
    issensitive("%{ if true }a%{ else }${var.secret}%{ endif }x") => true : bool
    "%{ if true }a%{ else }${null}%{ endif }x" => "ax" : string
    "#);
}

#[test]
fn mistakes_name_what_is_near() {
    assert_snapshot!(check_eval(&[
        "uper(\"a\")",
        "var.secrt",
        "vra.x",
        "nope",
        "upper()",
        "upper(\"a\", \"b\")",
        "1 + \"a\"",
        "null + 1",
        "!5",
        "each.key",
        "count.index",
        "machine.docker",
        "tolist([1, [2]])",
        "tonumber(\"x\")",
        "regex(\"(\", \"a\")",
    ]), @r#"
    uper("a") => error: no function is called `uper` at «uper» hint: did you mean `upper`?
    var.secrt => error: no variable `secrt` is declared at «var.secrt» hint: did you mean `secret`?
    vra.x => error: no block `vra.x` is declared at «vra.x» hint: there is no block at all
    nope => error: `nope` stands for nothing at «nope» hint: text stands between quotes: `"nope"`
    upper() => error: `upper` takes 1 argument, here are 0 at «)»
    upper("a", "b") => error: `upper` takes 1 argument, here are 2 at «b»
    1 + "a" => error: this operator does not take it: number required, and this text is none at «"a"»
    null + 1 => error: an operand is `null`, and nothing can be done with it at «null + 1» hint: `coalesce(…)` helps where it may be `null`
    !5 => error: this operator does not take it: bool required, but have number at «5»
    each.key => error: `each` is known only in a block with `for_each` at «each.key»
    count.index => error: `count` is known only in a block with `count` at «count.index»
    machine.docker => error: `machine` alone stands for nothing at «machine.docker» hint: write `machine.<provider>.<name>`
    tolist([1, [2]]) => error: this can't be converted: all of them must have one type, but these are number, tuple at «[1, [2]]»
    tonumber("x") => error: this can't be converted: number required, and this text is none at «x»
    regex("(", "a") => error: the pattern is broken: unclosed group at «(»
    "#);
}

#[test]
fn try_and_can_see_errors_but_not_mistakes_in_names() {
    assert_snapshot!(check_eval(&["try([][0], 2)", "can([][0])", "can(1)", "try(nope, 1)", "try([][0])", "can(1, 2)"]), @r#"
    try([][0], 2) => 2 : number
    can([][0]) => false : bool
    can(1) => true : bool
    try(nope, 1) => error: `nope` stands for nothing at «nope» hint: text stands between quotes: `"nope"`
    try([][0]) => error: none of the arguments of `try` has a value at «try([][0])» | error: there is no item 0 (the list has 0) at «[0]»
    can(1, 2) => error: `can` takes 1 argument, here are 2 at «2»
    "#);
}

#[test]
fn paths_and_files_come_from_the_edge() {
    assert_snapshot!(check_eval(&[
        "path.cwd",
        "\"${path.module}/x\"",
        "file(\"motd\")",
        "file(\"missing\")",
        "fileexists(\"missing\")",
        "templatefile(\"motd.tpl\", { names = [\"a\", \"b\"] })",
        "templatefile(\"motd.tpl\", { nmaes = [] })",
    ]), @r#"
    path.cwd => "/root" : string
    "${path.module}/x" => "./x" : string
    file("motd") => "hello\n" : string
    file("missing") => error: there is no file `missing` at «missing»
    fileexists("missing") => false : bool
    templatefile("motd.tpl", { names = ["a", "b"] }) => "hi a\nhi b\n" : string
    templatefile("motd.tpl", { nmaes = [] }) => error: `names` is wanted in line 1 of the template, and not given at «{ nmaes = [] }»
    "#);
}

#[test]
fn what_is_wrong_with_a_secret_does_not_show_it() {
    assert_snapshot!(check_eval(&[
        "regex(var.secret, \"a\")",
        "{ a = 1 }[var.secret]",
        "{ for x in [1, 2] : var.secret => x }",
        "parseint(var.secret, 10)",
        "file(var.secret)",
        "tonumber(var.secret)",
        "var.secret + 1",
    ]), @r#"
    regex(var.secret, "a") => error: `regex` can't do this with what it was given, which is sensitive at «regex(var.secret, "a")»
    { a = 1 }[var.secret] => error: there is no such key (the key or the map is sensitive) at «[var.secret]»
    { for x in [1, 2] : var.secret => x } => error: two items have the key `(sensitive)` at «var.secret» hint: group them: put `...` behind the value
    parseint(var.secret, 10) => error: `parseint` can't do this with what it was given, which is sensitive at «var.secret»
    file(var.secret) => error: `file` can't do this with what it was given, which is sensitive at «var.secret»
    tonumber(var.secret) => error: `tonumber` can't do this with what it was given, which is sensitive at «var.secret»
    var.secret + 1 => error: this operator does not take it: number required, and this text is none at «var.secret»
    "#);
}
