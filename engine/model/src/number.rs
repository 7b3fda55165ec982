//! Numbers with Terraform's arithmetic: 512 significant bits, rounded to the nearest, ties to even.
//!
//! Source: cty, whose numbers are `math/big` floats of that precision.

mod decimal;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, Mul, Neg, Sub};
use std::str::FromStr;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// A number.
///
/// Invariant: equal numbers but the two zeros are represented equally, so that equality and hashes are those of the number (test:
/// `equal_numbers_are_represented_equally`).
#[derive(Clone, Debug)]
pub struct Number(Repr);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Side {
    Negative,
    Positive,
}

/// `digits * 2^exponent`
///
/// Invariant: `digits` is odd and has no more than [`PRECISION`] bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Float {
    digits: BigInt,
    exponent: i64,
}

/// In bits.
const PRECISION: u64 = 512;
/// A number with more bits than this before its point is infinite, one that begins that far behind it is zero: a few characters must not
/// become a gigabyte of digits.
const MOST_BITS: i64 = 400_000;
/// In decimal digits, for the same reason.
const LARGEST_EXPONENT: i64 = 100_000;

impl Number {
    /// The number as a whole one, if it is, and fits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
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
        match &self.0 {
            Repr::Whole(whole) => Some(BigInt::from(*whole)),
            Repr::NegativeZero => Some(BigInt::ZERO),
            Repr::Float(float) if float.exponent >= 0 => Some(&float.digits << float.exponent),
            Repr::Float(_) | Repr::Infinite(_) => None,
        }
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Whole(whole) => *whole as f64,
            Repr::NegativeZero => -0.0,
            Repr::Infinite(Side::Positive) => f64::INFINITY,
            Repr::Infinite(Side::Negative) => f64::NEG_INFINITY,
            // The library's own parser rounds correctly.
            Repr::Float(_) => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The double as it prints; not a number is nothing.
    pub fn from_f64(double: f64) -> Option<Number> {
        match double {
            _ if double.is_nan() => None,
            f64::INFINITY => Some(Number(Repr::Infinite(Side::Positive))),
            f64::NEG_INFINITY => Some(Number(Repr::Infinite(Side::Negative))),
            _ => double.to_string().parse().ok(),
        }
    }

    /// Whether there is nothing behind the decimal point.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Repr::Whole(_) | Repr::NegativeZero => true,
            Repr::Float(float) => float.exponent >= 0,
            Repr::Infinite(_) => false,
        }
    }

    /// Whether it is `+Inf` or `-Inf`.
    pub fn is_infinite(&self) -> bool {
        matches!(self.0, Repr::Infinite(_))
    }

    /// Whether it is less than zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Whole(whole) => *whole < 0,
            Repr::NegativeZero => false,
            Repr::Float(float) => float.digits.is_negative(),
            Repr::Infinite(side) => *side == Side::Negative,
        }
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(&self) -> Number {
        if self.has_sign() { -self } else { self.clone() }
    }

    fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Whole(0) | Repr::NegativeZero)
    }

    /// Of a zero, too.
    fn has_sign(&self) -> bool {
        self.is_negative() || self.0 == Repr::NegativeZero
    }

    /// Without what stands behind the decimal point.
    #[must_use]
    pub fn truncate(&self) -> Number {
        match &self.0 {
            Repr::Float(float) if float.exponent < 0 => {
                let whole = float.digits.magnitude() >> float.exponent.unsigned_abs();
                rounded(BigInt::from_biguint(float.digits.sign(), whole), 0, false)
            }
            Repr::NegativeZero => Number(Repr::Whole(0)),
            _ => self.clone(),
        }
    }

    /// The largest whole number that is no larger.
    #[must_use]
    pub fn floor(&self) -> Number {
        match self.is_whole() || self.is_infinite() || !self.is_negative() {
            true => self.truncate(),
            false => &self.truncate() - &Number::from(1),
        }
    }

    /// The quotient; nothing where there is none, as of zero and zero.
    pub fn divided_by(&self, divisor: &Number) -> Option<Number> {
        match (&self.0, &divisor.0) {
            (Repr::Infinite(_), Repr::Infinite(_)) => None,
            (Repr::Infinite(_), _) => Some(if divisor.is_negative() { -self } else { self.clone() }),
            (_, Repr::Infinite(_)) => Some(Number::from(0)),
            _ if divisor.is_zero() && self.is_zero() => None,
            _ if divisor.is_zero() => Some(infinite(self.has_sign() != divisor.has_sign())),
            _ if self.is_zero() => Some(zero(self.has_sign() != divisor.has_sign())),
            _ => {
                let ((above, above_exponent), (below, below_exponent)) = (self.parts(), divisor.parts());
                let shift = (PRECISION + 2 + below.bits()).saturating_sub(above.bits());
                let above: BigInt = above << shift;
                let (quotient, rest) = (&above / &below, &above % &below);
                let shift = i64::try_from(shift).unwrap_or(i64::MAX);
                Some(rounded(quotient, above_exponent - below_exponent - shift, !rest.is_zero()))
            }
        }
    }

    /// What remains of a division whose quotient is cut off towards zero. Nothing is divided by zero: all of it remains.
    pub fn remainder(&self, divisor: &Number) -> Number {
        match (&self.0, &divisor.0) {
            (Repr::Infinite(_), _) | (_, Repr::Infinite(_)) => self * divisor,
            _ if divisor.is_zero() => self.clone(),
            _ => match self.divided_by(divisor) {
                Some(quotient) => self - &(divisor * &quotient.truncate()),
                None => self.clone(),
            },
        }
    }

    /// Digits and a power of two that make this number, if it is finite.
    pub fn to_binary(&self) -> Option<(BigInt, i64)> {
        (!self.is_infinite()).then(|| self.parts())
    }

    fn parts(&self) -> (BigInt, i64) {
        match &self.0 {
            Repr::Whole(whole) => (BigInt::from(*whole), 0),
            Repr::NegativeZero => (BigInt::ZERO, 0),
            Repr::Float(float) => (float.digits.clone(), float.exponent),
            Repr::Infinite(_) => unreachable!("callers have dealt with it"),
        }
    }
}

fn zero(is_negative: bool) -> Number {
    Number(if is_negative { Repr::NegativeZero } else { Repr::Whole(0) })
}

fn infinite(is_negative: bool) -> Number {
    Number(Repr::Infinite(if is_negative { Side::Negative } else { Side::Positive }))
}

/// `digits * 2^exponent`, and a little further from zero where something was cut off, as the nearest number.
fn rounded(mut digits: BigInt, mut exponent: i64, cut_off: bool) -> Number {
    let excess = digits.bits().saturating_sub(PRECISION);
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
    let Some(zeros) = digits.trailing_zeros() else { return Number(Repr::Whole(0)) };
    let zeros = i64::try_from(zeros).unwrap_or(0);
    digits >>= zeros;
    exponent += zeros;
    let top = exponent + i64::try_from(digits.bits()).unwrap_or(i64::MAX);
    if top > MOST_BITS {
        return infinite(digits.is_negative());
    }
    if top < -MOST_BITS {
        return Number(Repr::Whole(0));
    }
    if (0..64).contains(&exponent)
        && let Some(whole) = (&digits << exponent).to_i64()
    {
        return Number(Repr::Whole(whole));
    }
    Number(Repr::Float(Arc::new(Float { digits, exponent })))
}

impl Add for &Number {
    type Output = Number;

    fn add(self, other: &Number) -> Number {
        match (&self.0, &other.0) {
            (Repr::Whole(one), Repr::Whole(two)) if one.checked_add(*two).is_some() => Number(Repr::Whole(one + two)),
            (Repr::NegativeZero, _) => other.clone(),
            (_, Repr::NegativeZero) => self.clone(),
            (Repr::Infinite(one), Repr::Infinite(two)) if one != two => Number(Repr::Whole(0)),
            (Repr::Infinite(_), _) => self.clone(),
            (_, Repr::Infinite(_)) => other.clone(),
            _ => {
                let (one, two) = (self.parts(), other.parts());
                let (high, low) = if one.1 >= two.1 { (one, two) } else { (two, one) };
                let gap = high.1 - low.1;
                rounded((high.0 << gap) + low.0, low.1, false)
            }
        }
    }
}

impl Sub for &Number {
    type Output = Number;

    fn sub(self, other: &Number) -> Number {
        self + &-other
    }
}

impl Mul for &Number {
    type Output = Number;

    fn mul(self, other: &Number) -> Number {
        match (&self.0, &other.0) {
            _ if self.is_zero() || other.is_zero() => zero(self.has_sign() != other.has_sign()),
            (Repr::Whole(one), Repr::Whole(two)) if one.checked_mul(*two).is_some() => Number(Repr::Whole(one * two)),
            (Repr::Infinite(_), _) | (_, Repr::Infinite(_)) => infinite(self.is_negative() != other.is_negative()),
            _ => {
                let (one, two) = (self.parts(), other.parts());
                rounded(one.0 * two.0, one.1 + two.1, false)
            }
        }
    }
}

impl Neg for &Number {
    type Output = Number;

    fn neg(self) -> Number {
        match &self.0 {
            Repr::Infinite(Side::Negative) => Number(Repr::Infinite(Side::Positive)),
            Repr::Infinite(Side::Positive) => Number(Repr::Infinite(Side::Negative)),
            Repr::Whole(0) => Number(Repr::NegativeZero),
            Repr::NegativeZero => Number(Repr::Whole(0)),
            Repr::Whole(_) | Repr::Float(_) => {
                let (digits, exponent) = self.parts();
                rounded(-digits, exponent, false)
            }
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.0 == other.0 || (self.is_zero() && other.is_zero())
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.is_zero() { Repr::Whole(0).hash(state) } else { self.0.hash(state) }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Whole(one), Repr::Whole(two)) => one.cmp(two),
            (Repr::Infinite(one), Repr::Infinite(two)) => one.cmp(two),
            (Repr::Infinite(Side::Negative), _) | (_, Repr::Infinite(Side::Positive)) => Ordering::Less,
            (Repr::Infinite(Side::Positive), _) | (_, Repr::Infinite(Side::Negative)) => Ordering::Greater,
            _ => {
                let (one, two) = (self.parts(), other.parts());
                let lowest = one.1.min(two.1);
                (one.0 << (one.1 - lowest)).cmp(&(two.0 << (two.1 - lowest)))
            }
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<BigInt> for Number {
    fn from(value: BigInt) -> Self {
        rounded(value, 0, false)
    }
}

macro_rules! from_whole {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Number {
            fn from(value: $ty) -> Self {
                match i64::try_from(value) {
                    Ok(whole) => Number(Repr::Whole(whole)),
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
    /// The fewest digits that mean this number and no other, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Whole(whole) => whole.fmt(f),
            Repr::NegativeZero => f.write_str("-0"),
            Repr::Infinite(Side::Positive) => f.write_str("+Inf"),
            Repr::Infinite(Side::Negative) => f.write_str("-Inf"),
            Repr::Float(float) => f.write_str(&decimal::shortest(&float.digits, float.exponent)),
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
    fn arithmetic_is_that_of_512_bits() {
        assert_eq!((&number("0.1") + &number("0.2")).to_string(), "0.3");
        let third = number("1").divided_by(&number("3")).unwrap().to_string();
        assert_eq!((third.len(), &third[..5], &third[150..]), (157, "0.333", "3333335"));
        assert_ne!(&number("1") - &number("0.9"), number("0.1"));
        assert_eq!(&number("1e200") * &number("1e200"), number("1e400"));
        assert_eq!(number("1e400").to_string().len(), 401);
    }

    #[test]
    fn division_by_zero_is_infinite_and_leaves_all() {
        assert_eq!(number("1").divided_by(&number("0")).unwrap().to_string(), "+Inf");
        assert_eq!(number("-1").divided_by(&number("0")).unwrap().to_string(), "-Inf");
        assert!(number("0").divided_by(&number("0")).is_none());
        assert_eq!(number("5").remainder(&number("0")), number("5"));
        assert_eq!(number("5.5").remainder(&number("2")), number("1.5"));
        assert_eq!(number("-5").remainder(&number("3")), number("-2"));
    }

    #[test]
    fn equal_numbers_are_represented_equally() {
        let sum = &number("9223372036854775807") + &number("1");
        assert_eq!(sum.to_string(), "9223372036854775808");
        assert_eq!(&sum - &number("1"), number("9223372036854775807"));
        assert_eq!(&number("0.5") + &number("0.5"), number("1"));
        assert_eq!(-&number("-9223372036854775808"), number("9223372036854775808"));
        assert_eq!(number("2.5").truncate(), number("2"));
        assert_eq!(number("-2.5").truncate(), number("-2"));
    }

    #[test]
    fn a_negative_zero_is_zero_with_a_sign() {
        let (zero, negative, five) = (number("0"), number("-0"), number("5"));
        assert_eq!((zero.clone(), zero.cmp(&negative)), (negative.clone(), Ordering::Equal));
        let signs = [
            ("-0", -&zero),
            ("0", -&negative),
            ("0", &negative + &zero),
            ("-0", &negative + &negative),
            ("-0", &negative - &zero),
            ("5", &negative + &five),
            ("0", &five - &five),
            ("-0", &zero * &-&five),
            ("0", &negative * &-&five),
            ("-0", zero.divided_by(&-&five).unwrap()),
            ("0", negative.abs()),
            ("0", negative.floor()),
            ("0", number("-5").remainder(&five)),
            ("-Inf", five.divided_by(&negative).unwrap()),
        ];
        for (printed, number) in signs {
            assert_eq!(number.to_string(), printed);
        }
        let hash = |number: &Number| {
            std::hash::BuildHasher::hash_one(
                &std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default(),
                number,
            )
        };
        assert_eq!(hash(&zero), hash(&negative));
    }

    #[test]
    fn numbers_are_ordered() {
        let texts = ["-1e30", "-1", "-0.5", "0", "1e-9", "0.5", "1", "1.0000001", "1e30"];
        let numbers: Vec<Number> = texts.iter().map(|text| number(text)).collect();
        assert!(numbers.is_sorted());
        assert!(numbers.last() < number("1").divided_by(&number("0")).as_ref());
    }

    #[test]
    fn doubles_come_and_go() {
        assert_eq!(number("1.1").to_f64(), 1.1);
        assert_eq!(Number::from_f64(2f64.powi(600)).unwrap().to_string()[..18], *"414951556888099300");
        assert!(Number::from_f64(f64::NAN).is_none());
    }
}
