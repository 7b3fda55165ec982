//! Operators.
//!
//! Source: Go's `math/big`, and what cty makes of it.

use std::ops::{Add, Mul, Neg, Sub};

use num_bigint::BigInt;
use num_traits::Zero as _;

use super::{Number, Repr, WRITTEN, infinite, rounded, zero};

impl Number {
    /// Without its sign.
    #[must_use]
    pub fn abs(&self) -> Number {
        if self.has_sign() { -self } else { self.clone() }
    }

    /// Without what stands behind the decimal point.
    #[must_use]
    pub fn truncate(&self) -> Number {
        match &self.repr {
            Repr::Float(float) if float.exponent < 0 => {
                let whole = float.digits.magnitude() >> float.exponent.unsigned_abs();
                rounded(BigInt::from_biguint(float.digits.sign(), whole), 0, false, self.precision)
            }
            Repr::NegativeZero => zero(false, self.precision),
            Repr::Whole(_) | Repr::Float(_) | Repr::Infinite(_) => self.clone(),
        }
    }

    /// The largest whole number that is no larger.
    #[must_use]
    pub fn floor(&self) -> Number {
        match self.is_whole() || self.is_infinite() || !self.is_negative() {
            true => self.truncate(),
            false => added(&self.truncate(), &Number::from(-1), self.precision),
        }
    }

    /// The smallest whole number that is no smaller.
    #[must_use]
    pub fn ceiling(&self) -> Number {
        match self.is_whole() || self.is_infinite() || self.is_negative() {
            true => self.truncate(),
            false => added(&self.truncate(), &Number::from(1), self.precision),
        }
    }

    /// The sum; nothing where there is none, as of both infinities.
    pub fn plus(&self, other: &Number) -> Option<Number> {
        let opposed = self.is_infinite() && other.is_infinite() && self.is_negative() != other.is_negative();
        (!opposed).then(|| self + other)
    }

    /// The product; nothing where there is none, as of zero and what is infinite.
    pub fn times(&self, other: &Number) -> Option<Number> {
        let has_none = (self.is_zero() && other.is_infinite()) || (self.is_infinite() && other.is_zero());
        (!has_none).then(|| self * other)
    }

    /// The quotient; nothing where there is none, as of zero and zero.
    pub fn divided_by(&self, divisor: &Number) -> Option<Number> {
        let precision = self.precision.max(divisor.precision);
        let has_sign = self.has_sign() != divisor.has_sign();
        if (self.is_zero() && divisor.is_zero()) || (self.is_infinite() && divisor.is_infinite()) {
            return None;
        }
        let (Some((above, above_exponent)), Some((below, below_exponent))) = (self.to_binary(), divisor.to_binary())
        else {
            return Some(if self.is_infinite() { infinite(has_sign, precision) } else { zero(has_sign, precision) });
        };
        if above.is_zero() {
            return Some(zero(has_sign, precision));
        }
        if below.is_zero() {
            return Some(infinite(has_sign, precision));
        }
        let shift = (u64::from(precision) + 2 + below.bits()).saturating_sub(above.bits());
        let above: BigInt = above << shift;
        let (quotient, rest) = (&above / &below, &above % &below);
        let shift = i64::try_from(shift).unwrap_or(i64::MAX);
        Some(rounded(quotient, above_exponent - below_exponent - shift, !rest.is_zero(), precision))
    }

    /// What remains of a division whose quotient is cut off towards zero. Nothing is divided by zero: all of it remains. Nothing where either
    /// is infinite.
    pub fn remainder(&self, divisor: &Number) -> Option<Number> {
        if divisor.is_zero() {
            return Some(self.clone());
        }
        if self.is_infinite() || divisor.is_infinite() {
            return None;
        }
        // Each step is as precise as this number, however precise the divisor is.
        let quotient = self.divided_by(divisor)?.truncate().of_precision(self.precision);
        let product = multiplied(divisor, &quotient, self.precision);
        Some(added(self, &-&product, self.precision))
    }

    fn of_precision(&self, precision: u32) -> Number {
        match self.to_binary() {
            Some((digits, exponent)) if !digits.is_zero() => rounded(digits, exponent, false, precision),
            _ => Number { precision, ..self.clone() },
        }
    }
}

fn added(one: &Number, other: &Number, precision: u32) -> Number {
    match (&one.repr, &other.repr) {
        (Repr::Whole(a), Repr::Whole(b)) if precision >= 64 && a.checked_add(*b).is_some() => {
            return Number { repr: Repr::Whole(a + b), precision };
        }
        (Repr::NegativeZero, _) => return other.of_precision(precision),
        (_, Repr::NegativeZero) => return one.of_precision(precision),
        _ => {}
    }
    match (one.to_binary(), other.to_binary()) {
        (Some(one), Some(other)) => {
            let (high, low) = if one.1 >= other.1 { (one, other) } else { (other, one) };
            let gap = high.1 - low.1;
            rounded((high.0 << gap) + low.0, low.1, false, precision)
        }
        (None, Some(_)) => one.of_precision(precision),
        (Some(_), None) => other.of_precision(precision),
        (None, None) if one.is_negative() != other.is_negative() => zero(false, precision),
        (None, None) => one.of_precision(precision),
    }
}

fn multiplied(one: &Number, other: &Number, precision: u32) -> Number {
    let has_sign = one.has_sign() != other.has_sign();
    match (one.to_binary(), other.to_binary()) {
        _ if one.is_zero() || other.is_zero() => zero(has_sign, precision),
        (Some(one), Some(other)) => rounded(one.0 * other.0, one.1 + other.1, false, precision),
        (None, _) | (_, None) => infinite(has_sign, precision),
    }
}

impl Add for &Number {
    type Output = Number;

    fn add(self, other: &Number) -> Number {
        added(self, other, self.precision.max(other.precision))
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

    /// With as many digits more than the factors have as the product needs, up to those of what is written.
    fn mul(self, other: &Number) -> Number {
        let least = self.precision.max(other.precision);
        if let (Repr::Whole(one), Repr::Whole(two), 64..) = (&self.repr, &other.repr, least)
            && let (Some(product @ (..=-1 | 1..)), precision) = (one.checked_mul(*two), least)
        {
            return Number { repr: Repr::Whole(product), precision };
        }
        let product = multiplied(self, other, WRITTEN);
        let needed = match &product.repr {
            Repr::Float(float) => u32::try_from(float.digits.bits()).unwrap_or(u32::MAX),
            Repr::Whole(_) | Repr::NegativeZero | Repr::Infinite(_) => 64,
        };
        Number { precision: least.max(needed), ..product }
    }
}

impl Neg for &Number {
    type Output = Number;

    fn neg(self) -> Number {
        match self.to_binary() {
            None => infinite(!self.is_negative(), self.precision),
            Some(_) if self.is_zero() => zero(!self.has_sign(), self.precision),
            Some((digits, exponent)) => rounded(-digits, exponent, false, self.precision),
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
    fn arithmetic_is_that_of_512_bits() {
        assert_eq!((&number("0.1") + &number("0.2")).to_string(), "0.3");
        let third = number("1").divided_by(&number("3")).unwrap().to_string();
        assert_eq!((third.len(), &third[..5], &third[150..]), (157, "0.333", "3333335"));
        assert_ne!(&number("1") - &number("0.9"), number("0.1"));
        assert_eq!(&number("1e200") * &number("1e200"), number("1e400"));
        assert_eq!(number("1e400").to_string().len(), 401);
    }

    #[test]
    fn what_is_counted_and_what_comes_of_doubles_is_less_precise() {
        let (one, three) = (Number::from(1), Number::from(3));
        assert_eq!(one.divided_by(&three).unwrap().to_string(), "0.33333333333333333334");
        assert_eq!(one.divided_by(&number("3")), number("1").divided_by(&number("3")));
        let root = Number::from_f64(2f64.sqrt()).unwrap();
        assert_eq!((&root + &one).to_string(), "2.4142135623730951455");
        assert_eq!((&root * &number("1")).to_string(), "1.4142135623730951454746218587388284504413604736328125");
        assert_eq!((&root * &root).to_string(), "2.00000000000000027343234630647693");
        assert_eq!(Number::from(7).remainder(&number("0.3")).unwrap().to_string(), "0.09999999999999999991");
    }

    #[test]
    fn division_by_zero_is_infinite_and_leaves_all() {
        assert_eq!(number("1").divided_by(&number("0")).unwrap().to_string(), "+Inf");
        assert_eq!(number("-1").divided_by(&number("0")).unwrap().to_string(), "-Inf");
        assert!(number("0").divided_by(&number("0")).is_none());
        assert_eq!(number("5").remainder(&number("0")), Some(number("5")));
        assert_eq!(number("5.5").remainder(&number("2")), Some(number("1.5")));
        assert_eq!(number("-5").remainder(&number("3")), Some(number("-2")));
    }

    #[test]
    fn what_is_infinite_has_no_difference_and_no_product_with_zero() {
        let infinite = number("Inf");
        assert_eq!(infinite.plus(&-&infinite), None);
        assert_eq!(infinite.times(&number("0")), None);
        assert_eq!(infinite.remainder(&number("0")), Some(infinite.clone()));
        assert_eq!(infinite.remainder(&number("3")), None);
        assert_eq!(number("3").remainder(&infinite), None);
        assert_eq!(infinite.plus(&number("1")), Some(infinite.clone()));
        assert_eq!(number("1").divided_by(&-&infinite).unwrap().to_string(), "-0");
    }

    #[test]
    fn a_negative_zero_is_zero_with_a_sign() {
        let (zero, negative, five) = (number("0"), number("-0"), number("5"));
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
            ("0", number("-0.5").ceiling()),
            ("0", number("-5").remainder(&five).unwrap()),
            ("-Inf", five.divided_by(&negative).unwrap()),
        ];
        for (printed, number) in signs {
            assert_eq!(number.to_string(), printed);
        }
    }
}
