//! Numbers with Terraform's arithmetic: so many significant bits, rounded to the nearest, ties to even.
//!
//! Source: cty, whose numbers are `math/big` floats. What is written has 512 bits, what is counted 64, what comes of a double 53; what is
//! made of two has as many as the one that has more. How many shows in the digits that are printed.

mod arithmetic;
mod decimal;
mod notation;
mod order;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive};

pub use self::notation::Notation;

/// A number.
///
/// Equal are those that print equally, and the two zeros: a double's 0.1 is what is written as 0.1.
#[derive(Clone, Debug)]
pub struct Number {
    repr: Repr,
    /// In bits.
    precision: u32,
}

/// Invariant: the same value has the same representation (test: `equal_numbers_are_represented_equally`).
#[derive(Clone, Debug, PartialEq, Eq)]
enum Repr {
    /// Whatever fits.
    Whole(i64),
    /// Equal to zero, and shown with its sign.
    NegativeZero,
    /// Everything else.
    Float(Arc<Float>),
    /// What is too large, and what comes of a division by zero.
    Infinite(Side),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Negative,
    Positive,
}

/// `digits * 2^exponent`
///
/// Invariant: `digits` is odd and has no more bits than the number's precision.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Float {
    digits: BigInt,
    exponent: i64,
}

/// Of what is written, in bits.
const WRITTEN: u32 = 512;
/// Of what is counted.
const COUNTED: u32 = 64;
/// Of a double.
const DOUBLE: u32 = 53;
/// A number with more bits than this before its point is infinite, one that begins that far behind it is zero: a few characters must not
/// become a gigabyte of digits.
const MOST_BITS: i64 = 400_000;
/// In decimal digits, for the same reason.
const LARGEST_EXPONENT: i64 = 100_000;

impl Number {
    /// The number as a whole one, if it is, and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.repr {
            Repr::Whole(whole) => Some(*whole),
            Repr::NegativeZero => Some(0),
            Repr::Float(_) | Repr::Infinite(_) => None,
        }
    }

    /// The number as a whole one that is not negative, if it is, and fits.
    pub fn to_u64(&self) -> Option<u64> {
        self.to_whole()?.to_u64()
    }

    /// The number as a whole one of any size, if it is.
    pub fn to_whole(&self) -> Option<BigInt> {
        match &self.repr {
            Repr::Whole(whole) => Some(BigInt::from(*whole)),
            Repr::NegativeZero => Some(BigInt::ZERO),
            Repr::Float(float) if float.exponent >= 0 => Some(&float.digits << float.exponent),
            Repr::Float(_) | Repr::Infinite(_) => None,
        }
    }

    /// As if it had been written down and read again; what is infinite can't be.
    pub fn as_written(&self) -> Option<Number> {
        match self.repr {
            Repr::Whole(_) => Some(Number { precision: WRITTEN, ..self.clone() }),
            Repr::NegativeZero | Repr::Float(_) => self.to_string().parse().ok(),
            Repr::Infinite(_) => None,
        }
    }

    /// Whether that makes no difference.
    pub fn is_written(&self) -> bool {
        self.precision == WRITTEN && !self.is_infinite()
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        match &self.repr {
            Repr::Whole(whole) => *whole as f64,
            Repr::NegativeZero => -0.0,
            Repr::Infinite(Side::Positive) => f64::INFINITY,
            Repr::Infinite(Side::Negative) => f64::NEG_INFINITY,
            // The library's own parser rounds correctly.
            Repr::Float(_) => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The double, bit by bit; not a number is nothing.
    pub fn from_f64(double: f64) -> Option<Number> {
        if double.is_nan() {
            return None;
        }
        if double.is_infinite() {
            return Some(infinite(double.is_sign_negative(), DOUBLE));
        }
        if double == 0.0 {
            return Some(zero(double.is_sign_negative(), DOUBLE));
        }
        let bits = double.to_bits();
        let (exponent, fraction) = (i64::try_from(bits >> 52 & 0x7ff).ok()?, bits & ((1 << 52) - 1));
        // Those without an exponent lack the bit that all others begin with.
        let digits = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        let digits = if double < 0.0 { -BigInt::from(digits) } else { digits.into() };
        Some(rounded(digits, exponent.max(1) - 1075, false, DOUBLE))
    }

    /// Whether there is nothing behind the decimal point.
    pub fn is_whole(&self) -> bool {
        match &self.repr {
            Repr::Whole(_) | Repr::NegativeZero => true,
            Repr::Float(float) => float.exponent >= 0,
            Repr::Infinite(_) => false,
        }
    }

    /// Whether it is `+Inf` or `-Inf`.
    pub fn is_infinite(&self) -> bool {
        matches!(self.repr, Repr::Infinite(_))
    }

    /// Whether it is less than zero.
    pub fn is_negative(&self) -> bool {
        match &self.repr {
            Repr::Whole(whole) => *whole < 0,
            Repr::NegativeZero => false,
            Repr::Float(float) => float.digits.is_negative(),
            Repr::Infinite(side) => *side == Side::Negative,
        }
    }

    /// Whether it is zero, of either sign.
    pub fn is_zero(&self) -> bool {
        matches!(self.repr, Repr::Whole(0) | Repr::NegativeZero)
    }

    /// Whether it is printed with a sign, as a zero may be, too.
    pub fn has_sign(&self) -> bool {
        self.is_negative() || self.repr == Repr::NegativeZero
    }

    /// Digits and a power of two that make this number, if it is finite.
    pub fn to_binary(&self) -> Option<(BigInt, i64)> {
        match &self.repr {
            Repr::Whole(whole) => Some((BigInt::from(*whole), 0)),
            Repr::NegativeZero => Some((BigInt::ZERO, 0)),
            Repr::Float(float) => Some((float.digits.clone(), float.exponent)),
            Repr::Infinite(_) => None,
        }
    }
}

fn zero(is_negative: bool, precision: u32) -> Number {
    Number { repr: if is_negative { Repr::NegativeZero } else { Repr::Whole(0) }, precision }
}

fn infinite(is_negative: bool, precision: u32) -> Number {
    Number { repr: Repr::Infinite(if is_negative { Side::Negative } else { Side::Positive }), precision }
}

/// `digits * 2^exponent`, and a little further from zero where something was cut off, as the nearest number.
fn rounded(mut digits: BigInt, mut exponent: i64, cut_off: bool, precision: u32) -> Number {
    let excess = digits.bits().saturating_sub(precision.into());
    if excess > 0 {
        let (sign, magnitude) = digits.into_parts();
        let half = num_bigint::BigUint::one() << (excess - 1);
        let rest = &magnitude & ((&half << 1u32) - 1u32);
        let mut kept = magnitude >> excess;
        let is_odd = kept.bit(0);
        if rest > half || (rest == half && (cut_off || is_odd)) {
            kept += 1u32;
        }
        digits = BigInt::from_biguint(sign, kept);
        exponent += i64::try_from(excess).unwrap_or(i64::MAX);
    }
    let Some(zeros) = digits.trailing_zeros() else { return zero(false, precision) };
    let zeros = i64::try_from(zeros).unwrap_or(0);
    digits >>= zeros;
    exponent += zeros;
    let top = exponent + i64::try_from(digits.bits()).unwrap_or(i64::MAX);
    if top > MOST_BITS {
        return infinite(digits.is_negative(), precision);
    }
    if top < -MOST_BITS {
        return zero(false, precision);
    }
    if (0..64).contains(&exponent)
        && let Some(whole) = (&digits << exponent).to_i64()
    {
        return Number { repr: Repr::Whole(whole), precision };
    }
    Number { repr: Repr::Float(Arc::new(Float { digits, exponent })), precision }
}

impl From<BigInt> for Number {
    /// With all of its digits.
    fn from(value: BigInt) -> Self {
        let precision = u32::try_from(value.bits()).unwrap_or(u32::MAX).max(COUNTED);
        rounded(value, 0, false, precision)
    }
}

macro_rules! from_whole {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Number {
            fn from(value: $ty) -> Self {
                match i64::try_from(value) {
                    Ok(whole) => Number { repr: Repr::Whole(whole), precision: COUNTED },
                    Err(_) => BigInt::from(value).into(),
                }
            }
        }
    )*};
}
from_whole!(i32, i64, u16, u32, u64, usize);

impl FromStr for Number {
    type Err = String;

    /// `1`, `-1.5`, `1.5e-3`
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decimal::parse(text).ok_or_else(|| format!("`{text}` is not a number"))
    }
}

impl fmt::Display for Number {
    /// The fewest digits that mean this number and no other of its precision, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repr {
            Repr::Whole(whole) => whole.fmt(f),
            Repr::NegativeZero => f.write_str("-0"),
            Repr::Infinite(Side::Positive) => f.write_str("+Inf"),
            Repr::Infinite(Side::Negative) => f.write_str("-Inf"),
            Repr::Float(float) => f.write_str(&decimal::shortest(&float.digits, float.exponent, self.precision)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_print_plainly() {
        for (text, printed) in
            [("1.50", "1.5"), ("1E3", "1000"), ("1e-3", "0.001"), ("-0", "-0"), ("-0.0e5", "-0"), ("007", "7")]
        {
            assert_eq!(number(text).to_string(), printed);
        }
        assert_eq!(number("123456789012345678901234567890.5").to_string(), "123456789012345678901234567890.5");
    }

    #[test]
    fn a_huge_exponent_is_an_error_not_a_gigabyte() {
        for text in ["1e999999999", "", "abc", ".", "1.e", "--1", "1_000", "0x1", "Infinity"] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn equal_numbers_are_represented_equally() {
        let sum = &number("9223372036854775807") + &number("1");
        assert_eq!(sum.to_string(), "9223372036854775808");
        let pairs = [
            (&sum - &number("1"), "9223372036854775807"),
            (&number("0.5") + &number("0.5"), "1"),
            (-&number("-9223372036854775808"), "9223372036854775808"),
            (number("2.5").truncate(), "2"),
            (number("-2.5").truncate(), "-2"),
            (Number::from(1u64 << 63), "9223372036854775808"),
        ];
        for (made, text) in pairs {
            assert_eq!(made.repr, number(text).repr);
        }
    }

    #[test]
    fn doubles_come_and_go() {
        assert_eq!(number("1.1").to_f64(), 1.1);
        for (double, printed) in [(1.1, "1.1"), (-0.0, "-0"), (2f64.sqrt(), "1.4142135623730951"), (-3e2, "-300")] {
            assert_eq!(Number::from_f64(double).unwrap().to_string(), printed);
            assert_eq!(Number::from_f64(double).unwrap().to_f64(), double);
        }
        assert_eq!(Number::from_f64(5e-324).unwrap().to_f64(), 5e-324);
        assert!(Number::from_f64(f64::NAN).is_none());
    }

    #[test]
    fn a_whole_number_of_any_size_keeps_its_digits() {
        let digits = "7".repeat(400);
        assert_eq!(Number::from(digits.parse::<BigInt>().unwrap()).to_string(), digits);
        assert_ne!(number(&digits).to_string(), digits);
    }
}
