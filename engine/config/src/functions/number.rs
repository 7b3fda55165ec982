//! Numbers.

use std::cmp::Ordering;

use bimetal_model::{Number, Type, Value};
use num_bigint::BigInt;

use super::double::{logarithm, power};
use super::{Arguments, Error, Function, Result, any, deep, described, number, quoted};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("abs", [number().or_anything()], Type::Number, |a| Ok(a.number(0).abs().into())),
        deep("ceil", [number()], Type::Number, |a| Ok(a.number(0).ceiling().into())),
        deep("floor", [number()], Type::Number, |a| Ok(a.number(0).floor().into())),
        deep("max", [], Type::Number, |a| first(&a, Ordering::Greater)).and_more(number().or_anything()),
        deep("min", [], Type::Number, |a| first(&a, Ordering::Less)).and_more(number().or_anything()),
        deep("pow", [number(), number()], Type::Number, |a| from_f64(power(double(&a, 0)?, double(&a, 1)?))),
        deep("log", [number(), number()], Type::Number, |a| {
            from_f64(logarithm(double(&a, 0)?) / logarithm(double(&a, 1)?))
        }),
        deep("signum", [number()], Type::Number, |a| Ok(Number::from(a.whole(0)?.signum()).into())),
        deep("parseint", [any(), number()], Type::Number, parse_int),
    ]
}

/// The first argument that no other one is before in this order.
fn first(arguments: &Arguments<'_>, order: Ordering) -> Result {
    let numbers = (0..arguments.len()).map(|place| arguments.number(place));
    let first = numbers.reduce(|best, number| if number.compare(best) == order { number } else { best });
    first.map(|first| first.clone().into()).ok_or_else(|| Error::new("one number at least is wanted"))
}

/// A number that a double can hold, roughly.
fn double(arguments: &Arguments<'_>, place: usize) -> Result<f64> {
    let number = arguments.number(place);
    let double = number.to_f64();
    match double.is_infinite() && !number.is_infinite() {
        true => Err(Error::new("this number is too large")),
        false => Ok(double),
    }
}

fn from_f64(value: f64) -> Result {
    Number::from_f64(value).map(Value::from).ok_or_else(|| Error::new("this has no value"))
}

/// Digits are `0-9`, `a-z`, `A-Z`; up to base 36 upper and lower case are the same.
fn parse_int(arguments: Arguments<'_>) -> Result {
    let Some(text) = arguments.value(0).as_str() else {
        return Err(Error::argument(0, format!("text is wanted here, not {}", described(arguments.value(0)))));
    };
    let base = arguments.whole(1).map_err(|error| error.of(1))?;
    let base = u32::try_from(base).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or_else(|| Error::argument(1, "a base is 2 to 62"))?;
    let broken = || Error::argument(0, format!("{} is no whole number of base {base}", quoted(text)));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() {
        return Err(broken());
    }
    let digits: Option<Vec<u8>> = digits.chars().map(|c| digit(c, base)).collect();
    let digits = digits.ok_or_else(broken)?;
    let number = BigInt::from_radix_be(num_bigint::Sign::Plus, &digits, base).ok_or_else(broken)?;
    Ok(Number::from(if text.starts_with('-') { -number } else { number }).into())
}

fn digit(c: char, base: u32) -> Option<u8> {
    let digit = match c {
        'A'..='Z' if base > 36 => u32::from(c) - u32::from('A') + 36,
        _ => c.to_digit(36)?,
    };
    u8::try_from(digit).ok().filter(|_| digit < base)
}
