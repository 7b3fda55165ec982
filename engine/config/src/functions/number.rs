//! Numbers.

use bimetal_model::{Number, Type, Value};
use num_bigint::BigInt;

use super::{Arguments, Error, Function, MANY, Result, deep};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("abs", 1, 1, Type::Number, |a| Ok(Value::from(a.number(0)?.abs()))),
        deep("ceil", 1, 1, Type::Number, |a| Ok(Value::from((-&(-&a.number(0)?).floor()).truncate()))),
        deep("floor", 1, 1, Type::Number, |a| Ok(Value::from(a.number(0)?.floor()))),
        deep("max", 1, MANY, Type::Number, |a| Ok(numbers(&a)?.into_iter().max().map_or(Value::NULL, Value::from))),
        deep("min", 1, MANY, Type::Number, |a| Ok(numbers(&a)?.into_iter().min().map_or(Value::NULL, Value::from))),
        deep("pow", 2, 2, Type::Number, power),
        deep("log", 2, 2, Type::Number, |a| from_f64(double(&a, 0)?.ln() / double(&a, 1)?.ln())),
        deep("signum", 1, 1, Type::Number, |a| Ok(Value::from(Number::from(a.whole(0)?.signum())))),
        deep("parseint", 2, 2, Type::Number, parse_int),
    ]
}

fn numbers(arguments: &Arguments<'_>) -> Result<Vec<Number>> {
    (0..arguments.len()).map(|place| arguments.number(place)).collect()
}

/// A number that a double can hold, roughly.
fn double(arguments: &Arguments<'_>, place: usize) -> Result<f64> {
    let number = arguments.number(place)?;
    let double = number.to_f64();
    match double.is_infinite() && !number.is_infinite() {
        true => Err(Error::argument(place, "this number is too large")),
        false => Ok(double),
    }
}

/// With doubles, as Terraform does.
fn power(arguments: Arguments<'_>) -> Result {
    from_f64(double(&arguments, 0)?.powf(double(&arguments, 1)?))
}

/// The shortest digits that mean this double.
fn from_f64(value: f64) -> Result {
    Number::from_f64(value).map(Value::from).ok_or_else(|| Error::new("this has no value"))
}

/// Digits are `0-9`, `a-z`, `A-Z`; up to base 36 upper and lower case are the same.
fn parse_int(arguments: Arguments<'_>) -> Result {
    let (text, base) = (arguments.text(0)?, arguments.whole(1)?);
    let base = u32::try_from(base).ok().filter(|base| (2..=62).contains(base));
    let base = base.ok_or_else(|| Error::argument(1, "a base is 2 to 62"))?;
    let broken = || Error::argument(0, format!("`{text}` is no whole number of base {base}"));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
    if digits.is_empty() {
        return Err(broken());
    }
    let mut number = BigInt::from(0);
    for c in digits.chars() {
        let digit = digit(c, base).filter(|digit| *digit < base).ok_or_else(broken)?;
        number = number * base + digit;
    }
    let number = if text.starts_with('-') { -number } else { number };
    Ok(Value::from(Number::from(number)))
}

fn digit(c: char, base: u32) -> Option<u32> {
    match c {
        'A'..='Z' if base > 36 => Some(u32::from(c) - u32::from('A') + 36),
        _ => c.to_digit(36),
    }
}
