//! A text as an expression: nothing panics, and nothing sensitive is said.
#![no_main]

use std::sync::{Arc, LazyLock};

use bimetal_config::{Outside, Scope, SourceFile, evaluate, parse_expression};
use bimetal_model::{Type, Value};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "hunter2hunter2";

static SCOPE: LazyLock<Scope> = LazyLock::new(|| {
    let object = [("id", Value::from(7u64)), ("token", Value::from(SECRET).into_sensitive())];
    let variables = [
        ("s", Value::from(SECRET).into_sensitive()),
        ("u", Value::unknown(Type::Any)),
        ("l", Value::tuple([Value::from("a"), Value::from(SECRET).into_sensitive()])),
        ("o", object.into_iter().collect()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    Scope { variables: Arc::new(variables), ..Scope::new(Outside::default()) }
});

fuzz_target!(|text: &str| {
    // Saying that something isn't sensitive is the user's business.
    if text.contains("nonsensitive") || text.contains(SECRET) {
        return;
    }
    let file = SourceFile { name: "fuzz".into(), text: text.into() };
    let Ok(expression) = parse_expression(&file) else { return };
    let said = match evaluate(&expression, &SCOPE) {
        Ok(value) => format!("{value:?} {}", bimetal_config::console::print(&value)),
        Err(diagnostics) => format!("{diagnostics:?}"),
    };
    assert!(!said.contains(SECRET), "{said}");
});
