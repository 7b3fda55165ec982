//! Which numbers are equal, and which comes first.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::{Number, Repr, Side, decimal};

impl Number {
    /// Which of them is less, to the last bit: two that print equally may still differ.
    pub fn compare(&self, other: &Number) -> Ordering {
        match (&self.repr, &other.repr) {
            (Repr::Whole(one), Repr::Whole(two)) => one.cmp(two),
            (Repr::Infinite(one), Repr::Infinite(two)) => one.cmp(two),
            (Repr::Infinite(Side::Negative), _) | (_, Repr::Infinite(Side::Positive)) => Ordering::Less,
            (Repr::Infinite(Side::Positive), _) | (_, Repr::Infinite(Side::Negative)) => Ordering::Greater,
            _ => {
                let (one, two) = (self.to_binary().unwrap_or_default(), other.to_binary().unwrap_or_default());
                let lowest = one.1.min(two.1);
                (one.0 << (one.1 - lowest)).cmp(&(two.0 << (two.1 - lowest)))
            }
        }
    }

    fn is_fraction(&self) -> bool {
        !self.is_whole() && !self.is_infinite()
    }

    /// With as many bits as what is written.
    fn as_it_prints(&self) -> Number {
        decimal::parse(&self.to_string()).unwrap_or_else(|| self.clone())
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        match self.is_fraction() && other.is_fraction() && self.precision != other.precision {
            true => self.to_string() == other.to_string(),
            false => self.repr == other.repr || (self.is_zero() && other.is_zero()),
        }
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.repr {
            Repr::Whole(0) | Repr::NegativeZero => 0i64.hash(state),
            Repr::Whole(whole) => whole.hash(state),
            Repr::Float(_) | Repr::Infinite(_) => self.to_string().hash(state),
        }
    }
}

impl Ord for Number {
    /// By what they print, so that those are equal which are.
    fn cmp(&self, other: &Number) -> Ordering {
        match self.precision != other.precision && (self.is_fraction() || other.is_fraction()) {
            true => self.as_it_prints().compare(&other.as_it_prints()),
            false => self.compare(other),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    fn hash(number: &Number) -> u64 {
        BuildHasherDefault::<DefaultHasher>::default().hash_one(number)
    }

    #[test]
    fn numbers_are_ordered() {
        let texts = ["-1e30", "-1", "-0.5", "0", "1e-9", "0.5", "1", "1.0000001", "1e30"];
        let numbers: Vec<Number> = texts.iter().map(|text| number(text)).collect();
        assert!(numbers.is_sorted());
        assert!(numbers.last() < number("1").divided_by(&number("0")).as_ref());
    }

    #[test]
    fn numbers_that_print_equally_are_equal() {
        let pairs = [
            (number("0"), number("-0")),
            (Number::from(3), number("3")),
            (Number::from_f64(0.1).unwrap(), number("0.1")),
            (Number::from_f64(1e300).unwrap(), Number::from_f64(1e300).unwrap()),
        ];
        for (one, other) in pairs {
            assert_eq!((one.cmp(&other), hash(&one)), (Ordering::Equal, hash(&other)));
            assert_eq!(one, other);
        }
        assert_ne!(Number::from_f64(0.1).unwrap(), number("0.10000000000000001"));
        assert_eq!(Number::from_f64(0.1).unwrap().compare(&number("0.1")), Ordering::Greater);
    }
}
