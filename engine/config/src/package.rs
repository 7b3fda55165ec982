//! What has to be fetched before all modules are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::{Diagnostic, Diagnostics, Span};

use crate::evaluate::{Scope, evaluate};
use crate::expression::Expression;
use crate::module::{Module, Package};
use crate::parse::package::{package_of, split};

/// A package that modules lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it comes from, without the folder of the module in it.
    pub source: String,
    /// Which of its versions will do.
    pub version: Option<String>,
    /// Of the `source` that names it.
    pub span: Span,
}

/// The packages that modules call for, by their folders' names below [`crate::module::PACKAGES`].
///
/// `scope` has the values of the root module's variables.
pub fn packages(modules: &BTreeMap<Arc<str>, Module>, scope: &Scope) -> (BTreeMap<String, Wanted>, Diagnostics) {
    let (mut found, mut diagnostics) = (BTreeMap::new(), Diagnostics::new());
    for call in modules.values().flat_map(|module| module.calls.values()) {
        let Some((package, key)) = call.package.as_ref().zip(package_of(&call.folder)) else { continue };
        if found.contains_key(key) {
            continue;
        }
        match wanted(package, scope) {
            Ok(wanted) => drop(found.insert(key.to_owned(), wanted)),
            Err(errors) => diagnostics.extend(errors),
        }
    }
    (found, diagnostics)
}

fn wanted(package: &Package, scope: &Scope) -> Result<Wanted, Diagnostics> {
    let version = package.version.as_ref().map(|version| text("version", version, scope)).transpose()?;
    let (source, below) = split(&text("source", &package.source, scope)?);
    let span = package.source.span().clone();
    if below != package.below {
        let error = Diagnostic::error("the folder behind `//` can't come from a variable").at(&span);
        return Err(vec![error.hint("write it out: `\"git::https://…/name.git//folder?ref=${var.release}\"`")]);
    }
    Ok(Wanted { source, version, span })
}

fn text(name: &str, expression: &Expression, scope: &Scope) -> Result<String, Diagnostics> {
    let value = evaluate(expression, scope)?;
    if value.has_sensitive() {
        let error = Diagnostic::error(format!("`{name}` can't be made from what is sensitive")).at(expression.span());
        return Err(vec![
            error
                .because("it is written into the lock file")
                .hint("name who is asked, and let `git` know the password"),
        ]);
    }
    value.as_str().map(str::to_owned).ok_or_else(|| {
        let error = Diagnostic::error(format!("`{name}` must be text that is known before anything else is read"));
        vec![error.at(expression.span()).hint("write it out, or use variables of the root module that have a value")]
    })
}
