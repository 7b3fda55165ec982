//! Numbers with so many decimal digits.
//!
//! Source: Go's `math/big`, `ftoa.go`.

use num_bigint::{BigInt, BigUint};

use super::Number;

/// `0.digits * 10^point`; no zeros at the end. Zero has no digits.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `123000.5`; with digits: so many behind the point, by default 6.
    Plain,
    /// `1.230005e+05`; with digits: so many behind the point, by default 6.
    Scientific,
    /// Whichever is shorter; with digits: so many in all, by default those that it has.
    Shorter,
}

impl Number {
    /// The number with so many decimal digits.
    pub fn text(&self, notation: Notation, digits: Option<usize>) -> String {
        if self.is_infinite() {
            return self.to_string();
        }
        let text = match notation {
            Notation::Shorter => shorter(self, digits),
            Notation::Scientific => {
                let places = digits.unwrap_or(6);
                with_exponent(&exact(self).rounded(places as i64 + 1), places)
            }
            Notation::Plain => {
                let places = digits.unwrap_or(6);
                let decimal = exact(self);
                let wanted = decimal.point.saturating_add(places as i64);
                plain(&decimal.rounded(wanted), places)
            }
        };
        format!("{}{text}", if self.has_sign() { "-" } else { "" })
    }
}

fn shorter(number: &Number, precision: Option<usize>) -> String {
    let decimal = match precision {
        None => shortest(number),
        Some(precision) => exact(number).rounded(precision.max(1) as i64),
    };
    let digits = decimal.digits.len();
    let limit = match precision {
        None => 6,
        Some(precision) if precision.max(1) > digits && digits as i64 >= decimal.point => digits as i64,
        Some(precision) => precision.max(1) as i64,
    };
    let exponent = if digits == 0 { 0 } else { decimal.point - 1 };
    match (-4..limit.max(1)).contains(&exponent) || (digits == 0) {
        true => {
            let places = usize::try_from(digits as i64 - decimal.point).unwrap_or(0);
            plain(&decimal, places)
        }
        false => with_exponent(&decimal, digits.saturating_sub(1)),
    }
}

fn plain(decimal: &Decimal, places: usize) -> String {
    let digit =
        |at: i64| usize::try_from(at).ok().and_then(|at| decimal.digits.get(at)).map_or('0', |d| char::from(*d));
    let whole: String = if decimal.point > 0 { (0..decimal.point).map(digit).collect() } else { "0".to_owned() };
    match places {
        0 => whole,
        _ => {
            let fraction: String = (0..places as i64).map(|at| digit(decimal.point + at)).collect();
            format!("{whole}.{fraction}")
        }
    }
}

fn with_exponent(decimal: &Decimal, places: usize) -> String {
    let digit = |at: usize| decimal.digits.get(at).map_or('0', |digit| char::from(*digit));
    let fraction: String = (1..=places).map(digit).collect();
    let point = if places > 0 { "." } else { "" };
    let exponent = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}{point}{fraction}e{sign}{:02}", digit(0), exponent.unsigned_abs())
}

/// All of its digits.
fn exact(number: &Number) -> Decimal {
    let (digits, exponent) = number.to_binary().unwrap_or_default();
    let scale = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
    match exponent >= 0 {
        true => Decimal::new(&(digits << scale), 0),
        false => Decimal::new(&(digits * BigInt::from(BigUint::from(5u32).pow(scale))), exponent),
    }
}

/// The digits that it is printed with.
fn shortest(number: &Number) -> Decimal {
    let text = number.to_string();
    let text = text.trim_start_matches('-');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: BigInt = [whole, fraction].concat().parse().unwrap_or_default();
    Decimal::new(&digits, -(fraction.len() as i64))
}

impl Decimal {
    /// `number * 10^exponent`, of whatever sign.
    fn new(number: &BigInt, exponent: i64) -> Self {
        let mut digits = number.magnitude().to_string().into_bytes();
        let point = digits.len() as i64 + exponent;
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let point = if digits.is_empty() { 0 } else { point };
        Decimal { digits, point }
    }

    /// The nearest with no more digits than this; in the middle, the even one.
    fn rounded(mut self, wanted: i64) -> Self {
        let Ok(kept) = usize::try_from(wanted) else { return Decimal { digits: Vec::new(), point: 0 } };
        let Some(next) = self.digits.get(kept).copied() else { return self };
        let is_half = next == b'5' && kept + 1 == self.digits.len();
        let is_odd = kept > 0 && self.digits.get(kept - 1).is_some_and(|digit| digit % 2 == 1);
        let goes_up = if is_half { is_odd } else { next >= b'5' };
        self.digits.truncate(kept);
        if goes_up {
            self.increment();
        }
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        self.point = if self.digits.is_empty() { 0 } else { self.point };
        self
    }

    fn increment(&mut self) {
        while self.digits.last() == Some(&b'9') {
            self.digits.pop();
        }
        match self.digits.last_mut() {
            Some(last) => *last += 1,
            None => {
                self.digits.push(b'1');
                self.point += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_each_notation() {
        let text = |number: &str, notation, digits| number.parse::<Number>().unwrap().text(notation, digits);
        assert_eq!(text("123000.5", Notation::Plain, Some(0)), "123000");
        assert_eq!(text("-0", Notation::Plain, Some(2)), "-0.00");
        assert_eq!(text("123000.5", Notation::Scientific, None), "1.230005e+05");
        assert_eq!(text("1e21", Notation::Shorter, None), "1e+21");
        assert_eq!(text("12345678901.5", Notation::Shorter, Some(10)), "1.23456789e+10");
        assert_eq!(text("Inf", Notation::Shorter, None), "+Inf");
    }
}
