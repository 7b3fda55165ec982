//! Bounds of numbers and of lengths.

/// From where to where; both ends belong to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounds<T> {
    /// No less than this.
    pub least: Option<T>,
    /// No more than this.
    pub most: Option<T>,
}

impl<T> Default for Bounds<T> {
    fn default() -> Self {
        Bounds { least: None, most: None }
    }
}

impl<T: Ord + Clone> Bounds<T> {
    /// Nothing but this.
    pub fn exactly(value: T) -> Self {
        Bounds { least: Some(value.clone()), most: Some(value) }
    }

    /// From one to another.
    pub fn between(least: T, most: T) -> Self {
        Bounds { least: Some(least), most: Some(most) }
    }

    /// The only value that there is within them.
    pub fn only(&self) -> Option<&T> {
        self.least.as_ref().filter(|least| self.most.as_ref() == Some(least))
    }

    /// Whether this lies within them.
    pub fn hold(&self, value: &T) -> bool {
        self.least.as_ref().is_none_or(|least| least <= value) && self.most.as_ref().is_none_or(|most| value <= most)
    }

    /// Whether all that lies within them is less than all that lies within others.
    pub fn are_below(&self, other: &Self) -> bool {
        matches!((&self.most, &other.least), (Some(most), Some(least)) if most < least)
    }

    /// Whether nothing that lies within them is more than something that lies within others.
    pub fn are_not_above(&self, other: &Self) -> bool {
        matches!((&self.most, &other.least), (Some(most), Some(least)) if most <= least)
    }

    /// Whether nothing lies within both.
    pub fn are_apart(&self, other: &Self) -> bool {
        self.are_below(other) || other.are_below(self)
    }

    /// What lies within either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let both = |one: Option<T>, other: Option<T>, choose: fn(T, T) -> T| Some(choose(one?, other?));
        Bounds { least: both(self.least, other.least, T::min), most: both(self.most, other.most, T::max) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.least.is_none() && self.most.is_none()
    }
}
