//! `condition ? one : other`.

use std::borrow::Cow;

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Data, Diagnostics, Refinement, Type, Value, ValueMarks};
use bimetal_syntax::{BinaryOperator, Conditional, Kind, Member, Node, Part, UnaryOperator};

use super::{Evaluated, Evaluator};

impl<'a> Evaluator<'a> {
    /// Both sides are evaluated: `true ? 1 : "a"` is a string, and what is sensitive in one makes the other so. What is wrong with the
    /// side that isn't chosen is not said.
    pub(super) fn conditional(&self, conditional: &Conditional) -> Evaluated<'a> {
        let (yes, no) = (self.value(&conditional.yes), self.value(&conditional.no));
        let ty = self.common(conditional, yes.as_deref().ok(), no.as_deref().ok())?;
        let condition = self.value(&conditional.condition)?;
        let marks_of = |side: &Evaluated<'a>| side.as_ref().map_or(ValueMarks::NONE, |value| value.marks);
        let marks = condition.marks | marks_of(&yes) | marks_of(&no);
        let (chosen, node) = match self.truth(&conditional.condition, &condition)? {
            Some(true) => (yes?, &conditional.yes),
            Some(false) => (no?, &conditional.no),
            None => return Ok(Cow::Owned(undecided(ty, yes.ok().as_deref(), no.ok().as_deref()).with_marks(marks))),
        };
        if chosen.marks == marks && (ty == Type::Any || chosen.ty() == ty) {
            return Ok(chosen);
        }
        let converted = convert(chosen.into_owned().with_marks(marks), &ty);
        Ok(Cow::Owned(converted.map_err(|mismatch| {
            let error = self.error(node, "this is not of the type that both sides of the choice have in common");
            vec![error.because(mismatch.reason)]
        })?))
    }

    /// The type of either side. A `null` is of the other side's type; what is wrong is of the type that it would have.
    fn common(&self, conditional: &Conditional, yes: Option<&Value>, no: Option<&Value>) -> Result<Type, Diagnostics> {
        let is_null = |value: &Value| matches!(&value.data, Data::Null(kind) if kind.0 == Type::Any);
        let ty_of = |value: Option<&Value>, node: &Node| value.map_or_else(|| type_of(node), Value::ty);
        let (one, other) = (ty_of(yes, &conditional.yes), ty_of(no, &conditional.no));
        match (yes, no) {
            (Some(yes), _) if is_null(yes) && yes.marks == ValueMarks::NONE => return Ok(other),
            (_, Some(no)) if is_null(no) && no.marks == ValueMarks::NONE => return Ok(one),
            _ if one == Type::Any || other == Type::Any => return Ok(Type::Any),
            _ => {}
        }
        unify([one.clone(), other.clone()]).ok_or_else(|| {
            let place = conditional.yes.place.to(conditional.no.place);
            let error = self.error_at(place, "the two sides of this choice have different types");
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

/// One of two values, and it is known only later which: what both promise is known now.
fn undecided(ty: Type, yes: Option<&Value>, no: Option<&Value>) -> Value {
    match (yes, no) {
        (Some(yes), Some(no)) if yes.is_null() && no.is_null() => Value::null(ty),
        (Some(yes), Some(no)) => Value::refined(ty, Refinement::of_either(yes, no)),
        (None, _) | (_, None) => Value::unknown(ty),
    }
}

/// The type that an expression has whatever its parts are.
fn type_of(node: &Node) -> Type {
    match &node.kind {
        Kind::Bool(_) => Type::Bool,
        Kind::Number(_) => Type::Number,
        Kind::Text(_) => Type::String,
        Kind::Template(parts) => match &parts[..] {
            [Part::Value(only)] => type_of(only),
            _ => Type::String,
        },
        Kind::Tuple(items) => Type::Tuple(items.iter().map(type_of).collect()),
        Kind::Object(members) => {
            let member = |member: &Member| match &member.key.kind {
                Kind::Text(name) | Kind::Name(name) => Some((name.to_string(), type_of(&member.value))),
                _ => None,
            };
            members.iter().map(member).collect::<Option<Vec<_>>>().map_or(Type::Any, Type::object)
        }
        Kind::Parentheses(inner) => type_of(inner),
        Kind::Unary(operation) => match operation.operator {
            UnaryOperator::Negate => Type::Number,
            UnaryOperator::Not => Type::Bool,
        },
        Kind::Binary(operation) => match operation.operator {
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Remainder => Type::Number,
            BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual
            | BinaryOperator::And
            | BinaryOperator::Or => Type::Bool,
        },
        Kind::Conditional(choice) => unify([type_of(&choice.yes), type_of(&choice.no)]).unwrap_or(Type::Any),
        Kind::Null | Kind::Name(_) | Kind::Traversal(_) | Kind::Call(_) | Kind::For(_) => Type::Any,
    }
}
