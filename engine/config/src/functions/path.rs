//! Paths as text: no file need be there.

use bimetal_model::Type;

use super::{Error, Function, Result, deep, text};
use crate::evaluate::Scope;

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("basename", [text()], Type::String, |a| Ok(base_name(a.text(0)).into())),
        deep("dirname", [text()], Type::String, |a| {
            let path = a.text(0);
            Ok(clean(path.rfind('/').map_or("", |end| &path[..=end])).into())
        }),
        deep("abspath", [text()], Type::String, |a| {
            let path = a.text(0);
            match path.starts_with('/') {
                true => Ok(clean(path).into()),
                false => Ok(clean(&format!("{}/{path}", a.scope.outside.read.root())).into()),
            }
        }),
        deep("pathexpand", [text()], Type::String, |a| Ok(expanded(a.text(0), a.scope)?.into())),
    ]
}

/// With the home folder in place of `~`.
pub(super) fn expanded(path: &str, scope: &Scope) -> Result<String> {
    let Some(rest) = path.strip_prefix('~') else { return Ok(path.to_owned()) };
    if !rest.is_empty() && !rest.starts_with(['/', '\\']) {
        return Err(Error::new("only `~` itself can be expanded, and no other user's folder"));
    }
    match scope.outside.read.home() {
        Some(home) => Ok(clean(&format!("{home}/{rest}"))),
        None => Err(Error::new("nobody knows the home folder here")),
    }
}

fn base_name(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        path => path.rsplit('/').next().unwrap_or_default(),
    }
}

/// The shortest path to the same place, links left aside.
///
/// Source: Go's `filepath.Clean`.
pub(super) fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => drop(steps.pop()),
            ".." if is_rooted => {}
            step => steps.push(step),
        }
    }
    match (is_rooted, steps.is_empty()) {
        (true, _) => format!("/{}", steps.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => steps.join("/"),
    }
}

/// The way from a folder to a path, both cleaned; nothing where nobody knows it.
///
/// Source: Go's `filepath.Rel`.
pub(super) fn relative(folder: &str, path: &str) -> Option<String> {
    let steps = |path: &'_ str| -> Vec<String> {
        path.split('/').filter(|step| !matches!(*step, "" | ".")).map(str::to_owned).collect()
    };
    let (from, to) = (steps(folder), steps(path));
    let shared = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
    let (up, down) = (from.get(shared..)?, to.get(shared..)?);
    if up.iter().any(|step| step == "..") {
        return None;
    }
    let way: Vec<&str> = up.iter().map(|_| "..").chain(down.iter().map(String::as_str)).collect();
    Some(way.join("/"))
}
