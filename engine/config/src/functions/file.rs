//! Files beside the configuration.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::convert::convert;
use bimetal_model::{Diagnostics, Type};
use bimetal_syntax::{SourceFile, parse_template};
use sha2::Digest as _;

use super::encoding::hexadecimal;
use super::{Arguments, Error, Function, Result, deep, fileset};
use crate::evaluate::{Evaluator, Names, Scope};
use crate::module::Home;

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("file", 1, 1, Type::String, |a| Ok(text(&a)?.into())),
        deep("fileexists", 1, 1, Type::Bool, |a| Ok(a.scope.outside.read.read(&a.text(0)?).is_ok().into())),
        deep("filebase64", 1, 1, Type::String, |a| Ok(STANDARD.encode(bytes(&a)?).into())),
        deep("filemd5", 1, 1, Type::String, |a| Ok(hexadecimal(&md5::Md5::digest(bytes(&a)?)).into())),
        deep("filesha1", 1, 1, Type::String, |a| Ok(hexadecimal(&sha1::Sha1::digest(bytes(&a)?)).into())),
        deep("filesha256", 1, 1, Type::String, |a| Ok(hexadecimal(&sha2::Sha256::digest(bytes(&a)?)).into())),
        deep("filesha512", 1, 1, Type::String, |a| Ok(hexadecimal(&sha2::Sha512::digest(bytes(&a)?)).into())),
        deep("filebase64sha256", 1, 1, Type::String, |a| Ok(STANDARD.encode(sha2::Sha256::digest(bytes(&a)?)).into())),
        deep("filebase64sha512", 1, 1, Type::String, |a| Ok(STANDARD.encode(sha2::Sha512::digest(bytes(&a)?)).into())),
        deep("basename", 1, 1, Type::String, |a| Ok(base_name(&a.text(0)?).into())),
        deep("dirname", 1, 1, Type::String, |a| {
            let text = a.text(0)?;
            Ok(text.rsplit_once('/').map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder }).into())
        }),
        deep("templatefile", 2, 2, Type::Any, template_file),
        deep("templatestring", 2, 2, Type::String, |a| {
            let file = SourceFile { name: "the template".into(), text: a.text(0)?.into() };
            let value = template(&a, file)?;
            convert(value, &Type::String).map_err(|mismatch| Error::argument(0, mismatch.reason))
        }),
        deep("pathexpand", 1, 1, Type::String, |a| {
            let path = a.text(0)?;
            let rest = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
            match (rest, path.starts_with('~')) {
                (None, false) => Ok(path.into()),
                (None, true) => Err(Error::argument(0, "only `~` itself can be expanded, and no other user's folder")),
                (Some(rest), _) => match a.scope.outside.read.home() {
                    Some(home) => Ok(format!("{}{rest}", home.trim_end_matches('/')).into()),
                    None => Err(Error::argument(0, "nobody knows the home folder here")),
                },
            }
        }),
        deep("fileset", 2, 2, Type::set(Type::String), fileset::file_set),
        deep("abspath", 1, 1, Type::String, fileset::absolute),
    ]
}

fn base_name(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        path => path.rsplit('/').next().unwrap_or_default(),
    }
}

fn bytes(arguments: &Arguments<'_>) -> Result<Vec<u8>> {
    arguments.scope.outside.read.read(&arguments.text(0)?).map_err(|reason| Error::argument(0, reason))
}

fn text(arguments: &Arguments<'_>) -> Result<String> {
    String::from_utf8(bytes(arguments)?)
        .map_err(|_| Error::argument(0, "the file is no UTF-8 text; `filebase64` reads any"))
}

fn template_file(arguments: Arguments<'_>) -> Result {
    let file = SourceFile { name: arguments.text(0)?.into(), text: text(&arguments)?.into() };
    template(&arguments, file)
}

/// The template sees the given names and nothing else.
fn template(arguments: &Arguments<'_>, file: SourceFile) -> Result {
    let name = &file.name;
    let given = arguments.members(1)?;
    if let Some(bad) = given.keys().find(|name| !is_name(name)) {
        let reason = format!(
            "`{bad}` can't be a name in a template: names are letters, digits and `_`, and begin with a letter"
        );
        return Err(Error::argument(1, reason));
    }
    let template = parse_template(&file).map_err(|diagnostics| broken(name, diagnostics))?;
    let scope = Scope { moment: arguments.scope.moment.clone(), ..Scope::new(arguments.scope.outside.clone()) };
    let home = Home::default();
    let evaluator = Evaluator { file: name, home: &home, scope: &scope, names: &Names::Given(given) };
    match evaluator.value(&template).map(Cow::into_owned) {
        Ok(value) if value.is_null() => Err(Error::argument(0, format!("the template `{name}` comes to `null`"))),
        Ok(value) => Ok(value),
        Err(diagnostics) => Err(broken(name, diagnostics)),
    }
}

fn broken(name: &str, diagnostics: Diagnostics) -> Error {
    let reasons: Vec<_> = diagnostics.into_iter().map(|diagnostic| diagnostic.summary).collect();
    Error::argument(0, format!("`{name}`: {}", reasons.join("; ")))
}

fn is_name(name: &str) -> bool {
    name.starts_with(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
