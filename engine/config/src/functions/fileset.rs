//! `fileset`: the files whose paths look like a pattern.

use bimetal_model::convert::convert;
use bimetal_model::{Type, Value};
use globset::GlobBuilder;

use super::path::{clean, expanded, relative};
use super::{Arguments, Error, Result};

/// The paths, from the first argument's folder on, of the files that the second argument's pattern fits.
///
/// Folder and pattern are one path, cleaned: a pattern may lead out of the folder.
pub(super) fn file_set(arguments: Arguments<'_>) -> Result {
    let folder = clean(&expanded(arguments.text(0), arguments.scope)?);
    let pattern = clean(&format!("{folder}/{}", arguments.text(1)));
    let from_folder = |path: String| relative(&folder, &path).map(Value::from);
    let found: Vec<Value> = files(&pattern, &arguments)?.into_iter().filter_map(from_folder).collect();
    convert(Value::list(Type::String, found), &Type::set(Type::String)).map_err(|mismatch| Error::new(mismatch.reason))
}

/// The files that a cleaned pattern fits.
fn files(pattern: &str, arguments: &Arguments<'_>) -> Result<Vec<String>> {
    let read = &arguments.scope.outside.read;
    let Some(special) = pattern.find(['*', '?', '[', '{', '\\']) else {
        // Something else than a file is none.
        let is_file = read.exists(pattern).unwrap_or(false);
        return Ok(is_file.then(|| pattern.to_owned()).into_iter().collect());
    };
    let (top, rest) = match pattern[..special].rfind('/') {
        Some(0) => ("/", &pattern[1..]),
        Some(end) => (&pattern[..end], &pattern[end + 1..]),
        None => ("", pattern),
    };
    let broken = || Error::new("syntax error in pattern");
    let listed = read.list(top).map_err(Error::new)?;
    if !listed.is_empty() && !are_classes_right(rest) {
        return Err(broken());
    }
    let glob = GlobBuilder::new(&negations(rest)).literal_separator(true).backslash_escape(true).build();
    let glob = match glob {
        Ok(glob) => glob.compile_matcher(),
        Err(_) if listed.is_empty() => return Ok(Vec::new()),
        Err(_) => return Err(broken()),
    };
    let found = listed.into_iter().filter(|path| glob.is_match(path));
    Ok(found.map(|path| clean(&if top.is_empty() { path } else { format!("{top}/{path}") })).collect())
}

/// Whether each class of characters has some, and `]` and `-` stand there only behind `\` or between two characters.
fn are_classes_right(pattern: &str) -> bool {
    let mut rest = pattern.chars().peekable();
    let member = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| match rest.next() {
        None | Some(']' | '-') => false,
        Some('\\') => rest.next().is_some(),
        Some(_) => true,
    };
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => drop(rest.next()),
            '[' => {
                rest.next_if_eq(&'^');
                loop {
                    if !member(&mut rest) || rest.next_if_eq(&'-').is_some() && !member(&mut rest) {
                        return false;
                    }
                    if rest.next_if_eq(&']').is_some() {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    true
}

/// Only `^` turns a class of characters around: `!` is one of them, and stands last where it can't be misread.
fn negations(pattern: &str) -> String {
    let (mut text, mut rest) = (String::new(), pattern);
    while let Some((before, class)) = rest.split_once("[!") {
        text += before;
        text.push('[');
        match class.split_once(']') {
            Some((inner, behind)) => {
                text += inner;
                text += "!]";
                rest = behind;
            }
            None => rest = class,
        }
    }
    text + rest
}
