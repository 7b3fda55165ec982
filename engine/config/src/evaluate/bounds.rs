//! What operators make of numbers that are known only between bounds.

use bimetal_model::{Bounds, Number, Refinement, Type, Value};
use bimetal_syntax::BinaryOperator;

/// What an operator makes of two numbers, one of which, or both, are not known yet.
pub(super) fn foreseen(operator: BinaryOperator, left: &Value, right: &Value) -> Value {
    let (left, right) = (left.refinement().numbers(), right.refinement().numbers());
    match operator {
        BinaryOperator::Add => within(sum(&left, &right)),
        BinaryOperator::Subtract => within(sum(&left, &negated(&right))),
        BinaryOperator::Multiply => within(product(&left, &right).unwrap_or_default()),
        BinaryOperator::Divide | BinaryOperator::Remainder => within(Bounds::default()),
        BinaryOperator::Less => decided(left.are_below(&right), right.are_not_above(&left)),
        BinaryOperator::LessOrEqual => decided(left.are_not_above(&right), right.are_below(&left)),
        BinaryOperator::Greater => decided(right.are_below(&left), left.are_not_above(&right)),
        BinaryOperator::GreaterOrEqual => decided(right.are_not_above(&left), left.are_below(&right)),
        BinaryOperator::Equal | BinaryOperator::NotEqual | BinaryOperator::And | BinaryOperator::Or => {
            unreachable!("these take more than numbers")
        }
    }
}

/// What a number that is not known yet is with the other sign.
pub(super) fn negative(number: &Value) -> Value {
    within(negated(&number.refinement().numbers()))
}

fn within(numbers: Bounds<Number>) -> Value {
    Value::refined(Type::Number, Refinement::of_numbers(numbers))
}

fn decided(is_so: bool, is_not_so: bool) -> Value {
    match (is_so, is_not_so) {
        (true, _) => Value::from(true),
        (false, true) => Value::from(false),
        (false, false) => Value::unknown(Type::Bool).not_null(),
    }
}

fn sum(left: &Bounds<Number>, right: &Bounds<Number>) -> Bounds<Number> {
    let both = |one: &Option<Number>, other: &Option<Number>| Some(one.as_ref()? + other.as_ref()?);
    Bounds { least: both(&left.least, &right.least), most: both(&left.most, &right.most) }
}

fn negated(bounds: &Bounds<Number>) -> Bounds<Number> {
    let turned = |bound: &Option<Number>| bound.as_ref().map(|bound| -bound);
    Bounds { least: turned(&bounds.most), most: turned(&bounds.least) }
}

/// Of what has bounds on all sides.
fn product(left: &Bounds<Number>, right: &Bounds<Number>) -> Option<Bounds<Number>> {
    let ends = |bounds: &Bounds<Number>| Some([bounds.least.clone()?, bounds.most.clone()?]);
    let (left, right) = (ends(left)?, ends(right)?);
    let corners = || left.iter().flat_map(|one| right.iter().map(move |other| one * other));
    Some(Bounds { least: corners().min(), most: corners().max() })
}
