//! One helper a kind: text in, text out.
#![allow(dead_code, reason = "each test file uses some of them")]

use std::fmt::Write as _;
use std::sync::Arc;

use bimetal_config::{Desired, Given, Outside, ReadFiles, Scope, SourceFile, desired, evaluate, parse_expression};
use bimetal_model::{Diagnostic, Type, Value};

/// Files by name.
pub(crate) struct Files(pub(crate) &'static [(&'static str, &'static str)]);

impl ReadFiles for Files {
    fn home(&self) -> Option<String> {
        Some("/home/somebody".to_owned())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| format!("there is no file `{path}`"))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let inside = |(name, _): &(&str, &str)| Some(name.strip_prefix(folder)?.trim_start_matches('/').to_owned());
        Ok(self.0.iter().filter_map(inside).collect())
    }

    fn root(&self) -> String {
        "/root".to_owned()
    }
}

pub(crate) fn source(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.into(), text: text.into() }
}

/// `var.secret`, `var.later` (unknown text), `var.list_later`, `var.nothing`, `var.template` (which reads a file) and three files.
pub(crate) fn scope() -> Scope {
    let mut scope = Scope::new(Outside::files(Arc::new(Files(&[
        ("motd", "hello\n"),
        ("motd.tpl", "%{ for n in names ~}\nhi ${n}\n%{ endfor ~}"),
        ("self.tpl", "${templatefile(\"self.tpl\", {})}"),
    ]))));
    let object: Value = [("id", Value::from(7u64)), ("token", Value::from("t").into_sensitive())].into_iter().collect();
    scope.variables = Arc::new(
        [
            ("secret", Value::from("s3cret").into_sensitive()),
            ("later", Value::unknown(Type::String)),
            ("list_later", Value::unknown(Type::list(Type::object([("ip", Type::String)])))),
            ("nothing", Value::NULL),
            ("template", Value::from("${file(\"motd\")}")),
            ("object", object),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    );
    scope
}

/// One line an expression: what it comes to, and its type.
pub(crate) fn check_eval(expressions: &[&str]) -> String {
    expressions.iter().map(|text| format!("{} => {}\n", text.replace('\n', "\\n"), eval(text))).collect()
}

pub(crate) fn eval(text: &str) -> String {
    let file = source("test", text);
    let result = parse_expression(&file).and_then(|expression| evaluate(&expression, &scope()));
    match result {
        Ok(value) => format!("{value:?} : {}", value.ty()),
        Err(diagnostics) => {
            diagnostics.iter().map(|diagnostic| show(diagnostic, &[&file])).collect::<Vec<_>>().join(" | ")
        }
    }
}

/// `error: summary (why) at «text» hint: …`
pub(crate) fn show(diagnostic: &Diagnostic, files: &[&SourceFile]) -> String {
    let mut text = format!("{:?}: {}", diagnostic.severity, diagnostic.summary).to_lowercase();
    if !diagnostic.detail.is_empty() {
        let _ = write!(text, " ({})", diagnostic.detail);
    }
    if let Some(span) = &diagnostic.span {
        let file = files.iter().find(|file| file.name == span.file);
        let at = file.and_then(|file| file.text.get(span.range.clone())).unwrap_or("?");
        let _ = write!(text, " at «{}»", at.replace('\n', "\\n"));
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = write!(text, " hint: {hint}");
    }
    text
}

/// All that is said about a configuration, one line each.
pub(crate) fn check_desired(text: &str) -> String {
    complaints(text, Given::default()).1
}

pub(crate) fn complaints(text: &str, given: Given) -> (Desired, String) {
    let file = source("main.bm.hcl", text);
    let (desired, diagnostics) = desired(vec![file.clone()], given, Outside::default());
    let lines = diagnostics.iter().map(|diagnostic| show(diagnostic, &[&file]) + "\n").collect();
    (desired, lines)
}
