//! Numbers.

use bigdecimal::{BigDecimal, RoundingMode};
use bimetal_model::{Number, Value};

use super::{Arguments, Error, Function, MANY, Result, deep};

pub(super) const FUNCTIONS: &[Function] = &[
    deep("abs", 1, 1, |a| Ok(Value::from(Number::from(a.number(0)?.as_decimal().abs())))),
    deep("ceil", 1, 1, |a| round(&a, RoundingMode::Ceiling)),
    deep("floor", 1, 1, |a| round(&a, RoundingMode::Floor)),
    deep("max", 1, MANY, |a| Ok(numbers(&a)?.into_iter().max().map_or(Value::NULL, Value::from))),
    deep("min", 1, MANY, |a| Ok(numbers(&a)?.into_iter().min().map_or(Value::NULL, Value::from))),
    deep("pow", 2, 2, power),
    deep("log", 2, 2, |a| from_f64(a.number(0)?.to_f64().ln() / a.number(1)?.to_f64().ln())),
    deep("signum", 1, 1, |a| {
        let zero = Number::from(0);
        Ok(Value::from(Number::from(match a.number(0)?.cmp(&zero) {
            std::cmp::Ordering::Less => -1,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => 1,
        })))
    }),
    deep("parseint", 2, 2, parse_int),
];

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

fn from_f64(value: f64) -> Result {
    use bigdecimal::FromPrimitive as _;
    BigDecimal::from_f64(value)
        .map(|value| Value::from(Number::from(value)))
        .ok_or_else(|| Error::new("this has no finite value"))
}

fn parse_int(arguments: Arguments<'_>) -> Result {
    let (text, base) = (arguments.text(0)?, arguments.whole(1)?);
    let base = u32::try_from(base)
        .ok()
        .filter(|base| (2..=36).contains(base))
        .ok_or_else(|| Error::argument(1, "a base is 2 to 36"))?;
    let parsed = bigdecimal::num_bigint::BigInt::parse_bytes(text.as_bytes(), base);
    let number = parsed.ok_or_else(|| Error::argument(0, format!("`{text}` is no whole number of base {base}")))?;
    Ok(Value::from(Number::from(BigDecimal::from(number))))
}
