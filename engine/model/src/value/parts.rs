//! What is inside of values: shared until somebody changes it. What types it has is no part of what it is: two empty lists are equal.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use litemap::LiteMap;

use super::{Value, ValueMarks};
use crate::ty::Type;

/// What something would be of, were it there. All are equal.
#[derive(Clone, Debug)]
pub struct Kind(pub Type);

impl PartialEq for Kind {
    fn eq(&self, _: &Kind) -> bool {
        true
    }
}

impl Eq for Kind {}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Kind) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, _: &Kind) -> Ordering {
        Ordering::Equal
    }
}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// What is true of a value and of everything in it, as if nothing in it were shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Of memory, roughly.
    pub bytes: u64,
    /// Values within each other.
    pub levels: u32,
    pub(super) marks: ValueMarks,
    pub(super) is_known: bool,
}

impl Measure {
    /// Of a value that has nothing in it but so much text.
    pub(super) fn of_leaf(text: usize) -> Measure {
        let bytes = (text as u64).saturating_add(size_of::<Value>() as u64);
        Measure { bytes, levels: 0, marks: ValueMarks::NONE, is_known: true }
    }

    fn of_parts<'v>(parts: impl Iterator<Item = &'v Value>, names: usize) -> Measure {
        let none = Measure { levels: 1, ..Measure::of_leaf(names) };
        parts.map(Value::measure).fold(none, |all, part| Measure {
            bytes: all.bytes.saturating_add(part.bytes),
            levels: all.levels.max(part.levels.saturating_add(1)),
            marks: all.marks | part.marks,
            is_known: all.is_known && part.is_known,
        })
    }
}

/// What is shared, and its measure once somebody asked: a value may hold the same so often that nobody can count it twice.
#[derive(Debug, Default)]
struct Shared<T> {
    inner: T,
    measure: OnceLock<Measure>,
}

impl<T> From<T> for Shared<T> {
    fn from(inner: T) -> Self {
        Shared { inner, measure: OnceLock::new() }
    }
}

impl<T: Clone> Clone for Shared<T> {
    fn clone(&self) -> Self {
        self.inner.clone().into()
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T: Ord> PartialOrd for Shared<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> Ord for Shared<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.inner.cmp(&other.inner)
    }
}

impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

/// Values in the order of their names. Most are few: side by side they take a third of what a tree takes.
pub type Named = LiteMap<String, Value>;

macro_rules! shared {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            parts: Arc<Shared<$inner>>,
            element: Kind,
        }

        impl $name {
            /// With the type that all of them have.
            #[must_use]
            pub fn of(self, element: Type) -> Self {
                $name { element: Kind(element), ..self }
            }

            /// Whether they say that they all have this type.
            pub fn element_is(&self, ty: &Type) -> bool {
                self.element.0 == *ty
            }

            /// Whether both are one in memory. What is equal need not be.
            pub fn is_same(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.parts, &other.parts) && self.element_is(&other.element.0)
            }

            /// The parts themselves; copied only where they are shared.
            pub fn into_inner(self) -> $inner {
                Arc::unwrap_or_clone(self.parts).inner
            }
        }

        impl Default for $name {
            fn default() -> Self {
                <$inner>::default().into()
            }
        }

        impl From<$inner> for $name {
            fn from(parts: $inner) -> Self {
                $name { parts: Arc::new(parts.into()), element: Kind(Type::Any) }
            }
        }

        impl Deref for $name {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.parts.inner
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $inner {
                let shared = Arc::make_mut(&mut self.parts);
                shared.measure = OnceLock::new();
                &mut shared.inner
            }
        }

        impl IntoIterator for $name {
            type Item = <$inner as IntoIterator>::Item;
            type IntoIter = <$inner as IntoIterator>::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                self.into_inner().into_iter()
            }
        }

        impl<'v> IntoIterator for &'v $name {
            type Item = <&'v $inner as IntoIterator>::Item;
            type IntoIter = <&'v $inner as IntoIterator>::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                self.parts.inner.iter()
            }
        }

        impl<'v> IntoIterator for &'v mut $name {
            type Item = <&'v mut $inner as IntoIterator>::Item;
            type IntoIter = <&'v mut $inner as IntoIterator>::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                self.deref_mut().iter_mut()
            }
        }
    };
}

shared! {
    /// Values in order.
    Items, Vec<Value>
}

shared! {
    /// Values by name.
    Members, Named
}

impl Items {
    /// The type that all of them have, as far as it is known.
    pub fn element(&self) -> Type {
        common(&self.element, self.iter())
    }

    pub(super) fn measure(&self) -> Measure {
        *self.parts.measure.get_or_init(|| Measure::of_parts(self.iter(), 0))
    }

    /// Each replaced by what `change` makes of it.
    #[must_use]
    pub fn map(self, change: impl FnMut(Value) -> Value) -> Self {
        let element = self.element.clone();
        let parts: Vec<Value> = self.into_iter().map(change).collect();
        Items { parts: Arc::new(parts.into()), element }
    }
}

impl Members {
    /// The type that all of them have, as far as it is known.
    pub fn element(&self) -> Type {
        common(&self.element, self.values())
    }

    pub(super) fn measure(&self) -> Measure {
        let names = || self.keys().map(|name| name.len() + size_of::<String>()).sum();
        *self.parts.measure.get_or_init(|| Measure::of_parts(self.values(), names()))
    }

    /// Each replaced by what `change` makes of it.
    #[must_use]
    pub fn map(self, mut change: impl FnMut(Value) -> Value) -> Self {
        let element = self.element.clone();
        let members: Vec<_> = self.into_iter().map(|(name, value)| (name, change(value))).collect();
        Members { element, ..members.into() }
    }
}

/// What was said, unless that leaves something open which one of the values knows.
fn common<'v>(said: &Kind, values: impl Iterator<Item = &'v Value>) -> Type {
    if !said.0.has_any() {
        return said.0.clone();
    }
    let mut best = said.0.clone();
    for ty in values.map(Value::ty) {
        if !ty.has_any() {
            return ty;
        }
        if best == Type::Any {
            best = ty;
        }
    }
    best
}

impl FromIterator<Value> for Items {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Vec::from_iter(values).into()
    }
}

impl<N: Into<String>> FromIterator<(N, Value)> for Members {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(values: I) -> Self {
        values.into_iter().map(|(name, value)| (name.into(), value)).collect::<LiteMap<_, _>>().into()
    }
}

/// Mostly they are in the order of their names already: then they stay where they are.
impl From<Vec<(String, Value)>> for Members {
    fn from(members: Vec<(String, Value)>) -> Self {
        match members.is_sorted_by(|(one, _), (next, _)| one < next) {
            true => LiteMap::from_sorted_store_unchecked(members).into(),
            false => members.into_iter().collect(),
        }
    }
}

/// For who inserts in any order: a list would have to make room each time.
impl From<BTreeMap<String, Value>> for Members {
    fn from(members: BTreeMap<String, Value>) -> Self {
        Vec::from_iter(members).into()
    }
}

impl<const COUNT: usize> From<[(String, Value); COUNT]> for Members {
    fn from(members: [(String, Value); COUNT]) -> Self {
        members.into_iter().collect()
    }
}
