//! What a test says must hold: unlike other conditions, one that is not known is a mistake.

use bimetal_model::convert::convert;
use bimetal_model::{BlockKind, Data, Diagnostic, Diagnostics, Type, Value};

use crate::evaluate::{Scope, evaluate};
use crate::explain::explain;
use crate::expression::{Expression, Reference, Target};
use crate::module::Condition;
use crate::suggest::nearest_or_all;

/// What came of an assertion.
#[derive(Clone, Debug)]
pub enum Assertion {
    /// As it should be.
    Holds,
    /// It is known not to hold.
    Fails(Box<Diagnostic>),
    /// Nobody can say.
    Broken(Diagnostics),
}

/// Looks whether an assertion holds. Where it does not, what it refers to is said with its value.
pub fn assertion(assert: &Condition, scope: &Scope) -> Assertion {
    let at = |error: Diagnostic| error.at(assert.condition.span());
    let truth = match checked(&assert.condition, scope) {
        Ok(value) => convert(value, &Type::Bool),
        Err(errors) => return Assertion::Broken(errors),
    };
    let error = match truth {
        Ok(Value { data: Data::Bool(true), .. }) => return Assertion::Holds,
        Ok(Value { data: Data::Bool(false), .. }) => match message(assert, scope) {
            Ok(message) => {
                let error = at(Diagnostic::error("the assertion does not hold")).because(message);
                return Assertion::Fails(Box::new(explain(error, &assert.condition, scope)));
            }
            Err(errors) => return Assertion::Broken(errors),
        },
        Ok(Value { data: Data::Unknown(..), .. }) => Diagnostic::error("this is known only after apply")
            .hint("write `command = apply`, or give what is unknown a value with `override_during = plan`"),
        Ok(_) => Diagnostic::error("a condition can't be `null`"),
        Err(mismatch) => Diagnostic::error("this is no condition").because(mismatch.reason),
    };
    Assertion::Broken(vec![explain(at(error), &assert.condition, scope)])
}

/// The value of an expression in a file of tests, where `run.<name>` and `output.<name>` stand for something.
pub fn checked(expression: &Expression, scope: &Scope) -> Result<Value, Diagnostics> {
    let missing: Diagnostics =
        expression.references().iter().filter_map(|reference| undeclared(reference, scope)).collect();
    if missing.is_empty() { evaluate(expression, scope) } else { Err(missing) }
}

/// Neither is a block, whatever they look like.
fn undeclared(reference: &Reference, scope: &Scope) -> Option<Diagnostic> {
    let Target::Object(address) = &reference.target else { return None };
    let summary = match (address.block, address.ty.as_str()) {
        (BlockKind::Resource, "run") => format!("no run `{}` came before this one", address.name),
        (BlockKind::Resource, "output") => format!("no output `{}` is declared", address.name),
        _ => return None,
    };
    if scope.objects.contains_key(address) {
        return None;
    }
    let alike = scope.objects.keys().filter(|known| (known.block, &known.ty) == (address.block, &address.ty));
    let hint = nearest_or_all(&address.name, alike.map(|known| known.name.as_str()).collect::<Vec<_>>(), &address.ty);
    Some(Diagnostic::error(summary).at(&reference.span).hint(hint))
}

fn message(assert: &Condition, scope: &Scope) -> Result<String, Diagnostics> {
    let value = checked(&assert.message, scope)?;
    match value.as_str().filter(|_| !value.all_marks().hide()) {
        Some(text) => Ok(text.to_owned()),
        None if value.all_marks().hide() => Ok("(its message must not be shown)".to_owned()),
        None => Err(vec![Diagnostic::error("`error_message` is no text").at(assert.message.span())]),
    }
}
