//! The canonical style, against what Terraform 1.11.4 printed, and its laws.

use std::sync::LazyLock;

use bimetal_syntax::{SourceFile, Start, Token, TokenKind, format, tokens};
use proptest::prelude::*;

#[derive(serde::Deserialize)]
struct Case {
    id: String,
    input: String,
    ok: bool,
    output: Option<String>,
}

/// Terraform's own answers: those that the project shares, and those that were asked for here.
fn cases() -> Vec<Case> {
    let texts = [include_str!("conformance/fmt.jsonl"), include_str!("cases/format.jsonl")];
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).expect("a case a line")).collect()
}

fn formatted(text: &str) -> Option<String> {
    format(&SourceFile { name: "main.bm.hcl".into(), text: text.into() }).ok()
}

/// As a command prints it: a line that does not end is ended.
fn printed(text: &str) -> Option<String> {
    let text = formatted(text)?;
    Some(if text.ends_with('\n') { text } else { text + "\n" })
}

fn failure(case: &Case) -> Option<String> {
    let ours = printed(&case.input);
    let is_right = ours.is_some() == case.ok && ours == case.output;
    let Case { id, input, output: theirs, .. } = case;
    (!is_right).then(|| format!("{id}: {input:?}\n  ours   {ours:?}\n  theirs {theirs:?}\n"))
}

fn check(text: &str, expected: &str) {
    assert_eq!(formatted(text).as_deref(), Some(expected), "{text:?}");
    assert_eq!(formatted(expected).as_deref(), Some(expected), "{expected:?} is in style");
}

#[test]
fn the_style_is_that_of_terraform() {
    let cases = cases();
    let failures: Vec<_> = cases.iter().filter_map(failure).collect();
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.concat());
}

#[test]
fn what_is_in_style_stays_as_it_is() {
    for Case { id, input, .. } in cases() {
        let Some(once) = formatted(&input).filter(|_| id != "unwrapped-one-level-a-run") else { continue };
        assert_eq!(formatted(&once).as_ref(), Some(&once), "{id}");
    }
}

/// Terraform's own answer could not be read, or would mean something else.
#[test]
fn nothing_that_means_something_is_lost() {
    check("a \"x$y\" \"%{z\" {}\n".replace("%{z", "$${z}").as_str(), "a \"x$y\" \"$${z}\" {}\n");
    check("a=b[ true ]\n", "a = b[true]\n");
    check("a=b.0 . 1\nc=1 . 5\n", "a = b.0. 1\nc = 1. 5\n");
    check("a=\"${(x)\n+ (y)}\"\n", "a = ((x)\n+ (y))\n");
    check("a=\"${ # x\ny}\"\n", "a = ( # x\ny)\n");
    check("a { b=\"${ x # y\n}\" }\n", "a { b = (x # y\n) }\n");
    check("a {\nb=\"${ x # y\n}\" # z\n}\n", "a {\n  b = x # y\n  # z\n}\n");
    check("\u{feff}", "");
}

#[test]
fn what_can_not_be_read_is_told() {
    let told = |text: &str| {
        let diagnostics = format(&SourceFile { name: "main.bm.hcl".into(), text: text.into() }).expect_err("it can't");
        let place =
            |span: Option<bimetal_model::Span>| span.map_or_else(String::new, |span| text[span.range].to_owned());
        diagnostics.into_iter().map(|d| (d.summary, place(d.span))).collect::<Vec<_>>()
    };
    let twice = ("`c` is set twice".to_owned(), "c".to_owned());
    let no_value = ("an expression is wanted here".to_owned(), "\n".to_owned());
    assert_eq!(told("b {\n  c = 1\n  c = 2\n}\nd = \n"), [twice, no_value]);
    let heredoc = ("the line that ends this heredoc has no end itself".to_owned(), "EOT".to_owned());
    assert_eq!(told("a = <<EOT\nx\nEOT"), [heredoc]);
}

#[test]
fn depth_is_no_danger() {
    let levels = 900;
    let blocks = "a {\n".repeat(levels) + &"}\n".repeat(levels);
    let lists = format!("a = {}{}\n", "[".repeat(levels), "]".repeat(levels));
    let texts = format!("a = {}b{}\n", "\"x${".repeat(levels), "}\"".repeat(levels));
    for text in [blocks, lists, texts] {
        let once = formatted(&text).expect("deep, and not too deep");
        assert_eq!(formatted(&once), Some(once));
    }
    assert_eq!(formatted(&("a {\n".repeat(2_000))), None);
}

#[test]
fn comments_without_an_end_are_no_danger() {
    let kinds = |text: &str| tokens(text, Start::Normal).iter().map(|token| token.kind).collect::<Vec<_>>();
    let (slash, star, name, end) = (TokenKind::Slash, TokenKind::Star, TokenKind::Identifier, TokenKind::End);
    assert_eq!(kinds("/**/ a /*/"), [TokenKind::Comment, name, slash, star, slash, end]);
    // To look for the end of each would take hours.
    assert_eq!(kinds(&"/* ".repeat(2_000_000)).len(), 4_000_001);
}

/// What a text is made of, without the ends of lines.
fn parts(text: &str) -> Vec<(TokenKind, &str)> {
    let part = |token: Token| (token.kind, text[std::ops::Range::from(token.place)].trim_end_matches(['\r', '\n']));
    let tokens = tokens(text, Start::Normal).into_iter().filter(|token| token.kind != TokenKind::Newline);
    tokens.map(part).collect()
}

/// The white space between tokens made different, where there is some and where lines begin and end.
fn spoilt(text: &str, chances: &[usize]) -> String {
    let spaces = ["", " ", "  ", "\t", " \t ", "     "];
    let mut chances = chances.iter().copied().cycle();
    let (mut spoilt, mut end, mut is_start, mut is_heredoc) = (String::new(), 0, true, false);
    for Token { kind, place } in tokens(text, Start::Normal) {
        let (start, length) = (place.start as usize, place.end as usize);
        let chance = chances.next().unwrap_or(0);
        let ends_line = kind == TokenKind::Newline;
        spoilt.push_str(match (is_start || ends_line, start > end) {
            _ if kind == TokenKind::End || is_heredoc => "",
            (true, _) => spaces[chance % spaces.len()],
            (false, true) => spaces[1 + chance % (spaces.len() - 1)],
            (false, false) => "",
        });
        spoilt.push_str(&text[start..length]);
        is_start = ends_line || kind == TokenKind::Comment && text[..length].ends_with('\n');
        is_heredoc = kind == TokenKind::CloseHeredoc;
        end = length;
    }
    spoilt
}

/// Texts that look like a configuration, and seldom are one.
fn resembling() -> impl Strategy<Value = String> {
    let words = [
        "a",
        "bb",
        "in",
        "for",
        "if",
        "list",
        "1",
        "2.5",
        "\"",
        "\"x\"",
        "${",
        "%{",
        "}",
        "{",
        "[",
        "]",
        "(",
        ")",
        "=",
        "=>",
        "==",
        "-",
        "!",
        "+",
        ".",
        ",",
        ":",
        "::",
        "?",
        "...",
        "*",
        "\n",
        "\n",
        "\r\n",
        " ",
        "  ",
        "\t",
        "# c\n",
        "/* d */",
        "<<E\n",
        "E\n",
        "~",
        "é",
        "variable \"v\" {\n",
        "type = \"list\"\n",
        "x = \"${",
        "}\"\n",
        "a = ",
        "b = [",
        "{\n",
        "}\n",
        "\\",
        "\u{feff}",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..40).prop_map(|words| words.concat())
}

static IN_STYLE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let in_style = cases().into_iter().filter_map(|case| formatted(&formatted(&case.input)?));
    in_style.filter(|text| !text.ends_with([' ', '\t'])).collect()
});

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![resembling(), any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// A further run changes nothing, unless it takes quotes away that stood within others.
    #[test]
    fn another_run_changes_nothing(text in any_text()) {
        if let Some(once) = formatted(&text) {
            let twice = formatted(&once).expect("what is in style can be read");
            let quotes = |text: &str| text.matches('"').count();
            prop_assert!(twice == once || quotes(&twice) < quotes(&once), "{text:?}: {once:?}, {twice:?}");
        }
    }

    #[test]
    fn only_white_space_changes(which in any::<prop::sample::Index>(), chances in prop::collection::vec(0..60_usize, 1..200)) {
        let text = which.get(&IN_STYLE);
        let spoilt = spoilt(text, &chances);
        prop_assert_eq!(parts(&spoilt), parts(text));
        prop_assert_eq!(formatted(&spoilt), Some(text.clone()));
    }
}
