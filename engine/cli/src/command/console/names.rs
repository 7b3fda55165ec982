//! What can be written at a place of a line: functions, and what the scope holds.

use bimetal_config::{Scope, function_names};
use bimetal_model::{Data, ProviderName, Value};

/// Where the word begins that stands before this place, and all that it can become.
pub(super) fn candidates(line: &str, at: usize, scope: &Scope) -> (usize, Vec<String>) {
    let before = line.get(..at).unwrap_or(line);
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    let start =
        before.rfind(|c| !is_part(c)).map_or(0, |end| end + before[end..].chars().next().map_or(0, char::len_utf8));
    // Elsewhere a colon is that of a condition.
    let is_function = before[start..].starts_with(PROVIDER);
    let start = if is_function { start } else { before[start..].rfind(':').map_or(start, |colon| start + colon + 1) };
    let word = &before[start..];
    let mut found: Vec<String> = names(scope)
        .chain(members(word, scope))
        .chain(exported(word, scope))
        .filter(|name| name.starts_with(word))
        .collect();
    found.sort();
    found.dedup();
    (start, found)
}

/// What the names of functions of providers begin with.
const PROVIDER: &str = "provider::";

/// The functions of the provider that a word names.
fn exported(word: &str, scope: &Scope) -> Vec<String> {
    let provider = word.strip_prefix(PROVIDER).and_then(|rest| rest.split_once("::")).map(|(provider, _)| provider);
    let schema = provider.map(|provider| scope.outside.functions.functions(&ProviderName(provider.to_owned())));
    let Some((provider, Ok(schema))) = provider.zip(schema) else { return Vec::new() };
    schema.functions.keys().map(|name| format!("{PROVIDER}{provider}::{name}(")).collect()
}

/// Whole names.
fn names(scope: &Scope) -> impl Iterator<Item = String> {
    let root = |name: &bimetal_config::module::Scoped| name.module.is_root();
    let variables = scope.variables.keys().map(|name| format!("var.{name}"));
    let locals = scope.locals.keys().filter(move |name| root(name)).map(|name| format!("local.{}", name.name));
    let calls = scope.calls.keys().filter(move |name| root(name)).map(|name| format!("module.{}", name.name));
    let objects = scope.objects.keys().filter(|address| address.module.is_root()).map(ToString::to_string);
    let functions = function_names().map(|name| format!("{name}("));
    variables
        .chain(locals)
        .chain(calls)
        .chain(objects)
        .chain(functions)
        .chain(["path.root", "type(", PROVIDER].map(str::to_owned))
}

/// What lies in the value that a word leads to up to its last dot.
fn members(word: &str, scope: &Scope) -> Vec<String> {
    let Some((whole, _)) = word.rsplit_once('.') else { return Vec::new() };
    let file = bimetal_config::SourceFile { name: "<console>".into(), text: whole.into() };
    let value =
        bimetal_config::parse_expression(&file).and_then(|expression| bimetal_config::evaluate(&expression, scope));
    match value {
        Ok(Value { data: Data::Object(members) | Data::Map(members), .. }) => {
            members.keys().map(|name| format!("{whole}.{name}")).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bimetal_config::Outside;

    use super::*;

    #[test]
    fn names_functions_and_members_are_completed() {
        let mut scope = Scope::new(Outside::default());
        let object: Value = [("width", Value::from(1_u64)), ("height", Value::from(2_u64))].into_iter().collect();
        scope.variables = Arc::new([("size".to_owned(), object), ("sign".to_owned(), Value::NULL)].into());
        let found = |line: &str| {
            let (start, found) = candidates(line, line.len(), &scope);
            format!("{start} {}", found.join(" "))
        };
        assert_eq!(found("var.s"), "0 var.sign var.size");
        assert_eq!(found("upper(\"é${var.size."), "11 var.size.height var.size.width");
        assert_eq!(found("[1, uppe"), "4 upper(");
        assert_eq!(found("nothing.at"), "0 ");
        assert_eq!(found("prov"), "0 provider::");
        assert_eq!(found("true?1:uppe"), "7 upper(");
        assert_eq!(found("provider::nobody::"), "0 ");
    }
}
