//! Numbers as decimal text.

use num_bigint::{BigInt, Sign};
use num_traits::Zero;

use super::{LARGEST_EXPONENT, Number, Repr, WRITTEN, rounded, zero};

/// The number that a text means, if it means one.
pub(super) fn parse(text: &str) -> Option<Number> {
    if let Some(side) = infinite(text) {
        return Some(side);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let are_digits = [whole, fraction].iter().all(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if !are_digits || (whole.is_empty() && fraction.is_empty()) || exponent.abs() > LARGEST_EXPONENT {
        return None;
    }
    let is_negative = mantissa.starts_with('-');
    if [whole, fraction].iter().all(|digits| digits.bytes().all(|byte| byte == b'0')) {
        return Some(zero(is_negative, WRITTEN));
    }
    if let (true, Ok(small)) = (fraction.is_empty() && exponent == 0, mantissa.parse::<i64>()) {
        return Some(Number { repr: Repr::Whole(small), precision: WRITTEN });
    }
    let digits: BigInt = format!("{}{whole}{fraction}", if is_negative { "-" } else { "" }).parse().ok()?;
    let exponent = exponent - i64::try_from(fraction.len()).ok()?;
    Some(times_ten_to(digits, exponent))
}

/// As Terraform's numbers read and print.
fn infinite(text: &str) -> Option<Number> {
    match text {
        "Inf" | "inf" | "+Inf" | "+inf" => Some(super::infinite(false, WRITTEN)),
        "-Inf" | "-inf" => Some(super::infinite(true, WRITTEN)),
        _ => None,
    }
}

fn times_ten_to(digits: BigInt, exponent: i64) -> Number {
    let power = BigInt::from(5).pow(u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX));
    if exponent >= 0 {
        return rounded(digits * power, exponent, false, WRITTEN);
    }
    let shift = (u64::from(WRITTEN) + 2 + power.bits()).saturating_sub(digits.bits());
    let scaled: BigInt = digits << shift;
    let (quotient, rest) = (&scaled / &power, &scaled % &power);
    rounded(quotient, exponent - i64::try_from(shift).unwrap_or(i64::MAX), !rest.is_zero(), WRITTEN)
}

/// The fewest digits between this number's neighbours of that precision, halfway to each.
///
/// Source: how Go's `math/big` prints with the format `f` and as many digits as are needed.
pub(super) fn shortest(digits: &BigInt, exponent: i64, precision: u32) -> String {
    // One bit more than the precision: its neighbours are then those halfway to the next numbers.
    let shift = (u64::from(precision) + 1).saturating_sub(digits.bits());
    let middle = digits.magnitude() << shift;
    let exponent = exponent - i64::try_from(shift).unwrap_or(i64::MAX);
    let is_even = !middle.bit(1);
    let scale = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
    let written = |number: num_bigint::BigUint| match exponent >= 0 {
        true => (number << scale).to_string(),
        false => (number * num_bigint::BigUint::from(5u32).pow(scale)).to_string(),
    };
    let fraction_digits = if exponent >= 0 { 0 } else { scale as usize };
    let texts = [&middle - 1u32, middle.clone(), &middle + 1u32].map(written);
    let width = texts.iter().map(String::len).max().unwrap_or(0).max(fraction_digits + 1);
    let [below, exact, above] = texts.map(|text| ["0".repeat(width - text.len()), text].concat().into_bytes());
    let (kept, rounds_up) = cut(&below, &exact, &above, is_even);
    let mut kept = exact[..kept].to_vec();
    if rounds_up {
        increment(&mut kept);
    }
    let text = String::from_utf8(kept).unwrap_or_default();
    let sign = if digits.sign() == Sign::Minus { "-" } else { "" };
    format!("{sign}{}", plain(&text, width - fraction_digits))
}

/// How many digits are needed, and whether the last of them is rounded up.
fn cut(below: &[u8], exact: &[u8], above: &[u8], is_even: bool) -> (usize, bool) {
    let last = |digits: &[u8]| digits.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1);
    let (last_exact, last_below, last_above) = (last(exact), last(below), last(above));
    for at in 0..last_exact {
        let (low, digit, high) = (below[at], exact[at], above[at]);
        let down = low != digit || (is_even && at + 1 == last_below);
        let up = digit != high && (is_even || digit + 1 < high || at + 1 < last_above);
        match (down, up) {
            (true, true) => return (at + 1, rounds_up(exact, at + 1, last_exact)),
            (true, false) => return (at + 1, false),
            (false, true) => return (at + 1, true),
            (false, false) => {}
        }
    }
    (last_exact, false)
}

/// Whether the first so many digits are rounded up: from a half, and at a half to even.
fn rounds_up(exact: &[u8], kept: usize, last: usize) -> bool {
    match exact.get(kept) {
        Some(b'5') if kept + 1 == last => exact[kept - 1] % 2 == 1,
        Some(next) => *next >= b'5',
        None => false,
    }
}

/// The first digit is never a nine that all others follow: there is a zero in front where it matters.
fn increment(digits: &mut Vec<u8>) {
    while digits.last() == Some(&b'9') {
        digits.pop();
    }
    match digits.last_mut() {
        Some(last) => *last += 1,
        None => digits.push(b'1'),
    }
}

/// Digits with a point behind so many, nothing superfluous.
fn plain(digits: &str, point: usize) -> String {
    let padded = [digits, &"0".repeat(point.saturating_sub(digits.len()))].concat();
    let (whole, fraction) = padded.split_at(point);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    match (whole, fraction) {
        ("", "") => "0".to_owned(),
        (whole, "") => whole.to_owned(),
        ("", fraction) => format!("0.{fraction}"),
        (whole, fraction) => format!("{whole}.{fraction}"),
    }
}
