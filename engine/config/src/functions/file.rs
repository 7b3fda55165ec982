//! Files beside the configuration.

use std::sync::Arc;

use bimetal_model::Value;

use super::{Arguments, Error, Function, Result, deep};
use crate::evaluate::{Evaluator, Names, Scope};

pub(super) const FUNCTIONS: &[Function] = &[
    deep("file", 1, 1, |a| Ok(read(&a)?.into())),
    deep("fileexists", 1, 1, |a| Ok(a.scope.read.read(&a.text(0)?).is_ok().into())),
    deep("filebase64", 1, 1, |a| {
        use base64::Engine as _;
        let bytes = a.scope.read.read(&a.text(0)?).map_err(|reason| Error::argument(0, reason))?;
        Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into())
    }),
    deep("basename", 1, 1, |a| Ok(a.text(0)?.trim_end_matches('/').rsplit('/').next().unwrap_or_default().into())),
    deep("dirname", 1, 1, |a| {
        let text = a.text(0)?;
        Ok(text.rsplit_once('/').map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder }).into())
    }),
    deep("templatefile", 2, 2, template_file),
];

fn read(arguments: &Arguments<'_>) -> Result<String> {
    let bytes = arguments.scope.read.read(&arguments.text(0)?).map_err(|reason| Error::argument(0, reason))?;
    String::from_utf8(bytes).map_err(|_| Error::argument(0, "the file is no UTF-8 text; `filebase64` reads any"))
}

/// The file's template sees the given names and nothing else.
fn template_file(arguments: Arguments<'_>) -> Result {
    let name: Arc<str> = arguments.text(0)?.into();
    let template = hcl_edit::parser::parse_template(&read(&arguments)?);
    let template = template.map_err(|error| Error::argument(0, format!("its template is broken: {error}")))?;
    let given: Vec<(String, Value)> = arguments.members(1)?.into_iter().collect();
    let scope = Scope::new(arguments.scope.read.clone());
    with_names(&given, &Names::None, &mut |names| {
        let evaluator = Evaluator { file: &name, scope: &scope, names };
        evaluator.template_text(&template).map_err(|diagnostics| {
            let reasons: Vec<_> = diagnostics.into_iter().map(|diagnostic| diagnostic.summary).collect();
            Error::argument(0, format!("`{name}`: {}", reasons.join("; ")))
        })
    })
}

fn with_names(given: &[(String, Value)], outer: &Names<'_>, then: &mut dyn FnMut(&Names<'_>) -> Result) -> Result {
    match given.split_first() {
        None => then(outer),
        Some(((name, value), rest)) => {
            let names = Names::Bound { name, value: value.clone(), outer };
            with_names(rest, &names, then)
        }
    }
}
