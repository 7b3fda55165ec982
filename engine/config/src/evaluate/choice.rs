//! `condition ? one : other`.

use std::borrow::Cow;

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Diagnostics, Type, Value, ValueMarks};
use bimetal_syntax::{Conditional, Node};

use super::{Evaluated, Evaluator};

impl<'a> Evaluator<'a> {
    /// The side that isn't chosen is evaluated too, but only for its type: `true ? 1 : "a"` is a string. What is wrong with it is
    /// not said.
    pub(super) fn conditional(&self, conditional: &Conditional) -> Evaluated<'a> {
        let condition = self.value(&conditional.condition)?;
        let decided = self.truth(&conditional.condition, &condition)?;
        let (yes, no) = (self.value(&conditional.yes), self.value(&conditional.no));
        let (chosen, other) = match decided {
            Some(true) => (yes?, no.ok()),
            Some(false) => (no?, yes.ok()),
            None => {
                let (yes, no) = (yes?, no?);
                let ty = self.common(conditional, &yes, &no)?;
                return Ok(Cow::Owned(Value::unknown(ty).with_marks(condition.marks)));
            }
        };
        let ty = match &other {
            Some(other) => self.common(conditional, &chosen, other)?,
            None => Type::Any,
        };
        if condition.marks == ValueMarks::NONE && (ty == Type::Any || chosen.ty() == ty) {
            return Ok(chosen);
        }
        let chosen = chosen.into_owned().with_marks(condition.marks);
        Ok(Cow::Owned(convert(chosen, &ty).map_err(|mismatch| vec![self.error(&conditional.yes, mismatch.reason)])?))
    }

    fn common(&self, conditional: &Conditional, one: &Value, other: &Value) -> Result<Type, Diagnostics> {
        let (one, other) = (one.ty(), other.ty());
        unify([one.clone(), other.clone()]).ok_or_else(|| {
            let error = self.error(&conditional.yes, "the two sides of this choice have different types");
            let error = error.because(format!("one is {one}, the other is {other}"));
            vec![error.hint("convert one of them, as with `tostring(…)`, `tolist(…)` or `jsonencode(…)`")]
        })
    }

    /// `None`: unknown.
    pub(super) fn truth(&self, node: &Node, value: &Value) -> Result<Option<bool>, Diagnostics> {
        if let Some(truth) = value.as_bool() {
            return Ok(Some(truth));
        }
        if value.is_null() {
            return Err(vec![self.error(node, "a condition can't be `null`")]);
        }
        match convert(value.clone(), &Type::Bool) {
            Ok(value) => Ok(value.as_bool()),
            Err(mismatch) => Err(vec![self.error(node, format!("this is no condition: {}", mismatch.reason))]),
        }
    }
}
