//! What the parser takes and Terraform's does not: tabs where a key could begin, and directives of other versions.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser};

/// More tabs behind `:` than this are left to the parser.
const MOST_TABS: usize = 1_000;

/// The text as the parser takes it, or what is wrong with it.
pub(super) fn checked(text: &str) -> Result<Cow<'_, str>, String> {
    directives(text)?;
    if !text.contains('\t') {
        return Ok(text.into());
    }
    let text = without_tabs_behind_keys(text);
    tabs(&text)?;
    Ok(text)
}

/// `a:\t1` is `a: 1`. The parser says where it does not like a tab.
fn without_tabs_behind_keys(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MOST_TABS {
        let error = Parser::new_from_str(&text).find_map(Result::err);
        let Some(error) = error else { break };
        let at = text.char_indices().nth(error.marker().index()).map_or(text.len(), |(at, _)| at);
        let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        // A `:` at the beginning belongs to a key that is no simple one.
        match line.strip_suffix(":\t") {
            Some(key) if !key.trim().is_empty() => text.to_mut().replace_range(at - 1..at, " "),
            Some(_) | None => break,
        }
    }
    text
}

/// `%YAML 1.1` and `%TAG` are all there are.
fn directives(text: &str) -> Result<(), String> {
    let before = text.lines().take_while(|line| line.trim().is_empty() || line.starts_with(['#', '%']));
    for line in before.filter(|line| line.starts_with('%')) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["%TAG", ..] | ["%YAML", "1.1"] => {}
            ["%YAML", "1.1", rest, ..] if rest.starts_with('#') => {}
            ["%YAML", ..] => return Err(format!("`{line}`: only version 1.1 is known")),
            _ => return Err(format!("the directive `{line}` is unknown")),
        }
    }
    Ok(())
}

/// Outside of `[…]` and `{…}`, no tab stands where a key could begin: at the beginning of a line, and after `-` and `?`.
fn tabs(text: &str) -> Result<(), String> {
    let mut scalars = scalars(text).into_iter().peekable();
    let (mut depth, mut may_be_key, mut is_comment, mut line) = (0_usize, true, false, 1);
    let mut before = '\n';
    let mut letters = text.chars().enumerate().peekable();
    while let Some((index, letter)) = letters.next() {
        while scalars.next_if(|(_, end, _)| *end <= index).is_some_and(|(.., is_block)| is_block) {
            may_be_key = true;
        }
        if scalars.peek().is_some_and(|(start, ..)| *start <= index) {
            (may_be_key, before) = (false, 'a');
            line += usize::from(letter == '\n');
            continue;
        }
        match letter {
            '\n' => (may_be_key, is_comment, line) = (may_be_key || depth == 0, false, line + 1),
            _ if is_comment => {}
            '\t' if depth == 0 && may_be_key => {
                return Err(format!("in line {line} is a tab where only spaces may be"));
            }
            '#' if before.is_whitespace() => is_comment = true,
            '[' | '{' => depth += 1,
            ']' | '}' => (depth, may_be_key) = (depth.saturating_sub(1), false),
            '-' | '?' | ':' if letters.peek().is_none_or(|(_, next)| next.is_whitespace()) => {}
            letter if letter.is_whitespace() => {}
            _ => may_be_key = false,
        }
        before = letter;
    }
    Ok(())
}

/// Where texts, numbers and the like begin and end, in letters, and whether it is a block of lines; as far as it can be read.
fn scalars(text: &str) -> Vec<(usize, usize, bool)> {
    use saphyr_parser::ScalarStyle::{Folded, Literal};
    let mut found = Vec::new();
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        if let Event::Scalar(_, style, ..) = event {
            found.push((span.start.index(), span.end.index(), matches!(style, Literal | Folded)));
        }
    }
    found
}
