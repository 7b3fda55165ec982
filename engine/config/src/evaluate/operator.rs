//! Operators, with HCL's meaning.

use bigdecimal::BigDecimal;
use bimetal_model::convert::{convert, unify};
use bimetal_model::{Data, Diagnostics, Number, Type, Value};
use hcl_edit::expr::{BinaryOp, BinaryOperator, Expression as Node, UnaryOp, UnaryOperator};

use super::Evaluator;

/// Digits kept of a quotient that does not end: those of Terraform's 512-bit floats.
const QUOTIENT_DIGITS: u64 = 155;

impl Evaluator<'_> {
    pub(super) fn unary(&self, operation: &UnaryOp) -> Result<Value, Diagnostics> {
        let value = self.value(&operation.expr)?.into_owned();
        match operation.operator.value() {
            UnaryOperator::Neg => {
                let (number, sensitive) = self.operand(&operation.expr, value, &Type::Number)?;
                Ok(match number.as_number() {
                    Some(number) => Value::from(Number::from(-number.as_decimal())),
                    None => Value::unknown(Type::Number),
                }
                .with_sensitivity(sensitive))
            }
            UnaryOperator::Not => {
                let (truth, sensitive) = self.operand(&operation.expr, value, &Type::Bool)?;
                Ok(truth
                    .as_bool()
                    .map_or(Value::unknown(Type::Bool), |truth| Value::from(!truth))
                    .with_sensitivity(sensitive))
            }
        }
    }

    pub(super) fn binary(&self, operation: &BinaryOp) -> Result<Value, Diagnostics> {
        let left = self.value(&operation.lhs_expr);
        let right = self.value(&operation.rhs_expr);
        let (left, right) = match (left, right) {
            (Ok(left), Ok(right)) => (left.into_owned(), right.into_owned()),
            (left, right) => {
                let mut diagnostics = left.err().unwrap_or_default();
                diagnostics.extend(right.err().unwrap_or_default());
                return Err(diagnostics);
            }
        };
        let operator = *operation.operator.value();
        match operator {
            BinaryOperator::Eq => Ok(equality(left, right, false)),
            BinaryOperator::NotEq => Ok(equality(left, right, true)),
            BinaryOperator::And | BinaryOperator::Or => self.logic(operation, left, right),
            _ => self.arithmetic(operation, left, right),
        }
    }

    /// The value as the type, `null` refused, and whether it is sensitive.
    fn operand(&self, node: &Node, value: Value, ty: &Type) -> Result<(Value, bool), Diagnostics> {
        let sensitive = value.sensitive;
        if value.is_null() {
            return Err(vec![self.error(node, "this is `null`, and nothing can be done with it")]);
        }
        match convert(value, ty) {
            Ok(value) => Ok((value, sensitive)),
            Err(mismatch) => {
                Err(vec![self.error(node, format!("this operator does not take it: {}", mismatch.reason))])
            }
        }
    }

    fn logic(&self, operation: &BinaryOp, left: Value, right: Value) -> Result<Value, Diagnostics> {
        let (left, left_sensitive) = self.operand(&operation.lhs_expr, left, &Type::Bool)?;
        let (right, right_sensitive) = self.operand(&operation.rhs_expr, right, &Type::Bool)?;
        // What decides alone: `false && …`, `true || …`.
        let decisive = *operation.operator.value() == BinaryOperator::Or;
        let value = match (left.as_bool(), right.as_bool()) {
            (Some(left), _) if left == decisive => Value::from(decisive),
            (_, Some(right)) if right == decisive => Value::from(decisive),
            (Some(_), Some(_)) => Value::from(!decisive),
            _ => Value::unknown(Type::Bool),
        };
        Ok(value.with_sensitivity(left_sensitive || right_sensitive))
    }

    fn arithmetic(&self, operation: &BinaryOp, left: Value, right: Value) -> Result<Value, Diagnostics> {
        let (left, left_sensitive) = self.operand(&operation.lhs_expr, left, &Type::Number)?;
        let (right, right_sensitive) = self.operand(&operation.rhs_expr, right, &Type::Number)?;
        let operator = *operation.operator.value();
        let value = match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => {
                let result = compute(operator, left.as_decimal(), right.as_decimal());
                result.map_err(|reason| vec![self.error(&operation.rhs_expr, reason)])?
            }
            _ if is_comparison(operator) => Value::unknown(Type::Bool),
            _ => Value::unknown(Type::Number),
        };
        Ok(value.with_sensitivity(left_sensitive || right_sensitive))
    }
}

fn is_comparison(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Less | BinaryOperator::LessEq | BinaryOperator::Greater | BinaryOperator::GreaterEq
    )
}

fn compute(operator: BinaryOperator, left: &BigDecimal, right: &BigDecimal) -> Result<Value, &'static str> {
    let zero = BigDecimal::from(0);
    let number = |value: BigDecimal| Ok(Value::from(Number::from(value)));
    match operator {
        BinaryOperator::Plus => number(left + right),
        BinaryOperator::Minus => number(left - right),
        BinaryOperator::Mul => number(left * right),
        BinaryOperator::Div | BinaryOperator::Mod if *right == zero => Err("division by zero"),
        BinaryOperator::Div => number((left / right).with_prec(QUOTIENT_DIGITS)),
        BinaryOperator::Mod => number(left % right),
        BinaryOperator::Less => Ok(Value::from(left < right)),
        BinaryOperator::LessEq => Ok(Value::from(left <= right)),
        BinaryOperator::Greater => Ok(Value::from(left > right)),
        BinaryOperator::GreaterEq => Ok(Value::from(left >= right)),
        BinaryOperator::Eq | BinaryOperator::NotEq | BinaryOperator::And | BinaryOperator::Or => {
            unreachable!("handled by their own functions")
        }
    }
}

/// Values of different types are converted to a common one first; without one they are different.
fn equality(left: Value, right: Value, negated: bool) -> Value {
    let sensitive = left.has_sensitive() || right.has_sensitive();
    if left.is_null() || right.is_null() {
        if left.is_unknown() || right.is_unknown() {
            return Value::unknown(Type::Bool).with_sensitivity(sensitive);
        }
        return Value::from((left.is_null() == right.is_null()) != negated).with_sensitivity(sensitive);
    }
    let (left, right) = (plain(left), plain(right));
    let same_kind = std::mem::discriminant(&left.data) == std::mem::discriminant(&right.data);
    let common =
        if same_kind { None } else { unify([left.ty(), right.ty()]).filter(|_| is_simple(&left) && is_simple(&right)) };
    let (left, right) = match common {
        Some(ty) => (convert(left.clone(), &ty).unwrap_or(left), convert(right.clone(), &ty).unwrap_or(right)),
        None => (left, right),
    };
    let equal = left == right;
    if !(left.is_wholly_known() && right.is_wholly_known()) {
        return Value::unknown(Type::Bool).with_sensitivity(sensitive);
    }
    Value::from(equal != negated).with_sensitivity(sensitive)
}

fn is_simple(value: &Value) -> bool {
    !matches!(value.data, Data::String(_) | Data::Bool(_) | Data::Number(_))
}

fn plain(value: Value) -> Value {
    value.map_parts(&mut |part| Value { sensitive: false, ..part })
}
