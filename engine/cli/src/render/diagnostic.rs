//! Diagnostics with their place in the configuration.

use std::collections::HashSet;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use bimetal_config::SourceFile;
use bimetal_model::{Diagnostic, Severity};

use super::wrap::wrap;

/// What stands before a hint, and a little room.
const MARGIN: usize = 14;

/// More than these nobody reads.
const MOST: usize = 100;

/// Longer lines are not shown, in bytes.
const LONGEST_LINES: usize = 4096;

/// The diagnostics, each as a paragraph of its own, in lines of at most so many characters; the same one is said once. Of very many the
/// first, errors before warnings.
pub(crate) fn render(diagnostics: &[Diagnostic], files: &[SourceFile], width: usize) -> String {
    let mut known = HashSet::new();
    let mut said: Vec<&Diagnostic> = diagnostics.iter().filter(|diagnostic| known.insert(*diagnostic)).collect();
    let left_out = said.len().saturating_sub(MOST);
    if left_out > 0 {
        said.sort_by_key(|diagnostic| diagnostic.severity != Severity::Error);
        said.truncate(MOST);
    }
    let mut text: String = said.into_iter().map(|diagnostic| render_one(diagnostic, files, width) + "\n\n").collect();
    if left_out > 0 {
        text.push_str(&format!("… and {left_out} more: `--json` shows all\n\n"));
    }
    text
}

fn render_one(diagnostic: &Diagnostic, files: &[SourceFile], width: usize) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let (title, detail) = (title(diagnostic), diagnostic.detail.trim());
    let room = width.saturating_sub(MARGIN).max(MARGIN);
    let (title, note) = (wrap(&title, room), wrap(detail, room));
    let hint = diagnostic.hint.as_ref().map(|hint| wrap(hint, room));
    let mut group = Group::with_title(level.primary_title(&title));
    let source = diagnostic.span.as_ref().and_then(|span| {
        let file = files.iter().find(|file| file.name == span.file)?;
        Some((file, clamp(&file.text, span.range.clone())))
    });
    if let Some((file, range)) = source {
        // A short reason stands beside what it is about, a long one below.
        let is_short = !detail.is_empty() && !detail.contains('\n');
        let is_label = is_short && column(&file.text, range.end) + detail.chars().count() <= room;
        let Excerpt { lines, first, range } = Excerpt::of(&file.text, range);
        let is_shown = lines.len() <= LONGEST_LINES;
        group = match is_shown {
            true => {
                let annotation = AnnotationKind::Primary.span(range).label(is_label.then_some(detail));
                let snippet = Snippet::source(lines).path(file.name.as_ref()).line_start(first);
                group.element(snippet.annotation(annotation))
            }
            false => {
                let column = column(lines, range.start) + 1;
                group.element(Origin::path(file.name.as_ref()).line(first).char_column(column))
            }
        };
        let is_said = is_label && is_shown;
        if !is_said && !detail.is_empty() {
            group = group.element(Level::NOTE.message(&note));
        }
    } else if !detail.is_empty() {
        group = group.element(Level::NOTE.message(&note));
    }
    let values: Vec<String> = diagnostic.values.iter().map(|value| wrap(value, room)).collect();
    for value in &values {
        group = group.element(Level::INFO.with_name("value").message(value));
    }
    if let Some(hint) = &hint {
        group = group.element(Level::HELP.with_name("hint").message(hint));
    }
    Renderer::styled().decor_style(DecorStyle::Ascii).render(&[group])
}

/// The lines of a text that a place is in.
struct Excerpt<'t> {
    lines: &'t str,
    /// The number of the first of them.
    first: usize,
    /// The place in them.
    range: std::ops::Range<usize>,
}

impl<'t> Excerpt<'t> {
    fn of(text: &'t str, range: std::ops::Range<usize>) -> Self {
        let start = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
        let end = text[range.end..].find('\n').map_or(text.len(), |end| range.end + end);
        let first = text[..start].matches('\n').count() + 1;
        Excerpt { lines: &text[start..end], first, range: range.start - start..range.end - start }
    }
}

fn title(diagnostic: &Diagnostic) -> String {
    let summary = &diagnostic.summary;
    match (&diagnostic.address, diagnostic.path.0.is_empty()) {
        (Some(address), true) if !summary.contains(&address.to_string()) => format!("{address}: {summary}"),
        (Some(address), false) => format!("{address}: `{}`: {summary}", diagnostic.path),
        (None, false) => format!("`{}`: {summary}", diagnostic.path),
        _ => summary.clone(),
    }
}

/// Characters before a place on its line.
fn column(text: &str, at: usize) -> usize {
    text[..at].chars().rev().take_while(|c| *c != '\n').count()
}

/// A span that lies in the text and on the borders of its characters, whatever was asked for.
fn clamp(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(range.start);
    start..floor(range.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::*;
    use bimetal_model::Span;

    #[test]
    fn a_mistake_shows_its_line_and_a_hint() {
        let files = [SourceFile { name: "main.bm.hcl".into(), text: "locals {\n  a = var.colour\n}\n".into() }];
        let span = Span { file: "main.bm.hcl".into(), range: 15..25 };
        let diagnostic = Diagnostic::error("no variable `colour` is declared").at(&span).hint("did you mean `color`?");
        insta::assert_snapshot!(plain(&render(&[diagnostic], &files, usize::MAX)), @r#"
        error: no variable `colour` is declared
         --> main.bm.hcl:2:7
          |
        2 |   a = var.colour
          |       ^^^^^^^^^^
          |
          = hint: did you mean `color`?
        "#);
    }

    #[test]
    fn names_are_shown_with_what_they_stand_for() {
        let files = [SourceFile { name: "main.bm.hcl".into(), text: "  condition = var.port < local.most\n".into() }];
        let span = Span { file: "main.bm.hcl".into(), range: 14..35 };
        let diagnostic = Diagnostic::error("the value of `port` is not allowed").because("it is too high").at(&span);
        let values = ["local.most is 65535", "var.port is 99999"].map(str::to_owned).to_vec();
        insta::assert_snapshot!(plain(&render(&[Diagnostic { values, ..diagnostic }], &files, 80)), @r"
        error: the value of `port` is not allowed
         --> main.bm.hcl:1:15
          |
        1 |   condition = var.port < local.most
          |               ^^^^^^^^^^^^^^^^^^^^^ it is too high
          |
          = value: local.most is 65535
          = value: var.port is 99999
        ");
    }

    #[test]
    fn what_is_too_long_to_be_read_is_not_shown() {
        let text = format!("# one\nlocals {{\n  a = \"{}\" + nope\n}}\n", "x".repeat(10_000));
        let files = [SourceFile { name: "main.bm.hcl".into(), text: text.as_str().into() }];
        let place = |word: &str| text.find(word).map(|start| start..start + word.len()).unwrap();
        let at = |word| Span { file: "main.bm.hcl".into(), range: place(word) };
        let name = Diagnostic::error("`nope` stands for nothing").because("nobody knows it").at(&at("nope"));
        let many = (0..300).map(|number| Diagnostic::warning(format!("number {}", number / 2)).at(&at("locals")));
        let said: Vec<Diagnostic> = many.chain([name]).collect();
        let shown = plain(&render(&said, &files, 80));
        let (first, last) = (shown.split("\n\n").next().unwrap(), shown.trim_end().rsplit("\n\n").next().unwrap());
        insta::assert_snapshot!(format!("{first}\n---\n{last}"), @r"
        error: `nope` stands for nothing
        --> main.bm.hcl:3:10012
         = note: nobody knows it
        ---
        … and 51 more: `--json` shows all
        ");
    }

    #[test]
    fn long_words_stay_on_the_screen() {
        let files = [SourceFile { name: "main.bm.hcl".into(), text: "machine \"dokcer\" \"a\" {}\n".into() }];
        let span = Span { file: "main.bm.hcl".into(), range: 0..20 };
        let diagnostic = Diagnostic::error("there is no provider `dokcer`, and nobody knows of any that is called so")
            .because("Bimetal brings `baremetal`, `digitalocean`, `docker`; it looked for `dokcer.wasm` too")
            .hint("name its file: `required_providers { dokcer = { path = \"./dokcer.wasm\" } }`")
            .at(&span);
        insta::assert_snapshot!(plain(&render(&[diagnostic], &files, 60)), @r#"
        error: there is no provider `dokcer`, and nobody
               knows of any that is called so
         --> main.bm.hcl:1:1
          |
        1 | machine "dokcer" "a" {}
          | ^^^^^^^^^^^^^^^^^^^^
          |
          = note: Bimetal brings `baremetal`, `digitalocean`,
                  `docker`; it looked for `dokcer.wasm` too
          = hint: name its file: `required_providers { dokcer =
                  { path = "./dokcer.wasm" } }`
        "#);
    }

    #[test]
    fn a_span_outside_of_the_text_does_no_harm() {
        assert_eq!(clamp("ä", 1..99), 0..2);
    }
}
