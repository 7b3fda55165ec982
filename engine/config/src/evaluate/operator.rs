//! Operators, with HCL's meaning.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostic, Diagnostics, Number, Type, Value};
use bimetal_syntax::{Binary, BinaryOperator, Node, Unary, UnaryOperator};

use super::Evaluator;
use super::bounds::{foreseen, negative};

impl Evaluator<'_> {
    pub(super) fn unary(&self, operation: &Unary, node: &Node) -> Result<Value, Diagnostics> {
        let value = self.value(&operation.operand)?.into_owned();
        let ty = match operation.operator {
            UnaryOperator::Negate => Type::Number,
            UnaryOperator::Not => Type::Bool,
        };
        let operand = self.operand(&operation.operand, value, &ty)?;
        if operand.is_null() {
            return Err(vec![self.of_null(node)]);
        }
        let result = match (operand.as_number(), operand.as_bool(), operation.operator) {
            (Some(number), _, _) => Value::from(-number),
            (_, Some(truth), _) => Value::from(!truth),
            (None, None, UnaryOperator::Negate) => negative(&operand),
            (None, None, UnaryOperator::Not) => open(),
        };
        Ok(result.with_marks(operand.marks))
    }

    pub(super) fn binary(&self, operation: &Binary, node: &Node) -> Result<Value, Diagnostics> {
        let ty = match operation.operator {
            BinaryOperator::Equal | BinaryOperator::NotEqual => Type::Any,
            BinaryOperator::And | BinaryOperator::Or => Type::Bool,
            _ => Type::Number,
        };
        let (left, right) = both(self.value(&operation.left), self.value(&operation.right))?;
        let operand = |node: &Node, value: Cow<'_, Value>| self.operand(node, value.into_owned(), &ty);
        let (left, right) = both(operand(&operation.left, left), operand(&operation.right, right))?;
        if ty == Type::Any {
            return Ok(equality(&left, &right, operation.operator == BinaryOperator::NotEqual));
        }
        if left.is_null() || right.is_null() {
            return Err(vec![self.of_null(node)]);
        }
        let marks = left.marks | right.marks;
        let value = match ty {
            Type::Bool => logic(operation.operator, left.as_bool(), right.as_bool()),
            _ => arithmetic(operation.operator, &left, &right).map_err(|reason| vec![self.error(node, reason)])?,
        };
        Ok(value.with_marks(marks))
    }

    /// The value as the type.
    fn operand(&self, node: &Node, value: Value, ty: &Type) -> Result<Value, Diagnostics> {
        convert(value, ty)
            .map_err(|mismatch| vec![self.error(node, format!("this operator does not take it: {}", mismatch.reason))])
    }

    fn of_null(&self, node: &Node) -> Diagnostic {
        let error = self.error(node, "an operand is `null`, and nothing can be done with it");
        error.hint("`coalesce(…)` helps where it may be `null`")
    }
}

/// Both, or what is wrong with either.
fn both<T>(left: Result<T, Diagnostics>, right: Result<T, Diagnostics>) -> Result<(T, T), Diagnostics> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (left, right) => {
            let mut diagnostics = left.err().unwrap_or_default();
            diagnostics.extend(right.err().unwrap_or_default());
            Err(diagnostics)
        }
    }
}

fn logic(operator: BinaryOperator, left: Option<bool>, right: Option<bool>) -> Value {
    // What decides alone: `false && …`, `true || …`.
    let decisive = operator == BinaryOperator::Or;
    match (left, right) {
        (Some(left), _) if left == decisive => Value::from(decisive),
        (_, Some(right)) if right == decisive => Value::from(decisive),
        (Some(_), Some(_)) => Value::from(!decisive),
        (Some(_) | None, None) | (None, Some(_)) => open(),
    }
}

/// True or false, and not known which.
fn open() -> Value {
    Value::unknown(Type::Bool).not_null()
}

fn arithmetic(operator: BinaryOperator, left: &Value, right: &Value) -> Result<Value, &'static str> {
    match (left.as_number(), right.as_number()) {
        (Some(left), Some(right)) => compute(operator, left, right),
        _ => Ok(foreseen(operator, left, right)),
    }
}

fn compute(operator: BinaryOperator, left: &Number, right: &Number) -> Result<Value, &'static str> {
    match operator {
        BinaryOperator::Add => left.plus(right).map(Value::from).ok_or("both infinities have no sum"),
        BinaryOperator::Subtract => left.plus(&-right).map(Value::from).ok_or("infinity less itself has no value"),
        BinaryOperator::Multiply => left.times(right).map(Value::from).ok_or("zero times infinity has no value"),
        BinaryOperator::Divide => left.divided_by(right).map(Value::from).ok_or("this quotient has no value"),
        BinaryOperator::Remainder => left.remainder(right).map(Value::from).ok_or("this remainder has no value"),
        BinaryOperator::Less => Ok(Value::from(left.compare(right).is_lt())),
        BinaryOperator::LessOrEqual => Ok(Value::from(left.compare(right).is_le())),
        BinaryOperator::Greater => Ok(Value::from(left.compare(right).is_gt())),
        BinaryOperator::GreaterOrEqual => Ok(Value::from(left.compare(right).is_ge())),
        BinaryOperator::Equal | BinaryOperator::NotEqual | BinaryOperator::And | BinaryOperator::Or => {
            unreachable!("handled by their own functions")
        }
    }
}

fn equality(left: &Value, right: &Value, negated: bool) -> Value {
    let marks = left.all_marks() | right.all_marks();
    let value = match same(left, right) {
        Some(same) => Value::from(same != negated),
        None => open(),
    };
    value.with_marks(marks)
}

/// Whether two values are the same. Nothing is converted: `1 == "1"` and `[1] == tolist([1])` are false. `None`: not known yet.
pub(crate) fn same(left: &Value, right: &Value) -> Option<bool> {
    match (&left.data, &right.data) {
        (Data::Null(_), Data::Null(_)) => Some(true),
        (Data::Unknown(_, refinement), Data::Null(_)) | (Data::Null(_), Data::Unknown(_, refinement)) => {
            refinement.is_not_null().then_some(false)
        }
        (Data::Null(_), _) | (_, Data::Null(_)) => Some(false),
        (Data::Unknown(..), _) | (_, Data::Unknown(..)) => are_apart(left, right).then_some(false),
        (Data::Set(_), Data::Set(_)) if left.has_open_length() || right.has_open_length() => {
            let lengths = left.lengths().zip(right.lengths());
            lengths.is_some_and(|(one, other)| one.are_apart(&other)).then_some(false)
        }
        _ if is_structured(left) && left.ty() != right.ty() => {
            match left.is_wholly_known() && right.is_wholly_known() {
                true => Some(false),
                false => same_parts(left, right).filter(|same| !same),
            }
        }
        _ => same_parts(left, right),
    }
}

/// Whether two values can't be the same, one of which, or both, are not known yet.
fn are_apart(one: &Value, other: &Value) -> bool {
    if !one.is_something() && !other.is_something() {
        // Both may be `null`.
        return false;
    }
    let (one_type, other_type) = (one.ty(), other.ty());
    let is_other_type = one_type != other_type && !one_type.has_any() && !other_type.has_any();
    let is_out_of_reach = match (&one.data, &other.data) {
        (Data::Unknown(_, one), Data::Unknown(_, other)) => one.are_apart(other),
        (Data::Unknown(_, refinement), _) => !refinement.admits(other),
        (_, Data::Unknown(_, refinement)) => !refinement.admits(one),
        _ => false,
    };
    is_other_type || is_out_of_reach
}

fn is_structured(value: &Value) -> bool {
    value.as_items().is_some() || value.as_members().is_some()
}

fn same_parts(left: &Value, right: &Value) -> Option<bool> {
    match (&left.data, &right.data) {
        (Data::List(one), Data::List(other))
        | (Data::Set(one), Data::Set(other))
        | (Data::Tuple(one), Data::Tuple(other)) => {
            if one.len() != other.len() {
                return Some(false);
            }
            all_same(one.iter().zip(other))
        }
        (Data::Map(one), Data::Map(other)) | (Data::Object(one), Data::Object(other)) => {
            if !one.keys().eq(other.keys()) {
                return Some(false);
            }
            all_same(one.values().zip(other.values()))
        }
        (one, other) => Some(one == other),
    }
}

fn all_same<'v>(pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Option<bool> {
    let mut known = true;
    for (one, other) in pairs {
        match same(one, other) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => known = false,
        }
    }
    known.then_some(true)
}
