//! Numbers.

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode};
use bimetal_model::{Number, Type, Value};

use super::{Arguments, Error, Function, MANY, Result, deep};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("abs", 1, 1, Type::Number, |a| Ok(Value::from(Number::from(a.number(0)?.as_decimal().abs())))),
        deep("ceil", 1, 1, Type::Number, |a| round(&a, RoundingMode::Ceiling)),
        deep("floor", 1, 1, Type::Number, |a| round(&a, RoundingMode::Floor)),
        deep("max", 1, MANY, Type::Number, |a| Ok(numbers(&a)?.into_iter().max().map_or(Value::NULL, Value::from))),
        deep("min", 1, MANY, Type::Number, |a| Ok(numbers(&a)?.into_iter().min().map_or(Value::NULL, Value::from))),
        deep("pow", 2, 2, Type::Number, power),
        deep("log", 2, 2, Type::Number, |a| from_f64(a.number(0)?.to_f64().ln() / a.number(1)?.to_f64().ln())),
        deep("signum", 1, 1, Type::Number, |a| Ok(Value::from(Number::from(a.whole(0)?.signum())))),
        deep("parseint", 2, 2, Type::Number, parse_int),
    ]
}

fn numbers(arguments: &Arguments<'_>) -> Result<Vec<Number>> {
    (0..arguments.len()).map(|place| arguments.number(place)).collect()
}

fn round(arguments: &Arguments<'_>, mode: RoundingMode) -> Result {
    Ok(Value::from(Number::from(arguments.number(0)?.as_decimal().with_scale_round(0, mode))))
}

fn power(arguments: Arguments<'_>) -> Result {
    let (base, exponent) = (arguments.number(0)?, arguments.number(1)?);
    match exponent.to_i64() {
        Some(exponent @ 0..=10_000) => {
            let mut result = BigDecimal::from(1);
            for _ in 0..exponent {
                result = (result * base.as_decimal()).with_prec(1_000);
            }
            Ok(Value::from(Number::from(result)))
        }
        _ => from_f64(base.to_f64().powf(exponent.to_f64())),
    }
}

/// The shortest digits that mean this double.
fn from_f64(value: f64) -> Result {
    let text = format!("{value:e}");
    text.parse::<Number>().map(Value::from).map_err(|_| Error::new("this has no finite value"))
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
    Ok(Value::from(Number::from(BigDecimal::from(number))))
}

fn digit(c: char, base: u32) -> Option<u32> {
    match c {
        'A'..='Z' if base > 36 => Some(u32::from(c) - u32::from('A') + 36),
        _ => c.to_digit(36),
    }
}
