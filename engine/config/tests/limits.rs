//! What would take all memory, all time or all of the stack is an error.

mod common;

use common::{check_eval, complaints, eval};
use insta::assert_snapshot;

/// A chain of locals, each made of the one before.
fn chain(first: &str, length: usize, next: impl Fn(&str) -> String) -> String {
    let link = |at: usize| format!("  a{} = {}\n", at + 1, next(&format!("local.a{at}")));
    let links: String = (0..length).map(link).collect();
    let text = format!("locals {{\n  a0 = {first}\n{links}}}\n");
    let (desired, said) = complaints(&text, bimetal_config::Given::default());
    if !said.is_empty() {
        return said;
    }
    let mut scope = desired.scope();
    let errors = desired.order.iter().find_map(|node| bimetal_config::derive(&desired.module, node, &mut scope).err());
    errors.unwrap_or_default().iter().map(|error| format!("{}\n", error.summary)).collect()
}

#[test]
fn what_grows_too_large_is_refused() {
    let said = [
        chain("\"0123456789abcdef\"", 60, |before| format!("\"${{{before}}}${{{before}}}\"")),
        chain("[\"a\"]", 60, |before| format!("[{before}, {before}]")),
        chain("\"a\"", 60, |before| format!("{{ x = {before}, y = {before} }}")),
        chain("\"a\"", 2_000, |before| format!("[{before}]")),
        chain("\"ab\"", 60, |before| format!("replace({before}, \"/[ab]/\", {before})")),
        chain("\"ab\"", 60, |before| format!("replace({before}, \"a\", {before})")),
    ];
    assert_snapshot!(said.concat(), @r"
    the text would be longer than 128 MiB
    this value is larger than 1 GiB, what is in it twice counted twice
    this value is larger than 1 GiB, what is in it twice counted twice
    this value is more than 1000 levels deep
    the text would be longer than 128 MiB
    the text would be longer than 128 MiB
    ");
}

#[test]
fn what_asks_for_too_much_is_refused() {
    assert_snapshot!(check_eval(&[
        "range(1e12)",
        "pow(10, 1e9)",
        "1e100000 * 1e100000",
        "format(\"%999999999d\", 1)",
        "format(\"%.999999999f\", 1)",
        "indent(1e9, \"a\\nb\")",
        "setproduct(range(1000), range(1000), range(1000))",
        "cidrsubnets(\"10.0.0.0/8\", 33)",
        "regex(\"(a{1000}){1000}\", \"a\")",
        "yamldecode(\"a: &a [x, x, x, x, x, x, x, x, x, x]\\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\")",
    ]), @r#"
    range(1e12) => error: these are more than 1024 numbers at «range(1e12)»
    pow(10, 1e9) => +Inf : number
    1e100000 * 1e100000 => +Inf : number
    format("%999999999d", 1) => error: more than 1000000 characters can't be made of one value at «format("%999999999d", 1)»
    format("%.999999999f", 1) => error: more than 1000000 characters can't be made of one value at «format("%.999999999f", 1)»
    indent(1e9, "a\nb") => error: the text would be longer than 128 mib at «indent(1e9, "a\nb")»
    setproduct(range(1000), range(1000), range(1000)) => error: the product has more than 1000000 values at «setproduct(range(1000), range(1000), range(1000))»
    cidrsubnets("10.0.0.0/8", 33) => error: 1 to 32 bits more are taken, not 33 at «33»
    regex("(a{1000}){1000}", "a") => error: the pattern is broken: compiled regex exceeds size limit of 10485760 bytes. at «(a{1000}){1000}»
    yamldecode("a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]") => error: this is no yaml: it has more than 1000000 parts at «yamldecode("a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]")»
    "#);
}

#[test]
fn a_pattern_takes_no_longer_than_the_text() {
    let text = "a".repeat(30_000);
    let found = eval(&format!("regexall(\"(a|a)*b|(a*)*c\", \"{text}\")"));
    assert_eq!(found, "[] : list(tuple([string, string]))");
}

#[test]
fn templates_do_not_call_templates() {
    assert_snapshot!(check_eval(&["templatefile(\"self.tpl\", {})", "templatestring(var.template, {})"]), @r#"
    templatefile("self.tpl", {}) => error: `self.tpl`: `templatefile` can't be called in a template (line 1) at «templatefile("self.tpl", {})»
    templatestring(var.template, {}) => error: `the template`: `file` can't be called in what `templatestring` is given (line 1) at «templatestring(var.template, {})»
    "#);
}
