//! Operators, with HCL's meaning.

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostics, Number, Type, Value, ValueMarks};
use bimetal_syntax::{Binary, BinaryOperator, Node, Unary, UnaryOperator};

use super::Evaluator;

impl Evaluator<'_> {
    pub(super) fn unary(&self, operation: &Unary) -> Result<Value, Diagnostics> {
        let value = self.value(&operation.operand)?.into_owned();
        match operation.operator {
            UnaryOperator::Negate => {
                let (number, marks) = self.operand(&operation.operand, value, &Type::Number)?;
                Ok(match number.as_number() {
                    Some(number) => Value::from(-number),
                    None => Value::unknown(Type::Number),
                }
                .with_marks(marks))
            }
            UnaryOperator::Not => {
                let (truth, marks) = self.operand(&operation.operand, value, &Type::Bool)?;
                Ok(truth.as_bool().map_or(Value::unknown(Type::Bool), |truth| Value::from(!truth)).with_marks(marks))
            }
        }
    }

    pub(super) fn binary(&self, operation: &Binary) -> Result<Value, Diagnostics> {
        let (left, right) = match (self.value(&operation.left), self.value(&operation.right)) {
            (Ok(left), Ok(right)) => (left, right),
            (left, right) => {
                let mut diagnostics = left.err().unwrap_or_default();
                diagnostics.extend(right.err().unwrap_or_default());
                return Err(diagnostics);
            }
        };
        match operation.operator {
            BinaryOperator::Equal => Ok(equality(&left, &right, false)),
            BinaryOperator::NotEqual => Ok(equality(&left, &right, true)),
            BinaryOperator::And | BinaryOperator::Or => self.logic(operation, left.into_owned(), right.into_owned()),
            _ => self.arithmetic(operation, left.into_owned(), right.into_owned()),
        }
    }

    /// The value as the type, `null` refused, and whether it is sensitive.
    fn operand(&self, node: &Node, value: Value, ty: &Type) -> Result<(Value, ValueMarks), Diagnostics> {
        let marks = value.marks;
        if value.is_null() {
            return Err(vec![self.error(node, "this is `null`, and nothing can be done with it")]);
        }
        match convert(value, ty) {
            Ok(value) => Ok((value, marks)),
            Err(mismatch) => {
                Err(vec![self.error(node, format!("this operator does not take it: {}", mismatch.reason))])
            }
        }
    }

    fn logic(&self, operation: &Binary, left: Value, right: Value) -> Result<Value, Diagnostics> {
        let (left, left_marks) = self.operand(&operation.left, left, &Type::Bool)?;
        let (right, right_marks) = self.operand(&operation.right, right, &Type::Bool)?;
        // What decides alone: `false && …`, `true || …`.
        let decisive = operation.operator == BinaryOperator::Or;
        let value = match (left.as_bool(), right.as_bool()) {
            (Some(left), _) if left == decisive => Value::from(decisive),
            (_, Some(right)) if right == decisive => Value::from(decisive),
            (Some(_), Some(_)) => Value::from(!decisive),
            _ => Value::unknown(Type::Bool),
        };
        Ok(value.with_marks(left_marks | right_marks))
    }

    fn arithmetic(&self, operation: &Binary, left: Value, right: Value) -> Result<Value, Diagnostics> {
        let (left, left_marks) = self.operand(&operation.left, left, &Type::Number)?;
        let (right, right_marks) = self.operand(&operation.right, right, &Type::Number)?;
        let operator = operation.operator;
        let value = match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => {
                let result = compute(operator, left, right);
                result.map_err(|reason| vec![self.error(&operation.right, reason)])?
            }
            _ if is_comparison(operator) => Value::unknown(Type::Bool),
            _ => Value::unknown(Type::Number),
        };
        Ok(value.with_marks(left_marks | right_marks))
    }
}

fn is_comparison(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Less | BinaryOperator::LessOrEqual | BinaryOperator::Greater | BinaryOperator::GreaterOrEqual
    )
}

fn compute(operator: BinaryOperator, left: &Number, right: &Number) -> Result<Value, &'static str> {
    match operator {
        BinaryOperator::Add => Ok(Value::from(left + right)),
        BinaryOperator::Subtract => Ok(Value::from(left - right)),
        BinaryOperator::Multiply => Ok(Value::from(left * right)),
        BinaryOperator::Divide => left.divided_by(right).map(Value::from).ok_or("this quotient has no value"),
        BinaryOperator::Remainder => Ok(Value::from(left.remainder(right))),
        BinaryOperator::Less => Ok(Value::from(left < right)),
        BinaryOperator::LessOrEqual => Ok(Value::from(left <= right)),
        BinaryOperator::Greater => Ok(Value::from(left > right)),
        BinaryOperator::GreaterOrEqual => Ok(Value::from(left >= right)),
        BinaryOperator::Equal | BinaryOperator::NotEqual | BinaryOperator::And | BinaryOperator::Or => {
            unreachable!("handled by their own functions")
        }
    }
}

fn equality(left: &Value, right: &Value, negated: bool) -> Value {
    let marks = left.all_marks() | right.all_marks();
    let value = match same(left, right) {
        Some(same) => Value::from(same != negated),
        None => Value::unknown(Type::Bool),
    };
    value.with_marks(marks)
}

/// Whether two values are the same. Nothing is converted: `1 == "1"` and `[1] == tolist([1])` are false. `None`: not known yet.
pub(crate) fn same(left: &Value, right: &Value) -> Option<bool> {
    match (&left.data, &right.data) {
        (Data::Unknown(_), _) | (_, Data::Unknown(_)) => None,
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
