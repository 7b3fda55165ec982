//! Conditions: of variables, of objects before and after they are made, of outputs.

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostic, Diagnostics, Type, Value};

use crate::evaluate::{Scope, evaluate};
use crate::explain::explain;
use crate::module::Condition;

/// What is said of conditions that don't hold. Of one that is not known yet nothing is said.
pub fn unmet<'c>(conditions: impl IntoIterator<Item = &'c Condition>, summary: &str, scope: &Scope) -> Diagnostics {
    conditions.into_iter().flat_map(|condition| of_one(condition, summary, scope)).collect()
}

fn of_one(condition: &Condition, summary: &str, scope: &Scope) -> Diagnostics {
    let at = |error: Diagnostic| error.at(condition.condition.span());
    match evaluate(&condition.condition, scope).map(|value| convert(value, &Type::Bool)) {
        Ok(Ok(Value { data: Data::Bool(true) | Data::Unknown(..), .. })) => Vec::new(),
        Ok(Ok(Value { data: Data::Bool(false), .. })) => {
            let said = evaluate(&condition.message, scope).ok().filter(|message| !message.marks.hide());
            let said = said.and_then(|message| message.as_str().map(str::to_owned));
            let error = at(Diagnostic::error(summary)).because(said.unwrap_or_default());
            vec![explain(error, &condition.condition, scope)]
        }
        Ok(Ok(_)) => vec![at(Diagnostic::error("a condition can't be `null`"))],
        Ok(Err(mismatch)) => vec![at(Diagnostic::error("this is no condition")).because(mismatch.reason)],
        Err(errors) => errors,
    }
}
