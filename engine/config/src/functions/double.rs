//! Powers and logarithms of doubles, to the last digit as Go has them.
//!
//! Source: Go's `math` package. Its logarithm is FreeBSD's; its exponential function is Naoki Shibata's, "Efficient evaluation methods of
//! elementary functions suitable for SIMD computation", 2010.

/// `base` to the power of `exponent`; not a number where there is none.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    if exponent == 0.0 || base == 1.0 {
        return 1.0;
    }
    if base == 0.0 || base.is_infinite() || exponent.is_infinite() {
        return base.powf(exponent);
    }
    if exponent.abs() == 0.5 {
        let root = base.sqrt();
        return if exponent > 0.0 { root } else { 1.0 / root };
    }
    let (mut whole, mut fraction) = (exponent.abs().trunc(), exponent.abs().fract());
    if fraction != 0.0 && base < 0.0 {
        return f64::NAN;
    }
    if whole >= TWO_TO_63 {
        return base.powf(exponent);
    }
    if fraction > 0.5 {
        fraction -= 1.0;
        whole += 1.0;
    }
    let start = if fraction == 0.0 { 1.0 } else { exponential(fraction * logarithm(base)) };
    let (digits, two) = whole_power(base, whole as u64, start);
    if exponent < 0.0 { scaled(1.0 / digits, -two) } else { scaled(digits, two) }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// `start * base^exponent` as a number times a power of two, by squaring.
fn whole_power(base: f64, mut exponent: u64, start: f64) -> (f64, i64) {
    let (mut power, mut power_two) = split(base);
    let (mut digits, mut two) = (start, 0);
    while exponent != 0 {
        // What is that large or small stays so.
        if power_two.abs() > 1 << 12 {
            return (digits, two + power_two);
        }
        if exponent % 2 == 1 {
            digits *= power;
            two += power_two;
        }
        power *= power;
        power_two *= 2;
        if power < 0.5 {
            power += power;
            power_two -= 1;
        }
        exponent /= 2;
    }
    (digits, two)
}

/// The natural logarithm.
pub(super) fn logarithm(number: f64) -> f64 {
    const TERMS: [f64; 7] = [
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ];
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    if number <= 0.0 || !number.is_finite() {
        return number.ln();
    }
    let (mut digits, mut two) = split(number);
    if digits < std::f64::consts::FRAC_1_SQRT_2 {
        digits *= 2.0;
        two -= 1;
    }
    let (f, k) = (digits - 1.0, two as f64);
    let s = f / (2.0 + f);
    let (s2, s4) = (s * s, s * s * (s * s));
    let [l1, l2, l3, l4, l5, l6, l7] = TERMS;
    let odd = s2 * (l1 + s4 * (l3 + s4 * (l5 + s4 * l7)));
    let even = s4 * (l2 + s4 * (l4 + s4 * l6));
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + (odd + even)) + k * LN2_LOW)) - f)
}

/// *e* to this power, which is between -0.5 and 0.5 times the logarithm of a double.
fn exponential(power: f64) -> f64 {
    const LN2_HIGH: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
    const LN2_LOW: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;
    /// The inverse of the factorials from that of eight down.
    const TAYLOR: [f64; 8] = [1.0 / 40_320.0, 1.0 / 5_040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
    let two = (power * std::f64::consts::LOG2_E).round_ties_even();
    let rest = (-two).mul_add(LN2_LOW, (-two).mul_add(LN2_HIGH, power)) * 0.0625;
    let series = TAYLOR.into_iter().reduce(|sum, term| sum.mul_add(rest, term)).unwrap_or(1.0);
    // Less one; squared four times, as it was of a sixteenth.
    let mut less_one = rest * series;
    for _ in 0..3 {
        less_one *= less_one + 2.0;
    }
    scaled(less_one.mul_add(less_one + 2.0, 1.0), two as i64)
}

/// A number of 0.5 to 1, and the power of two that it is multiplied with. Of what is finite and not zero.
fn split(number: f64) -> (f64, i64) {
    let (number, moved) = if number.abs() < f64::MIN_POSITIVE { (number * power_of_two(52), -52) } else { (number, 0) };
    let exponent = i64::try_from(number.to_bits() >> 52 & 0x7ff).unwrap_or(0) - 1022;
    (number * power_of_two(-exponent / 2) * power_of_two(-exponent + exponent / 2), exponent + moved)
}

/// `number * 2^exponent`, rounded once.
fn scaled(number: f64, exponent: i64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let (digits, own) = split(number);
    let exponent = exponent.saturating_add(own).clamp(-1200, 1200);
    match exponent {
        // Those without an exponent of their own are rounded as they are made.
        ..-1021 => digits * power_of_two(-1000) * power_of_two((exponent + 1000).max(-1022)),
        // The largest power is one more than there is.
        1024 => digits * 2.0 * power_of_two(1023),
        1025.. => f64::INFINITY.copysign(digits),
        _ => digits * power_of_two(exponent),
    }
}

/// Of -1022 to 1023.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(u64::try_from(exponent + 1023).unwrap_or(0) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_split_and_put_together() {
        for number in [1.0, -3.5, 1e-310, 5e-324, f64::MAX, f64::MIN_POSITIVE, 0.1] {
            let (digits, two) = split(number);
            assert!((0.5..1.0).contains(&digits.abs()), "{number}");
            assert_eq!(scaled(digits, two), number);
        }
        assert_eq!(scaled(1.0, 2000), f64::INFINITY);
        assert_eq!(scaled(1.0, -2000), 0.0);
        assert_eq!(scaled(3.0, -1075), 3.0 * 2f64.powi(-1000) * 2f64.powi(-75));
    }

    #[test]
    fn powers_are_those_of_go() {
        let powers = [
            (3.0, 100.0, 5.153_775_207_320_114e47),
            (1.1, 53.0, 156.24722518287504),
            (2.0, -1074.0, 5e-324),
            (-2.0, 3.0, -8.0),
            (10.0, 400.0, f64::INFINITY),
            (0.0, -1.0, f64::INFINITY),
            (9.0, 0.5, 3.0),
        ];
        for (base, exponent, power) in powers {
            assert_eq!(super::power(base, exponent), power, "{base} {exponent}");
        }
        assert!(power(-8.0, 1.0 / 3.0).is_nan());
    }
}
