//! Functions that providers export, as expressions call them.

mod common;

use std::sync::Arc;

use bimetal_config::{Outside, Scope, evaluate, parse_expression};
use bimetal_model::port::Functions;
use bimetal_model::schema::{FunctionSchema, Parameter, ProviderSchema};
use bimetal_model::{Data, Diagnostic, Diagnostics, Path, ProviderName, Step, Type, Value};
use common::source;
use insta::assert_snapshot;

/// A provider `a` whose functions give what they are given as text; `refuse` refuses all of it.
struct Fake;

impl Functions for Fake {
    fn functions(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        if provider.0 != "a" {
            return Err(vec![Diagnostic::error(format!("there is no provider `{provider}`"))]);
        }
        let parameter = |name: &str, ty: Type, optional: bool| Parameter {
            name: name.to_owned(),
            ty,
            optional,
            description: String::new(),
        };
        let echo = FunctionSchema {
            parameters: vec![parameter("port", Type::Number, false), parameter("name", Type::String, true)],
            variadic: Some(parameter("rest", Type::String, true)),
            returns: Type::String,
        };
        let fixed = FunctionSchema { variadic: None, ..echo.clone() };
        let functions = [("echo", echo.clone()), ("fixed", fixed), ("refuse", echo)];
        let functions = functions.map(|(name, function)| (name.to_owned(), function)).into();
        Ok(Arc::new(ProviderSchema { functions, ..ProviderSchema::default() }))
    }

    fn call(&self, _: &ProviderName, function: &str, arguments: &Value) -> Result<Value, Diagnostics> {
        let text = bimetal_model::json::encode(arguments, bimetal_model::json::Marks::Keep).to_string();
        let refused = |path: Vec<Step>| Diagnostic { path: Path(path), ..Diagnostic::error(format!("no: {text}")) };
        let member = |name: &str| Step::Attribute(name.to_owned());
        match function {
            "refuse" => Err(vec![
                refused(vec![member("port")]),
                refused(vec![member("rest"), Step::Index(1)]),
                refused(vec![member("port"), Step::Index(9)]).hint("give less"),
                refused(Vec::new()),
            ]),
            _ => Ok(text.into()),
        }
    }
}

fn check(expression: &str) -> String {
    let file = source("test", expression);
    let functions = Arc::new(Fake);
    let scope = Scope {
        variables: Arc::new(
            [
                ("secret".to_owned(), Value::from("hunter2").into_sensitive()),
                ("later".to_owned(), Value::unknown(Type::String)),
                (
                    "ports".to_owned(),
                    Data::Tuple([Value::from(1), Value::from("n"), Value::from("r")].into_iter().collect()).into(),
                ),
            ]
            .into(),
        ),
        ..Scope::new(Outside { functions, ..Outside::default() })
    };
    let value = parse_expression(&file).and_then(|expression| evaluate(&expression, &scope));
    match value {
        Ok(value) => format!("{value:?}"),
        Err(errors) => errors.iter().map(|error| common::show(error, &[&file])).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn arguments_go_by_their_parameters_names() {
    assert_snapshot!(check("provider::a::echo(\"80\")"), @r#""{\"name\":null,\"port\":80,\"rest\":[]}""#);
    assert_snapshot!(check("provider::a::echo(80, null, 1, true)"), @r#""{\"name\":null,\"port\":80,\"rest\":[\"1\",\"true\"]}""#);
    assert_snapshot!(check("provider::a::echo(var.ports...)"), @r#""{\"name\":\"n\",\"port\":1,\"rest\":[\"r\"]}""#);
    assert_snapshot!(check("upper(provider::a::fixed(1))"), @r#""{\"NAME\":NULL,\"PORT\":1}""#);
}

#[test]
fn what_is_unknown_or_sensitive_stays_so() {
    assert_snapshot!(check("provider::a::echo(1, var.later)"), @"(unknown string)");
    assert_snapshot!(check("provider::a::echo(1, var.secret)"), @"(sensitive)");
    assert_snapshot!(check("provider::a::echo(var.secret)"), @"error: `provider::a::echo` can't do this with what it was given, which is sensitive at «var.secret»");
    assert_snapshot!(check("provider::a::refuse(1, var.secret)"), @"error: `provider::a::refuse` can't do this with what it was given, which is sensitive at «1»");
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    assert_snapshot!(check("provider::a::ecko(1)"), @"error: provider `a` has no function `ecko` at «provider::a::ecko(1)» hint: did you mean `echo`?");
    assert_snapshot!(check("provider::b::echo(1)"), @"error: there is no provider `b` at «provider::b::echo(1)»");
    assert_snapshot!(check("provider::echo(1)"), @"error: `provider::echo` is no function's name at «provider::echo(1)» hint: write `provider::NAME::FUNCTION`");
    assert_snapshot!(check("provider::a::b::c(1)"), @"error: `provider::a::b::c` is no function's name at «provider::a::b::c(1)» hint: write `provider::NAME::FUNCTION`");
    assert_snapshot!(check("provider::a::echo()"), @"error: `provider::a::echo` takes at least 1 argument, here are 0 at «)» hint: write `provider::a::echo(port number, name optional string, rest optional string...)`");
    assert_snapshot!(check("provider::a::fixed(1, 2, 3)"), @"error: `provider::a::fixed` takes 1 to 2 arguments, here are 3 at «3» hint: write `provider::a::fixed(port number, name optional string)`");
    assert_snapshot!(check("provider::a::echo(null)"), @"error: `port` can't be `null` at «null»");
    assert_snapshot!(check("provider::a::echo([], {})"), @r"
    error: this does not fit `port`: number required, but have tuple at «[]»
    error: this does not fit `name`: string required, but have object at «{}»
    ");
    assert_snapshot!(check("provider::a::refuse(1, \"b\", \"c\", \"d\")"), @r#"
    error: no: {"name":"b","port":1,"rest":["c","d"]} at «1»
    error: no: {"name":"b","port":1,"rest":["c","d"]} at «d»
    error: no: {"name":"b","port":1,"rest":["c","d"]} at «1» hint: give less
    error: no: {"name":"b","port":1,"rest":["c","d"]} at «provider::a::refuse(1, "b", "c", "d")»
    "#);
    assert_snapshot!(check("try(provider::a::refuse(1), \"else\")"), @r#""else""#);
}
