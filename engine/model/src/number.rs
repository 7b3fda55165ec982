//! Decimal numbers of any size, written as Terraform writes them.

use std::fmt;
use std::str::FromStr;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, ToPrimitive, Zero};

/// A decimal number. Equality and order are those of the number, not of its digits: `1.50` is `1.5`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(BigDecimal);

impl Number {
    /// The number itself.
    pub fn as_decimal(&self) -> &BigDecimal {
        &self.0
    }

    /// The number as a whole one, if it is.
    pub fn to_i64(&self) -> Option<i64> {
        self.is_whole().then(|| self.0.to_i64()).flatten()
    }

    /// The number as a whole one that is not negative, if it is.
    pub fn to_u64(&self) -> Option<u64> {
        self.is_whole().then(|| self.0.to_u64()).flatten()
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }

    /// Whether there is nothing behind the decimal point.
    pub fn is_whole(&self) -> bool {
        self.0.is_integer()
    }
}

impl From<BigDecimal> for Number {
    fn from(value: BigDecimal) -> Self {
        Number(value.normalized())
    }
}

macro_rules! from_whole {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Number {
            fn from(value: $ty) -> Self {
                Number(BigDecimal::from(BigInt::from(value)))
            }
        }
    )*};
}
from_whole!(i32, i64, u16, u32, u64, usize);

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'))
            && exponent_is_sane(text);
        match BigDecimal::from_str(text) {
            Ok(number) if well_formed => Ok(number.into()),
            _ => Err(format!("`{text}` is not a number")),
        }
    }
}

/// `1e999999999` is a few characters and a gigabyte of digits.
fn exponent_is_sane(text: &str) -> bool {
    match text.split_once(['e', 'E']) {
        Some((_, exponent)) => exponent.parse::<i32>().is_ok_and(|e| e.abs() <= 100_000),
        None => true,
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() {
            return f.write_str("0");
        }
        f.write_str(&self.0.normalized().to_plain_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_plainly() {
        for (text, printed) in [("1.50", "1.5"), ("1E3", "1000"), ("1e-3", "0.001"), ("-0", "0"), ("007", "7")] {
            assert_eq!(text.parse::<Number>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn a_huge_exponent_is_an_error_not_a_gigabyte() {
        assert!("1e999999999".parse::<Number>().is_err());
        assert!("".parse::<Number>().is_err());
        assert!("abc".parse::<Number>().is_err());
    }
}
