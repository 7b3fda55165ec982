//! What functions answer, family by family.

mod common;

use common::{check_eval, eval};
use insta::assert_snapshot;

#[test]
fn numbers() {
    assert_snapshot!(check_eval(&["abs(-1.5)", "ceil(1.2)", "floor(-1.2)", "max(1, 3, 2)", "min([1, 3]...)", "pow(2, 10)", "log(100, 10)", "signum(-3)", "parseint(\"ff\", 16)", "max()"]), @r#"
    abs(-1.5) => 1.5 : number
    ceil(1.2) => 2 : number
    floor(-1.2) => -2 : number
    max(1, 3, 2) => 3 : number
    min([1, 3]...) => 1 : number
    pow(2, 10) => 1024 : number
    log(100, 10) => 2 : number
    signum(-3) => -1 : number
    parseint("ff", 16) => 255 : number
    max() => error: one number at least is wanted at «max()»
    "#);
}

#[test]
fn what_is_long_is_written_all_the_same() {
    assert_snapshot!(check_eval(&["length(tostring(777 / 4e51047)) > 51000", "length(tostring(1e99981))"]), @r"
    length(tostring(777 / 4e51047)) > 51000 => true : bool
    length(tostring(1e99981)) => 99982 : number
    ");
}

#[test]
fn text() {
    assert_snapshot!(check_eval(&[
        "format(\"%s-%03d-%.1f-%v-%q\", \"a\", 7, 1.25, [1], \"x\")",
        "format(\"%[2]s%[1]s\", \"a\", \"b\")",
        "format(\"%d\", 1.5)",
        "format(\"%s\")",
        "formatlist(\"%s:%d\", [\"a\", \"b\"], 80)",
        "join(\"-\", [\"a\", \"b\"], [\"c\"])",
        "split(\",\", \"a,b\")",
        "replace(\"1.2.3\", \"/\\\\.[0-9]/\", \"x\")",
        "regex(\"(?P<a>[a-z]+)([0-9])?\", \"ab1\")",
        "regex(\"x\", \"y\")",
        "regexall(\"[a-z]\", \"a1b\")",
        "title(\"hello world\")",
        "trim(\"?a?\", \"?\")",
        "trimprefix(\"v1\", \"v\")",
        "substr(\"hello\", -3, 2)",
        "strrev(\"ab\")",
        "indent(2, \"a\\nb\")",
        "chomp(\"a\\n\")",
        "startswith(\"ab\", \"a\")",
        "upper(null)",
    ]), @r#"
    format("%s-%03d-%.1f-%v-%q", "a", 7, 1.25, [1], "x") => "a-007-1.2-[1]-\"x\"" : string
    format("%[2]s%[1]s", "a", "b") => "ba" : string
    format("%d", 1.5) => error: value 1: a whole number is wanted, not 1.5 at «format("%d", 1.5)»
    format("%s") => error: there are fewer values than verbs: `%s` takes value 1, and there are 0 at «format("%s")»
    formatlist("%s:%d", ["a", "b"], 80) => ["a:80", "b:80"] : list(string)
    join("-", ["a", "b"], ["c"]) => "a-b-c" : string
    split(",", "a,b") => ["a", "b"] : list(string)
    replace("1.2.3", "/\\.[0-9]/", "x") => "1xx" : string
    regex("(?P<a>[a-z]+)([0-9])?", "ab1") => error: either all groups of a pattern have names, or none has at «(?P<a>[a-z]+)([0-9])?» hint: `(?:…)` groups and keeps nothing
    regex("x", "y") => error: the pattern does not match at «regex("x", "y")» hint: `try(regex(…), null)` where it need not, or `regexall(…)` for a list
    regexall("[a-z]", "a1b") => ["a", "b"] : list(string)
    title("hello world") => "Hello World" : string
    trim("?a?", "?") => "a" : string
    trimprefix("v1", "v") => "1" : string
    substr("hello", -3, 2) => "ll" : string
    strrev("ab") => "ba" : string
    indent(2, "a\nb") => "a\n  b" : string
    chomp("a\n") => "a" : string
    startswith("ab", "a") => true : bool
    upper(null) => error: this can't be `null` at «null»
    "#);
}

#[test]
fn text_beyond_ascii() {
    assert_snapshot!(check_eval(&[
        r#""e\u0301" == "é""#,
        r#"length("e\u0301")"#,
        r#"strrev("e\u0301a")"#,
        r#"upper("ßǆ")"#,
        r#"title("ß ǆungla")"#,
        r#"length("👩‍👩‍👧")"#,
        r#"keys({ "e\u0301" = 1 })[0] == "é""#,
        r#"jsondecode("\"\\ud800\\ud83d\\ude00\"")"#,
        r#"jsondecode("\"\\ude00x\\n\\\\ud800\"")"#,
    ]), @r#"
    "e\u0301" == "é" => true : bool
    length("e\u0301") => 1 : number
    strrev("e\u0301a") => "aé" : string
    upper("ßǆ") => "ßǄ" : string
    title("ß ǆungla") => "ß ǅungla" : string
    length("👩‍👩‍👧") => 1 : number
    keys({ "e\u0301" = 1 })[0] == "é" => true : bool
    jsondecode("\"\\ud800\\ud83d\\ude00\"") => "�😀" : string
    jsondecode("\"\\ude00x\\n\\\\ud800\"") => "�x\n\\ud800" : string
    "#);
}

#[test]
fn patterns_are_those_of_re2() {
    assert_snapshot!(check_eval(&[
        r#"regex("\\d", "٣")"#,
        r#"regex("a{,3}", "a{,3}")"#,
        r#"regex("[[&&~]", "&")"#,
        r#"regex("\\x{41}\\101", "AA")"#,
        r#"regex("^*a", "a")"#,
        r#"regex("(?i)É", "é")"#,
        r#"regex("\\s", "\u000b")"#,
        r#"regex("(|a)*", "aa")"#,
        r#"regex("[a-\\d]", "a")"#,
        r#"regex("a**", "a")"#,
        r#"regex("(?P<a>.)(?P<a>.)", "ab")"#,
        r#"replace("abc", "/(?P<x>b)/", "[$x]")"#,
        r#"replace("abc", "/(b)/", "$1x")"#,
        r#"replace("abc", "/(b)/", "$${1}x")"#,
        r#"replace("Straße", "/\\W/", "_")"#,
    ]), @r#"
    regex("\\d", "٣") => error: the pattern does not match at «regex("\\d", "٣")» hint: `try(regex(…), null)` where it need not, or `regexall(…)` for a list
    regex("a{,3}", "a{,3}") => "a{,3}" : string
    regex("[[&&~]", "&") => "&" : string
    regex("\\x{41}\\101", "AA") => "AA" : string
    regex("^*a", "a") => "a" : string
    regex("(?i)É", "é") => "é" : string
    regex("\\s", "\u000b") => error: the pattern does not match at «regex("\\s", "\u000b")» hint: `try(regex(…), null)` where it need not, or `regexall(…)` for a list
    regex("(|a)*", "aa") => [""] : tuple([string])
    regex("[a-\\d]", "a") => error: the pattern is broken: `a-[0-9]` is no range: it has no end at «[a-\\d]»
    regex("a**", "a") => error: the pattern is broken: `*` repeats a repetition; put what it repeats between parentheses at «a**»
    regex("(?P<a>.)(?P<a>.)", "ab") => {"a": "b"} : object({a = string})
    replace("abc", "/(?P<x>b)/", "[$x]") => "a[b]c" : string
    replace("abc", "/(b)/", "$1x") => "ac" : string
    replace("abc", "/(b)/", "$${1}x") => "abxc" : string
    replace("Straße", "/\\W/", "_") => "Stra_e" : string
    "#);
}

#[test]
fn products_and_matches() {
    assert_snapshot!(check_eval(&[
        r#"setproduct([], ["a"])"#,
        r#"setproduct(toset(["b", "a"]), ["c", "c"])"#,
        r#"matchkeys(["a", "b"], ["1", "2"], [1])"#,
        r#"format("%s", null)"#,
        r#"format("%s", tostring(null))"#,
    ]), @r#"
    setproduct([], ["a"]) => [] : list(tuple([any, string]))
    setproduct(toset(["b", "a"]), ["c", "c"]) => {["a", "c"], ["b", "c"]} : set(tuple([string, string]))
    matchkeys(["a", "b"], ["1", "2"], [1]) => ["a"] : list(string)
    format("%s", null) => (unknown any) : any
    format("%s", tostring(null)) => error: value 1: `null` can't be formatted so; `%v` takes it at «format("%s", tostring(null))»
    "#);
}

#[test]
fn collections() {
    assert_snapshot!(check_eval(&[
        "length(\"abc\")",
        "length({ a = 1 })",
        "element([\"a\", \"b\"], 3)",
        "index([\"a\", \"b\"], \"b\")",
        "contains([\"a\"], \"b\")",
        "lookup({ a = 1 }, \"b\", 2)",
        "lookup({ name = 1 }, \"nmae\")",
        "keys({ b = 1, a = 2 })",
        "values({ b = 1, a = 2 })",
        "merge({ a = 1 }, null, { a = 2, b = 3 })",
        "concat([1], [\"a\"])",
        "flatten([[1], [[2]]])",
        "distinct([\"a\", \"b\", \"a\"])",
        "sort([\"b\", \"a\"])",
        "reverse([1, 2])",
        "slice([1, 2, 3], 1, 3)",
        "slice([1], 0, 5)",
        "range(3)",
        "range(5, 1, -2)",
        "zipmap([\"a\"], [1])",
        "coalesce(null, \"\", \"a\")",
        "coalescelist([], [1])",
        "compact([\"a\", \"\", null])",
        "one([])",
        "sum([1, 2.5])",
        "setunion([\"a\"], [\"b\"])",
        "setintersection([1, 2], [\"2\"])",
        "setsubtract([\"a\", \"b\"], [\"a\"])",
        "alltrue([true, \"false\"])",
        "anytrue([])",
        "chunklist([1, 2, 3], 2)",
        "setproduct([\"a\"], [1, 2])",
        "transpose({ a = [\"1\", \"2\"] })",
    ]), @r#"
    length("abc") => 3 : number
    length({ a = 1 }) => 1 : number
    element(["a", "b"], 3) => "b" : string
    index(["a", "b"], "b") => 1 : number
    contains(["a"], "b") => false : bool
    lookup({ a = 1 }, "b", 2) => 2 : number
    lookup({ name = 1 }, "nmae") => error: there is no key `nmae` at «{ name = 1 }» hint: did you mean `name`?
    keys({ b = 1, a = 2 }) => ["a", "b"] : tuple([string, string])
    values({ b = 1, a = 2 }) => [2, 1] : tuple([number, number])
    merge({ a = 1 }, null, { a = 2, b = 3 }) => {"a": 2, "b": 3} : object({a = number, b = number})
    concat([1], ["a"]) => [1, "a"] : tuple([number, string])
    flatten([[1], [[2]]]) => [1, 2] : tuple([number, number])
    distinct(["a", "b", "a"]) => ["a", "b"] : list(string)
    sort(["b", "a"]) => ["a", "b"] : list(string)
    reverse([1, 2]) => [2, 1] : tuple([number, number])
    slice([1, 2, 3], 1, 3) => [2, 3] : tuple([number, number])
    slice([1], 0, 5) => error: 5 is not inside of a list of 1 at «5»
    range(3) => [0, 1, 2] : list(number)
    range(5, 1, -2) => [5, 3] : list(number)
    zipmap(["a"], [1]) => {"a": 1} : object({a = number})
    coalesce(null, "", "a") => "a" : string
    coalescelist([], [1]) => [1] : tuple([number])
    compact(["a", "", null]) => ["a"] : list(string)
    one([]) => null : any
    sum([1, 2.5]) => 3.5 : number
    setunion(["a"], ["b"]) => {"a", "b"} : set(string)
    setintersection([1, 2], ["2"]) => {"2"} : set(string)
    setsubtract(["a", "b"], ["a"]) => {"b"} : set(string)
    alltrue([true, "false"]) => false : bool
    anytrue([]) => false : bool
    chunklist([1, 2, 3], 2) => [[1, 2], [3]] : list(list(number))
    setproduct(["a"], [1, 2]) => [["a", 1], ["a", 2]] : list(tuple([string, number]))
    transpose({ a = ["1", "2"] }) => {"1": ["a"], "2": ["a"]} : map(list(string))
    "#);
}

#[test]
fn conversions() {
    assert_snapshot!(check_eval(&[
        "toset([\"b\", \"a\", \"b\"])",
        "tolist([1, \"a\"])",
        "tomap({ a = 1, b = \"x\" })",
        "tostring(1.50)",
        "tonumber(\"0x1\")",
        "tobool(\"yes\")",
    ]), @r#"
    toset(["b", "a", "b"]) => {"a", "b"} : set(string)
    tolist([1, "a"]) => ["1", "a"] : list(string)
    tomap({ a = 1, b = "x" }) => {"a": "1", "b": "x"} : map(string)
    tostring(1.50) => "1.5" : string
    tonumber("0x1") => error: this can't be converted: number required, and this text is none at «0x1»
    tobool("yes") => error: this can't be converted: bool required: `true` or `false` at «yes»
    "#);
}

#[test]
fn encodings_and_digests() {
    assert_snapshot!(check_eval(&[
        "jsonencode({ a = [1, null, \"<\"] })",
        "jsondecode(\"{\\\"a\\\": [1, 2.50]}\")",
        "jsondecode(\"{\")",
        "base64encode(\"hi\")",
        "base64decode(\"aGk=\")",
        "sha256(\"\")",
        "md5(\"\")",
        "csvdecode(\"a,b\\n1,\\\"x,y\\\"\\n\")",
        "uuidv5(\"dns\", \"example.com\")",
    ]), @r#"
    jsonencode({ a = [1, null, "<"] }) => "{\"a\":[1,null,\"\\u003c\"]}" : string
    jsondecode("{\"a\": [1, 2.50]}") => {"a": [1, 2.5]} : object({a = tuple([number, number])})
    jsondecode("{") => error: this is no json: eof while parsing an object at line 1 column 1 at «jsondecode("{")»
    base64encode("hi") => "aGk=" : string
    base64decode("aGk=") => "hi" : string
    sha256("") => "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" : string
    md5("") => "d41d8cd98f00b204e9800998ecf8427e" : string
    csvdecode("a,b\n1,\"x,y\"\n") => [{"a": "1", "b": "x,y"}] : list(object({a = string, b = string}))
    uuidv5("dns", "example.com") => "cfbff0d1-9375-5685-968c-48ce8b15ae17" : string
    "#);
}

#[test]
fn networks() {
    assert_snapshot!(check_eval(&[
        "cidrhost(\"10.0.0.0/24\", 5)",
        "cidrhost(\"10.0.0.0/24\", -1)",
        "cidrhost(\"10.0.0.0/24\", 256)",
        "cidrnetmask(\"10.0.0.0/12\")",
        "cidrsubnet(\"10.0.0.0/8\", 8, 2)",
        "cidrsubnets(\"10.0.0.0/8\", 8, 4)",
        "cidrhost(\"10.0.0.0\", 1)",
        "cidrhost(\"2001:db8::/120\", 256)",
        "cidrhost(\"2001:db8::/64\", 18446744073709551616)",
        "cidrhost(\"::ffff:10.0.0.0/120\", 0)",
        "cidrhost(\"::ffff:10.0.0.0/112\", -1)",
        "cidrsubnet(\"::ffff:10.0.0.0/112\", 8, 1)",
        "cidrsubnet(\"::ffff:10.0.0.0/64\", 4, 1)",
        "cidrsubnet(\"10.0.0.0/8\", -1, 3)",
        "cidrsubnet(\"10.0.0.0/8\", -9, 0)",
        "cidrnetmask(\"::ffff:10.0.0.0/112\")",
        "cidrnetmask(\"::ffff:10.0.0.0/64\")",
    ]), @r#"
    cidrhost("10.0.0.0/24", 5) => "10.0.0.5" : string
    cidrhost("10.0.0.0/24", -1) => "10.0.0.255" : string
    cidrhost("10.0.0.0/24", 256) => error: the network has no host 256 at «cidrhost("10.0.0.0/24", 256)»
    cidrnetmask("10.0.0.0/12") => "255.240.0.0" : string
    cidrsubnet("10.0.0.0/8", 8, 2) => "10.2.0.0/16" : string
    cidrsubnets("10.0.0.0/8", 8, 4) => ["10.0.0.0/16", "10.16.0.0/12"] : list(string)
    cidrhost("10.0.0.0", 1) => error: `10.0.0.0` is no network, as `10.0.0.0/8` is at «cidrhost("10.0.0.0", 1)»
    cidrhost("2001:db8::/120", 256) => error: the network has no host 256 at «cidrhost("2001:db8::/120", 256)»
    cidrhost("2001:db8::/64", 18446744073709551616) => "2001:db8:0:1::" : string
    cidrhost("::ffff:10.0.0.0/120", 0) => "10.0.0.0" : string
    cidrhost("::ffff:10.0.0.0/112", -1) => "0:ffff::ffff:a00:0" : string
    cidrsubnet("::ffff:10.0.0.0/112", 8, 1) => "10.0.1.0/24" : string
    cidrsubnet("::ffff:10.0.0.0/64", 4, 1) => "::1000:0:0:0/68" : string
    cidrsubnet("10.0.0.0/8", -1, 3) => "14.0.0.0/7" : string
    cidrsubnet("10.0.0.0/8", -9, 0) => error: there is no room for -9 more bits at «cidrsubnet("10.0.0.0/8", -9, 0)»
    cidrnetmask("::ffff:10.0.0.0/112") => "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0" : string
    cidrnetmask("::ffff:10.0.0.0/64") => error: only ipv4 networks have a netmask at «cidrnetmask("::ffff:10.0.0.0/64")»
    "#);
}

#[test]
fn times() {
    assert_snapshot!(check_eval(&["timeadd(\"2024-02-28T23:00:00Z\", \"1h30m\")", "timeadd(\"2024-01-01T00:00:00+02:00\", \"-1s\")", "timecmp(\"2024-01-01T00:00:00Z\", \"2024-01-01T01:00:00+01:00\")", "timeadd(\"yesterday\", \"1h\")"]), @r#"
    timeadd("2024-02-28T23:00:00Z", "1h30m") => "2024-02-29T00:30:00Z" : string
    timeadd("2024-01-01T00:00:00+02:00", "-1s") => "2023-12-31T23:59:59+02:00" : string
    timecmp("2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00") => 0 : number
    timeadd("yesterday", "1h") => error: `yesterday` is no time, as `2025-01-31t12:00:00z` is at «timeadd("yesterday", "1h")»
    "#);
}

#[test]
fn times_are_written_as_people_want_them() {
    assert_snapshot!(check_eval(&[
        "formatdate(\"EEEE, DD MMM YYYY hh:mm:ss ZZZ\", \"2018-01-02T23:12:01Z\")",
        "formatdate(\"D. M. YY, H:mm aa\", \"2018-01-02T00:12:01+01:30\")",
        "formatdate(\"Z ZZZ ZZZZ ZZZZZ\", \"2018-01-02T00:12:01-01:30\")",
        "formatdate(\"'it''s' h\", \"2018-01-02T00:12:01Z\")",
        "formatdate(\"'open\", \"2018-01-02T00:12:01Z\")",
        "formatdate(\"YYY\", \"2018-01-02T00:12:01Z\")",
        "formatdate(\"q\", \"2018-01-02T00:12:01Z\")",
    ]), @r#"
    formatdate("EEEE, DD MMM YYYY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z") => "Tuesday, 02 Jan 2018 23:12:01 UTC" : string
    formatdate("D. M. YY, H:mm aa", "2018-01-02T00:12:01+01:30") => "2. 1. 18, 12:12 am" : string
    formatdate("Z ZZZ ZZZZ ZZZZZ", "2018-01-02T00:12:01-01:30") => "-01:30 -0130 -0130 -01:30" : string
    formatdate("'it''s' h", "2018-01-02T00:12:01Z") => "it's 0" : string
    formatdate("'open", "2018-01-02T00:12:01Z") => error: a quotation mark `'` is never closed at «'open»
    formatdate("YYY", "2018-01-02T00:12:01Z") => error: `yyy` is no part of a time at «YYY» hint: put text between quotation marks: `'text'`
    formatdate("q", "2018-01-02T00:12:01Z") => error: `q` is no part of a time at «q» hint: put text between quotation marks: `'text'`
    "#);
}

#[test]
fn text_has_other_encodings() {
    assert_snapshot!(check_eval(&[
        "textencodebase64(\"é\", \"ISO-8859-1\")",
        "textencodebase64(\"日\", \"ISO-8859-1\")",
        "textencodebase64(\"é\", \"windows-1252\")",
        "textdecodebase64(\"2AA=\", \"UTF-16BE\")",
        "textdecodebase64(textencodebase64(\"日\", \"EUC-JP\"), \"EUC-JP\")",
        "textencodebase64(\"x\", \"NOPE\")",
    ]), @r#"
    textencodebase64("é", "ISO-8859-1") => "6Q==" : string
    textencodebase64("日", "ISO-8859-1") => error: the encoding lacks a character of this text at «日»
    textencodebase64("é", "windows-1252") => "6Q==" : string
    textdecodebase64("2AA=", "UTF-16BE") => error: these bytes are no text of that encoding at «2AA=»
    textdecodebase64(textencodebase64("日", "EUC-JP"), "EUC-JP") => "日" : string
    textencodebase64("x", "NOPE") => error: no encoding is called `nope` at «NOPE» hint: the IANA has their names, as `UTF-16LE` and `ISO-8859-1`
    "#);
}

#[test]
fn files_are_found_by_patterns() {
    assert_snapshot!(check_eval(&["fileset(\"\", \"motd*\")", "fileset(\"\", \"*.{tpl,txt}\")", "fileset(\"\", \"[\")", "abspath(\"a/./../b\")"]), @r#"
    fileset("", "motd*") => {"motd", "motd.tpl"} : set(string)
    fileset("", "*.{tpl,txt}") => {"motd.tpl", "self.tpl"} : set(string)
    fileset("", "[") => error: syntax error in pattern at «fileset("", "[")»
    abspath("a/./../b") => "/root/b" : string
    "#);
}

#[test]
fn a_pattern_is_cleaned_together_with_its_folder() {
    for (call, found) in [
        ("fileset(\"fx\", \"../motd\")", "{\"../motd\"}"),
        ("fileset(\"fx/../\", \"motd.t*\")", "{\"motd.tpl\"}"),
        ("fileset(\"\", \"fx/..//*.tpl\")", "{\"motd.tpl\", \"self.tpl\"}"),
        ("fileset(\"\", \"/motd\")", "{\"motd\"}"),
        ("fileset(\"\", \"motd/\")", "{\"motd\"}"),
        ("fileset(\"fx\", \"../*.tpl\")", "{\"../motd.tpl\", \"../self.tpl\"}"),
        ("fileset(\"\", \"[]a]*\")", "syntax error in pattern"),
        ("fileset(\"\", \"[a-]*\")", "syntax error in pattern"),
    ] {
        assert!(eval(call).contains(found), "{call}: {}", eval(call));
    }
}

#[test]
fn a_negative_network_number_is_taken_as_terraform_takes_it() {
    for (call, network) in [
        ("cidrsubnet(\"10.0.0.0/8\", 8, -1)", "\"0.1.0.0/16\""),
        ("cidrsubnet(\"10.0.0.0/8\", 8, -255)", "\"0.255.0.0/16\""),
        ("cidrsubnet(\"10.0.0.0/8\", 8, -256)", "8 bits do not hold this number"),
        ("cidrsubnet(\"10.0.0.0/8\", 0, -1)", "0 bits do not hold this number"),
        ("cidrsubnet(\"10.128.0.0/9\", 8, -2)", "\"0.1.0.0/17\""),
        ("cidrsubnet(\"192.168.0.0/16\", 8, -3)", "\"0.0.3.0/24\""),
        ("cidrsubnet(\"0.0.0.0/0\", 8, -1)", "\"1.0.0.0/8\""),
        ("cidrsubnet(\"fd00::/8\", 8, -1)", "\"1::/16\""),
        ("cidrsubnet(\"fd00::/8\", 64, -5)", "\"::500:0:0:0/72\""),
    ] {
        assert!(eval(call).contains(network), "{call}: {}", eval(call));
    }
}
