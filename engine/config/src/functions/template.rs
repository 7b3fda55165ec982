//! Templates that are not written where they are used.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::{Diagnostics, Named, Type};
use bimetal_syntax::{SourceFile, parse_template};

use super::{Arguments, Error, Function, Result, any, deep, described, file, text};
use crate::evaluate::{Evaluator, Names, Scope, Template};
use crate::expression::free_names;
use crate::module::Home;

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("templatefile", [text(), any()], Type::Any, |a| {
            let file = SourceFile { name: a.text(0).into(), text: file::text(&a)?.into() };
            rendered(&a, &file, Template::File)
        }),
        // That its first argument is a reference is seen to before it is evaluated.
        deep("templatestring", [any().or_null().or_anything(), any()], Type::String, |a| {
            let Some(text) = a.value(0).as_str() else {
                return Err(Error::argument(0, format!("text is wanted here, not {}", described(a.value(0)))));
            };
            let file = SourceFile { name: "the template".into(), text: text.into() };
            let value = rendered(&a, &file, Template::Text)?;
            convert(value, &Type::String).map_err(|mismatch| Error::new(mismatch.reason))
        }),
    ]
}

/// The template sees the given names and nothing else.
fn rendered(arguments: &Arguments<'_>, file: &SourceFile, template: Template) -> Result {
    let parsed = parse_template(file).map_err(|diagnostics| {
        let error = broken(file, diagnostics);
        if template == Template::Text { error.of(0) } else { error }
    })?;
    let given = given(arguments)?;
    if let Some((name, place)) = free_names(file, &parsed).into_iter().find(|(name, _)| !given.contains_key(&**name)) {
        let line = line_of(file, place.start as usize);
        return Err(Error::argument(1, format!("`{name}` is wanted in line {line} of the template, and not given")));
    }
    let scope = Scope { moment: arguments.scope.moment.clone(), ..Scope::new(arguments.scope.outside.clone()) };
    let (home, names) = (Home::default(), Names::Given { values: given, template });
    let evaluator = Evaluator { file, home: &home, scope: &scope, names: &names };
    match evaluator.value(&parsed).map(Cow::into_owned) {
        Ok(value) if value.is_null() => Err(Error::new(format!("the template `{}` comes to `null`", file.name))),
        Ok(value) => Ok(value),
        Err(diagnostics) => Err(broken(file, diagnostics)),
    }
}

/// What names stand for in the template.
fn given<'a>(arguments: &'a Arguments<'_>) -> Result<&'a Named> {
    let given = arguments.value(1).as_members();
    let given = given.ok_or_else(|| {
        Error::argument(1, format!("a map of names and values is wanted here, not {}", described(arguments.value(1))))
    })?;
    match given.keys().find(|name| !is_name(name)) {
        None => Ok(given),
        Some(bad) => {
            let error = Error::argument(1, format!("`{bad}` can't be a name in a template"));
            Err(error.hint("names are letters, digits, `_` and `-`, and begin with a letter"))
        }
    }
}

fn broken(file: &SourceFile, diagnostics: Diagnostics) -> Error {
    let reasons: Vec<_> = diagnostics
        .into_iter()
        .map(|diagnostic| match &diagnostic.span {
            Some(span) => format!("{} (line {})", diagnostic.summary, line_of(file, span.range.start)),
            None => diagnostic.summary,
        })
        .collect();
    Error::new(format!("`{}`: {}", file.name, reasons.join("; ")))
}

fn line_of(file: &SourceFile, at: usize) -> usize {
    file.text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// One word of the language.
fn is_name(name: &str) -> bool {
    let tokens = bimetal_syntax::tokens(name, bimetal_syntax::Start::Normal);
    let is_whole = |token: &bimetal_syntax::Token| token.place.end as usize == name.len();
    matches!(&tokens[..], [only, _] if only.kind == bimetal_syntax::TokenKind::Identifier && is_whole(only))
}
